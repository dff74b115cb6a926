//! What of a pod can still change. A gated pod may in addition be steered to other nodes; how its node affinity changes is not
//! checked.

use apimachinery::FieldError;
use apimachinery::object::{at, child};
use serde_json::Value;

use super::super::validation::range;
use super::super::validation::values::{get, list, same, text};
use super::spec;

const UPDATABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,\
`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` \
(allow it to be set to 1 if it was previously negative)";

pub(super) fn validate(old: &Value, new: &Value) -> Vec<FieldError> {
    let before = |field: &str| at(old, &["spec", field]).filter(|value| !value.is_null());
    let after = |field: &str| at(new, &["spec", field]).filter(|value| !value.is_null());
    for field in ["containers", "initContainers"] {
        if list(before(field)).len() != list(after(field)).len() {
            return vec![FieldError::forbidden(format!("spec.{field}"), "pod updates may not add or remove containers")];
        }
    }
    let mut errors = Vec::new();
    let deadline = "spec.activeDeadlineSeconds";
    match (before("activeDeadlineSeconds").and_then(Value::as_i64), after("activeDeadlineSeconds").and_then(Value::as_i64)) {
        (_, Some(new)) if !(0..=i32::MAX.into()).contains(&new) => {
            return vec![FieldError::invalid(deadline, new, range(0, i32::MAX.into()))];
        }
        (Some(old), Some(new)) if old < new => {
            return vec![FieldError::invalid(deadline, new, "must be less than or equal to previous value")];
        }
        (Some(_), None) => {
            errors.push(FieldError::invalid(deadline, Value::Null, "must not update from a positive integer to nil value"));
        }
        _ => {}
    }
    errors.extend(tolerations(list(before("tolerations")), list(after("tolerations"))));
    let gates = |list: &[Value]| list.iter().map(|gate| text(gate, "name").to_owned()).collect::<Vec<_>>();
    let (gates_before, gates_after) = (gates(list(before("schedulingGates"))), gates(list(after("schedulingGates"))));
    for (index, gate) in gates_after.iter().enumerate().filter(|(_, gate)| !gates_before.contains(gate)) {
        let detail = format!("only deletion is allowed, but found new scheduling gate '{gate}'");
        errors.push(FieldError::forbidden(format!("spec.schedulingGates[{index}].name"), detail));
    }
    let gated = !gates_before.is_empty();
    if gated && !same(before("nodeSelector"), after("nodeSelector")) {
        errors.extend(selector(before("nodeSelector"), after("nodeSelector")));
    }
    if !same(Some(&settled(old, old, gated)), Some(&settled(new, old, gated))) {
        errors.push(FieldError::forbidden("spec", UPDATABLE));
    }
    errors
}

/// Tolerations may come, and last longer or shorter.
fn tolerations(old: &[Value], new: &[Value]) -> Vec<FieldError> {
    let alike =
        |a: &Value, b: &Value| ["key", "operator", "value", "effect"].iter().all(|field| text(a, field) == text(b, field));
    let gone = old.iter().any(|old| !new.iter().any(|new| alike(old, new)));
    let detail = "existing toleration can not be modified except its tolerationSeconds";
    gone.then(|| FieldError::forbidden("spec.tolerations", detail)).into_iter().chain(spec::tolerations(new)).collect()
}

fn selector(old: Option<&Value>, new: Option<&Value>) -> Option<FieldError> {
    let kept = |(key, value): (&String, &Value)| new.and_then(|new| new.get(key)) == Some(value);
    let all_kept = old.and_then(Value::as_object).into_iter().flatten().all(kept);
    let detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
    (!all_kept).then(|| FieldError::invalid("spec.nodeSelector", new.cloned().unwrap_or_default(), detail))
}

/// The spec of a pod with everything that may change as it is in `old`.
fn settled(pod: &Value, old: &Value, gated: bool) -> Value {
    let mut pod = pod.clone();
    let grace = |pod: &Value| at(pod, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64);
    let relaxed = grace(old).is_some_and(|grace| grace < 0) && grace(&pod) == Some(1);
    let spec = child(&mut pod, "spec");
    let was = |field: &str| at(old, &["spec", field]).cloned().unwrap_or_default();
    let mut free = vec!["activeDeadlineSeconds", "tolerations", "schedulingGates"];
    if relaxed {
        free.push("terminationGracePeriodSeconds");
    }
    if gated {
        free.push("nodeSelector");
    }
    for field in free {
        spec.insert(field.to_owned(), was(field));
    }
    if gated {
        let affinity = at(old, &["spec", "affinity", "nodeAffinity"]).cloned().unwrap_or_default();
        if let Some(changed) = spec.get_mut("affinity").and_then(Value::as_object_mut) {
            changed.insert("nodeAffinity".to_owned(), affinity);
        } else if !affinity.is_null() {
            spec.insert("affinity".to_owned(), serde_json::json!({"nodeAffinity": affinity}));
        }
    }
    for field in ["containers", "initContainers"] {
        let images = was(field);
        for (index, container) in spec.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
            if let Some(container) = container.as_object_mut() {
                let image = images.get(index).and_then(|container| get(container, "image")).cloned().unwrap_or_default();
                container.insert("image".to_owned(), image);
            }
        }
    }
    spec.remove("ephemeralContainers");
    Value::Object(std::mem::take(spec))
}
