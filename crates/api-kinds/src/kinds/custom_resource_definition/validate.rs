//! What a definition is refused for. Most paths are those of upstream's internal type, where what all versions share stands
//! above them.

use apimachinery::object::name;
use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::{version, versions};
use crate::Write;
use crate::custom::{has_condition, names, structural};
use crate::kinds::validation::values::{get, list, ordered, text};
use crate::kinds::validation::{self, IMMUTABLE};

pub(super) fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let new = &write.new;
    let null = Value::Null;
    let spec = new.get("spec").unwrap_or(&null);
    let mut errors = Vec::new();
    let (plural, group) = (text(spec.get("names").unwrap_or(&null), "plural"), text(spec, "group"));
    if write.old().is_none() && name(new) != format!("{plural}.{group}") {
        errors.push(FieldError::invalid("metadata.name", name(new), "must be spec.names.plural+\".\"+spec.group"));
    }
    errors.extend(group_and_scope(spec, write.old().is_none()));
    errors.extend(all_versions(spec));
    errors.extend(all_names(spec.get("names").unwrap_or(&null), "spec.names", true));
    errors.extend(shared(spec));
    errors.extend(conversion(spec));
    if let Some(old) = write.old().filter(|old| has_condition(old, "Established")) {
        for path in ["group", "names/plural", "scope", "names/kind"] {
            let (before, after) = (old.pointer(&format!("/spec/{path}")), new.pointer(&format!("/spec/{path}")));
            if before != after {
                let field = format!("spec.{}", path.replace('/', "."));
                errors.push(FieldError::invalid(field, after.cloned().unwrap_or_default(), IMMUTABLE));
            }
        }
    }
    errors.extend(status(new));
    if write.old().is_none() {
        errors.extend(approval(new, group));
    }
    let unknown = if errors.is_empty() { version::unknown_formats(versions(new)) } else { Vec::new() };
    write.warnings.extend(unknown);
    Ok(errors)
}

fn group_and_scope(spec: &Value, create: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let group = text(spec, "group");
    let wrong = validation::names::subdomain(group);
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else if !wrong.is_empty() {
        errors.push(FieldError::invalid("spec.group", group, wrong.join(",")));
    } else if !group.contains('.') {
        errors.push(FieldError::invalid("spec.group", group, "should be a domain with at least one dot"));
    }
    match text(spec, "scope") {
        "" => errors.push(FieldError::required("spec.scope", "")),
        "Cluster" | "Namespaced" => {}
        other => errors.push(FieldError::not_supported("spec.scope", other, &["Cluster", "Namespaced"])),
    }
    if create && spec.get("preserveUnknownFields") == Some(&Value::Bool(true)) {
        let why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        errors.push(FieldError::invalid("spec.preserveUnknownFields", true, why));
    }
    errors
}

fn all_versions(spec: &Value) -> Vec<FieldError> {
    let versions = list(spec.get("versions"));
    let mut errors = Vec::new();
    for (index, version) in versions.iter().enumerate() {
        let at = format!("spec.versions[{index}]");
        if let Some(why) = names::wrong_label(text(version, "name")) {
            errors.push(FieldError::invalid(format!("{at}.name"), text(version, "name"), why));
        }
        errors.extend(version::deprecation(version, &at));
        match version.pointer("/schema/openAPIV3Schema") {
            None | Some(Value::Null) => errors.push(FieldError::required(format!("{at}.schema.openAPIV3Schema"), "")),
            Some(schema) if !is_shared(versions, "schema") => {
                errors.extend(structural::wrong(schema, &format!("{at}.schema.openAPIV3Schema")));
            }
            Some(_) => {}
        }
        for (field, wrong) in version::PARTS {
            if !is_shared(versions, field) {
                errors.extend(wrong(version, &format!("{at}.{field}")));
            }
        }
    }
    let count = |wanted: &str| versions.iter().filter(|version| text(version, "name") == wanted).count();
    let shown = |why: &str| {
        let value = spec.get("versions").filter(|value| !value.is_null());
        let list = || format!("[{}]", versions.iter().map(shown).collect::<Vec<_>>().join(","));
        FieldError::invalid_shown("spec.versions", value.map_or_else(|| "null".to_owned(), |_| list()), why)
    };
    if versions.iter().any(|version| count(text(version, "name")) > 1) {
        errors.push(shown("must contain unique version names"));
    }
    if versions.iter().filter(|version| version.get("storage") == Some(&Value::Bool(true))).count() != 1 {
        errors.push(shown("must have exactly one version marked as storage version"));
    }
    let first = versions.first().map(|version| text(version, "name")).unwrap_or_default();
    if let Some(why) = names::wrong_label(first).filter(|_| !first.is_empty()) {
        errors.push(FieldError::invalid("spec.version", first, why));
    }
    errors
}

