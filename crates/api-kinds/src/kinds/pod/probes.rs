//! Probes, and what is run when a container starts and stops.

use apimachinery::FieldError;
use serde_json::Value;

use super::super::validation::values::{get, list, text};
use super::super::validation::{NEGATIVE, range};

const NOT_A_HEADER: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for \
validation is '[-A-Za-z0-9]+')";

/// A probe of this name (`livenessProbe`, …).
pub(super) fn probe(probe: &Value, name: &str, field: &str) -> Vec<FieldError> {
    let mut errors = handler(probe, field, &["exec", "httpGet", "tcpSocket", "grpc"]);
    for number in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        if let Some(value) = get(probe, number).and_then(Value::as_i64).filter(|value| *value < 0) {
            errors.push(FieldError::invalid(format!("{field}.{number}"), value, NEGATIVE));
        }
    }
    if let Some(grace) = get(probe, "terminationGracePeriodSeconds").and_then(Value::as_i64) {
        let grace_field = format!("{field}.terminationGracePeriodSeconds");
        if name == "readinessProbe" {
            errors.push(FieldError::invalid(grace_field, grace, "must not be set for readinessProbes"));
        } else if grace <= 0 {
            errors.push(FieldError::invalid(grace_field, grace, "must be greater than 0"));
        }
    }
    let successes = get(probe, "successThreshold").and_then(Value::as_i64).unwrap_or(1);
    if name != "readinessProbe" && successes != 1 {
        errors.push(FieldError::invalid(format!("{field}.successThreshold"), successes, "must be 1"));
    }
    errors
}

/// What happens to a container; `grace_secs`: how long its pod has to end.
pub(super) fn lifecycle(lifecycle: &Value, grace_secs: i64, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for name in ["postStart", "preStop"] {
        let Some(one) = get(lifecycle, name) else { continue };
        let field = format!("{field}.{name}");
        errors.extend(handler(one, &field, &["exec", "httpGet", "tcpSocket", "sleep"]));
        if let Some(seconds) = one.get("sleep").and_then(|sleep| sleep.get("seconds")).and_then(Value::as_i64)
            && !(0..=grace_secs).contains(&seconds)
        {
            let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace_secs})");
            errors.push(FieldError::invalid(format!("{field}.sleep"), seconds, detail));
        }
    }
    errors
}

/// Exactly one of these.
fn handler(handler: &Value, field: &str, kinds: &[&str]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut given = 0;
    for kind in kinds {
        let Some(one) = get(handler, kind) else { continue };
        let field = format!("{field}.{kind}");
        given += 1;
        if given > 1 {
            errors.push(FieldError::forbidden(field, "may not specify more than 1 handler type"));
            continue;
        }
        match *kind {
            "exec" if list(one.get("command")).is_empty() => errors.push(FieldError::required(format!("{field}.command"), "")),
            "httpGet" => {
                if text(one, "path").is_empty() {
                    errors.push(FieldError::required(format!("{field}.path"), ""));
                }
                errors.extend(port(one.get("port"), &format!("{field}.port")));
                for header in list(one.get("httpHeaders")) {
                    let name = text(header, "name");
                    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                        errors.push(FieldError::invalid(format!("{field}.httpHeaders"), name, NOT_A_HEADER));
                    }
                }
                let scheme = text(one, "scheme");
                if !matches!(scheme, "HTTP" | "HTTPS") {
                    errors.push(FieldError::not_supported(format!("{field}.scheme"), scheme, &["HTTP", "HTTPS"]));
                }
            }
            "tcpSocket" | "grpc" => errors.extend(port(one.get("port"), &format!("{field}.port"))),
            _ => {}
        }
    }
    if given == 0 {
        errors.push(FieldError::required(field, "must specify a handler type"));
    }
    errors
}

/// A number, or the name of one.
fn port(port: Option<&Value>, field: &str) -> Vec<FieldError> {
    match port {
        Some(Value::String(name)) => {
            port_name(name).into_iter().map(|text| FieldError::invalid(field, name.as_str(), text)).collect()
        }
        _ => port_number(port.and_then(Value::as_i64).unwrap_or(0), field).into_iter().collect(),
    }
}

pub(super) fn port_number(number: i64, field: &str) -> Option<FieldError> {
    (!(1..=65535).contains(&number)).then(|| FieldError::invalid(field, number, range(1, 65535)))
}

/// What is wrong with the name of a port. Upstream: apimachinery `validation.IsValidPortName`.
pub(super) fn port_name(name: &str) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    if name.len() > 15 {
        wrong.push("must be no more than 15 characters");
    }
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        wrong.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    }
    if !name.bytes().any(|b| b.is_ascii_lowercase()) {
        wrong.push("must contain at least one letter (a-z)");
    }
    if name.contains("--") {
        wrong.push("must not contain consecutive hyphens");
    }
    if name.starts_with('-') || name.ends_with('-') {
        wrong.push("must not begin or end with a hyphen");
    }
    wrong
}
