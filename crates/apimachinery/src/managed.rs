//! Who owns which field: `metadata.managedFields`, and apply, which decides by it.
//!
//! ```text
//!  old, new ── compare ──> added, modified, removed ── track ──> entries
//!  live + config ── build (merge, remove) ──> new ── compare ──> conflicts, or entries
//! ```
//!
//! Upstream: structured-merge-diff v6 and apimachinery's managedfields. Differences: every entry is read with the schema of the
//! version that is written, since versions of one kind differ in nothing but their name here, and entries are not rewritten when a
//! CustomResourceDefinition turns a list or map from atomic to granular or back; owners of the old form keep it until they write.

mod apply;
mod build;
mod compare;
mod conflict;
mod entries;
mod last_applied;
#[cfg(test)]
pub(crate) mod samples;
mod set;
mod shape;
#[cfg(test)]
mod tests;
mod track;

use jiff::Timestamp;
use serde_json::Value;

use crate::{Schema, Status, object};

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
/// managedFields of its own: an explicit list replaces the stored one, `[]` and `[{}]` clear it, absent (or no list that can be
/// read) keeps it. A write through a subresource keeps it whatever it says. An object that nobody owns stays so until it is applied.
///
/// What managers own in the words of another group is forgotten.
///
/// Both objects are decoded. The result stands in `new`.
pub fn track(old: Option<&Value>, new: &mut Value, schema: &Schema, manager: Manager<'_>, reset: &[&[&str]]) {
    track::track(old, new, schema, manager, reset);
}

/// Applies a configuration: what it says is set and owned, what the manager owned and no longer says is taken away.
///
/// `live` is the stored object, with its managedFields. The result carries the new managedFields; it is not decoded yet. Whether
/// the configuration is of this kind and name is checked by the caller.
///
/// # Errors
/// 400 for a configuration with managedFields; 409 with one cause per field that another manager owns with another value, unless
/// forced; 500 for a configuration that does not fit the schema.
pub fn apply(
    live: Option<&Value>,
    config: &Value,
    schema: &Schema,
    manager: Manager<'_>,
    force: bool,
    reset: &[&[&str]],
) -> Result<Value, Status> {
    apply::Application { live, config, schema, manager, reset }.run(force)
}

/// Gives `new` the times of `old`'s entries, if nothing else is different: then the write changes nothing.
///
/// An application says when it was, even if what it changed was then put back by the rules of the kind.
/// Upstream: apiserver handlers/fieldmanager/equality.go.
pub fn keep_times(old: &Value, new: &mut Value) {
    let path = ["metadata", "managedFields"];
    let (Some(before), Some(after)) = (object::at(old, &path), object::at(new, &path)) else { return };
    if before == after || !entries::same_but_for_times(before, after) {
        return;
    }
    let (before, after) = (before.clone(), take_entries(new).unwrap_or_default());
    object::metadata(new).insert("managedFields".to_owned(), before);
    if *new != *old {
        object::metadata(new).insert("managedFields".to_owned(), after);
    }
}

/// Takes the list of managers out of the object.
fn take_entries(object: &mut Value) -> Option<Value> {
    object.get_mut("metadata")?.as_object_mut()?.remove("managedFields")
}