/// A version as Go shows it; what all versions share stands elsewhere.
fn shown(version: &Value) -> String {
    let flag = |field: &str| (version.get(field) == Some(&Value::Bool(true))).to_string();
    let value = |field: &str| version.get(field).unwrap_or(&Value::Null).to_string();
    ordered([
        ("Name", Value::from(text(version, "name")).to_string()),
        ("Served", flag("served")),
        ("Storage", flag("storage")),
        ("Deprecated", flag("deprecated")),
        ("DeprecationWarning", value("deprecationWarning")),
        ("Schema", "null".to_owned()),
        ("Subresources", "null".to_owned()),
        ("AdditionalPrinterColumns", "null".to_owned()),
        ("SelectableFields", "null".to_owned()),
    ])
}

/// Whether all versions say the same here.
fn is_shared(versions: &[Value], field: &str) -> bool {
    versions.windows(2).all(|pair| get(&pair[0], field) == get(&pair[1], field))
}

/// What is said above the versions, because they all say it.
fn shared(spec: &Value) -> Vec<FieldError> {
    let versions = list(spec.get("versions"));
    let Some(first) = versions.first() else { return Vec::new() };
    let mut errors = Vec::new();
    if let Some(schema) = first.pointer("/schema/openAPIV3Schema").filter(|_| is_shared(versions, "schema"))
        && !schema.is_null()
    {
        errors.extend(structural::wrong(schema, "spec.validation.openAPIV3Schema"));
    }
    for (field, wrong) in version::PARTS {
        if is_shared(versions, field) {
            errors.extend(wrong(first, &format!("spec.{field}")));
        }
    }
    errors
}

fn all_names(names: &Value, at: &str, needed: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if needed {
        for field in ["plural", "singular", "kind", "listKind"] {
            if text(names, field).is_empty() {
                errors.push(FieldError::required(format!("{at}.{field}"), ""));
            }
        }
    }
    let mut check = |field: String, value: &str, wrong: fn(&str) -> Option<String>| {
        if let Some(why) = wrong(value).filter(|_| !value.is_empty()) {
            errors.push(FieldError::invalid(format!("{at}.{field}"), value, why));
        }
    };
    check("plural".to_owned(), text(names, "plural"), names::wrong_label);
    check("singular".to_owned(), text(names, "singular"), names::wrong_label);
    for (index, name) in list(names.get("shortNames")).iter().enumerate() {
        check(format!("shortNames[{index}]"), name.as_str().unwrap_or_default(), names::wrong_label);
    }
    check("kind".to_owned(), text(names, "kind"), names::wrong_kind);
    check("listKind".to_owned(), text(names, "listKind"), names::wrong_kind);
    let (kind, list_kind) = (text(names, "kind"), text(names, "listKind"));
    if !kind.is_empty() && kind == list_kind {
        errors.push(FieldError::invalid(format!("{at}.listKind"), list_kind, "kind and listKind may not be the same"));
    }
    for (index, name) in list(names.get("categories")).iter().enumerate() {
        let name = name.as_str().unwrap_or_default();
        if let Some(why) = names::wrong_label(name) {
            errors.push(FieldError::invalid(format!("{at}.categories[{index}]"), name, why));
        }
    }
    errors
}

