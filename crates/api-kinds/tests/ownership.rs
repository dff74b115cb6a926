//! Who owns what of the built-in kinds: writes that were recorded from kube-apiserver v1.36.1 with the managedFields that it
//! answered, and done again with the schemas and defaults of this crate.

use api_kinds::{Registry, Resource};
use apimachinery::managed::{Manager, track};
use apimachinery::patch;
use jiff::Timestamp;
use serde_json::{Value, json};

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The object after the step. Only what ownership depends on is done: decoding and defaults.
fn write(resource: &Resource, live: Option<&Value>, step: &Value, number: i64) -> Value {
    let body = step["body"].to_string();
    let patched = match (text(step, "do"), live) {
        ("merge", Some(live)) => patch::merge(live, body.as_bytes()),
        ("strategic", Some(live)) => patch::strategic(live, body.as_bytes(), &resource.schema),
        _ => Ok(step["body"].clone()),
    };
    let mut new = patched.unwrap_or_else(|status| panic!("{}: {status}", resource.kind));
    resource.schema.decode(&mut new, &resource.kind).unwrap_or_else(|error| panic!("{}: {error}", resource.kind));
    api_kinds::write::defaults(resource, &mut new);
    let api_version = resource.api_version();
    let manager = Manager {
        name: text(step, "manager"),
        subresource: text(step, "sub"),
        api_version: &api_version,
        time: Timestamp::from_second(1_767_225_600 + number).expect("a time"),
    };
    let reset: &[&[&str]] = match (text(step, "sub"), resource.has(api_kinds::Subresource::Status)) {
        ("status", _) => &[&["spec"]],
        (_, true) => &[&["status"]],
        _ => &[],
    };
    track(live, &mut new, &resource.schema, manager, reset);
    if let Some(metadata) = new["metadata"].as_object_mut() {
        metadata.insert("uid".to_owned(), "u".into());
    }
    new
}

#[test]
fn what_is_owned_is_what_the_real_api_server_says() {
    let registry = Registry::builtin();
    let recorded: Vec<Value> = serde_json::from_str(include_str!("ownership.json")).expect("the record is JSON");
    assert!(recorded.len() > 12);
    let mut differences = Vec::new();
    for sequence in &recorded {
        let kind = text(sequence, "kind");
        let resource = registry.of_kind(text(sequence, "apiVersion"), kind).unwrap_or_else(|| panic!("{kind} is served"));
        let mut live: Option<Value> = None;
        for (number, step) in (0..).zip(sequence["steps"].as_array().into_iter().flatten()) {
            let new = write(&resource, live.as_ref(), step, number);
            let entries = new["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
            // Several writes of one second stand in the order of their names there, and in the order of time here.
            let mut here: Vec<Value> =
                entries.iter().map(|entry| json!([entry["manager"], text(entry, "subresource"), entry["fieldsV1"]])).collect();
            let there = step["entries"].as_array().cloned().unwrap_or_default();
            let mut there: Vec<Value> =
                there.iter().map(|entry| json!([entry["manager"], text(entry, "subresource"), entry["fields"]])).collect();
            here.sort_by_key(ToString::to_string);
            there.sort_by_key(ToString::to_string);
            if here != there {
                differences.push(format!("{kind} step {number}:\n  here  {}\n  there {}", json!(here), json!(there)));
            }
            live = Some(new);
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
