//! The steps of a write that depend on the kind. Storage, versions, patches and ownership are `apistore`'s.
//!
//! Order: the body is decoded against the schema, then [`defaults`], then field ownership is noted, then [`prepare`], then
//! [`validate`]. Upstream's order, so that what a client owns is what it sent and what was defaulted, and nothing that
//! admission added.

use apimachinery::{FieldError, Status};
use jiff::Timestamp;
use serde_json::Value;

use crate::{Resource, Subresource};

/// Other objects, for the rules that need them: namespaces, classes, default class.
pub trait World {
    /// One object. `resource` is a [`Resource::storage_key`]; `namespace` is empty for cluster-scoped kinds. Without `kind` and `apiVersion`.
    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value>;
    /// All objects of a resource, ordered by namespace and name.
    fn list(&self, resource: &str) -> Vec<Value>;
}

/// What is done to the object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation<'a> {
    /// It was not there.
    Create,
    /// It was there, like this.
    Update(&'a Value),
}

/// A write on its way to being stored.
pub struct Write<'a> {
    /// What of.
    pub resource: &'a Resource,
    /// Through which door.
    pub subresource: Subresource,
    /// What is done.
    pub operation: Operation<'a>,
    /// The object as it is to be: decoded, with `kind` and `apiVersion`, with name and namespace filled in.
    pub new: Value,
    /// The time.
    pub now: Timestamp,
    /// Other objects.
    pub world: &'a dyn World,
    /// What the answer's `Warning` headers will say.
    pub warnings: Vec<String>,
}

impl Write<'_> {
    /// The stored object that is updated.
    pub fn old(&self) -> Option<&Value> {
        match self.operation {
            Operation::Create => None,
            Operation::Update(old) => Some(old),
        }
    }
}

/// What becomes of an object that is to be deleted.
#[derive(Debug, Clone, PartialEq)]
pub enum Deletion {
    /// It goes at once.
    Now,
    /// It stays, changed like this (deletionTimestamp, a phase), until a finalizer or a grace period ends.
    Later(Value),
    /// It is going already, and nothing changes.
    Going,
}

/// Fills in what the kind defaults, whoever sent the object. Runs before ownership is noted.
pub fn defaults(resource: &Resource, new: &mut Value) {
    match &resource.custom {
        Some(custom) => custom.defaults(new),
        None => crate::kinds::defaults(resource, new),
    }
}

/// Restores what the writer may not touch (status, system metadata), bumps the generation, and does what admission does
/// (finalizers, default class, labels).
///
/// # Errors
/// What admission refuses.
pub fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    crate::kinds::metadata::prepare(write)?;
    match &write.resource.custom {
        Some(custom) => custom.clone().prepare(write),
        None => crate::kinds::prepare(write),
    }
}

/// Everything that is wrong with the object.
///
/// # Errors
/// 422 with all of it; 403 where upstream's admission plugin refuses.
pub fn validate(write: &mut Write<'_>) -> Result<(), Status> {
    let mut errors: Vec<FieldError> = match &write.resource.custom {
        Some(_) => Vec::new(),
        None => crate::kinds::validate_first(write),
    };
    errors.extend(crate::kinds::metadata::validate(write));
    match &write.resource.custom {
        Some(custom) => errors.extend(custom.clone().validate(write)),
        None => errors.extend(crate::kinds::validate(write)?),
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(&write.resource.group_kind(), apimachinery::object::name(&write.new), &errors))
}

/// Decides what a DELETE does, finalizers and grace periods included. `grace`: `gracePeriodSeconds` of the request.
/// The propagation policy's finalizers are on `object` already.
///
/// # Errors
/// 403 for what may not be deleted.
pub fn delete(resource: &Resource, object: &Value, grace: Option<i64>, now: Timestamp) -> Result<Deletion, Status> {
    crate::kinds::delete(resource, object, grace, now)
}
