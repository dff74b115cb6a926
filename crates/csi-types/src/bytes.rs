//! Sizes, and the Kubernetes quantities they are written as.

use std::fmt;

use serde::de::{Deserializer, Error as _, Visitor};

/// A number of bytes. Shown as Kubernetes writes it: `1Gi`, `1536Mi`, `1000001`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// The largest size that CSI and Kubernetes can both name: their numbers are signed 64 bit.
    pub const MAX: Bytes = Bytes(i64::MAX as u64);
}

impl fmt::Display for Bytes {
    /// Canonical BinarySI. Below 1024 Kubernetes falls back to decimal suffixes, so exactly 1000 is `1k`.
    /// Upstream: apimachinery `Quantity.CanonicalizeBytes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1024 {
            return Quantity::from(*self).fmt(f);
        }
        let (mut number, mut power) = (self.0, 0);
        while number % 1024 == 0 && power + 1 < BINARY.len() {
            number /= 1024;
            power += 1;
        }
        write!(f, "{number}{}", BINARY[power])
    }
}

const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/// From nano, each a thousand times the one before.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// Where the unit stands in `DECIMAL`.
const UNIT: i32 = 3;
const NANOS: i128 = 1_000_000_000;

/// An amount as Kubernetes writes it: `10Gi`, `1.5e3`, `100m`.
///
/// Kept in billionths, to which Kubernetes itself rounds (away from zero), so no accepted text loses anything. Amounts above
/// 1.7e29 are held at that bound: they fit no resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Quantity {
    nanos: i128,
}

/// Why a text is no quantity, or a quantity no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number at all.
    #[error("quantity {0:?} is not a number with an optional suffix such as Gi, M or e3")]
    Format(String),
    /// A number, but with an unknown suffix.
    #[error(
        "quantity {text:?} has the unknown suffix {suffix:?}; Ki, Mi, Gi, Ti, Pi, Ei, k, M, G, T, P, E, m, u, n or an exponent are known"
    )]
    Suffix {
        /// The whole text.
        text: String,
        /// What follows the number.
        suffix: String,
    },
    /// No volume has fewer than zero bytes.
    #[error("{0} is negative and cannot be a size")]
    Negative(Quantity),
    /// More than 2^63-1 bytes.
    #[error("{0} is more bytes than a size can have (2^63-1)")]
    TooLarge(Quantity),
}

impl Quantity {
    /// Reads exactly what Kubernetes reads, oddities included (`1.`, `.5`, and a bare sign, which is zero).
    ///
    /// Upstream: apimachinery `ParseQuantity`.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let format = || QuantityError::Format(text.to_owned());
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if text.is_empty() {
            return Err(format());
        }
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, rest) = unsigned.split_at(digits(unsigned));
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(digits(rest)),
            None => ("", rest),
        };
        // Letters, a sign, digits, and nothing else, or it was no suffix at all.
        let tail = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let tail = tail.strip_prefix(['-', '+']).unwrap_or(tail);
        if !tail.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format());
        }
        let scale =
            Scale::parse(suffix).ok_or_else(|| QuantityError::Suffix { text: text.to_owned(), suffix: suffix.to_owned() })?;
        let nanos = scale.nanos(whole, fraction);
        Ok(Self { nanos: if text.starts_with('-') { -nanos } else { nanos } })
    }

    /// The size, rounded up to a whole byte.
    pub fn bytes(self) -> Result<Bytes, QuantityError> {
        if self.nanos < 0 {
            return Err(QuantityError::Negative(self));
        }
        let whole = self.nanos / NANOS + i128::from(self.nanos % NANOS != 0);
        match u64::try_from(whole) {
            Ok(whole) if Bytes(whole) <= Bytes::MAX => Ok(Bytes(whole)),
            _ => Err(QuantityError::TooLarge(self)),
        }
    }
}

/// What the suffix multiplies by.
enum Scale {
    Ten(i32),
    Two(u32),
}

impl Scale {
    fn parse(suffix: &str) -> Option<Self> {
        if let Some(index) = DECIMAL.iter().position(|s| *s == suffix) {
            return Some(Self::Ten((index as i32 - UNIT) * 3));
        }
        if let Some(index) = BINARY.iter().position(|s| *s == suffix) {
            return Some(Self::Two(index as u32 * 10));
        }
        // `E` alone was the suffix exa above, so here an exponent follows.
        suffix.strip_prefix(['e', 'E'])?.parse().ok().map(Self::Ten)
    }

    /// `whole.fraction` times this scale in billionths, rounded up, held at the bound of the type.
    fn nanos(&self, whole: &str, fraction: &str) -> i128 {
        let (power, factor) = match *self {
            Self::Ten(power) => (power, 1),
            Self::Two(power) => (0, 1_i128 << power),
        };
        // The value is digits x 10^exponent x factor billionths.
        let exponent = i64::from(power) + 9 - fraction.len() as i64;
        let digits = whole.bytes().chain(fraction.bytes()).map(|b| i128::from(b - b'0')).skip_while(|d| *d == 0);
        let digits: Vec<i128> = digits.collect();
        // Digits below a billionth only decide whether to round up; a factor reaches 2^60, so 19 of them are kept in front of it.
        let keep =
            (digits.len() as i64 + exponent.min(0) + if factor > 1 { 19 } else { 0 }).clamp(0, digits.len() as i64) as usize;
        let dropped = digits[keep..].iter().any(|d| *d != 0);
        let mut number =
            digits[..keep].iter().fold(0_i128, |n, d| n.saturating_mul(10).saturating_add(*d)).saturating_mul(factor);
        let mut left = exponent + (digits.len() - keep) as i64;
        let mut inexact = dropped;
        while left > 0 && number != 0 && number != i128::MAX {
            number = number.saturating_mul(10);
            left -= 1;
        }
        while left < 0 && number != 0 {
            inexact |= number % 10 != 0;
            number /= 10;
            left += 1;
        }
        let number = number.saturating_add(i128::from(inexact));
        // Binary amounts, and only those, are capped. Upstream: `maxAllowed`.
        if factor > 1 { number.min(i128::from(i64::MAX) * NANOS) } else { number }
    }
}

impl From<Bytes> for Quantity {
    fn from(bytes: Bytes) -> Self {
        Self { nanos: i128::from(bytes.0) * NANOS }
    }
}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Self::parse(text)
    }
}

impl fmt::Display for Quantity {
    /// Canonical DecimalSI: the largest suffix that leaves no fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let (mut number, mut power) = (self.nanos, 0);
        while number % 1000 == 0 && power + 1 < DECIMAL.len() {
            number /= 1000;
            power += 1;
        }
        write!(f, "{number}{}", DECIMAL[power])
    }
}

impl serde::Serialize for Quantity {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Quantity {
    /// A string, or a bare integer, which Kubernetes also reads.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Quantity;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity such as \"10Gi\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Quantity, E> {
                Quantity::parse(text).map_err(E::custom)
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Quantity, E> {
                Ok(Quantity { nanos: i128::from(number) * NANOS })
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity { nanos: i128::from(number) * NANOS })
            }
        }
        from.deserialize_any(Text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
