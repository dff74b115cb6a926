//! JSON patches, merge patches and strategic merge patches: an object and a patch in, the patched object out.
//!
//! What comes out is not decoded yet: whether it is still of its kind is for the caller to check.

mod go;
mod merge;
mod misfit;
mod operations;
mod strategic;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::{FieldError, GroupKind, Schema, Status};

pub use go::shown;

/// Applies an RFC 6902 patch.
///
/// # Errors
/// 400 for a body that is no patch, 413 for too many operations, 422 for one that cannot be applied.
pub fn json(old: &Value, patch: &[u8]) -> Result<Value, Status> {
    let read = crate::json::read(patch, true).map_err(undecodable)?;
    operations::apply(old, operations::decode(read.value)?)
}

/// Applies an RFC 7386 patch.
///
/// # Errors
/// 400 for a body that is no patch.
pub fn merge(old: &Value, patch: &[u8]) -> Result<Value, Status> {
    match crate::json::read(patch, true).map_err(undecodable)?.value {
        Value::Object(patch) => {
            let mut new = old.clone();
            merge::into(&mut new, Value::Object(patch));
            Ok(new)
        }
        Value::Null => Err(Status::bad_request("Invalid JSON Patch")),
        other => Err(undecodable(not_a_map(&other))),
    }
}

/// Applies a strategic merge patch, merging lists as the schema says.
///
/// # Errors
/// 400 for a body that is no patch, 500 and 422 as upstream for directives that make no sense; 422 if a value has another type
/// afterwards than the schema says.
pub fn strategic(old: &Value, patch: &[u8], schema: &Schema) -> Result<Value, Status> {
    let patch = match crate::json::read(patch, true).map_err(Status::bad_request)?.value {
        Value::Object(patch) => patch,
        Value::Null => Map::new(),
        other => return Err(Status::bad_request(not_a_map(&other))),
    };
    let new = strategic::apply(old, patch.clone(), schema)?;
    match misfit::find(&new, schema) {
        None => Ok(new),
        Some(why) => {
            let nothing = GroupKind { group: String::new(), kind: String::new() };
            Err(Status::invalid(&nothing, "", &[FieldError::invalid("patch", shown(&Value::Object(patch)), why)]))
        }
    }
}

fn undecodable(why: impl std::fmt::Display) -> Status {
    Status::bad_request(format!("error decoding patch: {why}"))
}

fn not_a_map(value: &Value) -> String {
    format!("json: cannot unmarshal {} into Go value of type map[string]interface {{}}", crate::json::type_name(value))
}

/// 422 as the API server words it for clients that are not told why.
fn rejected() -> Status {
    Status::bare(422, "Invalid", "the server rejected our request due to an error in our request")
}
