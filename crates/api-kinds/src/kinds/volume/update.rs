//! What of a volume can change: everything but where its data is and who can reach it.

use apimachinery::FieldError;
use apimachinery::object::{at, child};
use serde_json::Value;

use super::source;
use crate::kinds::validation::IMMUTABLE;
use crate::kinds::validation::values::{get, list, listed, ordered, same, text};

pub(super) fn validate(old: &Value, new: &Value) -> Vec<FieldError> {
    let null = Value::Null;
    let (old, new) = (old.get("spec").unwrap_or(&null), new.get("spec").unwrap_or(&null));
    let mut errors = Vec::new();
    if !same_source(old, new) {
        // Upstream shows a diff of Go structs after this, which has no counterpart here.
        let field = "spec.persistentvolumesource";
        errors.push(FieldError::forbidden(field, "spec.persistentvolumesource is immutable after creation"));
    }
    let mode = get(new, "volumeMode");
    if get(old, "volumeMode") != mode {
        errors.push(FieldError::invalid("volumeMode", mode.cloned().unwrap_or_default(), IMMUTABLE));
    }
    let affinity = get(new, "nodeAffinity");
    if let Some(before) = get(old, "nodeAffinity")
        && !affinity.is_some_and(|after| same_affinity(before, after))
    {
        let detail = format!("{IMMUTABLE}, except for updating from beta label to GA");
        errors.push(FieldError::invalid_shown("nodeAffinity", shown_affinity(affinity), detail));
    }
    let class = |spec: &Value| get(spec, "volumeAttributesClassName").is_some();
    if class(old) && !class(new) {
        let detail = "update from non-nil value to nil is forbidden";
        errors.push(FieldError::forbidden("spec.volumeAttributesClassName", detail));
    }
    errors
}

/// The same source, or one that was given the secret for expansion that it lacked.
fn same_source(old: &Value, new: &Value) -> bool {
    const SECRET: [&str; 2] = ["csi", "controllerExpandSecretRef"];
    let (old, mut new) = (source::of(old), source::of(new));
    if old.get("csi").is_some() && new.get("csi").is_some() && at(&old, &SECRET).is_none_or(Value::is_null) {
        child(&mut new, "csi").remove(SECRET[1]);
    }
    let kinds = |source: &Value| source.as_object().map(|kinds| kinds.keys().cloned().collect::<Vec<_>>());
    kinds(&old) == kinds(&new) && same(Some(&old), Some(&new))
}

/// The same affinity, where a label that had a name in beta may have got the one it has now.
fn same_affinity(old: &Value, new: &Value) -> bool {
    let terms = |affinity| list(at(affinity, &["required", "nodeSelectorTerms"]));
    let (old, new) = (terms(old), terms(new));
    old.len() == new.len()
        && old.iter().zip(new).all(|(old, new)| {
            same(old.get("matchFields"), new.get("matchFields")) && {
                let (old, new) = (list(old.get("matchExpressions")), list(new.get("matchExpressions")));
                old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same_requirement(old, new))
            }
        })
}

fn same_requirement(old: &Value, new: &Value) -> bool {
    let (before, after) = (text(old, "key"), text(new, "key"));
    let now = match before {
        "failure-domain.beta.kubernetes.io/zone" => "topology.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region" => "topology.kubernetes.io/region",
        "beta.kubernetes.io/os" => "kubernetes.io/os",
        "beta.kubernetes.io/arch" => "kubernetes.io/arch",
        "beta.kubernetes.io/instance-type" => "node.kubernetes.io/instance-type",
        key => key,
    };
    (after == before || after == now)
        && text(old, "operator") == text(new, "operator")
        && same(old.get("values"), new.get("values"))
}

/// As Go writes the struct, which has no names for JSON.
fn shown_affinity(affinity: Option<&Value>) -> String {
    let requirements = |term: &Value, field: &str| match list(term.get(field)) {
        [] => "null".to_owned(),
        all => listed(all.iter().map(|requirement| {
            let values = requirement.get("values").filter(|values| !list(Some(values)).is_empty());
            ordered([
                ("Key", Value::from(text(requirement, "key")).to_string()),
                ("Operator", Value::from(text(requirement, "operator")).to_string()),
                ("Values", values.unwrap_or(&Value::Null).to_string()),
            ])
        })),
    };
    let term = |term: &Value| {
        ordered([
            ("MatchExpressions", requirements(term, "matchExpressions")),
            ("MatchFields", requirements(term, "matchFields")),
        ])
    };
    let Some(affinity) = affinity else { return "null".to_owned() };
    let required = match get(affinity, "required") {
        Some(required) => {
            let terms = list(required.get("nodeSelectorTerms"));
            let terms = if terms.is_empty() { "null".to_owned() } else { listed(terms.iter().map(term)) };
            ordered([("NodeSelectorTerms", terms)])
        }
        None => "null".to_owned(),
    };
    ordered([("Required", required)])
}
