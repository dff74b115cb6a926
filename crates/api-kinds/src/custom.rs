//! What a CustomResourceDefinition means: the resources it serves, and how their objects are pruned, defaulted and validated.
//!
//! ```text
//!  definition ─ resources ─> Resource { schema, custom } per served version
//!  openAPIV3Schema ─ node ─> Node ─┬─ shape ─> apimachinery::Schema   (pruning, patches, ownership)
//!                                  ├─ defaults, check, lists          (values)
//!                                  └─ rules                           (CEL, compiled once)
//!  openAPIV3Schema ─ structural ─> what the definition itself is refused for
//! ```
//!
//! Upstream: apiextensions-apiserver v0.36. Written differences: writes are not held back after a definition is new; CEL has no
//! cost limit and lacks some libraries (see `rules`); there are no conversion webhooks and no `/scale`.

mod check;
mod columns;
mod defaults;
mod formats;
mod lists;
pub(crate) mod names;
pub(crate) mod node;
mod path;
mod rules;
mod shape;
pub(crate) mod structural;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::sync::Arc;

use apimachinery::object::{deleting, fields, finalizers, meta, metadata, set};
use apimachinery::{FieldError, FieldErrorKind, Status};
use jiff::Timestamp;
use serde_json::Value;

use crate::table::Column;
use crate::{Operation, Registry, Resource, Scope, Subresource, Write};
use node::Node;

/// What a CustomResourceDefinition says of one of its versions.
#[derive(Debug)]
pub struct Custom {
    node: Node,
    status: bool,
    terminating: bool,
    printers: Vec<columns::Printer>,
    selectable: Vec<String>,
    deprecation: Option<String>,
}

const UNCHECKED: &str =
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

impl Custom {
    fn read(definition: &Value, version: &Value, node: Node) -> Self {
        let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let selectable = version.get("selectableFields").and_then(Value::as_array).into_iter().flatten();
        Self {
            node,
            status: version.pointer("/subresources/status").is_some_and(|status| !status.is_null()),
            terminating: deleting(definition),
            printers: columns::read(version),
            selectable: selectable.map(|field| text(field, "jsonPath").trim_start_matches('.').to_owned()).collect(),
            deprecation: deprecation(definition, version),
        }
    }

    /// Fills in the schema's defaults.
    pub fn defaults(&self, new: &mut Value) {
        if let Some(object) = new.as_object_mut() {
            object.iter_mut().filter(|(name, _)| *name != "metadata").for_each(|(_, value)| defaults::whole_numbers(value));
        }
        defaults::fill(&self.node, new);
    }

    /// Restores what the writer may not touch, and bumps the generation.
    ///
    /// # Errors
    /// What is refused.
    pub fn prepare(&self, write: &mut Write<'_>) -> Result<(), Status> {
        match (write.operation, write.subresource) {
            (Operation::Create, _) => {
                if self.terminating {
                    let why = "create not allowed while custom resource definition is terminating";
                    return Err(Status::forbidden(&write.resource.group_resource(), meta(&write.new, "name"), why));
                }
                if self.status {
                    fields(&mut write.new).remove("status");
                }
                metadata(&mut write.new).insert("generation".to_owned(), 1.into());
            }
            (Operation::Update(old), Subresource::Status) => {
                let mut kept = old.clone();
                let managed = write.new.get("metadata").and_then(|meta| meta.get("managedFields")).cloned();
                set(metadata(&mut kept), "managedFields", managed);
                for field in ["kind", "apiVersion", "status"] {
                    set(fields(&mut kept), field, write.new.get(field).cloned());
                }
                write.new = kept;
            }
            (Operation::Update(old), _) => {
                if self.status {
                    set(fields(&mut write.new), "status", old.get("status").cloned());
                }
                if self.content(old) != self.content(&write.new) {
                    let generation = old.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
                    metadata(&mut write.new).insert("generation".to_owned(), (generation + 1).into());
                }
            }
        }
        write.warnings.extend(warnings(write));
        Ok(())
    }

