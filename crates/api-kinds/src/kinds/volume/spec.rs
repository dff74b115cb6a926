//! A volume's `spec`: in a PersistentVolume, or inline in a VolumeAttachment.

use apimachinery::FieldError;
use serde_json::{Map, Value};

use super::source;
use crate::kinds::validation::values::{get, list, optional, quantity, quantity_text, text};
use crate::kinds::validation::{self, NOT_POSITIVE, invalid, names, selectors};

/// Where the spec stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// In a PersistentVolume.
    Volume {
        /// The stored one has label values that would not pass now.
        any_label_value: bool,
    },
    /// In a VolumeAttachment: only what a driver needs.
    Inline,
}

const INLINE: &str = "may not be specified in the context of inline volumes";

/// What is wrong with it.
pub(crate) fn validate(spec: &Value, field: &str, place: Place) -> Vec<FieldError> {
    let at = |name: &str| format!("{field}.{name}");
    let inline = matches!(place, Place::Inline);
    let mut errors = Vec::new();
    if inline {
        errors.extend(get(spec, "claimRef").map(|_| FieldError::forbidden(at("claimRef"), INLINE)));
        if get(spec, "capacity").and_then(Value::as_object).is_some_and(|capacity| !capacity.is_empty()) {
            errors.push(FieldError::forbidden(at("capacity"), INLINE));
        }
        if get(spec, "csi").is_none() {
            errors.push(FieldError::required(at("csi"), "has to be specified in the context of inline volumes"));
        }
    }
    let modes = list(spec.get("accessModes"));
    if modes.is_empty() {
        errors.push(FieldError::required(at("accessModes"), ""));
    }
    errors.extend(validation::access_modes(modes, &at("accessModes")));
    if !inline {
        errors.extend(capacity(spec, &at("capacity")));
    }
    errors.extend(reclaim_policy(spec, &at("persistentVolumeReclaimPolicy"), inline));
    errors.extend(node_affinity(spec, &at("nodeAffinity"), place));
    errors.extend(source::validate(spec, field));
    let host_path = get(spec, "hostPath").map(|source| text(source, "path"));
    if host_path.is_some_and(is_root) && text(spec, "persistentVolumeReclaimPolicy") == "Recycle" {
        let detail = "may not be 'recycle' for a hostPath mount of '/'";
        errors.push(FieldError::forbidden(at("persistentVolumeReclaimPolicy"), detail));
    }
    let class = text(spec, "storageClassName");
    if inline && !class.is_empty() {
        errors.push(FieldError::forbidden(at("storageClassName"), INLINE));
    } else if !class.is_empty() {
        errors.extend(invalid(&at("storageClassName"), class, names::subdomain(class)));
    }
    let mode = optional(spec, "volumeMode");
    if !inline {
        errors.extend(validation::volume_mode(mode, &at("volumeMode")));
    } else if mode.is_some_and(|mode| mode != "Filesystem") {
        let detail = "may not specify volumeMode other than Filesystem in the context of inline volumes";
        errors.push(FieldError::forbidden(at("volumeMode"), detail));
    }
    if !inline {
        errors.extend(attributes_class(spec, field));
    }
    errors
}

fn attributes_class(spec: &Value, field: &str) -> Vec<FieldError> {
    let name = format!("{field}.volumeAttributesClassName");
    let Some(class) = optional(spec, "volumeAttributesClassName") else { return Vec::new() };
    let mut errors = match class {
        "" => vec![FieldError::required(name, "an empty string is disallowed")],
        class => invalid(&name, class, names::subdomain(class)),
    };
    if get(spec, "csi").is_none() {
        let detail = "has to be specified when using volumeAttributesClassName";
        errors.push(FieldError::required(format!("{field}.csi"), detail));
    }
    errors
}

/// Exactly `storage`, and more than nothing.
fn capacity(spec: &Value, field: &str) -> Vec<FieldError> {
    let stated = get(spec, "capacity").and_then(Value::as_object);
    let mut errors = Vec::new();
    if stated.is_none_or(Map::is_empty) {
        errors.push(FieldError::required(field, ""));
    }
    if stated.is_none_or(|capacity| capacity.len() > 1 || !capacity.contains_key("storage")) {
        let shown = stated.map_or(Value::Null, |capacity| Value::Object(capacity.clone()));
        errors.push(FieldError::not_supported(field, shown, &["storage"]));
    }
    for (key, amount) in stated.into_iter().flatten() {
        let field = format!("{field}[{key}]");
        errors.extend(super::super::claim::negative(amount, &field));
        if quantity(Some(amount)).is_none_or(|amount| amount <= Default::default()) {
            errors.push(FieldError::invalid(field, quantity_text(amount), NOT_POSITIVE));
        }
    }
    errors
}

fn reclaim_policy(spec: &Value, field: &str, inline: bool) -> Option<FieldError> {
    const SUPPORTED: [&str; 3] = ["Delete", "Recycle", "Retain"];
    match text(spec, "persistentVolumeReclaimPolicy") {
        "" | "Retain" => None,
        _ if inline => Some(FieldError::forbidden(field, "may only be Retain in the context of inline volumes")),
        policy if SUPPORTED.contains(&policy) => None,
        policy => Some(FieldError::not_supported(field, policy, &SUPPORTED)),
    }
}

fn node_affinity(spec: &Value, field: &str, place: Place) -> Vec<FieldError> {
    let Some(affinity) = get(spec, "nodeAffinity") else { return Vec::new() };
    match (place, get(affinity, "required")) {
        (Place::Inline, _) => vec![FieldError::forbidden(field, INLINE)],
        (Place::Volume { any_label_value }, Some(required)) => {
            selectors::node_selector(required, &format!("{field}.required"), any_label_value)
        }
        (_, None) => vec![FieldError::required(format!("{field}.required"), "must specify required node constraints")],
    }
}

/// Whether this path, dots and doubled slashes read away, is the root.
fn is_root(path: &str) -> bool {
    let mut depth = 0_usize;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => depth = depth.saturating_sub(1),
            _ => depth += 1,
        }
    }
    path.starts_with('/') && depth == 0
}
