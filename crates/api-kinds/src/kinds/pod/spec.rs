//! A pod as a whole.

use std::collections::BTreeSet;
use std::net::IpAddr;

use apimachinery::FieldError;
use apimachinery::object::at;
use serde_json::Value;

use super::super::validation::values::{get, list, optional, text};
use super::super::validation::{invalid, names, range, selectors};
use super::{containers, volumes};

/// What holds for every pod, in upstream's order.
pub(super) fn validate(pod: &Value) -> Vec<FieldError> {
    let null = Value::Null;
    let spec = pod.get("spec").unwrap_or(&null);
    let mut errors = Vec::new();
    let volumes = volumes::validate(pod, &mut errors);
    errors.extend(containers::containers(pod, &volumes));
    errors.extend(containers::init_containers(pod, &volumes));
    errors.extend(one_of(spec, "restartPolicy", &["Always", "OnFailure", "Never"]));
    errors.extend(one_of(spec, "dnsPolicy", &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]));
    errors.extend(selectors::labels(spec.get("nodeSelector"), "spec.nodeSelector"));
    errors.extend(security(spec));
    errors.extend(node_affinity(spec));
    if text(spec, "dnsPolicy") == "None" && get(spec, "dnsConfig").is_none() {
        errors.push(FieldError::required("spec.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None"));
    }
    for (index, gate) in list(spec.get("readinessGates")).iter().enumerate() {
        let condition = text(gate, "conditionType");
        errors.extend(invalid(&format!("spec.readinessGates[{index}].conditionType"), condition, names::qualified(condition)));
    }
    errors.extend(gates(list(spec.get("schedulingGates"))));
    for (field, rule) in [("serviceAccountName", names::subdomain as fn(&str) -> Vec<String>), ("nodeName", names::subdomain)] {
        errors.extend(named(spec, field, rule));
    }
    if let Some(seconds) = get(spec, "activeDeadlineSeconds").and_then(Value::as_i64)
        && !(1..=i32::MAX.into()).contains(&seconds)
    {
        errors.push(FieldError::invalid("spec.activeDeadlineSeconds", seconds, range(1, i32::MAX.into())));
    }
    errors.extend(named(spec, "hostname", names::label));
    errors.extend(named(spec, "subdomain", names::label));
    errors.extend(tolerations(list(spec.get("tolerations"))));
    errors.extend(host_aliases(list(spec.get("hostAliases"))));
    if let Some(os) = get(spec, "os") {
        let name = text(os, "name");
        if name.is_empty() {
            errors.push(FieldError::required("spec.os.name", "cannot be empty"));
        } else if !matches!(name, "linux" | "windows") {
            errors.push(FieldError::not_supported("spec.os", name, &["linux", "windows"]));
        }
    }
    errors.extend(tokens(spec));
    errors.extend(images(spec));
    errors
}

