//! The fields that a field selector can ask for, and where an object has them.

use apimachinery::Status;
use apimachinery::selector::FieldSelector;
use serde_json::Value;

use crate::Resource;

/// Finds a value in an object by its path.
pub type Lookup<'a> = &'a dyn Fn(&[&str]) -> Option<Value>;

const NAME: &str = "metadata.name";
const NAMESPACE: &str = "metadata.namespace";
const REFERENCE: [&str; 7] = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];

/// What a kind offers beyond name and namespace. `None`: nothing, and it says so in other words.
fn special(resource: &Resource) -> Option<&'static [&'static str]> {
    if resource.custom.is_some() {
        return Some(&[]);
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => Some(&[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ]),
        ("", "nodes") => Some(&["spec.unschedulable"]),
        ("", "namespaces") => Some(&["status.phase"]),
        ("", "secrets") => Some(&["type"]),
        ("", "events") => Some(&["reason", "reportingComponent", "source", "type"]),
        ("events.k8s.io", "events") => Some(&["reason", "reportingController", "type"]),
        _ => None,
    }
}

/// `involvedObject.` or `regarding.`, for events.
fn reference(resource: &Resource) -> Option<&'static str> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "events") => Some("involvedObject"),
        ("events.k8s.io", "events") => Some("regarding"),
        _ => None,
    }
}

/// The part of the object that an event is about which this field names.
fn referenced<'a>(resource: &Resource, field: &'a str) -> Option<&'a str> {
    let part = field.strip_prefix(reference(resource)?)?.strip_prefix('.')?;
    REFERENCE.contains(&part).then_some(part)
}

/// Whether a field selector can ask this kind for this field.
pub fn offers(resource: &Resource, field: &str) -> bool {
    match (field, special(resource)) {
        (NAME, _) => true,
        (NAMESPACE, Some(_)) => resource.namespaced(),
        (NAMESPACE, None) => true,
        (_, Some(fields)) => fields.contains(&field) || referenced(resource, field).is_some() || custom(resource, field),
        (_, None) => false,
    }
}

/// Whether a CustomResourceDefinition offers this field.
fn custom(resource: &Resource, field: &str) -> bool {
    resource.custom.as_ref().is_some_and(|custom| custom.selects(field))
}

/// Whether every field of this selector can be asked for.
///
/// # Errors
/// 400 naming the first that cannot.
pub fn check(resource: &Resource, selector: &FieldSelector) -> Result<(), Status> {
    let Some((field, ..)) = selector.terms.iter().find(|(field, ..)| !offers(resource, field)) else { return Ok(()) };
    Err(Status::bad_request(match special(resource) {
        Some(_) => format!("field label not supported: {field}"),
        None => format!("{field:?} is not a known field selector: only {NAME:?}, {NAMESPACE:?}"),
    }))
}

/// What an object has there, as a selector compares it; empty if it has nothing.
pub fn value(resource: &Resource, field: &str, object: Lookup<'_>) -> String {
    let path = |path: &[&str]| object(path).map(text).unwrap_or_default();
    if let Some(part) = referenced(resource, field) {
        // An event is stored in one shape and asked for through two groups.
        let found = path(&["regarding", part]);
        return if found.is_empty() { path(&["involvedObject", part]) } else { found };
    }
    let first = |paths: &[&[&str]]| paths.iter().map(|&at| path(at)).find(|text| !text.is_empty()).unwrap_or_default();
    match (resource.plural.as_str(), field) {
        ("events", "source") => first(&[&["source", "component"], &["reportingComponent"]]),
        ("events", "reportingComponent" | "reportingController") => first(&[&["reportingController"], &["reportingComponent"]]),
        // What nobody set is false.
        ("pods", "spec.hostNetwork") | ("nodes", "spec.unschedulable") => {
            let parts: Vec<&str> = field.split('.').collect();
            (object(&parts) == Some(Value::Bool(true))).to_string()
        }
        // Offered, and never filled in.
        ("pods", "status.podIPs") => String::new(),
        _ => path(&field.split('.').collect::<Vec<_>>()),
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use apimachinery::Schema;
    use apimachinery::schema::Shape;
    use serde_json::json;

    use super::*;
    use crate::Scope;

    fn resource(group: &str, plural: &str, scope: Scope) -> Resource {
        Resource {
            group: group.into(),
            version: "v1".into(),
            kind: String::new(),
            list_kind: String::new(),
            plural: plural.into(),
            singular: String::new(),
            short_names: Vec::new(),
            categories: Vec::new(),
            scope,
            subresources: Vec::new(),
            schema: Arc::new(Schema::of(Shape::Any)),
            needs_version: false,
            creates_on_update: false,
            delete_returns_object: false,
            strategic: true,
            custom: None,
        }
    }

    fn refusal(resource: &Resource, selector: &str) -> Option<String> {
        let selector = FieldSelector::parse(selector).expect("a selector");
        check(resource, &selector).err().map(|status| status.message)
    }

    #[test]
    fn plain_kinds_offer_name_and_namespace_and_say_so() {
        let volumes = resource("", "persistentvolumes", Scope::Cluster);
        assert_eq!(refusal(&volumes, "metadata.name=a,metadata.namespace="), None);
        let expected = r#""status.phase" is not a known field selector: only "metadata.name", "metadata.namespace""#;
        assert_eq!(refusal(&volumes, "status.phase=Bound").as_deref(), Some(expected));
    }

    #[test]
    fn kinds_with_fields_of_their_own_refuse_in_other_words() {
        let nodes = resource("", "nodes", Scope::Cluster);
        assert_eq!(refusal(&nodes, "spec.unschedulable=true"), None);
        assert_eq!(refusal(&nodes, "metadata.namespace=").as_deref(), Some("field label not supported: metadata.namespace"));
        let pods = resource("", "pods", Scope::Namespaced);
        assert_eq!(refusal(&pods, "spec.nodeName=n,metadata.namespace=x"), None);
        assert_eq!(refusal(&pods, "spec.priority=0").as_deref(), Some("field label not supported: spec.priority"));
    }

    #[test]
    fn events_are_selected_by_the_names_of_the_group_that_is_asked() {
        let core = resource("", "events", Scope::Namespaced);
        let new = resource("events.k8s.io", "events", Scope::Namespaced);
        assert_eq!(refusal(&core, "involvedObject.name=x,source=y"), None);
        assert!(refusal(&core, "regarding.name=x").is_some());
        assert_eq!(refusal(&new, "regarding.uid=x,reportingController=y"), None);
        assert!(refusal(&new, "involvedObject.name=x").is_some());
        let event = json!({"involvedObject": {"name": "p"}, "source": {"component": ""}, "reportingComponent": "c"});
        let lookup = |path: &[&str]| apimachinery::object::at(&event, path).cloned();
        assert_eq!(value(&core, "involvedObject.name", &lookup), "p");
        assert_eq!(value(&new, "regarding.name", &lookup), "p");
        assert_eq!(value(&core, "source", &lookup), "c");
    }

    #[test]
    fn what_nobody_set_compares_as_false_or_empty() {
        let nothing = |_: &[&str]| None;
        assert_eq!(value(&resource("", "nodes", Scope::Cluster), "spec.unschedulable", &nothing), "false");
        assert_eq!(value(&resource("", "pods", Scope::Namespaced), "spec.nodeName", &nothing), "");
    }
}
