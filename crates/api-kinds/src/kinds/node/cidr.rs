//! Ranges of addresses.

use std::net::IpAddr;

use apimachinery::FieldError;
use serde_json::Value;

/// The ranges of a node's pods: at most one of each family.
pub(super) fn validate(ranges: &[Value], field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut families = Vec::new();
    for (index, range) in ranges.iter().enumerate() {
        let range = range.as_str().unwrap_or_default();
        match parse(range) {
            Ok(address) => families.push(address.is_ipv4()),
            Err(detail) => errors.push(FieldError::invalid(format!("{field}[{index}]"), range, detail)),
        }
    }
    let same_family = families.iter().all(|family| Some(family) == families.first());
    if errors.is_empty() && (families.len() > 2 || (families.len() == 2 && same_family)) {
        let detail = "may specify no more than one CIDR for each IP family";
        errors.push(FieldError::invalid(field, ranges.to_vec(), detail));
    }
    errors
}

fn parse(range: &str) -> Result<IpAddr, &'static str> {
    const NOT_A_RANGE: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
    let (text, length) = range.split_once('/').ok_or(NOT_A_RANGE)?;
    let (plain, padded) = (without_zeros(text), length.len() > 1 && length.starts_with('0'));
    let address: IpAddr = plain.parse().map_err(|_| NOT_A_RANGE)?;
    let digits = length.bytes().all(|b| b.is_ascii_digit());
    let length: u32 = length.parse().ok().filter(|_| digits).ok_or(NOT_A_RANGE)?;
    let (bits, most) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    if length > most {
        return Err(NOT_A_RANGE);
    }
    if padded || plain != text {
        return Err("must not have leading 0s in IP or prefix length");
    }
    if bits.checked_shl(length).is_some_and(|rest| rest != 0) {
        return Err("must not have bits set beyond the prefix length");
    }
    Ok(address)
}

/// An IPv4 address whose numbers do not start with zeros, which some take for octal.
fn without_zeros(text: &str) -> String {
    if text.contains(':') {
        return text.to_owned();
    }
    let number = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        rest => rest.to_owned(),
    };
    text.split('.').map(number).collect::<Vec<_>>().join(".")
}
