//! One thing that is wrong with one field of an object.

use std::fmt;

use serde_json::Value;

use crate::Cause;

/// One thing that is wrong with one field. Its text is `field: Type: detail`, byte for byte what the API server writes.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldError {
    /// The path: `spec.resources.requests[storage]`, `spec.containers[0].name`. Empty for the whole object.
    pub field: String,
    /// What kind of wrong.
    pub kind: FieldErrorKind,
    /// The rest of the sentence; may be empty.
    pub detail: String,
}

/// What is wrong, with the value where upstream shows it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are upstream's")]
pub enum FieldErrorKind {
    Required,
    Invalid(Value),
    /// The value as it is to be shown, where upstream shows members in an order of its own.
    InvalidShown(String),
    DuplicateShown(String),
    NotSupported {
        value: Value,
        supported: Vec<String>,
    },
    Forbidden,
    Duplicate(Value),
    NotFound(Value),
    TooLong,
    TooMany {
        have: usize,
    },
    TypeInvalid(Value),
}

impl FieldError {
    /// A value is missing.
    pub fn required(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), kind: FieldErrorKind::Required, detail: detail.into() }
    }

    /// A value is not acceptable.
    pub fn invalid(field: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), kind: FieldErrorKind::Invalid(value.into()), detail: detail.into() }
    }

    /// The same, with the value's text as it is to be shown.
    pub fn invalid_shown(field: impl Into<String>, shown: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), kind: FieldErrorKind::InvalidShown(shown.into()), detail: detail.into() }
    }

    /// A value is none of an enumeration.
    pub fn not_supported(field: impl Into<String>, value: impl Into<Value>, supported: &[&str]) -> Self {
        let supported = supported.iter().map(|&text| text.to_owned()).collect();
        Self { field: field.into(), kind: FieldErrorKind::NotSupported { value: value.into(), supported }, detail: String::new() }
    }

    /// A field that must not be set, or changed.
    pub fn forbidden(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), kind: FieldErrorKind::Forbidden, detail: detail.into() }
    }

    /// A value that is there twice.
    pub fn duplicate(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { field: field.into(), kind: FieldErrorKind::Duplicate(value.into()), detail: String::new() }
    }

    /// The same, with the value's text as it is to be shown. Empty: not at all.
    pub fn duplicate_shown(field: impl Into<String>, shown: impl Into<String>) -> Self {
        Self { field: field.into(), kind: FieldErrorKind::DuplicateShown(shown.into()), detail: String::new() }
    }

    /// A reference to something that is not in the object.
    pub fn not_found(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { field: field.into(), kind: FieldErrorKind::NotFound(value.into()), detail: String::new() }
    }

    /// A text that is too long, in bytes.
    pub fn too_long(field: impl Into<String>, max: usize) -> Self {
        Self { field: field.into(), kind: FieldErrorKind::TooLong, detail: format!("may not be more than {max} bytes") }
    }

    /// A list that is too long.
    pub fn too_many(field: impl Into<String>, have: usize, max: usize) -> Self {
        Self { field: field.into(), kind: FieldErrorKind::TooMany { have }, detail: format!("must have at most {max} items") }
    }

    /// `reason` of the cause.
    pub fn reason(&self) -> &'static str {
        match self.kind {
            FieldErrorKind::Required => "FieldValueRequired",
            FieldErrorKind::Invalid(_) | FieldErrorKind::InvalidShown(_) => "FieldValueInvalid",
            FieldErrorKind::NotSupported { .. } => "FieldValueNotSupported",
            FieldErrorKind::Forbidden => "FieldValueForbidden",
            FieldErrorKind::Duplicate(_) | FieldErrorKind::DuplicateShown(_) => "FieldValueDuplicate",
            FieldErrorKind::NotFound(_) => "FieldValueNotFound",
            FieldErrorKind::TooLong => "FieldValueTooLong",
            FieldErrorKind::TooMany { .. } => "FieldValueTooMany",
            FieldErrorKind::TypeInvalid(_) => "FieldValueTypeInvalid",
        }
    }

    /// `Type: detail`, without the field: the `message` of the cause.
    pub fn message(&self) -> String {
        let head = match &self.kind {
            FieldErrorKind::Required => "Required value".to_owned(),
            FieldErrorKind::Invalid(value) | FieldErrorKind::TypeInvalid(value) => format!("Invalid value: {}", shown(value)),
            FieldErrorKind::InvalidShown(value) => format!("Invalid value: {value}"),
            FieldErrorKind::NotSupported { value, supported } => {
                let supported: Vec<String> = supported.iter().map(|text| format!("{text:?}")).collect();
                format!("Unsupported value: {}: supported values: {}", shown(value), supported.join(", "))
            }
            FieldErrorKind::Forbidden => "Forbidden".to_owned(),
            FieldErrorKind::Duplicate(value) => format!("Duplicate value: {}", shown(value)),
            FieldErrorKind::DuplicateShown(value) if value.is_empty() => "Duplicate value".to_owned(),
            FieldErrorKind::DuplicateShown(value) => format!("Duplicate value: {value}"),
            FieldErrorKind::NotFound(value) => format!("Not found: {}", shown(value)),
            FieldErrorKind::TooLong => "Too long".to_owned(),
            FieldErrorKind::TooMany { have } => format!("Too many: {have}"),
        };
        if self.detail.is_empty() { head } else { format!("{head}: {}", self.detail) }
    }

    /// What a [`crate::Status`] says of it.
    pub fn cause(&self) -> Cause {
        Cause { reason: self.reason().to_owned(), message: self.message(), field: self.field.clone() }
    }
}

/// Texts quoted, everything else as compact JSON.
fn shown(value: &Value) -> String {
    value.to_string()
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = if self.field.is_empty() { "<nil>" } else { &self.field };
        write!(f, "{field}: {}", self.message())
    }
}
