//! Environment variables, and references to fields, amounts and keys.

use apimachinery::FieldError;
use csi_types::Quantity;
use serde_json::Value;

use super::super::config_map::config_key_errors;
use super::super::validation::values::{get, list, quantity, text};
use super::super::validation::{invalid, names};

const SOURCES: [&str; 5] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
const NOT_A_NAME: &str = "a valid environment variable name must consist only of printable ASCII characters other than '='";
const TOO_MANY: &str = "may not have more than one field specified at a time";

pub(super) fn env(env: &[Value], field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, variable) in env.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let name = text(variable, "name");
        if name.is_empty() {
            errors.push(FieldError::required(format!("{field}.name"), ""));
        } else if !is_name(name) {
            errors.push(FieldError::invalid(format!("{field}.name"), name, NOT_A_NAME));
        }
        if let Some(from) = get(variable, "valueFrom") {
            errors.extend(source(from, !text(variable, "value").is_empty(), &format!("{field}.valueFrom")));
        }
    }
    errors
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'=')
}

fn source(from: &Value, has_value: bool, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut given = 0;
    for name in SOURCES {
        let Some(one) = get(from, name) else { continue };
        let field = format!("{field}.{name}");
        given += 1;
        match name {
            "fieldRef" => errors.extend(field_ref(one, &FIELDS, &field)),
            "resourceFieldRef" => errors.extend(resource_ref(one, false, &field)),
            "configMapKeyRef" | "secretKeyRef" => {
                errors.extend(invalid(&format!("{field}.name"), text(one, "name"), names::subdomain(text(one, "name"))));
                let key = text(one, "key");
                if key.is_empty() {
                    errors.push(FieldError::required(format!("{field}.key"), ""));
                } else {
                    errors.extend(config_key_errors(&format!("{field}.key"), key));
                }
            }
            _ => {}
        }
    }
    let one = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
    if given == 0 {
        errors.push(FieldError::invalid(field, "", one));
    }
    if has_value {
        if given > 0 {
            errors.push(FieldError::invalid(field, "", "may not be specified when `value` is not empty"));
        }
    } else if given > 1 {
        errors.push(FieldError::invalid(field, "", TOO_MANY));
    }
    errors
}

pub(super) fn env_from(sources: &[Value], field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, from) in sources.iter().enumerate() {
        let here = format!("{field}[{index}]");
        let prefix = text(from, "prefix");
        if !is_name(prefix) {
            errors.push(FieldError::invalid(format!("{here}.prefix"), prefix, NOT_A_NAME));
        }
        let mut given = 0;
        for kind in ["configMapRef", "secretRef"] {
            let Some(one) = get(from, kind) else { continue };
            given += 1;
            let name = text(one, "name");
            let field = format!("{here}.{kind}.name");
            if name.is_empty() {
                errors.push(FieldError::required(field, ""));
            } else {
                errors.extend(invalid(&field, name, names::subdomain(name)));
            }
        }
        // QUIRK: the element is not named.
        match given {
            0 => errors.push(FieldError::invalid(field, "", "must specify one of: `configMapRef` or `secretRef`")),
            1 => {}
            _ => errors.push(FieldError::invalid(field, "", TOO_MANY)),
        }
    }
    errors
}

/// Fields that a variable can be filled from.
const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// Fields that a file can be filled from.
pub(super) const FILE_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/// A reference to a field of the pod, which must be one of these.
pub(super) fn field_ref(reference: &Value, supported: &[&str], field: &str) -> Vec<FieldError> {
    let (version, path) = (text(reference, "apiVersion"), text(reference, "fieldPath"));
    let path_field = format!("{field}.fieldPath");
    if version.is_empty() {
        return vec![FieldError::required(format!("{field}.apiVersion"), "")];
    }
    if path.is_empty() {
        return vec![FieldError::required(path_field, "")];
    }
    let known = FIELDS.contains(&path) || FILE_FIELDS.contains(&path);
    let unknown = match path.split_once('[').and_then(|(map, key)| Some((map, key.strip_suffix(']')?.trim_matches('\'')))) {
        _ if version != "v1" => format!("unsupported pod version: {version}"),
        Some(("metadata.annotations", key)) => {
            let key = key.to_lowercase();
            return invalid(field, &key, names::qualified(&key));
        }
        Some(("metadata.labels", key)) => return invalid(field, key, names::qualified(key)),
        Some(_) => format!("field label does not support subscript: {path}"),
        None if !known => format!("field label not supported: {path}"),
        None if !supported.contains(&path) => return vec![FieldError::not_supported(path_field, path, supported)],
        None => return Vec::new(),
    };
    vec![FieldError::invalid(path_field, path, format!("error converting fieldPath: {unknown}"))]
}

/// A reference to an amount of a container. A volume has to say which container.
pub(super) fn resource_ref(reference: &Value, in_volume: bool, field: &str) -> Vec<FieldError> {
    const SUPPORTED: [&str; 6] = [
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
    ];
    let resource = text(reference, "resource");
    if in_volume && text(reference, "containerName").is_empty() {
        return vec![FieldError::required(format!("{field}.containerName"), "")];
    }
    if resource.is_empty() {
        return vec![FieldError::required(format!("{field}.resource"), "")];
    }
    let pages = |prefix: &str| resource.starts_with(&format!("{prefix}.hugepages-"));
    if !SUPPORTED.contains(&resource) && !pages("limits") && !pages("requests") {
        return vec![FieldError::not_supported(format!("{field}.resource"), resource, &SUPPORTED)];
    }
    divisor(reference, resource)
        .map(|detail| FieldError::invalid(format!("{field}.divisor"), resource, detail))
        .into_iter()
        .collect()
}

fn divisor(reference: &Value, resource: &str) -> Option<&'static str> {
    let divisor = quantity(reference.get("divisor")).filter(|divisor| *divisor != Quantity::default())?;
    let is_one_of = |texts: &[&str]| texts.iter().any(|text| Quantity::parse(text).is_ok_and(|known| known == divisor));
    let sizes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    if resource.ends_with(".cpu") {
        return (!is_one_of(&["1m", "1"])).then_some("only divisor's values 1m and 1 are supported with the cpu resource");
    }
    if is_one_of(&sizes) {
        return None;
    }
    Some(if resource.ends_with(".memory") {
        "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource"
    } else if resource.contains(".hugepages-") {
        "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the hugepages resource"
    } else {
        "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the local ephemeral storage resource"
    })
}

/// The elements of a list of files that are filled from the pod. QUIRK: they are not numbered in messages.
pub(super) fn downward(items: Option<&Value>, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for item in list(items) {
        errors.extend(super::sources::file_path(text(item, "path"), &format!("{field}.path")));
        match (get(item, "fieldRef"), get(item, "resourceFieldRef")) {
            (Some(_), Some(_)) => {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.push(FieldError::invalid(field, "resource", detail));
            }
            (Some(one), None) => errors.extend(field_ref(one, &FILE_FIELDS, &format!("{field}.fieldRef"))),
            (None, Some(one)) => errors.extend(resource_ref(one, true, &format!("{field}.resourceFieldRef"))),
            (None, None) => errors.push(FieldError::required(field, "one of fieldRef and resourceFieldRef is required")),
        }
        errors.extend(super::sources::mode(item.get("mode"), &format!("{field}.mode")));
    }
    errors
}
