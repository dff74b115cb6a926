//! PersistentVolumes.
//!
//! Upstream: `registry/core/persistentvolume/strategy.go`, `api/persistentvolume/util.go`; `core/validation` from
//! `ValidatePersistentVolumeSpec` on.

mod source;
mod spec;
mod update;
mod warnings;

use apimachinery::object::{at, child, set, text, time};
use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::rules::Rules;
use super::validation::selectors;
use crate::{Operation, Subresource, Write};

pub(super) use spec::{Place, validate as validate_spec};
pub(super) use warnings::deprecated_label;

pub(super) const RULES: Rules = Rules { defaults, prepare, validate, ..Rules::NONE };

const MOUNT_OPTIONS: &str = "volume.beta.kubernetes.io/mount-options";

fn defaults(new: &mut Value) {
    let spec = child(new, "spec");
    if spec.get("persistentVolumeReclaimPolicy").and_then(Value::as_str).is_none_or(str::is_empty) {
        spec.insert("persistentVolumeReclaimPolicy".to_owned(), "Retain".into());
    }
    if spec.get("volumeMode").is_none_or(Value::is_null) {
        spec.insert("volumeMode".to_owned(), "Filesystem".into());
    }
    source::defaults(spec);
    if text(new, &["status", "phase"]).is_empty() {
        child(new, "status").insert("phase".to_owned(), "Pending".into());
    }
}

fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    let now = time(write.now);
    match (write.subresource, write.operation) {
        (Subresource::Main, Operation::Create) => {
            let status = child(&mut write.new, "status");
            status.insert("phase".to_owned(), "Pending".into());
            status.insert("lastPhaseTransitionTime".to_owned(), now);
            super::metadata::add_finalizer(&mut write.new, "kubernetes.io/pv-protection");
        }
        (Subresource::Status, Operation::Update(old)) => note_transition(&mut write.new, old, now),
        _ => {}
    }
    Ok(())
}

/// The time of the last change of phase: the writer's if it brings one, else now if the phase changed, else the stored one.
fn note_transition(new: &mut Value, old: &Value, now: Value) {
    const TIME: &str = "lastPhaseTransitionTime";
    let of = |object: &Value| at(object, &["status", TIME]).filter(|time| !time.is_null()).cloned();
    let (before, after) = (of(old), of(new));
    let changed = text(old, &["status", "phase"]) != text(new, &["status", "phase"]);
    let status = child(new, "status");
    if changed && (after.is_none() || after == before) {
        status.insert(TIME.to_owned(), now);
    } else if !changed && after.is_none() {
        set(status, TIME, before);
    }
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    if write.subresource == Subresource::Status {
        return Ok(Vec::new());
    }
    let new = &write.new;
    let spec = new.get("spec").unwrap_or(&Value::Null);
    let affinity = write.old().and_then(|old| at(old, &["spec", "nodeAffinity", "required"]));
    let place = Place::Volume { any_label_value: selectors::node_selector_is_lenient(affinity) };
    let mut errors = validate_spec(spec, "spec", place);
    if at(new, &["metadata", "annotations", MOUNT_OPTIONS]).is_some() && !source::takes_mount_options(spec) {
        let field = format!("metadata.annotations.{MOUNT_OPTIONS}");
        errors.push(FieldError::forbidden(field, "may not specify mount options for this volume type"));
    }
    if let Some(old) = write.old() {
        errors.extend(update::validate(old, new));
    }
    if errors.is_empty() {
        let warnings = warnings::of(new);
        write.warnings.extend(warnings);
    }
    Ok(errors)
}

#[cfg(test)]
mod tests;
