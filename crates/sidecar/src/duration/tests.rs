use proptest::prelude::*;

use super::*;

#[test]
fn durations_read_as_go_reads_them() {
    let ok: &[(&str, i64)] = &[
        ("0", 0),
        ("+0", 0),
        ("-0", 0),
        ("0s", 0),
        ("300ms", 300_000_000),
        ("15s", 15_000_000_000),
        ("1m30s", 90_000_000_000),
        ("2h", 7_200_000_000_000),
        ("1.5h", 5_400_000_000_000),
        (".5s", 500_000_000),
        ("5.s", 5_000_000_000),
        ("+5s", 5_000_000_000),
        ("-1.5s", -1_500_000_000),
        ("10us", 10_000),
        ("10µs", 10_000),
        ("10μs", 10_000),
        ("1s1s", 2_000_000_000),
        ("9223372036854775807ns", i64::MAX),
        ("-9223372036854775808ns", i64::MIN),
        ("0.3333333333333333333h", 1_200_000_000_000),
        ("0.100000000000000000000h", 360_000_000_000),
        ("9007199254.740993s", 9_007_199_254_740_993_000),
    ];
    for (text, nanos) in ok {
        assert_eq!(text.parse(), Ok(GoDuration(*nanos)), "{text}");
    }
    use DurationError::{Invalid, MissingUnit, UnknownUnit};
    let bad: &[(&str, DurationError)] = &[
        ("", Invalid),
        ("3", MissingUnit),
        ("15", MissingUnit),
        ("-", Invalid),
        ("s", Invalid),
        (".", Invalid),
        ("-.", Invalid),
        (".s", Invalid),
        ("+.s", Invalid),
        ("+-5s", Invalid),
        ("5s0", MissingUnit),
        ("1d", UnknownUnit("d".into())),
        ("1 s", UnknownUnit(" s".into())),
        ("1S", UnknownUnit("S".into())),
        ("9223372036854775808ns", Invalid),
        ("9999999999h", Invalid),
        ("99999999999999999999999h", Invalid),
        ("-9223372036854775809ns", Invalid),
        ("9223372036854775.808us", Invalid),
    ];
    for (text, error) in bad {
        assert_eq!(text.parse::<GoDuration>(), Err(error.clone()), "{text}");
    }
}

#[test]
fn durations_are_written_as_go_writes_them() {
    let table: &[(i64, &str)] = &[
        (0, "0s"),
        (1, "1ns"),
        (1_100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (3_300_000_000, "3.3s"),
        (300_000_000, "300ms"),
        (60_000_000_000, "1m0s"),
        (245_000_000_000, "4m5s"),
        (245_001_000_000, "4m5.001s"),
        (18_367_001_000_000, "5h6m7.001s"),
        (3_600_000_000_000, "1h0m0s"),
        (5_400_000_000_000, "1h30m0s"),
        (-1_500_000_000, "-1.5s"),
        (480_000_000_001, "8m0.000000001s"),
        (i64::MAX, "2562047h47m16.854775807s"),
        (i64::MIN, "-2562047h47m16.854775808s"),
    ];
    for (nanos, text) in table {
        assert_eq!(GoDuration(*nanos).to_string(), *text);
    }
}

#[test]
fn a_negative_duration_is_zero_for_the_program() {
    assert_eq!(GoDuration(-5).to_std(), Duration::ZERO);
    assert_eq!(GoDuration::secs(2).to_std(), Duration::from_secs(2));
}

proptest! {
    #[test]
    fn what_is_written_reads_back(nanos in any::<i64>()) {
        // Above 2^53 the fraction goes through a float, in Go as well; below a second of error is all it can be.
        let back: GoDuration = GoDuration(nanos).to_string().parse().unwrap();
        prop_assert!(back.0.abs_diff(nanos) < 1_000, "{nanos} -> {}", back.0);
    }

    #[test]
    fn a_sum_of_parts_is_the_sum_of_their_values(parts in proptest::collection::vec((0u64..10_000, 0usize..6), 1..6)) {
        let units: [(&str, u64); 6] =
            [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", SECOND), ("m", 60 * SECOND), ("h", 3600 * SECOND)];
        let text: String = parts.iter().map(|(n, unit)| format!("{n}{}", units[*unit].0)).collect();
        let sum: u64 = parts.iter().map(|(n, unit)| n * units[*unit].1).sum();
        prop_assert_eq!(text.parse(), Ok(GoDuration(sum as i64)));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,20}") {
        let _ = text.parse::<GoDuration>();
    }

    #[test]
    fn no_number_and_letter_soup_panics(text in "[-+.0-9nusµmh]{0,30}") {
        if let Ok(duration) = text.parse::<GoDuration>() {
            prop_assert!(!duration.to_string().is_empty());
        }
    }
}
