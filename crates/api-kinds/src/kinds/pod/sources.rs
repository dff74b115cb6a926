//! What files in a volume are made from: keys, paths and modes.

use std::collections::BTreeSet;

use apimachinery::FieldError;
use serde_json::Value;

use super::super::validation::values::{get, list, text};
use super::env;

/// A path below a mount: relative, and nowhere upwards.
pub(super) fn descending(path: &str, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if path.starts_with('/') {
        errors.push(FieldError::invalid(field, path, "must be a relative path"));
    }
    errors.extend(no_backsteps(path, field));
    errors
}

pub(super) fn no_backsteps(path: &str, field: &str) -> Option<FieldError> {
    path.split('/').any(|part| part == "..").then(|| FieldError::invalid(field, path, "must not contain '..'"))
}

/// The path of a file in a volume. Names that start with two dots are the kubelet's.
pub(super) fn file_path(path: &str, field: &str) -> Vec<FieldError> {
    if path.is_empty() {
        return vec![FieldError::required(field, "")];
    }
    let mut errors = descending(path, field);
    if path.starts_with("..") && !path.starts_with("../") {
        errors.push(FieldError::invalid(field, path, "must not start with '..'"));
    }
    errors
}

/// The mode of a file, if it is said.
pub(super) fn mode(mode: Option<&Value>, field: &str) -> Option<FieldError> {
    let mode = mode.and_then(Value::as_i64)?;
    let detail = "must be a number between 0 and 0777 (octal), both inclusive";
    (!(0..=0o777).contains(&mode)).then(|| FieldError::invalid(field, mode, detail))
}

/// Which keys become which files.
pub(super) fn items(items: Option<&Value>, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, item) in list(items).iter().enumerate() {
        let field = format!("{field}[{index}]");
        if text(item, "key").is_empty() {
            errors.push(FieldError::required(format!("{field}.key"), ""));
        }
        errors.extend(file_path(text(item, "path"), &format!("{field}.path")));
        errors.extend(mode(item.get("mode"), &format!("{field}.mode")));
    }
    errors
}

/// Files of several origins in one volume.
pub(super) fn projected(source: &Value, field: &str) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = mode(source.get("defaultMode"), &format!("{field}.defaultMode")).into_iter().collect();
    let mut paths = BTreeSet::new();
    for (index, origin) in list(source.get("sources")).iter().enumerate() {
        errors.extend(origin_errors(origin, field, &format!("{field}.sources[{index}]")));
        for (path, shown) in paths_of(origin) {
            if !path.is_empty() && !paths.insert(path) {
                errors.push(FieldError::invalid(field, shown, "conflicting duplicate paths"));
            }
        }
    }
    errors
}

const ORIGINS: [&str; 6] = ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate"];

fn origin_errors(origin: &Value, whole: &str, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut given = 0;
    for kind in ORIGINS {
        let Some(one) = get(origin, kind) else { continue };
        let at = format!("{field}.{kind}");
        given += 1;
        match kind {
            "secret" | "configMap" => {
                if text(one, "name").is_empty() {
                    errors.push(FieldError::required(format!("{at}.name"), ""));
                }
                errors.extend(items(one.get("items"), &format!("{at}.items")));
            }
            "downwardAPI" => errors.extend(env::downward(one.get("items"), &at)),
            "serviceAccountToken" => errors.extend(token(one, whole, &at)),
            _ => {}
        }
    }
    if given > 1 {
        errors.push(FieldError::forbidden(field, "may not specify more than 1 volume type per source"));
    }
    errors
}

fn token(token: &Value, whole: &str, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(seconds) = get(token, "expirationSeconds").and_then(Value::as_i64) {
        let limit = match seconds {
            ..600 => Some("may not specify a duration less than 10 minutes"),
            600..=0x1_0000_0000 => None,
            _ => Some("may not specify a duration larger than 2^32 seconds"),
        };
        errors.extend(limit.map(|detail| FieldError::invalid(format!("{field}.expirationSeconds"), seconds, detail)));
    }
    // QUIRK: the source is not named.
    errors.extend(file_path(text(token, "path"), &format!("{whole}.path")));
    errors
}

/// The files that an origin makes, and what a conflict about one shows.
fn paths_of(origin: &Value) -> Vec<(&str, &str)> {
    let mut paths = Vec::new();
    for kind in ["secret", "configMap", "downwardAPI"] {
        let Some(one) = get(origin, kind) else { continue };
        for item in list(one.get("items")) {
            let path = text(item, "path");
            paths.push((path, if kind == "downwardAPI" { path } else { text(one, "name") }));
        }
    }
    if let Some(token) = get(origin, "serviceAccountToken") {
        paths.push((text(token, "path"), text(token, "path")));
    }
    paths
}
