//! What a kind may say of itself, and what is true of every kind that says nothing.

use apimachinery::object::{at, deleting, fields, finalizers, metadata, set, time};
use apimachinery::{FieldError, Status};
use jiff::Timestamp;
use serde_json::Value;

use crate::write::Deletion;
use crate::{Operation, Resource, Subresource, Write};

/// Where a kind differs from [`Rules::NONE`].
///
/// ```text
/// pub(super) const RULES: Rules = Rules { defaults, validate, ..Rules::NONE };
/// ```
///
/// Before `prepare` is called, metadata is in order and the half of the object that this door does not write is as it was:
/// the main door writes no `status` (on a create it is empty, unless `status_on_create`), `/status` nothing but `status` and,
/// where `status_writes_metadata`, labels, annotations and finalizers. Only for kinds that serve `/status`.
pub(super) struct Rules {
    /// Fills in what is absent. See [`crate::write::defaults`].
    pub defaults: fn(&mut Value),
    /// Restores and adds what is the server's to say. See [`crate::write::prepare`].
    pub prepare: fn(&mut Write<'_>) -> Result<(), Status>,
    /// What is wrong with the object and told before what is wrong with its metadata.
    pub validate_first: fn(&Write<'_>) -> Vec<FieldError>,
    /// What is wrong with the object, or with the change. May add warnings. See [`crate::write::validate`].
    pub validate: fn(&mut Write<'_>) -> Result<Vec<FieldError>, Status>,
    /// What a DELETE does. See [`crate::write::delete`].
    pub delete: fn(&Resource, &Value, Option<i64>, Timestamp) -> Result<Deletion, Status>,
    /// A create may bring a status.
    pub status_on_create: bool,
    /// `/status` writes labels, annotations and finalizers as well.
    pub status_writes_metadata: bool,
}

impl Rules {
    /// A kind with nothing to say.
    pub(super) const NONE: Self = Self {
        defaults: |_| (),
        prepare: |_| Ok(()),
        validate_first: |_| Vec::new(),
        validate: |_| Ok(Vec::new()),
        delete: |resource, object, _, now| Ok(hold(resource, object, now)),
        status_on_create: false,
        status_writes_metadata: true,
    };

    /// Restores what this door does not write.
    pub(super) fn keep_other_half(&self, write: &mut Write<'_>) {
        if !write.resource.has(Subresource::Status) {
            return;
        }
        let new = fields(&mut write.new);
        match (write.subresource, write.operation) {
            (Subresource::Main, Operation::Create) if !self.status_on_create => {
                set(new, "status", write.resource.schema.field("status").and_then(|status| status.absent()));
            }
            (Subresource::Main | Subresource::Finalize, Operation::Update(old)) => set(new, "status", old.get("status").cloned()),
            (Subresource::Status, Operation::Update(old)) => {
                let status = new.remove("status");
                let meta = new.remove("metadata");
                let mut kept = old.clone();
                let into = fields(&mut kept);
                for key in ["kind", "apiVersion"] {
                    set(into, key, new.remove(key));
                }
                set(into, "status", status);
                if self.status_writes_metadata {
                    set(into, "metadata", meta);
                } else {
                    let managed = meta.as_ref().and_then(|meta| meta.get("managedFields")).cloned();
                    set(metadata(&mut kept), "managedFields", managed);
                }
                write.new = kept;
            }
            _ => {}
        }
    }
}

/// What a DELETE does to an object that only finalizers can hold up. Ends a grace period that it may have.
pub(super) fn hold(_: &Resource, object: &Value, now: Timestamp) -> Deletion {
    if finalizers(object).is_empty() {
        return Deletion::Now;
    }
    let going = deleting(object);
    if going && grace_secs(object) == 0 {
        return Deletion::Going;
    }
    let mut later = object.clone();
    let now = time(now);
    let meta = metadata(&mut later);
    // Texts of one form compare as the times do.
    if !going || meta["deletionTimestamp"].as_str() > now.as_str() {
        meta.insert("deletionTimestamp".to_owned(), now);
    }
    meta.insert("deletionGracePeriodSeconds".to_owned(), 0.into());
    if !going && generation(&later) > 0 {
        bump(&mut later);
    }
    Deletion::Later(later)
}

/// How long the object is given to end; 0 if nothing is said.
pub(super) fn grace_secs(object: &Value) -> i64 {
    at(object, &["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or(0)
}

/// `metadata.generation`; 0 for kinds that do not count.
fn generation(object: &Value) -> i64 {
    at(object, &["metadata", "generation"]).and_then(Value::as_i64).unwrap_or(0)
}

/// Counts `metadata.generation` up.
pub(super) fn bump(object: &mut Value) {
    let generation = generation(object) + 1;
    metadata(object).insert("generation".to_owned(), generation.into());
}