/// What holds for a new pod.
pub(super) fn validate_new(pod: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let has = |field: &str| !list(at(pod, &["spec", field])).is_empty();
    if has("ephemeralContainers") {
        errors.push(FieldError::forbidden("spec.ephemeralContainers", "cannot be set on create"));
    }
    if has("schedulingGates") && at(pod, &["spec", "nodeName"]).and_then(Value::as_str).is_some_and(|node| !node.is_empty()) {
        errors.push(FieldError::forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
    }
    errors
}

fn one_of(spec: &Value, name: &str, supported: &[&str]) -> Option<FieldError> {
    let value = text(spec, name);
    (!supported.contains(&value)).then(|| FieldError::not_supported(format!("spec.{name}"), value, supported))
}

fn named(spec: &Value, field: &str, rule: fn(&str) -> Vec<String>) -> Vec<FieldError> {
    let name = text(spec, field);
    if name.is_empty() { Vec::new() } else { invalid(&format!("spec.{field}"), name, rule(name)) }
}

fn security(spec: &Value) -> Vec<FieldError> {
    let null = Value::Null;
    let field = "spec.securityContext";
    let context = spec.get("securityContext").unwrap_or(&null);
    let mut errors = containers::ids(context, &["fsGroup", "runAsUser", "runAsGroup"], field);
    for (index, group) in list(context.get("supplementalGroups")).iter().enumerate() {
        if let Some(id) = group.as_i64().filter(|id| !(0..=i32::MAX.into()).contains(id)) {
            errors.push(FieldError::invalid(format!("{field}.supplementalGroups[{index}]"), id, range(0, i32::MAX.into())));
        }
    }
    let on = |name: &str| spec.get(name) == Some(&Value::Bool(true));
    if on("shareProcessNamespace") && on("hostPID") {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(FieldError::invalid(format!("{field}.shareProcessNamespace"), true, detail));
    }
    if let Some(policy) =
        optional(context, "fsGroupChangePolicy").filter(|policy| !matches!(*policy, "Always" | "OnRootMismatch"))
    {
        errors.push(FieldError::not_supported(format!("{field}.fsGroupChangePolicy"), policy, &["Always", "OnRootMismatch"]));
    }
    errors
}

fn node_affinity(spec: &Value) -> Vec<FieldError> {
    let field = "spec.affinity.nodeAffinity";
    let Some(affinity) = at(spec, &["affinity", "nodeAffinity"]).filter(|affinity| !affinity.is_null()) else {
        return Vec::new();
    };
    let mut errors = Vec::new();
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    if let Some(selector) = get(affinity, required) {
        errors.extend(selectors::node_selector(selector, &format!("{field}.{required}"), false));
    }
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    for (index, term) in list(affinity.get(preferred)).iter().enumerate() {
        let field = format!("{field}.{preferred}[{index}]");
        let weight = term.get("weight").and_then(Value::as_i64).unwrap_or(0);
        if !(1..=100).contains(&weight) {
            errors.push(FieldError::invalid(format!("{field}.weight"), weight, "must be in the range 1-100"));
        }
        if let Some(preference) = get(term, "preference") {
            errors.extend(selectors::node_term(preference, &format!("{field}.preference"), false));
        }
    }
    errors
}

fn gates(gates: &[Value]) -> Vec<FieldError> {
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    for (index, gate) in gates.iter().enumerate() {
        let (name, field) = (text(gate, "name"), format!("spec.schedulingGates[{index}]"));
        errors.extend(invalid(&field, name, names::qualified(name)));
        if !seen.insert(name) {
            errors.push(FieldError::duplicate(field, name));
        }
    }
    errors
}

/// The tolerations of a pod.
pub(super) fn tolerations(tolerations: &[Value]) -> Vec<FieldError> {
    const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    let mut errors = Vec::new();
    for (index, toleration) in tolerations.iter().enumerate() {
        let field = format!("spec.tolerations[{index}]");
        let of = |name: &str| text(toleration, name);
        let (key, operator, value, effect) = (of("key"), of("operator"), of("value"), of("effect"));
        let (operator_field, effect_field) = (format!("{field}.operator"), format!("{field}.effect"));
        if !key.is_empty() {
            errors.extend(invalid(&format!("{field}.key"), key, names::qualified(key)));
        } else if operator != "Exists" {
            let detail = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.push(FieldError::invalid(&operator_field, operator, detail));
        }
        if get(toleration, "tolerationSeconds").is_some() && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.push(FieldError::invalid(&effect_field, effect, detail));
        }
        match operator {
            "" | "Equal" => {
                let wrong = names::label_value(value);
                if !wrong.is_empty() {
                    errors.push(FieldError::invalid(&operator_field, value, wrong.join(";")));
                }
            }
            "Exists" if value.is_empty() => {}
            "Exists" => {
                errors.push(FieldError::invalid(&operator_field, value, "value must be empty when `operator` is 'Exists'"))
            }
            "Lt" | "Gt" => errors.push(FieldError::not_supported(&operator_field, operator, &["Equal", "Exists", "Lt", "Gt"])),
            _ => errors.push(FieldError::not_supported(&operator_field, operator, &["Equal", "Exists"])),
        }
        if !effect.is_empty() && !EFFECTS.contains(&effect) {
            errors.push(FieldError::not_supported(effect_field, effect, &EFFECTS));
        }
    }
    errors
}

fn host_aliases(aliases: &[Value]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, alias) in aliases.iter().enumerate() {
        let field = format!("spec.hostAliases[{index}]");
        let ip = text(alias, "ip");
        if ip.parse::<IpAddr>().is_err() {
            let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            errors.push(FieldError::invalid(format!("{field}.ip"), ip, detail));
        }
        for (index, name) in list(alias.get("hostnames")).iter().enumerate() {
            let name = name.as_str().unwrap_or_default();
            errors.extend(invalid(&format!("{field}.hostnames[{index}]"), name, names::subdomain(name)));
        }
    }
    errors
}

/// A token is some account's.
fn tokens(spec: &Value) -> Vec<FieldError> {
    if !text(spec, "serviceAccountName").is_empty() {
        return Vec::new();
    }
    let mut errors = Vec::new();
    for (index, volume) in list(spec.get("volumes")).iter().enumerate() {
        for (number, source) in list(at(volume, &["projected", "sources"])).iter().enumerate() {
            if get(source, "serviceAccountToken").is_some() {
                let field = format!("spec.volumes[{index}].projected.sources[{number}].serviceAccountToken");
                errors.push(FieldError::forbidden(field, "must not be specified when serviceAccountName is not set"));
            }
        }
    }
    errors
}

fn images(spec: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for kind in ["containers", "initContainers"] {
        for (index, container) in list(spec.get(kind)).iter().enumerate() {
            let image = text(container, "image");
            if image != image.trim() {
                let field = format!("spec.{kind}[{index}].image");
                errors.push(FieldError::invalid(field, image, "must not have leading or trailing whitespace"));
            }
        }
    }
    errors
}
