//! What a CustomResourceDefinition means: the resources it serves, and how their objects are pruned, defaulted and validated.

use std::cmp::Ordering;

use apimachinery::{FieldError, Status};
use serde_json::Value;

use crate::{Resource, Write};

/// What a CustomResourceDefinition says of one of its versions.
#[derive(Debug)]
pub struct Custom {}

impl Custom {
    /// Whether field selectors can ask for this field (`spec.size`), as `selectableFields` says.
    pub fn selects(&self, _field: &str) -> bool {
        false
    }

    /// Fills in the schema's defaults.
    pub fn defaults(&self, _new: &mut Value) {}

    /// Restores what the writer may not touch, and bumps the generation.
    ///
    /// # Errors
    /// What is refused.
    pub fn prepare(&self, _write: &mut Write<'_>) -> Result<(), Status> {
        Ok(())
    }

    /// What the schema does not allow.
    pub fn validate(&self, _write: &Write<'_>) -> Vec<FieldError> {
        Vec::new()
    }
}

/// The resources that a stored CustomResourceDefinition serves, one for each version; none until its names are accepted.
///
/// The store calls this for every definition when it is opened and after each change of one.
pub fn resources(_definition: &Value) -> Vec<Resource> {
    Vec::new()
}

/// Orders versions as Kubernetes prefers them: stable before beta before alpha, newer before older.
pub fn version_priority(a: &str, b: &str) -> Ordering {
    b.cmp(a)
}