    /// What counts as a change of generation.
    fn content<'a>(&self, object: &'a Value) -> Vec<(&'a String, &'a Value)> {
        let counts = |name: &str| !(matches!(name, "kind" | "apiVersion" | "metadata") || self.status && name == "status");
        object.as_object().into_iter().flatten().filter(|(name, _)| counts(name)).collect()
    }

    /// What the schema does not allow.
    pub fn validate(&self, write: &Write<'_>) -> Vec<FieldError> {
        let (new, old) = (&write.new, write.old());
        let mut errors = check::check(&self.node, new, old, "");
        // What was wrong before may stay so.
        for wrong in [lists::embedded, lists::duplicates] {
            if old.is_none_or(|old| wrong(&self.node, old).is_empty()) {
                errors.extend(wrong(&self.node, new));
            }
        }
        if !self.node.ruled {
            return errors;
        }
        if errors.iter().any(blocks) {
            errors.push(FieldError::invalid("<nil>", Value::Null, UNCHECKED));
        } else {
            errors.extend(rules::run(&self.node, new, old, old.is_some(), ""));
        }
        errors
    }

    /// The columns that `kubectl get` shows.
    pub fn columns(&self) -> Vec<Column> {
        columns::columns(&self.printers)
    }

    /// The cells of one object, one for each of the columns.
    pub fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        columns::cells(&self.printers, object, now)
    }

    /// Whether field selectors can ask for this field (`spec.size`), as `selectableFields` says.
    pub fn selects(&self, field: &str) -> bool {
        self.selectable.iter().any(|known| known == field)
    }

    /// What every answer about a deprecated version warns of.
    pub fn deprecation(&self) -> Option<&str> {
        self.deprecation.as_deref()
    }
}

/// What the answer warns of, though it is stored.
fn warnings(write: &Write<'_>) -> Vec<String> {
    let known = write.old().map(finalizers).unwrap_or_default();
    let plain = |name: &&str| {
        !name.contains('/') && !matches!(*name, "orphan" | "foregroundDeletion" | "kubernetes") && !known.contains(name)
    };
    let advice = "prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers";
    let warn = |name: &str| format!("metadata.finalizers: {name:?}: {advice}");
    finalizers(&write.new).into_iter().filter(plain).map(warn).collect()
}

/// Whether rules would stumble over an object with this error.
fn blocks(error: &FieldError) -> bool {
    matches!(
        error.kind,
        FieldErrorKind::NotSupported { .. }
            | FieldErrorKind::Required
            | FieldErrorKind::TooLong
            | FieldErrorKind::TooMany { .. }
            | FieldErrorKind::TypeInvalid(_)
    )
}

/// The resources that a stored CustomResourceDefinition serves, one for each version; none until its names are accepted.
///
/// The store calls this for every definition when it is opened and after each change of one.
pub fn resources(definition: &Value) -> Vec<Resource> {
    if !has_condition(definition, "Established") {
        return Vec::new();
    }
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let served = versions.iter().filter(|version| version.get("served").and_then(Value::as_bool) == Some(true));
    let builtin = Registry::builtin();
    let own = |resource: &Resource| builtin.all().all(|known| known.group_resource() != resource.group_resource());
    served.map(|version| resource(definition, version)).filter(own).collect()
}

/// Whether the definition's status says so.
pub fn has_condition(definition: &Value, kind: &str) -> bool {
    let text = |condition: &Value, field: &str| condition.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let conditions = definition.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| text(condition, "type") == kind && text(condition, "status") == "True")
}

