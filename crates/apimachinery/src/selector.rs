//! Label and field selectors: `app=web,tier in (a,b)` and `metadata.name=x`.

mod fields;
mod labels;
mod syntax;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::Value;

pub use fields::FieldSelector;
pub use syntax::{label_value_errors, qualified_name_errors};

use crate::Status;

/// Which labels an object must have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

/// One condition; all of a selector's must hold.
#[derive(Debug, Clone, PartialEq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: BTreeSet<String>,
}

/// How a label is compared. `=` and `==` are `In` with one value, `!=` is `NotIn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    Absent,
    Greater,
    Less,
}

impl LabelSelector {
    /// Reads `labelSelector`. Empty selects everything.
    ///
    /// # Errors
    /// 400 with upstream's words.
    pub fn parse(text: &str) -> Result<Self, Status> {
        labels::parse(text).map(|requirements| Self { requirements }).map_err(Status::bad_request)
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether an object with these labels (`metadata.labels`, or null) is selected.
    pub fn matches(&self, labels: &Value) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels.get(&requirement.key).and_then(Value::as_str)))
    }
}

impl Requirement {
    fn matches(&self, label: Option<&str>) -> bool {
        match (self.operator, label) {
            (Operator::Exists, label) => label.is_some(),
            (Operator::Absent, label) => label.is_none(),
            (Operator::In, Some(label)) => self.values.contains(label),
            (Operator::NotIn, Some(label)) => !self.values.contains(label),
            (Operator::NotIn, None) => true,
            (Operator::Greater, Some(label)) => self.compare(label, |label, bound| label > bound),
            (Operator::Less, Some(label)) => self.compare(label, |label, bound| label < bound),
            (Operator::In | Operator::Greater | Operator::Less, None) => false,
        }
    }

    /// A label that is no number compares with nothing.
    fn compare(&self, label: &str, holds: fn(i64, i64) -> bool) -> bool {
        let bound = self.values.first().and_then(|bound| bound.parse().ok());
        matches!((label.parse(), bound), (Ok(label), Some(bound)) if holds(label, bound))
    }
}
