//! Label and field selectors: `app=web,tier in (a,b)` and `metadata.name=x`.

use serde_json::Value;

use crate::Status;

/// Which labels an object must have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LabelSelector {}

impl LabelSelector {
    /// Reads `labelSelector`. Empty selects everything.
    ///
    /// # Errors
    /// 400 with upstream's words.
    pub fn parse(_text: &str) -> Result<Self, Status> {
        Ok(Self {})
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        true
    }

    /// Whether an object with these labels (`metadata.labels`, or null) is selected.
    pub fn matches(&self, _labels: &Value) -> bool {
        true
    }
}

/// Which fields an object must have. Which fields can be asked for is the kind's to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldSelector {
    /// Field, whether it must be equal, value.
    pub terms: Vec<(String, bool, String)>,
}

impl FieldSelector {
    /// Reads `fieldSelector`. Empty selects everything.
    ///
    /// # Errors
    /// 400 with upstream's words.
    pub fn parse(_text: &str) -> Result<Self, Status> {
        Ok(Self::default())
    }
}
