use serde_json::json;

use crate::kinds::validation::testing::{Kind, NOT_KEY, accepted, invalid};

#[test]
fn an_event_is_in_the_namespace_of_what_it_is_about() {
    let kind = Kind::of("events");
    accepted("same namespace", kind.create(json!({"involvedObject": {"namespace": "ns"}, "type": "anything"})));
    accepted("no namespace", kind.create(json!({"metadata": {"namespace": "default"}, "involvedObject": {"kind": "Node"}})));
    let wrong =
        |namespace: &str| format!("involvedObject.namespace: Invalid value: \"{namespace}\": does not match event.namespace");
    invalid("none", kind.create(json!({"involvedObject": {}})), &wrong(""));
    invalid("another", kind.create(json!({"involvedObject": {"namespace": "other"}})), &wrong("other"));
    let there = json!({"metadata": {"namespace": "default"}, "involvedObject": {"namespace": "other"}});
    invalid("another, in default", kind.create(there), &wrong("other"));
}

#[test]
fn an_event_with_a_time_says_who_reports_what() {
    let kind = Kind::of("events");
    let time = "2026-01-01T00:00:00.000000Z";
    let expected = format!(
        "[reportingComponent: Required value, reportingComponent: Invalid value: \"\": name part must be non-empty, \
         reportingComponent: Invalid value: \"\": {NOT_KEY}, reportingInstance: Required value, action: Required value, \
         reason: Required value]"
    );
    invalid("nothing", kind.create(json!({"involvedObject": {"namespace": "ns"}, "eventTime": time})), &expected);
    let full = json!({"involvedObject": {"namespace": "other"}, "eventTime": time, "reportingComponent": "a", "reportingInstance": "b",
        "action": "c", "reason": "d"});
    accepted("any namespace", kind.create(full.clone()));
    let mut long = full;
    long["message"] = "x".repeat(1025).into();
    invalid("long", kind.create(long), "message: Invalid value: \"\": can have at most 1024 characters");
}

#[test]
fn an_event_can_change_in_everything() {
    let kind = Kind::of("events");
    let stored = kind.stored(json!({"involvedObject": {"namespace": "ns", "name": "a"}, "count": 1, "message": "m"}));
    let change = json!({"involvedObject": {"name": "b"}, "count": 2, "message": "n", "series": {"count": 2}});
    accepted("a change", kind.change(&stored, change));
}
