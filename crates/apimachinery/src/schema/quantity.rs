//! Quantities as the API server writes them back: `1024Mi` becomes `1Gi`, `0.5` becomes `500m`.

use csi_types::{Quantity, QuantityError};
use serde_json::Value;

const NOT_A_QUANTITY: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NOT_A_SUFFIX: &str = "unable to parse quantity's suffix";

/// The canonical text of what a client sent as a quantity: a text or a number.
///
/// Exception: of a JSON number only the value is known here, so `1e3` is written as `1k`, where upstream keeps it.
pub(super) fn canonical(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => written(text.trim()),
        Value::Number(number) => written(&number.to_string()),
        _ => Err(NOT_A_QUANTITY),
    }
}

fn written(text: &str) -> Result<String, &'static str> {
    let quantity = Quantity::parse(text).map_err(|err| match err {
        QuantityError::Suffix { .. } => NOT_A_SUFFIX,
        _ => NOT_A_QUANTITY,
    })?;
    let parts = Parts::of(text);
    if parts.kept() {
        return Ok(text.to_owned());
    }
    let decimal = quantity.to_string();
    let fractional = decimal.ends_with(['n', 'u', 'm']);
    match parts.scale {
        Scale::Binary(_) if !fractional => Ok(binary(quantity).unwrap_or(decimal)),
        Scale::Exponent(_) => Ok(exponent(&decimal)),
        _ => Ok(decimal),
    }
}

/// The largest binary suffix that leaves a whole number.
fn binary(quantity: Quantity) -> Option<String> {
    if let Ok(bytes) = quantity.bytes() {
        return Some(bytes.to_string());
    }
    let positive = Quantity::parse(quantity.to_string().strip_prefix('-')?).ok()?;
    Some(format!("-{}", positive.bytes().ok()?))
}

/// `150m` as `150e-3`.
fn exponent(decimal: &str) -> String {
    let powers = [('n', -9), ('u', -6), ('m', -3), ('k', 3), ('M', 6), ('G', 9), ('T', 12), ('P', 15), ('E', 18)];
    match powers.iter().find_map(|(suffix, power)| Some((decimal.strip_suffix(*suffix)?, power))) {
        Some((number, power)) => format!("{number}e{power}"),
        None => decimal.to_owned(),
    }
}

enum Scale {
    /// A power of ten from a suffix.
    Decimal(i64),
    /// A power of ten, written as one.
    Exponent(i64),
    /// A power of two.
    Binary(usize),
}

/// A quantity that is known to be one, taken apart.
struct Parts<'a> {
    /// Without leading zeros.
    whole: &'a str,
    fraction: &'a str,
    scale: Scale,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, rest) = unsigned.split_at(digits(unsigned));
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(digits(rest)),
            None => ("", rest),
        };
        let scale = match suffix {
            "" => Scale::Decimal(0),
            "Ki" => Scale::Binary(10),
            "Mi" => Scale::Binary(20),
            "Gi" => Scale::Binary(30),
            "Ti" => Scale::Binary(40),
            "Pi" => Scale::Binary(50),
            "Ei" => Scale::Binary(60),
            suffix => match ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"].iter().position(|known| *known == suffix) {
                Some(index) => Scale::Decimal(index as i64 * 3 - 9),
                None => Scale::Exponent(suffix[1..].parse().unwrap_or(0)),
            },
        };
        Self { whole: whole.trim_start_matches('0'), fraction, scale }
    }

    /// Whether upstream takes the text for canonical already. Upstream: apimachinery `ParseQuantity`, whose quick test also
    /// keeps some texts that are not (`+5`, `1E3`, `2000Ki`).
    fn kept(&self) -> bool {
        let digits = self.whole.len().max(1) + self.fraction.len();
        match self.scale {
            Scale::Decimal(power) | Scale::Exponent(power) => {
                let power = power.saturating_sub(self.fraction.len() as i64);
                let shifted = [self.whole, self.fraction].concat();
                digits <= 18 && power >= -9 && power % 3 == 0 && !self.whole.is_empty() && !shifted.ends_with("000")
            }
            Scale::Binary(power) => {
                let whole: u64 = self.whole.parse().unwrap_or(0);
                let fits = digits + power * 3 / 10 < 15;
                self.fraction.is_empty() && fits && !whole.is_multiple_of(8)
            }
        }
    }
}
