use serde_json::json;

use super::expiry::{LIFETIME, ends};
use crate::Registry;
use crate::kinds::validation::testing::{Kind, NOT_KEY, NOT_SUBDOMAIN, Objects, accepted, invalid};

/// Events in the words of the other group.
fn strict() -> Kind {
    let resource = Registry::builtin().find("events.k8s.io", "v1", "events").unwrap();
    Kind { resource: resource.as_ref().clone(), world: Objects::default() }
}

fn whole() -> serde_json::Value {
    json!({"regarding": {"namespace": "ns", "kind": "Pod"}, "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal",
        "reportingController": "a", "reportingInstance": "b", "action": "c", "reason": "d", "note": "e"})
}

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

#[test]
fn the_other_group_wants_a_new_event_whole_and_without_the_fields_of_old() {
    accepted("whole", strict().create(whole()));
    let mut series = whole();
    series["series"] = json!({"count": 1});
    let expected = "[series.count: Invalid value: \"\": should be at least 2, series.lastObservedTime: Required value]";
    invalid("a series of one", strict().create(series), expected);
    let old = json!({
        "metadata": {"name": "A_b"}, "regarding": {"namespace": "other"}, "type": "Odd", "deprecatedCount": 3,
        "deprecatedSource": {"component": "x"}, "deprecatedFirstTimestamp": "2026-01-01T00:00:00Z",
        "deprecatedLastTimestamp": "2026-01-01T00:00:00Z"
    });
    let expected = format!(
        "[involvedObject.namespace: Invalid value: \"other\": does not match event.namespace, metadata.name: Invalid value: \"A_b\": \
         {NOT_SUBDOMAIN}, eventTime: Required value, type: Invalid value: \"\": has invalid value: Odd, \
         firstTimestamp: Invalid value: \"\": needs to be unset, lastTimestamp: Invalid value: \"\": needs to be unset, \
         count: Invalid value: \"\": needs to be unset, source: Invalid value: \"\": needs to be unset]"
    );
    invalid("all of old", strict().create(old), &expected);
}

#[test]
fn through_the_other_group_only_metadata_and_series_change() {
    let kind = strict();
    let stored = kind.stored(whole());
    let change =
        json!({"metadata": {"labels": {"a": "b"}}, "series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}});
    accepted("a series begins", kind.change(&stored, change));
    let change = json!({"regarding": {"name": "q"}, "note": "y", "type": "Warning", "reason": "Q", "related": {"kind": "Pod"},
        "deprecatedCount": 5, "deprecatedSource": {"component": "z"}, "eventTime": "2026-01-01T00:00:01.000000Z",
        "reportingController": "x"});
    let reference = |kind: &str, name: &str, namespace: &str| {
        format!(
            r#"{{"Kind":"{kind}","Namespace":"{namespace}","Name":"{name}","UID":"","APIVersion":"","ResourceVersion":"","FieldPath":""}}"#
        )
    };
    let stays = [
        ("involvedObject", reference("Pod", "q", "ns")),
        ("reason", r#""Q""#.to_owned()),
        ("message", r#""y""#.to_owned()),
        ("source", r#"{"Component":"z","Host":""}"#.to_owned()),
        ("count", "5".to_owned()),
        ("type", r#""Warning""#.to_owned()),
        ("eventTime", r#""2026-01-01T00:00:01.000000Z""#.to_owned()),
        ("related", reference("Pod", "", "")),
        ("reportingController", r#""x""#.to_owned()),
    ];
    let errors: Vec<String> =
        stays.iter().map(|(field, value)| format!("{field}: Invalid value: {value}: field is immutable")).collect();
    invalid("everything", kind.change(&stored, change), &format!("[{}]", errors.join(", ")));
}

#[test]
fn what_is_stored_of_an_event_is_what_is_shown_of_it() {
    let kind = strict();
    let view = kind.resource.view().expect("a view");
    let mut shown = kind.stored(whole());
    kind.resource.schema.decode(&mut shown, "Event").expect("an event");
    let stored = view.store(shown.clone());
    assert_eq!((&stored["message"], &stored["reportingComponent"], stored.get("note")), (&json!("e"), &json!("a"), None));
    assert_eq!(view.show(stored), shown);
}

#[test]
fn an_event_ends_an_hour_after_the_newest_of_its_times_that_is_past() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let now = at("2026-01-01T12:00:00Z");
    let end = |event: serde_json::Value| ends(event.to_string().as_bytes(), now);
    let mut event = json!({"metadata": {"name": "a", "creationTimestamp": "2026-01-01T10:00:00Z"}, "lastTimestamp": null});
    assert_eq!(end(event.clone()), at("2026-01-01T11:00:00Z"));
    event["metadata"]["managedFields"] = json!([{"manager": "m", "time": "2026-01-01T10:30:00Z"}, {"manager": "n"}]);
    assert_eq!(end(event.clone()), at("2026-01-01T11:30:00Z"));
    event["series"] = json!({"count": 2, "lastObservedTime": "2026-01-01T10:40:00.000001Z"});
    assert_eq!(end(event.clone()), at("2026-01-01T11:40:00.000001Z"));
    event["lastTimestamp"] = "2999-01-01T00:00:00Z".into();
    assert_eq!(end(event), at("2026-01-01T11:40:00.000001Z"), "nobody has seen it then");
    let future = json!({"metadata": {"creationTimestamp": "2027-01-01T00:00:00Z"}});
    assert_eq!(end(future), now.checked_add(LIFETIME).unwrap(), "the clock was put back");
}
