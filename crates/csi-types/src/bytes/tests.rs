use proptest::prelude::*;

use super::*;

fn bytes(text: &str) -> u64 {
    Quantity::parse(text).unwrap().bytes().unwrap().0
}

#[test]
fn every_suffix_means_what_kubernetes_means_by_it() {
    let table: [(&str, u64); 28] = [
        ("0", 0),
        ("1", 1),
        ("007", 7),
        ("1Ki", 1 << 10),
        ("1Mi", 1 << 20),
        ("1Gi", 1 << 30),
        ("1Ti", 1 << 40),
        ("1Pi", 1 << 50),
        ("1Ei", 1 << 60),
        ("1k", 1_000),
        ("1M", 1_000_000),
        ("1G", 1_000_000_000),
        ("1T", 1_000_000_000_000),
        ("1P", 1_000_000_000_000_000),
        ("1E", 1_000_000_000_000_000_000),
        ("1e3", 1_000),
        ("1E3", 1_000),
        ("12E-1", 2),
        ("1.5Gi", 3 << 29),
        ("0.1Gi", 107_374_183),
        ("+5", 5),
        (".5k", 500),
        ("1.", 1),
        ("+", 0),
        ("100m", 1),
        ("1n", 1),
        ("1e-30", 1),
        ("9Ei", i64::MAX as u64),
    ];
    for (text, want) in table {
        assert_eq!(bytes(text), want, "{text}");
    }
}

#[test]
fn what_kubernetes_refuses_is_refused() {
    for text in [
        "",
        " 1",
        "1 ",
        "1.1.M",
        "1+1.0M",
        "0.1mi",
        "0.1am",
        "aoeu",
        ".5i",
        "1i",
        "-3.01i",
        "-3.01e-",
        "1KiB",
        "ten",
        "1EE3",
        "1e99999999999",
    ] {
        assert!(Quantity::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_negative_or_an_unnameable_amount_is_no_size() {
    assert!(matches!(Quantity::parse("-1Gi").unwrap().bytes(), Err(QuantityError::Negative(_))));
    assert!(matches!(Quantity::parse("10E").unwrap().bytes(), Err(QuantityError::TooLarge(_))));
    assert!(matches!(Quantity::parse("1e900").unwrap().bytes(), Err(QuantityError::TooLarge(_))));
}

#[test]
fn sizes_are_written_as_kubernetes_writes_them() {
    let table = [
        (0, "0"),
        (1, "1"),
        (1000, "1k"),
        (1023, "1023"),
        (1024, "1Ki"),
        (1 << 30, "1Gi"),
        (3 << 29, "1536Mi"),
        (1_000_000_000, "1000000000"),
        (1_000_001, "1000001"),
        (1 << 60, "1Ei"),
    ];
    for (bytes, want) in table {
        assert_eq!(Bytes(bytes).to_string(), want);
    }
}

#[test]
fn amounts_compare_by_value_and_not_by_text() {
    assert_eq!(Quantity::parse("1Ki"), Quantity::parse("1024"));
    assert_eq!(Quantity::parse("1000m"), Quantity::parse("1"));
    assert!(Quantity::parse("1Gi").unwrap() > Quantity::parse("1G").unwrap());
}

proptest! {
    #[test]
    fn a_size_survives_being_written_and_read(n in 0..=i64::MAX as u64) {
        prop_assert_eq!(bytes(&Bytes(n).to_string()), n);
        prop_assert_eq!(bytes(&Quantity::from(Bytes(n)).to_string()), n);
    }

    #[test]
    fn rounding_to_bytes_is_up_and_by_less_than_one(thousandths in 0..u64::MAX / 2000) {
        let n = bytes(&format!("{thousandths}m"));
        prop_assert_eq!(n, thousandths.div_ceil(1000));
    }

    #[test]
    fn a_fraction_of_a_binary_unit_rounds_up(whole in 0..1000u64, sixty_fourths in 0..64u64) {
        // n/64 has at most six decimals, so the text is exact.
        let text = format!("{whole}.{:06}Mi", sixty_fourths * 15_625);
        prop_assert_eq!(bytes(&text), (whole << 20) + (sixty_fourths << 14));
    }

    #[test]
    fn no_text_panics(text in "[-+]?[0-9.]{0,60}[eEinumkKMGTP]{0,3}[-+]?[0-9]{0,12}") {
        let _ = Quantity::parse(&text).map(|q| (q.bytes(), q.to_string()));
    }
}
