//! Times as Go reads them, with Go's words where it cannot, and as the API server writes them back.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// How many digits of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    Seconds,
    Micros,
}

impl Precision {
    fn layout(self) -> &'static str {
        match self {
            Self::Seconds => "2006-01-02T15:04:05Z07:00",
            Self::Micros => "2006-01-02T15:04:05.000000Z07:00",
        }
    }
}

/// The time in UTC, as the API server writes it. Upstream: Go's `time.Parse` with the layouts of `metav1.Time` and `MicroTime`.
pub(super) fn canonical(text: &str, precision: Precision) -> Result<String, String> {
    let mut reader = Reader { text, rest: text, precision };
    let when = reader.read()?;
    Ok(match precision {
        Precision::Seconds => when.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Precision::Micros => when.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
    })
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    precision: Precision,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<Timestamp, String> {
        let year = self.number("2006", 4, 4, 0..=9999, "year")?;
        self.literal("-")?;
        let month = self.number("01", 2, 2, 1..=12, "month")?;
        self.literal("-")?;
        // Which days there are depends on the month, so Go looks at the very end.
        let day = self.number("02", 2, 2, 0..=99, "day")?;
        self.literal("T")?;
        let hour = self.number("15", 1, 2, 0..=23, "hour")?;
        self.literal(":")?;
        let minute = self.number("04", 2, 2, 0..=59, "minute")?;
        self.literal(":")?;
        let second = self.number("05", 2, 2, 0..=59, "second")?;
        let nanos = self.fraction()?;
        let offset_secs = self.zone()?;
        if !self.rest.is_empty() {
            return Err(self.failed(&format!("extra text: {:?}", self.rest)));
        }
        let local = DateTime::new(year as i16, month as i8, day as i8, hour as i8, minute as i8, second as i8, nanos);
        let local = local.map_err(|_| self.failed("day out of range"))?;
        // Go knows offsets and years that jiff does not; nobody's clock is there.
        let offset = Offset::from_seconds(offset_secs).map_err(|_| self.failed("time zone offset hour out of range"))?;
        offset.to_timestamp(local).map_err(|_| self.failed("year out of range"))
    }

    /// `cannot parse "what is left" as "what was expected"`.
    fn unexpected(&self, expected: &str) -> String {
        format!("parsing time {:?} as {:?}: cannot parse {:?} as {expected:?}", self.text, self.precision.layout(), self.rest)
    }

    fn failed(&self, why: &str) -> String {
        format!("parsing time {:?}: {why}", self.text)
    }

    fn literal(&mut self, expected: &str) -> Result<(), String> {
        self.rest = self.rest.strip_prefix(expected).ok_or_else(|| self.unexpected(expected))?;
        Ok(())
    }

    fn number(
        &mut self,
        element: &str,
        min: usize,
        max: usize,
        range: std::ops::RangeInclusive<i32>,
        name: &str,
    ) -> Result<i32, String> {
        let digits = self.rest.bytes().take(max).take_while(u8::is_ascii_digit).count();
        if digits < min {
            return Err(self.unexpected(element));
        }
        let (number, rest) = self.rest.split_at(digits);
        let number = number.parse().map_err(|_| self.unexpected(element))?;
        if !range.contains(&number) {
            return Err(self.failed(&format!("{name} out of range")));
        }
        self.rest = rest;
        Ok(number)
    }

    /// The fraction in nanoseconds: six digits where the layout has them, any or none elsewhere.
    fn fraction(&mut self) -> Result<i32, String> {
        let fraction = self.rest.strip_prefix(['.', ',']);
        let digits = fraction.map_or(0, |text| text.bytes().take_while(u8::is_ascii_digit).count());
        let taken = match self.precision {
            Precision::Seconds if digits == 0 => return Ok(0),
            Precision::Seconds => digits,
            Precision::Micros if digits < 6 => return Err(self.unexpected(".000000")),
            Precision::Micros => 6,
        };
        let (digits, rest) = self.rest[1..].split_at(taken);
        self.rest = rest;
        Ok(format!("{digits:0<9}")[..9].parse().unwrap_or(0))
    }

    /// The offset from UTC in seconds.
    fn zone(&mut self) -> Result<i32, String> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        let unexpected = self.unexpected("Z07:00");
        let Some((zone, rest)) = self.rest.split_at_checked(6) else { return Err(unexpected) };
        let zone = zone.as_bytes();
        let two = |at: usize| match (zone[at], zone[at + 1]) {
            (tens @ b'0'..=b'9', ones @ b'0'..=b'9') => Some(i32::from(tens - b'0') * 10 + i32::from(ones - b'0')),
            _ => None,
        };
        let sign = match zone[0] {
            b'+' => 1,
            b'-' => -1,
            _ => return Err(unexpected),
        };
        let (Some(hours), b':', Some(minutes)) = (two(1), zone[3], two(4)) else { return Err(unexpected) };
        if hours > 24 {
            return Err(self.failed("time zone offset hour out of range"));
        }
        if minutes > 60 {
            return Err(self.failed("time zone offset minute out of range"));
        }
        self.rest = rest;
        Ok(sign * (hours * 60 + minutes) * 60)
    }
}
