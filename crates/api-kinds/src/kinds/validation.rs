//! What several kinds check: names, keys, label values, selectors, amounts, references; and how two values are compared.
//!
//! Texts are upstream's. A value of the wrong type counts as absent: decoding has refused it before.

pub(super) mod names;
pub(super) mod selectors;
pub(super) mod values;

use apimachinery::FieldError;

/// An error for each of these texts about a field's value.
pub(super) fn invalid(field: &str, value: &str, texts: Vec<String>) -> Vec<FieldError> {
    texts.into_iter().map(|text| FieldError::invalid(field, value, text)).collect()
}

/// The field cannot change.
pub(super) const IMMUTABLE: &str = "field is immutable";
/// An amount is zero or less.
pub(super) const NOT_POSITIVE: &str = "must be greater than zero";
/// An amount is less than zero.
pub(super) const NEGATIVE: &str = "must be greater than or equal to 0";

/// What a number outside these bounds is told.
pub(super) fn range(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

/// A volume's driver: 1 to 63 bytes, a DNS name in any case.
pub(super) fn driver_name(name: &str, field: &str) -> Vec<FieldError> {
    if name.is_empty() {
        return vec![FieldError::required(field, "")];
    }
    let mut errors = Vec::new();
    if name.len() > 63 {
        errors.push(FieldError::too_long(field, 63));
    }
    errors.extend(invalid(field, name, names::subdomain(&name.to_lowercase())));
    errors
}

/// The provisioner of a class: a qualified name in any case. The error quotes it in lower case.
pub(super) fn provisioner(name: &str, field: &str) -> Vec<FieldError> {
    if name.is_empty() {
        return vec![FieldError::required(field, "")];
    }
    let name = name.to_lowercase();
    invalid(field, &name, names::qualified(&name))
}

/// The parameters of a class: at most 512 of them, 256 KiB in all, each with a key.
pub(super) fn parameters(parameters: Option<&serde_json::Value>, needed: bool, field: &str) -> Vec<FieldError> {
    const MOST: usize = 512;
    const SIZE: usize = 256 << 10;
    let all: Vec<(&str, &str)> = values::texts(parameters).collect();
    if all.len() > MOST {
        return vec![FieldError::too_long(field, MOST)];
    }
    let mut errors = Vec::new();
    if all.iter().any(|(key, _)| key.is_empty()) {
        errors.push(FieldError::invalid(field, "", "field can not be empty."));
    }
    if all.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > SIZE {
        errors.push(FieldError::too_long(field, SIZE));
    }
    if needed && all.is_empty() {
        errors.push(FieldError::required(field, "must contain at least one key/value pair"));
    }
    errors
}

/// The modes of a volume or claim. `RWOP` stands alone.
pub(super) fn access_modes(modes: &[serde_json::Value], field: &str) -> Vec<FieldError> {
    const SUPPORTED: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    let mut errors = Vec::new();
    let (mut alone, mut others) = (false, false);
    for mode in modes.iter().map(|mode| mode.as_str().unwrap_or_default()) {
        match mode {
            "ReadWriteOncePod" => alone = true,
            _ if SUPPORTED.contains(&mode) => others = true,
            _ => errors.push(FieldError::not_supported(field, mode, &SUPPORTED)),
        }
    }
    if alone && others {
        errors.push(FieldError::forbidden(field, "may not use ReadWriteOncePod with other access modes"));
    }
    errors
}

/// `Filesystem` or `Block`, if it is said.
pub(super) fn volume_mode(mode: Option<&str>, field: &str) -> Vec<FieldError> {
    const SUPPORTED: [&str; 2] = ["Block", "Filesystem"];
    match mode {
        Some(mode) if !SUPPORTED.contains(&mode) => vec![FieldError::not_supported(field, mode, &SUPPORTED)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
