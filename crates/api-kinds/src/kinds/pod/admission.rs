//! What admission plugins do to pods.

use apimachinery::object::{at, child, name, set, text};
use apimachinery::{GroupResource, Status};
use serde_json::{Value, json};

use super::super::validation::values::{self, list};
use crate::Write;

/// A pod leaves a node that is gone after five minutes, unless it says something else.
pub(super) fn tolerations(pod: &mut Value) {
    let mut tolerations = list(at(pod, &["spec", "tolerations"])).to_vec();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let covers = |toleration: &Value| {
            let (of, effect) = (values::text(toleration, "key"), values::text(toleration, "effect"));
            (of.is_empty() || of == key) && matches!(effect, "" | "NoExecute")
        };
        if !tolerations.iter().any(covers) {
            tolerations.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
    child(pod, "spec").insert("tolerations".to_owned(), tolerations.into());
}

/// The number behind a priority class. No classes are served but the two that are always there.
pub(super) fn priority(write: &mut Write<'_>) -> Result<(), Status> {
    const PREEMPTION: &str = "PreemptLowerPriority";
    let class = text(&write.new, &["spec", "priorityClassName"]);
    let computed = match class {
        "" => 0,
        "system-cluster-critical" => 2_000_000_000,
        "system-node-critical" => 2_000_001_000,
        _ => return Err(forbidden(&write.new, format!("no PriorityClass with name {class} was found"))),
    };
    let given = |field: &str| at(&write.new, &["spec", field]).filter(|value| !value.is_null());
    let by = "must not be provided in pod spec; priority admission controller computed";
    if let Some(priority) = given("priority").filter(|priority| priority.as_i64() != Some(computed)) {
        let why = format!("the integer value of priority ({priority}) {by} {computed} from the given PriorityClass name");
        return Err(forbidden(&write.new, why));
    }
    if let Some(policy) = given("preemptionPolicy").and_then(Value::as_str).filter(|policy| *policy != PREEMPTION) {
        let why = format!("the string value of PreemptionPolicy ({policy}) {by} {PREEMPTION} from the given PriorityClass name");
        return Err(forbidden(&write.new, why));
    }
    let spec = child(&mut write.new, "spec");
    spec.insert("priority".to_owned(), computed.into());
    spec.insert("preemptionPolicy".to_owned(), PREEMPTION.into());
    Ok(())
}

/// A writer that says nothing about the priority leaves it as it is.
pub(super) fn keep_priority(old: &Value, pod: &mut Value) {
    let spec = child(pod, "spec");
    for field in ["priority", "preemptionPolicy"] {
        if spec.get(field).is_none_or(Value::is_null) {
            set(spec, field, at(old, &["spec", field]).cloned());
        }
    }
}

/// No runtime classes are served.
pub(super) fn runtime_class(write: &Write<'_>) -> Result<(), Status> {
    let pod = &write.new;
    let class = text(pod, &["spec", "runtimeClassName"]);
    if !class.is_empty() {
        return Err(forbidden(pod, format!("pod rejected: RuntimeClass {class:?} not found")));
    }
    if at(pod, &["spec", "overhead"]).and_then(Value::as_object).is_some_and(|overhead| !overhead.is_empty()) {
        return Err(forbidden(
            pod,
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead".to_owned(),
        ));
    }
    Ok(())
}

fn forbidden(pod: &Value, why: String) -> Status {
    Status::forbidden(&GroupResource { group: String::new(), resource: "pods".to_owned() }, name(pod), why)
}