fn conversion(spec: &Value) -> Vec<FieldError> {
    let null = Value::Null;
    let conversion = spec.get("conversion").unwrap_or(&null);
    let strategy = text(conversion, "strategy");
    let at = "spec.conversion";
    let mut errors = Vec::new();
    let client = conversion.pointer("/webhook/clientConfig").filter(|client| !client.is_null());
    let reviews = list(conversion.pointer("/webhook/conversionReviewVersions"));
    match strategy {
        "" | "None" => {}
        "Webhook" => {
            if client.is_none() {
                let why = "required when strategy is set to Webhook";
                errors.push(FieldError::required(format!("{at}.webhookClientConfig"), why));
            }
            if reviews.is_empty() {
                errors.push(FieldError::required(format!("{at}.conversionReviewVersions"), ""));
            }
            if errors.is_empty() {
                // A written difference: nobody would be asked, so it is not pretended.
                let why = "this API server does not call webhooks";
                errors.push(FieldError::forbidden(format!("{at}.strategy"), why));
            }
            return errors;
        }
        other => errors.push(FieldError::not_supported(format!("{at}.strategy"), other, &["None", "Webhook"])),
    }
    let why = "should not be set when strategy is not set to Webhook";
    if client.is_some() {
        errors.push(FieldError::forbidden(format!("{at}.webhookClientConfig"), why));
    }
    if !reviews.is_empty() {
        errors.push(FieldError::forbidden(format!("{at}.conversionReviewVersions"), why));
    }
    errors
}

fn status(new: &Value) -> Vec<FieldError> {
    let null = Value::Null;
    let status = new.get("status").unwrap_or(&null);
    let mut errors = all_names(status.get("acceptedNames").unwrap_or(&null), "status.acceptedNames", false);
    let stored = list(status.get("storedVersions"));
    let value = status.get("storedVersions").cloned().unwrap_or_default();
    let has = |name: &str| stored.iter().any(|stored| stored == name);
    if stored.is_empty() {
        errors.push(FieldError::invalid("status.storedVersions", value, "must have at least one stored version"));
        return errors;
    }
    let storage: Vec<&str> = versions(new)
        .iter()
        .filter(|version| version.get("storage") == Some(&Value::Bool(true)))
        .map(|version| text(version, "name"))
        .collect();
    if let Some(name) = storage.last().filter(|name| storage.len() > 1 && !has(name)) {
        errors.push(FieldError::invalid("status.storedVersions", value, format!("must have the storage version {name}")));
    }
    for (index, name) in stored.iter().filter_map(Value::as_str).enumerate() {
        if versions(new).iter().all(|version| text(version, "name") != name) {
            let why = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage \
                 migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
            );
            errors.push(FieldError::invalid(format!("status.storedVersions[{index}]"), name, why));
        }
    }
    errors
}

/// Groups of the project itself need somebody's approval.
fn approval(new: &Value, group: &str) -> Option<FieldError> {
    const ANNOTATION: &str = "api-approved.kubernetes.io";
    if !["k8s.io", "kubernetes.io"].iter().any(|domain| group == *domain || group.ends_with(&format!(".{domain}"))) {
        return None;
    }
    let field = format!("metadata.annotations[{ANNOTATION}]");
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    let given = new.get("metadata").and_then(|meta| meta.get("annotations")).map(|all| text(all, ANNOTATION)).unwrap_or_default();
    let must = format!("protected groups must have approval annotation {ANNOTATION:?}");
    if given.is_empty() {
        return Some(FieldError::required(field, format!("{must}, {see}")));
    }
    let url = given.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    if given.starts_with("unapproved") || url {
        return None;
    }
    Some(FieldError::invalid(field, given, format!("{must} with either a URL or a reason starting with \"unapproved\", {see}")))
}
