//! Durations as Go writes and reads them, exactly: `1h30m`, `1.5s`, `-250ms`, and a bare `0` but no bare `15`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A signed duration in nanoseconds, read from and written as Go's `time.Duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct GoDuration(pub i64);

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a sequence of numbers and units, or more than a 64-bit count of nanoseconds holds.
    #[error("expected a duration such as 300ms, 15s or 1m30s")]
    Invalid,
    /// A number without a unit.
    #[error("expected a unit after the number: ns, us, ms, s, m or h")]
    MissingUnit,
    /// A unit that Go does not know.
    #[error("unknown unit {0:?}, expected ns, us, ms, s, m or h")]
    UnknownUnit(String),
}

const SECOND: u64 = 1_000_000_000;
const LIMIT: u64 = 1 << 63;

impl GoDuration {
    /// Whole seconds.
    pub const fn secs(secs: i64) -> Self {
        Self(secs.saturating_mul(SECOND as i64))
    }

    /// The duration as the rest of the program knows it. A negative one has passed already, so it is zero.
    pub fn to_std(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }

    /// Longer than nothing.
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }
}

/// Upstream: Go `time.ParseDuration`.
impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let (negative, mut rest) = match text.strip_prefix(['+', '-']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(DurationError::Invalid);
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (part, after) = one_part(rest)?;
            total = total.checked_add(part).filter(|sum| *sum <= LIMIT).ok_or(DurationError::Invalid)?;
            rest = after;
        }
        match (negative, i64::try_from(total)) {
            (false, Ok(nanos)) => Ok(Self(nanos)),
            (true, Ok(nanos)) => Ok(Self(-nanos)),
            (true, Err(_)) => Ok(Self(i64::MIN)), // exactly LIMIT: the one value that only the negative side has
            (false, Err(_)) => Err(DurationError::Invalid),
        }
    }
}

/// One number with its unit, in nanoseconds, and what follows it.
fn one_part(text: &str) -> Result<(u64, &str), DurationError> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, mut rest) = text.split_at(digits(text));
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = after.split_at(digits(after));
    }
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::Invalid);
    }
    let whole = whole.bytes().try_fold(0u64, |sum, digit| {
        sum.checked_mul(10).and_then(|sum| sum.checked_add(u64::from(digit - b'0'))).filter(|sum| *sum <= LIMIT)
    });
    let unit_end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    // Go looks at the size of the number before it looks at the unit.
    let whole = whole.ok_or(DurationError::Invalid)?;
    let unit = match unit {
        "" => return Err(DurationError::MissingUnit),
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        other => return Err(DurationError::UnknownUnit(other.to_owned())),
    };
    let nanos = whole.checked_mul(unit).filter(|nanos| *nanos <= LIMIT).ok_or(DurationError::Invalid)?;
    Ok((nanos.saturating_add(fraction_of(fraction, unit)), rest))
}

/// The digits after the point, in nanoseconds. Like Go: digits that no longer fit are dropped, the product is a float, cut off.
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0u64, 1f64);
    for digit in digits.bytes() {
        match value.checked_mul(10).and_then(|v| v.checked_add(u64::from(digit - b'0'))).filter(|v| *v <= LIMIT) {
            Some(next) if value <= (LIMIT - 1) / 10 => (value, scale) = (next, scale * 10.0),
            _ => break,
        }
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

/// Upstream: Go `Duration.String`: `1h0m0s`, `1.5s`, `2.5ms`, `0s`.
impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let (unit, name) = match nanos {
            0 => return f.write_str("0s"),
            1..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "\u{b5}s"),
            1_000_000..SECOND => (1_000_000, "ms"),
            _ => {
                let (hours, minutes) = (nanos / (3600 * SECOND), nanos / (60 * SECOND) % 60);
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if hours > 0 || minutes > 0 {
                    write!(f, "{minutes}m")?;
                }
                return write_decimal(f, nanos % (60 * SECOND), SECOND, "s");
            }
        };
        write_decimal(f, nanos, unit, name)
    }
}

fn write_decimal(f: &mut fmt::Formatter<'_>, nanos: u64, unit: u64, name: &str) -> fmt::Result {
    write!(f, "{}", nanos / unit)?;
    if !nanos.is_multiple_of(unit) {
        let width = unit.ilog10() as usize;
        let fraction = format!("{:0width$}", nanos % unit);
        write!(f, ".{}", fraction.trim_end_matches('0'))?;
    }
    f.write_str(name)
}

impl From<GoDuration> for Duration {
    fn from(from: GoDuration) -> Duration {
        from.to_std()
    }
}

impl From<Duration> for GoDuration {
    fn from(from: Duration) -> Self {
        Self(i64::try_from(from.as_nanos()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests;
