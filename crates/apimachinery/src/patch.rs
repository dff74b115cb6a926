//! JSON patches, merge patches and strategic merge patches: an object and a patch in, the patched object out.
//!
//! What comes out is not decoded yet: whether it is still of its kind is for the caller to check.

use serde_json::Value;

use crate::{Schema, Status};

/// Applies an RFC 6902 patch.
///
/// # Errors
/// 400 for a body that is no patch, 413 for too many operations, 422 for one that cannot be applied.
pub fn json(_old: &Value, _patch: &[u8]) -> Result<Value, Status> {
    Err(Status::internal(""))
}

/// Applies an RFC 7386 patch.
///
/// # Errors
/// 400 for a body that is no patch.
pub fn merge(_old: &Value, _patch: &[u8]) -> Result<Value, Status> {
    Err(Status::internal(""))
}

/// Applies a strategic merge patch, merging lists as the schema says.
///
/// # Errors
/// 400 for a body that is no patch, 500 and 422 as upstream for directives that make no sense.
pub fn strategic(_old: &Value, _patch: &[u8], _schema: &Schema) -> Result<Value, Status> {
    Err(Status::internal(""))
}
