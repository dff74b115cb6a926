//! The class of a claim: the default one, and whether it lets a claim grow.

use apimachinery::Status;
use apimachinery::object::{at, child, name, text};
use serde_json::Value;

use super::{CLASS_ANNOTATION, REQUEST};
use crate::Write;
use crate::kinds::validation::values::{get, quantity};

const CLASSES: &str = "storageclasses.storage.k8s.io";
const DEFAULT: [&str; 2] = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/// A new claim that names no class gets the default one: the newest if there are several, then the first by name.
///
/// QUIRK: also when it names a volume. Who wants none says so with an empty name.
pub(super) fn assign_default(write: &mut Write<'_>) {
    let named = at(&write.new, &["metadata", "annotations", CLASS_ANNOTATION]).is_some()
        || write.new.get("spec").is_some_and(|spec| get(spec, "storageClassName").is_some());
    if named {
        return;
    }
    let is_default = |class: &Value| DEFAULT.iter().any(|key| text(class, &["metadata", "annotations", key]) == "true");
    let age = |class: &Value| text(class, &["metadata", "creationTimestamp"]).to_owned();
    let mut classes: Vec<Value> = write.world.list(CLASSES).into_iter().filter(is_default).collect();
    // Times are all written alike, so their texts are ordered as they are.
    classes.sort_by(|a, b| age(b).cmp(&age(a)).then_with(|| name(a).cmp(name(b))));
    if let Some(class) = classes.first() {
        child(&mut write.new, "spec").insert("storageClassName".to_owned(), name(class).into());
    }
}

/// The class that a claim names, the old way or the new; empty if none.
fn class(claim: &Value) -> &str {
    match at(claim, &["metadata", "annotations", CLASS_ANNOTATION]).and_then(Value::as_str) {
        Some(class) => class,
        None => text(claim, &["spec", "storageClassName"]),
    }
}

/// A claim may ask for more if it is bound, and its class says that its volumes grow.
///
/// # Errors
/// 403, as upstream's admission.
pub(super) fn may_grow(write: &Write<'_>, old: &Value) -> Result<(), Status> {
    let request = |claim: &Value| quantity(at(claim, &REQUEST)).unwrap_or_default();
    if request(&write.new) <= request(old) {
        return Ok(());
    }
    let refuse = |why: &str| Err(Status::forbidden(&write.resource.group_resource(), name(&write.new), why));
    if text(old, &["status", "phase"]) != "Bound" {
        return refuse("Only bound persistent volume claims can be expanded");
    }
    let grows = class(old) == class(&write.new)
        && !class(old).is_empty()
        && write
            .world
            .get(CLASSES, "", class(old))
            .is_some_and(|class| class.get("allowVolumeExpansion").and_then(Value::as_bool).unwrap_or_default());
    if !grows {
        return refuse(
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
        );
    }
    Ok(())
}
