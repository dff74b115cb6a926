//! Columns and rows that were recorded from kube-apiserver v1.36.1, and shown again here. Of each object the record has what
//! a row can depend on.

use serde_json::json;

use super::*;
use crate::Registry;

/// The resource of a record. The other group of events is not served, but its rows are known.
fn resource(record: &Value) -> Resource {
    let (api_version, kind) = (text(record, &["apiVersion"]), text(record, &["kind"]));
    let registry = Registry::builtin();
    if let Some(resource) = registry.of_kind(api_version, kind) {
        return Resource::clone(&resource);
    }
    let core = registry.of_kind("v1", kind).unwrap_or_else(|| panic!("{kind} is served"));
    Resource { group: "events.k8s.io".to_owned(), ..Resource::clone(&core) }
}

fn records(text: &'static str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
}

#[test]
fn every_kind_has_the_columns_of_the_real_api_server() {
    let recorded = records(include_str!("tests/columns.jsonl"));
    for record in &recorded {
        let columns = columns(&resource(record));
        let found: Value = columns.iter().map(|c| json!([c.name, c.type_, c.format, c.priority])).collect();
        assert_eq!(found, record["columns"], "{}", record["kind"]);
        assert!(columns.iter().all(|column| column.description.ends_with('.')), "{}", record["kind"]);
    }
    for resource in Registry::builtin().all() {
        let known = |record: &&Value| record["kind"] == resource.kind.as_str();
        assert!(recorded.iter().any(|record| known(&record)), "{} was recorded", resource.kind);
    }
}

#[test]
fn every_recorded_object_has_the_row_of_the_real_api_server() {
    let mut differences = Vec::new();
    let recorded = records(include_str!("tests/rows.jsonl"));
    assert!(recorded.len() > 180);
    for record in &recorded {
        let resource = resource(record);
        let now = text(record, &["now"]).parse().expect("a time");
        let cells = Value::from(row(&resource, &record["object"], now));
        assert_eq!(cells.as_array().map(Vec::len), Some(columns(&resource).len()), "{}", resource.kind);
        let conditions = conditions(&resource, &record["object"]);
        if cells != record["cells"] || conditions.as_ref() != record.get("conditions") {
            let what = format!("{} {}", resource.kind, record["note"]);
            differences.push(format!(
                "{what}\n  here  {cells} {conditions:?}\n  there {} {:?}",
                record["cells"],
                record.get("conditions")
            ));
        }
    }
    assert!(differences.is_empty(), "{} rows differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn an_object_of_any_shape_has_a_row() {
    let now = "2026-01-01T00:00:00Z".parse().expect("a time");
    let wrong = [json!(null), json!([]), json!("x"), json!({"metadata": 1, "spec": [], "status": "x", "data": 5})];
    for resource in Registry::builtin().all() {
        for object in &wrong {
            assert_eq!(row(resource, object, now).len(), columns(resource).len(), "{} {object}", resource.kind);
        }
    }
}
