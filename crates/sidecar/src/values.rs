//! Single values as Go's flag packages spell them.

use std::str::FromStr;

/// Go's `strconv.ParseBool`.
///
/// # Errors
/// Any other spelling.
pub fn go_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

/// Go's `strconv.ParseInt(text, 0, …)`: a sign, the prefixes 0x, 0o, 0b and 0, and `_` between digits.
///
/// # Errors
/// No number, or one that the type does not hold.
pub fn go_int<T: TryFrom<i128>>(text: &str) -> Result<T, String> {
    let not_a_number = || "expected a whole number".to_owned();
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, body, prefixed) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..], true),
        [b'0', b'o', ..] => (8, &lower[2..], true),
        [b'0', b'b', ..] => (2, &lower[2..], true),
        [b'0', _, ..] => (8, &lower[1..], true),
        _ => (10, &lower[..], false),
    };
    if !underscores_separate_digits(body, prefixed) {
        return Err(not_a_number());
    }
    let body: String = body.chars().filter(|c| *c != '_').collect();
    if body.is_empty() || body.starts_with(['+', '-']) {
        return Err(not_a_number());
    }
    let magnitude = i128::from_str_radix(&body, base).map_err(|_| not_a_number())?;
    T::try_from(if negative { -magnitude } else { magnitude }).map_err(|_| "the number is out of range".to_owned())
}

/// A prefix counts as a digit: `0x_f` is fine, `_1`, `1_` and `1__0` are not.
fn underscores_separate_digits(body: &str, prefixed: bool) -> bool {
    let leading_ok = prefixed || !body.starts_with('_');
    leading_ok && !body.ends_with('_') && !body.contains("__")
}

/// The value of `--leader-election-labels`: `key:value,…`, each item with exactly one colon. Nothing at all is no label.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels(pub Vec<(String, String)>);

impl FromStr for Labels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |item: &str| match item.split_once(':') {
            Some((key, value)) if !key.trim().is_empty() && !value.contains(':') => {
                Ok((key.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(format!("expected key:value with exactly one colon, found {item:?}")),
        };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(one).collect::<Result<_, _>>().map(Self)
    }
}

/// The value of `--feature-gates`: `Name=bool,…`. Upstream: component-base `MapStringBool`, which skips empty items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gates(pub Vec<(String, bool)>);

impl FromStr for Gates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |item: &str| {
            let (name, value) =
                item.split_once('=').ok_or_else(|| format!("expected Name=true or Name=false, found {item:?}"))?;
            let value = go_bool(value.trim()).map_err(|_| format!("expected {name}=true or {name}=false, found {item:?}"))?;
            Ok((name.trim().to_owned(), value))
        };
        text.split(',').filter(|item| !item.trim().is_empty()).map(one).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_read_as_go_reads_them() {
        let ok: &[(&str, i64)] = &[
            ("0", 0),
            ("-0", 0),
            ("+7", 7),
            ("0x1F", 31),
            ("0X1f", 31),
            ("0o17", 15),
            ("017", 15),
            ("0b101", 5),
            ("0_7", 7),
            ("1_000_000", 1_000_000),
            ("0x_ff", 255),
            ("-9223372036854775808", i64::MIN),
        ];
        for (text, value) in ok {
            assert_eq!(go_int::<i64>(text), Ok(*value), "{text}");
        }
        for text in ["", "-", "+-1", "--1", "0x", "08", "1_", "_1", "1__0", "1.0", "1e3", "9223372036854775808", "0x-1", " 1"] {
            assert!(go_int::<i64>(text).is_err(), "{text}");
        }
        assert!(go_int::<u16>("65536").is_err());
    }

    #[test]
    fn a_label_has_exactly_one_colon() {
        let one = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!("team:storage,tier:".parse(), Ok(Labels(vec![one("team", "storage"), one("tier", "")])));
        assert_eq!("".parse(), Ok(Labels::default()));
        for text in ["team", "a:b:c", "a:b,", ":b"] {
            assert!(text.parse::<Labels>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_gate_has_a_name_and_a_boolean() {
        assert_eq!("Topology=True,,A=f".parse(), Ok(Gates(vec![("Topology".into(), true), ("A".into(), false)])));
        assert_eq!("".parse(), Ok(Gates::default()));
        assert!("Topology".parse::<Gates>().is_err());
        assert!("Topology=yes".parse::<Gates>().is_err());
    }
}
