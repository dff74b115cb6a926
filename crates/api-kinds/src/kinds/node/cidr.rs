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
            Some(address) => families.push(address.is_ipv4()),
            None => {
                let detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
                errors.push(FieldError::invalid(format!("{field}[{index}]"), range, detail));
            }
        }
    }
    let same_family = families.iter().all(|family| Some(family) == families.first());
    if errors.is_empty() && (families.len() > 2 || (families.len() == 2 && same_family)) {
        let detail = "may specify no more than one CIDR for each IP family";
        errors.push(FieldError::invalid(field, ranges.to_vec(), detail));
    }
    errors
}

fn parse(range: &str) -> Option<IpAddr> {
    let (address, length) = range.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let plain = length.bytes().all(|b| b.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
    let length: u8 = length.parse().ok()?;
    (plain && length <= most).then_some(address)
}
