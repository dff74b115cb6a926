//! The formats of texts that the API server enforces; it knows a few more that it does not look at, and ignores the rest.
//!
//! Upstream: kube-openapi pkg/validation/strfmt.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::Engine as _;

/// Formats that upstream takes without a warning.
pub(super) const KNOWN: [&str; 32] = [
    "bsonobjectid",
    "uri",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "cidr",
    "mac",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
    "isbn",
    "isbn10",
    "isbn13",
    "creditcard",
    "ssn",
    "hexcolor",
    "rgbcolor",
    "byte",
    "password",
    "date",
    "duration",
    "datetime",
    "date-time",
    "int32",
    "int64",
    "float",
    "double",
    "k8s-short-name",
    "k8s-long-name",
    "binary",
];

/// Whether the text is of this format. A format that nobody knows is no condition.
pub(super) fn fits(format: &str, text: &str) -> bool {
    match format {
        "date-time" | "datetime" => date_time(text),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "duration" => duration(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.contains(':') && text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => cidr(text),
        "mac" => mac(text),
        "uuid" => uuid(text, None),
        "uuid3" => uuid(text, Some(b'3')),
        "uuid4" => uuid(text, Some(b'4')),
        "uuid5" => uuid(text, Some(b'5')),
        "byte" => !text.contains(['\r', '\n']) && base64::engine::general_purpose::STANDARD.decode(text).is_ok(),
        "uri" => uri(text),
        "email" => email(text),
        "hostname" => hostname(text),
        "bsonobjectid" => text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit()),
        "hexcolor" => hex_color(text),
        "k8s-short-name" => text.len() <= 63 && label(text),
        "k8s-long-name" => text.len() <= 253 && text.split('.').all(label),
        _ => true,
    }
}

fn date_time(text: &str) -> bool {
    // Go wants the `T` and a zone; a lower-case `t` and `z` pass.
    let upper = text.to_ascii_uppercase();
    upper.as_bytes().get(10) == Some(&b'T') && upper.parse::<jiff::Timestamp>().is_ok()
}

/// Go's `1h30m`, or a number of some unit in words.
fn duration(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    if text == "0" {
        return true;
    }
    const UNITS: [&str; 30] = [
        "nanoseconds",
        "nanosecond",
        "nano",
        "ns",
        "microseconds",
        "microsecond",
        "micros",
        "micro",
        "µs",
        "us",
        "milliseconds",
        "millisecond",
        "millis",
        "milli",
        "ms",
        "minutes",
        "minute",
        "min",
        "m",
        "hours",
        "hour",
        "hrs",
        "hr",
        "h",
        "days",
        "day",
        "d",
        "seconds",
        "sec",
        "s",
    ];
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        if digits == 0 || rest[..digits].parse::<f64>().is_err() {
            return false;
        }
        rest = rest[digits..].trim_start();
        let Some(after) = UNITS.iter().filter_map(|unit| rest.strip_prefix(unit)).min_by_key(|after| after.len()) else {
            return false;
        };
        rest = after;
    }
    !text.is_empty()
}

fn cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.bytes().all(|b| b.is_ascii_digit()) && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

fn mac(text: &str) -> bool {
    let parts: Vec<&str> = text.split(if text.contains('-') { '-' } else { ':' }).collect();
    matches!(parts.len(), 6 | 8 | 20) && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn uuid(text: &str, version: Option<u8>) -> bool {
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
    digits.len() == 32
        && digits.iter().all(u8::is_ascii_hexdigit)
        && (text.len() == 32 || [8, 13, 18, 23].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-')))
        && version.is_none_or(|version| digits[12] == version)
}

/// Go's `ParseRequestURI`: absolute, or a path.
fn uri(text: &str) -> bool {
    if text.starts_with('/') {
        return !text.contains(' ');
    }
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    scheme.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && scheme.bytes().all(word)
        && !rest.is_empty()
        && !text.chars().any(|c| c.is_control() || c == ' ')
}

fn email(text: &str) -> bool {
    let address = match (text.find('<'), text.strip_suffix('>')) {
        (Some(start), Some(inner)) => inner.get(start + 1..).unwrap_or_default(),
        _ => text,
    };
    address.rsplit_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && !host.is_empty() && !address.contains(|c: char| c.is_whitespace() || c.is_control())
    })
}

fn hostname(text: &str) -> bool {
    let part = |part: &str| {
        let ends = part.starts_with('-') || part.ends_with('-');
        !part.is_empty() && part.len() <= 63 && !ends && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 255 && text.strip_suffix('.').unwrap_or(text).split('.').all(part)
}

fn hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

fn label(text: &str) -> bool {
    let end = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(end) && bytes.last().is_some_and(end) && bytes.iter().all(|b| *b == b'-' || end(b))
}
