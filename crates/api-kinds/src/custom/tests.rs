//! Definitions and custom resources, held to what a real API server answered, and to laws.

mod laws;
mod measured;
mod parts;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{resources, set_condition};
use crate::{Operation, Resource, Subresource, World, Write, write};

/// The time of every write.
const NOW: &str = "2026-01-02T03:04:05Z";

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

/// Nothing else is stored.
struct Nothing;

impl World for Nothing {
    fn get(&self, _: &str, _: &str, _: &str) -> Option<Value> {
        None
    }

    fn list(&self, _: &str) -> Vec<Value> {
        Vec::new()
    }
}

/// What a definition serves, once its names are accepted.
fn served(definition: &Value) -> Vec<Resource> {
    let mut definition = definition.clone();
    let kind = definition["spec"]["names"]["kind"].as_str().expect("a kind").to_owned();
    definition["status"] = json!({"acceptedNames": {
        "plural": definition["spec"]["names"]["plural"], "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List"),
    }});
    set_condition(&mut definition, "Established", true, "InitialNamesAccepted", "", now());
    resources(&definition)
}

/// A definition of one version with this schema.
fn definition(schema: &Value) -> Value {
    json!({
        "metadata": {"name": "wids.test.example"},
        "spec": {
            "group": "test.example", "scope": "Namespaced", "names": {"plural": "wids", "kind": "Wid"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

/// An object and the warnings, or the message of the refusal.
type Answer = Result<(Value, Vec<String>), String>;

/// Writes an object as the store does.
fn put(resource: &Resource, subresource: Subresource, old: Option<&Value>, new: &Value) -> Answer {
    let mut new = new.clone();
    if let Some(metadata) = new["metadata"].as_object_mut() {
        metadata.insert("namespace".to_owned(), "ns".into());
    }
    let decoded = resource.schema.decode(&mut new, &resource.kind);
    let unknown = decoded.map_err(|error| format!("{0} in version \"v1\" cannot be handled as a {0}: {error}", resource.kind))?;
    let mut warnings: Vec<String> = unknown.into_iter().map(|path| format!("unknown field {path:?}")).collect();
    write::defaults(resource, &mut new);
    let operation = old.map_or(Operation::Create, Operation::Update);
    let mut write = Write { resource, subresource, operation, new, now: now(), world: &Nothing, warnings: Vec::new() };
    write::prepare(&mut write).map_err(|status| status.message)?;
    write::validate(&mut write).map_err(|status| status.message)?;
    warnings.append(&mut write.warnings);
    Ok((write.new, warnings))
}

fn create(resource: &Resource, new: &Value) -> Answer {
    put(resource, Subresource::Main, None, new)
}

/// What is wrong with a spec; `None` if nothing.
fn refusal(resource: &Resource, old: Option<&Value>, spec: &Value) -> Option<String> {
    let object = |spec: &Value| json!({"apiVersion": resource.api_version(), "kind": resource.kind, "metadata": {"name": "x"}, "spec": spec});
    let old = old.map(|old| create(resource, &object(old)).expect("an object").0);
    let message = put(resource, Subresource::Main, old.as_ref(), &object(spec)).err()?;
    Some(message.split_once(" is invalid: ").expect("a refusal by validation").1.to_owned())
}
