//! Where a container sees the pod's volumes. QUIRK: some messages do not say which of the mounts is meant.

use std::collections::BTreeSet;

use apimachinery::FieldError;
use apimachinery::object::at;
use serde_json::Value;

use super::super::validation::values::{get, list, optional, text};
use super::sources::{descending, no_backsteps};
use super::volumes::Volumes;

pub(super) fn mounts(container: &Value, volumes: &Volumes<'_>, field: &str) -> Vec<FieldError> {
    let field = format!("{field}.volumeMounts");
    let devices = list(container.get("volumeDevices"));
    let mut paths = BTreeSet::new();
    let mut errors = Vec::new();
    for (index, mount) in list(container.get("volumeMounts")).iter().enumerate() {
        let (name, path) = (text(mount, "name"), text(mount, "mountPath"));
        let (name_field, path_field) = (format!("{field}[{index}].name"), format!("{field}[{index}].mountPath"));
        if name.is_empty() {
            errors.push(FieldError::required(&name_field, ""));
        }
        if !volumes.contains_key(name) {
            errors.push(FieldError::not_found(&name_field, name));
        }
        if path.is_empty() {
            errors.push(FieldError::required(&path_field, ""));
        }
        if !paths.insert(path) {
            errors.push(FieldError::invalid(&path_field, path, "must be unique"));
        }
        if devices.iter().any(|device| text(device, "name") == name) {
            errors.push(FieldError::invalid(&name_field, name, "must not already exist in volumeDevices"));
        }
        if devices.iter().any(|device| text(device, "devicePath") == path) {
            errors.push(FieldError::invalid(&path_field, path, "must not already exist as a path in volumeDevices"));
        }
        let (sub_path, expr) = (text(mount, "subPath"), text(mount, "subPathExpr"));
        if !sub_path.is_empty() {
            errors.extend(descending(sub_path, &format!("{field}.subPath")));
        }
        if !expr.is_empty() {
            if !sub_path.is_empty() {
                let detail = "subPathExpr and subPath are mutually exclusive";
                errors.push(FieldError::invalid(format!("{field}[{index}].subPathExpr"), expr, detail));
            }
            errors.extend(descending(expr, &format!("{field}.subPathExpr")));
        }
        errors.extend(propagation(mount, container, &format!("{field}.mountPropagation")));
        errors.extend(read_only(mount, &format!("{field}.recursiveReadOnly")));
    }
    errors
}

fn propagation(mount: &Value, container: &Value, field: &str) -> Vec<FieldError> {
    const SUPPORTED: [&str; 3] = ["Bidirectional", "HostToContainer", "None"];
    let Some(mode) = optional(mount, "mountPropagation") else { return Vec::new() };
    let mut errors = Vec::new();
    if !SUPPORTED.contains(&mode) {
        errors.push(FieldError::not_supported(field, mode, &SUPPORTED));
    }
    let privileged = at(container, &["securityContext", "privileged"]) == Some(&Value::Bool(true));
    if mode == "Bidirectional" && !privileged {
        errors.push(FieldError::forbidden(field, "Bidirectional mount propagation is available only to privileged containers"));
    }
    errors
}

fn read_only(mount: &Value, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match optional(mount, "recursiveReadOnly") {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.get("readOnly") != Some(&Value::Bool(true)) {
                errors.push(FieldError::forbidden(field, "may only be specified when readOnly is true"));
            }
            if optional(mount, "mountPropagation").is_some_and(|mode| mode != "None") {
                errors.push(FieldError::forbidden(field, "may only be specified when mountPropagation is None or not specified"));
            }
        }
        Some(other) => errors.push(FieldError::not_supported(field, other, &["Disabled", "Enabled", "IfPossible"])),
    }
    errors
}

pub(super) fn devices(container: &Value, volumes: &Volumes<'_>, field: &str) -> Vec<FieldError> {
    let field = format!("{field}.volumeDevices");
    let mounts = list(container.get("volumeMounts"));
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    let mut errors = Vec::new();
    for (index, device) in list(container.get("volumeDevices")).iter().enumerate() {
        let (name, path) = (text(device, "name"), text(device, "devicePath"));
        let (name_field, path_field) = (format!("{field}[{index}].name"), format!("{field}[{index}].devicePath"));
        if name.is_empty() {
            errors.push(FieldError::required(&name_field, ""));
        }
        if names.contains(name) {
            errors.push(FieldError::invalid(&name_field, name, "must be unique"));
        }
        match volumes.get(name) {
            None => errors.push(FieldError::not_found(&name_field, name)),
            Some(volume) if get(volume, "persistentVolumeClaim").or(get(volume, "ephemeral")).is_none() => {
                let detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.push(FieldError::invalid(&name_field, name, detail));
            }
            Some(_) => {}
        }
        if path.is_empty() {
            errors.push(FieldError::required(&path_field, ""));
        }
        if paths.contains(path) {
            errors.push(FieldError::invalid(&path_field, path, "must be unique"));
        }
        if no_backsteps(path, &field).is_some() {
            errors.push(FieldError::invalid(&path_field, path, "can not contain backsteps ('..')"));
        } else {
            paths.insert(path);
        }
        if mounts.iter().any(|mount| text(mount, "name") == name) {
            errors.push(FieldError::invalid(&name_field, name, "must not already exist in volumeMounts"));
        }
        if mounts.iter().any(|mount| text(mount, "mountPath") == path) {
            errors.push(FieldError::invalid(&path_field, path, "must not already exist as a path in volumeMounts"));
        }
        if !name.is_empty() {
            names.insert(name);
        }
    }
    errors
}
