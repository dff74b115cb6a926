//! Who owns which field: `metadata.managedFields`, and apply, which decides by it.

use jiff::Timestamp;
use serde_json::Value;

use crate::{Schema, Status};

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub struct Manager<'a> {
    /// `fieldManager`, or the first part of the user agent.
    pub name: &'a str,
    /// `status`, … Empty for the object itself.
    pub subresource: &'a str,
    /// The version that the manager wrote.
    pub api_version: &'a str,
    /// Now.
    pub time: Timestamp,
}

/// Notes what a create, update or patch owns: what it changed becomes the manager's, and nobody else's.
///
/// `reset` names what this write cannot change and so does not own: `status`, or everything but it. `new` may carry
/// managedFields of its own: an explicit list replaces the stored one, `[{}]` clears it, absent keeps it.
pub fn track(_old: Option<&Value>, _new: &mut Value, _schema: &Schema, _manager: Manager<'_>, _reset: &[&[&str]]) {}

/// Applies a configuration: what it says is set and owned, what the manager owned and no longer says is taken away.
///
/// `live` is the stored object, with its managedFields. The result carries the new managedFields.
///
/// # Errors
/// 409 with one cause per field that another manager owns with another value, unless forced; 500 for a configuration that does not fit the schema.
pub fn apply(
    _live: Option<&Value>,
    _config: &Value,
    _schema: &Schema,
    _manager: Manager<'_>,
    _force: bool,
    _reset: &[&[&str]],
) -> Result<Value, Status> {
    Err(Status::internal(""))
}
