//! The built-in kinds, one file each.

pub(crate) mod metadata;

use apimachinery::{FieldError, Status};
use jiff::Timestamp;
use serde_json::Value;

use crate::write::Deletion;
use crate::{Resource, Write};

/// Every built-in resource.
pub(crate) fn resources() -> Vec<Resource> {
    Vec::new()
}

pub(crate) fn defaults(_resource: &Resource, _new: &mut Value) {}

pub(crate) fn prepare(_write: &mut Write<'_>) -> Result<(), Status> {
    Ok(())
}

pub(crate) fn validate(_write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    Ok(Vec::new())
}

pub(crate) fn delete(_resource: &Resource, _object: &Value, _grace: Option<i64>, _now: Timestamp) -> Result<Deletion, Status> {
    Ok(Deletion::Now)
}
