//! What a real API server answered to the same writes. Where several things are wrong, their order is not compared: upstream's
//! follows Go's maps.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Answer, create, now, put, served};
use crate::{Operation, Registry, Subresource, Write, write};

const DEFINITIONS: &str = include_str!("definitions.jsonl");
const VALUES: &str = include_str!("values.jsonl");

/// Texts of ours that are known to differ: Go's parsers say it in other words.
const OTHER_WORDS: [&str; 3] = ["Syntax error", "error parsing regexp", "invalid argument to has() macro"];

fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"))
}

/// The errors of a message, one by one.
fn errors(message: &str) -> BTreeSet<String> {
    let Some((head, list)) = message.split_once(" is invalid: ") else { return BTreeSet::from([message.to_owned()]) };
    let list = list.strip_prefix('[').and_then(|list| list.strip_suffix(']')).unwrap_or(list);
    let mut parts: BTreeSet<String> = BTreeSet::from([head.to_owned()]);
    // A new error begins with a path.
    let mut start = 0;
    for (at, _) in list.match_indices(", ") {
        let rest = &list[at + 2..];
        if ["spec.", "metadata.", "status.", "<nil>", "spec:"].iter().any(|head| rest.starts_with(head)) {
            parts.insert(list[start..at].to_owned());
            start = at + 2;
        }
    }
    parts.insert(list[start..].to_owned());
    parts
}

fn same(expected: Option<&str>, got: Option<&str>) -> bool {
    match (expected, got) {
        (Some(expected), Some(got)) => {
            let words = OTHER_WORDS.iter().find(|words| expected.contains(**words));
            let head = |text: &str| text.split(" Invalid value").next().unwrap_or_default().to_owned();
            words.map_or_else(|| errors(expected) == errors(got), |_| head(expected) == head(got))
        }
        (None, None) => true,
        _ => false,
    }
}

fn define(definition: &Value) -> Answer {
    let registry = Registry::builtin();
    let resource = registry.all().find(|resource| resource.plural == "customresourcedefinitions").expect("served");
    let mut new = definition.clone();
    let unknown = resource.schema.decode(&mut new, &resource.kind).map_err(|error| error.to_string())?;
    let mut warnings: Vec<String> = unknown.into_iter().map(|path| format!("unknown field {path:?}")).collect();
    write::defaults(resource, &mut new);
    let mut write = Write {
        resource,
        subresource: Subresource::Main,
        operation: Operation::Create,
        new,
        now: now(),
        world: &super::Nothing,
        warnings: Vec::new(),
    };
    write::prepare(&mut write).map_err(|status| status.message)?;
    write::validate(&mut write).map_err(|status| status.message)?;
    warnings.append(&mut write.warnings);
    Ok((write.new, warnings))
}

#[test]
fn a_definition_is_refused_for_what_the_api_server_refuses_it() {
    let mut wrong = Vec::new();
    for line in lines(DEFINITIONS) {
        let expected = line["message"].as_str();
        let got = define(&line["definition"]);
        let message = got.as_ref().err().map(String::as_str);
        if !same(expected, message) {
            wrong.push(format!("{}\n  upstream: {expected:?}\n  ours:     {message:?}", line["definition"]["spec"]["versions"]));
        } else if let Ok((_, warnings)) = &got {
            let warnings: BTreeSet<_> = warnings.iter().map(String::as_str).collect();
            let expected: BTreeSet<_> = line["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if warnings != expected {
                wrong.push(format!(
                    "{}\n  upstream: {expected:?}\n  ours:     {warnings:?}",
                    line["definition"]["spec"]["versions"]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn an_object_is_pruned_defaulted_and_refused_as_the_api_server_does_it() {
    let mut wrong = Vec::new();
    let mut resource = None;
    let mut stored = None;
    for line in lines(VALUES) {
        if let Some(definition) = line.get("definition") {
            resource = served(definition).into_iter().next();
            continue;
        }
        let resource = resource.as_ref().expect("a definition");
        let got = match line["op"].as_str() {
            Some("update") => put(resource, Subresource::Main, stored.as_ref(), &line["object"]),
            _ => create(resource, &line["object"]),
        };
        if line.get("stored").is_some() {
            stored = got.as_ref().ok().map(|(object, _)| object.clone());
        }
        let shown = line["object"].to_string();
        let message = got.as_ref().err().map(String::as_str);
        if !same(line["message"].as_str(), message) {
            wrong.push(format!("{shown}\n  upstream: {}\n  ours:     {message:?}", line["message"]));
        }
        let Ok((object, warnings)) = got else { continue };
        let kept = [("spec", object.get("spec")), ("status", object.get("status"))];
        for (field, value) in kept {
            if line["kept"].is_object() && line["kept"].get(field) != value {
                wrong.push(format!("{shown}\n  upstream: {}\n  ours:     {value:?}", line["kept"]));
            }
        }
        let warnings: BTreeSet<_> = warnings.iter().map(String::as_str).collect();
        let expected: BTreeSet<_> = line["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if warnings != expected {
            wrong.push(format!("{shown}\n  upstream: {expected:?}\n  ours:     {warnings:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
