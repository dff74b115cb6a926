//! Ages, as kubectl shows them: two or three digits that matter.

use jiff::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// How long ago this time was. `<unknown>` for a time that is absent.
///
/// Upstream: `apimachinery/pkg/util/duration`, measured at each border.
pub(crate) fn since(time: &str, now: Timestamp) -> String {
    let Ok(time) = time.parse::<Timestamp>() else { return "<unknown>".to_owned() };
    // Upstream's durations are 64 bits of nanoseconds: nothing is older than 292 years.
    let nanos = (now.as_nanosecond() - time.as_nanosecond()).clamp(i64::MIN.into(), i64::MAX.into());
    human(i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX))
}

/// A little ahead is a clock that differs; much ahead is a mistake.
fn human(secs: i64) -> String {
    match secs {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{secs}s"),
        120..600 => two(secs, (MINUTE, "m"), (1, "s")),
        600..10_800 => format!("{}m", secs / MINUTE),
        10_800..28_800 => two(secs, (HOUR, "h"), (MINUTE, "m")),
        28_800..172_800 => format!("{}h", secs / HOUR),
        172_800..691_200 => two(secs, (DAY, "d"), (HOUR, "h")),
        691_200..63_072_000 => format!("{}d", secs / DAY),
        63_072_000..252_288_000 => two(secs, (YEAR, "y"), (DAY, "d")),
        _ => format!("{}y", secs / YEAR),
    }
}

/// `3h5m`, and `3h` for three hours and less than a minute.
fn two(secs: i64, (long, long_unit): (i64, &str), (short, short_unit): (i64, &str)) -> String {
    match secs % long / short {
        0 => format!("{}{long_unit}", secs / long),
        rest => format!("{}{long_unit}{rest}{short_unit}", secs / long),
    }
}
