//! The containers of a pod.

use std::collections::BTreeSet;

use apimachinery::FieldError;
use apimachinery::object::at;
use serde_json::Value;

use super::super::validation::values::{get, list, text};
use super::super::validation::{invalid, names, range};
use super::volumes::Volumes;
use super::{env, mounts, probes, resources};

pub(super) const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// Containers that run together.
pub(super) fn containers(pod: &Value, volumes: &Volumes<'_>) -> Vec<FieldError> {
    let field = "spec.containers";
    let all = list(at(pod, &["spec", "containers"]));
    if all.is_empty() {
        return vec![FieldError::required(field, "")];
    }
    let mut names = BTreeSet::new();
    let mut errors = Vec::new();
    for (index, container) in all.iter().enumerate() {
        let field = format!("{field}[{index}]");
        errors.extend(common(container, volumes, &field));
        if !names.insert(text(container, "name")) {
            errors.push(FieldError::duplicate(format!("{field}.name"), text(container, "name")));
        }
        errors.extend(running(pod, container, &field));
        errors.extend(restart_policy(container, &field));
    }
    errors.extend(host_ports(all, field));
    errors
}

/// Containers that run before, one after the other.
pub(super) fn init_containers(pod: &Value, volumes: &Volumes<'_>) -> Vec<FieldError> {
    let mut names: BTreeSet<&str> =
        list(at(pod, &["spec", "containers"])).iter().map(|container| text(container, "name")).collect();
    let mut errors = Vec::new();
    for (index, container) in list(at(pod, &["spec", "initContainers"])).iter().enumerate() {
        let field = format!("spec.initContainers[{index}]");
        errors.extend(common(container, volumes, &field));
        errors.extend(restart_policy(container, &field));
        let name = text(container, "name");
        if !names.insert(name) && !name.is_empty() {
            errors.push(FieldError::duplicate(format!("{field}.name"), name));
        }
        if text(container, "restartPolicy") == "Always" {
            errors.extend(running(pod, container, &field));
            continue;
        }
        for part in ["lifecycle"].iter().chain(&PROBES).filter(|part| get(container, part).is_some()) {
            let detail = "may not be set for init containers without restartPolicy=Always";
            errors.push(FieldError::forbidden(format!("{field}.{part}"), detail));
        }
    }
    errors
}

fn restart_policy(container: &Value, field: &str) -> Option<FieldError> {
    const SUPPORTED: [&str; 3] = ["Always", "Never", "OnFailure"];
    let policy = get(container, "restartPolicy")?.as_str().filter(|policy| !SUPPORTED.contains(policy))?;
    Some(FieldError::not_supported(format!("{field}.restartPolicy"), policy, &SUPPORTED))
}

/// What only a container that keeps running can have.
fn running(pod: &Value, container: &Value, field: &str) -> Vec<FieldError> {
    let grace_secs = at(pod, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or(30);
    let mut errors = Vec::new();
    if let Some(lifecycle) = get(container, "lifecycle") {
        errors.extend(probes::lifecycle(lifecycle, grace_secs, &format!("{field}.lifecycle")));
    }
    for name in PROBES {
        if let Some(probe) = get(container, name) {
            errors.extend(probes::probe(probe, name, &format!("{field}.{name}")));
        }
    }
    errors
}

/// What holds for every container.
fn common(container: &Value, volumes: &Volumes<'_>, field: &str) -> Vec<FieldError> {
    const TERMINATION: [&str; 2] = ["File", "FallbackToLogsOnError"];
    let mut errors = Vec::new();
    let name = text(container, "name");
    if name.is_empty() {
        errors.push(FieldError::required(format!("{field}.name"), ""));
    } else {
        errors.extend(invalid(&format!("{field}.name"), name, names::label(name)));
    }
    if text(container, "image").is_empty() {
        errors.push(FieldError::required(format!("{field}.image"), ""));
    }
    let policy = text(container, "terminationMessagePolicy");
    if !TERMINATION.contains(&policy) {
        errors.push(FieldError::not_supported(format!("{field}.terminationMessagePolicy"), policy, &TERMINATION));
    }
    errors.extend(ports(list(container.get("ports")), &format!("{field}.ports")));
    errors.extend(env::env(list(container.get("env")), &format!("{field}.env")));
    errors.extend(env::env_from(list(container.get("envFrom")), &format!("{field}.envFrom")));
    errors.extend(mounts::mounts(container, volumes, field));
    errors.extend(mounts::devices(container, volumes, field));
    let policy = text(container, "imagePullPolicy");
    if !PULL_POLICIES.contains(&policy) {
        errors.push(FieldError::not_supported(format!("{field}.imagePullPolicy"), policy, &PULL_POLICIES));
    }
    if let Some(wanted) = get(container, "resources") {
        errors.extend(resources::validate(wanted, &format!("{field}.resources")));
    }
    if let Some(context) = get(container, "securityContext") {
        errors.extend(ids(context, &["runAsUser", "runAsGroup"], &format!("{field}.securityContext")));
    }
    errors
}

/// Users and groups.
pub(super) fn ids(context: &Value, names: &[&str], field: &str) -> Vec<FieldError> {
    const MOST: i64 = i32::MAX as i64;
    let wrong = |name: &&str| {
        let id = get(context, name).and_then(Value::as_i64).filter(|id| !(0..=MOST).contains(id))?;
        Some(FieldError::invalid(format!("{field}.{name}"), id, range(0, MOST)))
    };
    names.iter().filter_map(wrong).collect()
}

fn ports(ports: &[Value], field: &str) -> Vec<FieldError> {
    const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
    let mut names = BTreeSet::new();
    let mut errors = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let name = text(port, "name");
        if !name.is_empty() {
            let wrong = probes::port_name(name);
            if wrong.is_empty() && !names.insert(name) {
                errors.push(FieldError::duplicate(format!("{field}.name"), name));
            }
            errors.extend(wrong.into_iter().map(|text| FieldError::invalid(format!("{field}.name"), name, text)));
        }
        let number = |name: &str| port.get(name).and_then(Value::as_i64).unwrap_or(0);
        match number("containerPort") {
            0 => errors.push(FieldError::required(format!("{field}.containerPort"), "")),
            port => errors.extend(probes::port_number(port, &format!("{field}.containerPort"))),
        }
        if number("hostPort") != 0 {
            errors.extend(probes::port_number(number("hostPort"), &format!("{field}.hostPort")));
        }
        let protocol = text(port, "protocol");
        if !PROTOCOLS.contains(&protocol) {
            errors.push(FieldError::not_supported(format!("{field}.protocol"), protocol, &PROTOCOLS));
        }
    }
    errors
}

/// A port of the host belongs to one container.
fn host_ports(containers: &[Value], field: &str) -> Vec<FieldError> {
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    for (at, container) in containers.iter().enumerate() {
        for (index, port) in list(container.get("ports")).iter().enumerate() {
            let number = port.get("hostPort").and_then(Value::as_i64).unwrap_or(0);
            let key = format!("{}/{}/{number}", text(port, "protocol"), text(port, "hostIP"));
            if number != 0 && !seen.insert(key.clone()) {
                errors.push(FieldError::duplicate(format!("{field}[{at}].ports[{index}].hostPort"), key));
            }
        }
    }
    errors
}