fn resource(definition: &Value, version: &Value) -> Resource {
    let text = |path: &str| definition.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let texts = |path: &str| {
        let list = definition.pointer(path).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let node = Node::root(version.pointer("/schema/openAPIV3Schema").unwrap_or(&Value::Null));
    let schema = Arc::new(shape::of(&node));
    let custom = Custom::read(definition, version, node);
    let scope = if text("/spec/scope") == "Cluster" { Scope::Cluster } else { Scope::Namespaced };
    Resource {
        group: text("/spec/group"),
        version: version.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        kind: text("/status/acceptedNames/kind"),
        list_kind: text("/status/acceptedNames/listKind"),
        plural: text("/status/acceptedNames/plural"),
        singular: text("/status/acceptedNames/singular"),
        short_names: texts("/status/acceptedNames/shortNames"),
        categories: texts("/status/acceptedNames/categories"),
        scope,
        subresources: if custom.status { vec![Subresource::Status] } else { Vec::new() },
        schema,
        needs_version: true,
        creates_on_update: false,
        delete_returns_object: false,
        strategic: false,
        custom: Some(Arc::new(custom)),
    }
}

/// The warning of a deprecated version.
fn deprecation(definition: &Value, version: &Value) -> Option<String> {
    if version.get("deprecated").and_then(Value::as_bool) != Some(true) {
        return None;
    }
    if let Some(warning) = version.get("deprecationWarning").and_then(Value::as_str) {
        return Some(warning.to_owned());
    }
    let text = |path: &str| definition.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let (group, kind) = (text("/spec/group"), text("/spec/names/kind"));
    let name = |version: &Value| version.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let flag = |version: &Value, field: &str| version.get(field).and_then(Value::as_bool) == Some(true);
    let own = name(version);
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
    let better = versions
        .into_iter()
        .flatten()
        .filter(|other| flag(other, "served") && !flag(other, "deprecated"))
        .map(name)
        .filter(|other| version_priority(other, &own).is_lt());
    let advice = better.min_by(|a, b| version_priority(a, b)).map(|better| format!("; use {group}/{better} {kind}"));
    Some(format!("{group}/{own} {kind} is deprecated{}", advice.unwrap_or_default()))
}

/// Orders versions as Kubernetes prefers them: stable before beta before alpha, newer before older.
pub fn version_priority(a: &str, b: &str) -> Ordering {
    match (rank(a), rank(b)) {
        (Some(a), Some(b)) => b.cmp(&a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// Stability, major, minor of `v1`, `v2beta3`. `None`: it has another form, and comes last.
fn rank(version: &str) -> Option<(u8, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (major, rest) = rest.split_at(digits);
    let major = major.parse().ok()?;
    if rest.is_empty() {
        return Some((2, major, 0));
    }
    let (stability, minor) = match rest.strip_prefix("beta") {
        Some(minor) => (1, minor),
        None => (0, rest.strip_prefix("alpha")?),
    };
    Some((stability, major, minor.parse().ok()?))
}

/// The finalizer of a definition whose instances are not gone yet.
pub const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Says so in the definition's status; the time changes with the status alone.
pub fn set_condition(definition: &mut Value, kind: &str, holds: bool, reason: &str, message: &str, now: Timestamp) {
    let status = if holds { "True" } else { "False" };
    let conditions = apimachinery::object::child(definition, "status").entry("conditions").or_insert(Value::Null);
    if !conditions.is_array() {
        *conditions = Value::Array(Vec::new());
    }
    let Value::Array(conditions) = conditions else { return };
    let mut condition = serde_json::json!({
        "type": kind, "status": status, "lastTransitionTime": apimachinery::object::time(now), "reason": reason, "message": message,
    });
    match conditions.iter_mut().find(|condition| condition.get("type").and_then(Value::as_str) == Some(kind)) {
        Some(known) => {
            if known.get("status") == condition.get("status")
                && let Some(since) = known.get("lastTransitionTime")
            {
                fields(&mut condition).insert("lastTransitionTime".to_owned(), since.clone());
            }
            *known = condition;
        }
        None => conditions.push(condition),
    }
}

/// Whether the API server looks at this format, or at least does not wonder at it.
pub(crate) fn is_known_format(format: &str) -> bool {
    formats::KNOWN.contains(&format)
}

/// Whether a path of fields leads to something that a field selector can compare. `None`: it leads nowhere.
pub(crate) fn leads_to_scalar(schema: Option<&Value>, path: &str) -> Option<bool> {
    let mut schema = schema?;
    for (depth, name) in path.trim_start_matches('.').split('.').enumerate() {
        if depth == 0 && name == "metadata" {
            return None;
        }
        schema = schema.get("properties")?.get(name)?;
    }
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    Some(matches!(kind, "string" | "boolean" | "integer"))
}
