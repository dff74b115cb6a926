//! CustomResourceDefinitions: their names, versions and schemas, and how they end.
//!
//! What becomes of a definition after it is written (names accepted, instances deleted) is for the store to do, with
//! [`crate::custom::names`]'s help; what one means is [`crate::custom`].
//!
//! Upstream: apiextensions-apiserver pkg/apis/apiextensions/validation, pkg/registry/customresourcedefinition.

mod validate;
mod version;

use apimachinery::Status;
use apimachinery::object::{child, deleting, finalizers, metadata, time};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::metadata::add_finalizer;
use super::rules::{Rules, bump};
use super::validation::values::{list, text};
use crate::custom::{CLEANUP, set_condition, structural};
use crate::write::Deletion;
use crate::{Operation, Resource, Subresource, Write};

pub(super) const RULES: Rules =
    Rules { defaults, prepare, validate: validate::validate, delete, status_writes_metadata: false, ..Rules::NONE };

fn defaults(new: &mut Value) {
    let spec = child(new, "spec");
    let conversion = spec.entry("conversion").or_insert(Value::Null);
    if text(conversion, "strategy").is_empty() {
        apimachinery::object::fields(conversion).insert("strategy".to_owned(), "None".into());
    }
    let names = apimachinery::object::fields(spec.entry("names").or_insert(Value::Null));
    let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind.is_empty() {
        return;
    }
    for (field, name) in [("singular", kind.to_lowercase()), ("listKind", format!("{kind}List"))] {
        if names.get(field).and_then(Value::as_str).is_none_or(str::is_empty) {
            names.insert(field.to_owned(), name.into());
        }
    }
}

fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    schemas(write)?;
    match write.operation {
        Operation::Create => {
            metadata(&mut write.new).insert("generation".to_owned(), 1.into());
        }
        Operation::Update(old) => {
            if old.get("spec") != write.new.get("spec") {
                bump(&mut write.new);
            }
        }
    }
    // Every version that objects were ever stored in.
    let storage = versions(&write.new).iter().find(|version| version.get("storage") == Some(&Value::Bool(true)));
    let storage = storage.map(|version| text(version, "name").to_owned()).filter(|name| !name.is_empty());
    let status = child(&mut write.new, "status");
    let stored = status.entry("storedVersions").or_insert(Value::Null);
    let known = list(Some(stored));
    let missing = |name: &String| known.iter().all(|known| known != name);
    if let Some(name) = storage.filter(|name| known.is_empty() || (write.subresource == Subresource::Main && missing(name))) {
        match stored {
            Value::Array(versions) => versions.push(name.into()),
            other => *other = json!([name]),
        }
    }
    Ok(())
}

fn versions(definition: &Value) -> &[Value] {
    list(definition.pointer("/spec/versions"))
}

/// Reads the schemas as Go would.
fn schemas(write: &mut Write<'_>) -> Result<(), Status> {
    let Some(Value::Array(versions)) = write.new.pointer_mut("/spec/versions") else { return Ok(()) };
    for (index, version) in versions.iter_mut().enumerate() {
        let Some(schema) = version.pointer_mut("/schema/openAPIV3Schema") else { continue };
        let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
        let unknown = structural::read(schema, &path, "spec.versions.schema.openAPIV3Schema").map_err(|why| {
            Status::bad_request(format!(
                "CustomResourceDefinition in version \"v1\" cannot be handled as a CustomResourceDefinition: {why}"
            ))
        })?;
        write.warnings.extend(unknown.into_iter().map(|path| format!("unknown field {path:?}")));
    }
    Ok(())
}

/// Marks the definition: its instances go first, and the store takes the finalizer off when they are gone.
#[expect(clippy::unnecessary_wraps, reason = "the signature is every kind's")]
fn delete(_: &Resource, object: &Value, _: Option<i64>, now: Timestamp) -> Result<Deletion, Status> {
    if deleting(object) {
        return Ok(if finalizers(object).is_empty() { Deletion::Now } else { Deletion::Going });
    }
    let mut marked = object.clone();
    metadata(&mut marked).insert("deletionTimestamp".to_owned(), time(now));
    add_finalizer(&mut marked, CLEANUP);
    let why = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    set_condition(&mut marked, "Terminating", true, "InstanceDeletionPending", why, now);
    Ok(Deletion::Later(marked))
}
