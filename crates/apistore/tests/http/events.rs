//! Events through both groups: the same objects, each group with its own words.

use serde_json::{Value, json};

use crate::support::{Asker, run};

const CORE: &str = "/api/v1/namespaces/n/events";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/n/events";
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const TIME: &str = "2026-01-01T00:00:00.000000Z";

fn new_event(name: &str) -> Value {
    json!({
        "metadata": {"name": name}, "eventTime": TIME, "regarding": {"kind": "Pod", "name": "p", "namespace": "n"},
        "reportingController": "x.io/c", "reportingInstance": "i", "action": "Do", "reason": "Why", "type": "Normal", "note": "hello"
    })
}

async fn core_event(api: &Asker, name: &str) -> Value {
    let event = json!({
        "metadata": {"name": name}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": "n"}, "reason": "R", "message": "m",
        "source": {"component": "comp", "host": "h"}, "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z", "count": 3, "type": "Normal"
    });
    created(api, CORE, event).await
}

async fn created(api: &Asker, path: &str, event: Value) -> Value {
    let reply = api.post(path, event).await;
    assert_eq!(reply.code, 201, "{}", reply.text);
    reply.json()
}

/// What a group shows beyond metadata.
fn said(mut event: Value) -> Value {
    event.as_object_mut().expect("an object").remove("metadata");
    event
}

fn managers(event: &Value) -> Vec<String> {
    let entries = event["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| format!("{} {}", entry["manager"], entry["apiVersion"]).replace('"', "")).collect()
}

#[test]
fn an_event_of_either_group_is_read_in_the_words_of_the_other() {
    run(|api| async move {
        core_event(&api, "old").await;
        let shown = api.get(&format!("{EVENTS}/old")).await.json();
        assert_eq!(
            said(shown),
            json!({
                "kind": "Event", "apiVersion": "events.k8s.io/v1", "eventTime": null, "reason": "R", "note": "m", "type": "Normal",
                "regarding": {"kind": "Pod", "name": "p", "namespace": "n"}, "deprecatedSource": {"component": "comp", "host": "h"},
                "deprecatedFirstTimestamp": "2026-01-01T00:00:00Z", "deprecatedLastTimestamp": "2026-01-01T00:00:00Z",
                "deprecatedCount": 3
            })
        );
        let mut new = new_event("new");
        new["series"] = json!({"count": 2, "lastObservedTime": TIME});
        let answer = created(&api, EVENTS, new).await;
        assert_eq!(answer["note"], "hello");
        let shown = api.get(&format!("{CORE}/new")).await.json();
        assert_eq!(answer["metadata"], shown["metadata"]);
        assert_eq!(
            said(shown),
            json!({
                "kind": "Event", "apiVersion": "v1", "involvedObject": {"kind": "Pod", "name": "p", "namespace": "n"}, "reason": "Why",
                "message": "hello", "source": {}, "firstTimestamp": null, "lastTimestamp": null, "type": "Normal",
                "eventTime": TIME, "series": {"count": 2, "lastObservedTime": TIME}, "action": "Do", "reportingComponent": "x.io/c",
                "reportingInstance": "i"
            })
        );
    });
}

#[test]
fn lists_selectors_tables_and_deletions_speak_the_words_of_the_group() {
    run(|api| async move {
        core_event(&api, "old").await;
        created(&api, EVENTS, new_event("new")).await;
        let list = api.get(&format!("{EVENTS}?fieldSelector=regarding.name=p,reportingController=x.io/c")).await.json();
        assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("EventList"), &json!("events.k8s.io/v1")));
        let notes: Vec<&Value> = list["items"].as_array().expect("items").iter().map(|item| &item["note"]).collect();
        assert_eq!(notes, [&json!("hello")]);
        let refused = api.get(&format!("{EVENTS}?fieldSelector=involvedObject.name=p")).await.failure();
        assert_eq!(refused.2, "field label not supported: involvedObject.name");
        let table = api.accept(EVENTS, "application/json;as=Table;v=v1;g=meta.k8s.io").await.json();
        let cells = |row: usize| table["rows"][row]["cells"].as_array().expect("cells")[1..7].to_vec();
        assert_eq!(cells(0), json!(["Normal", "Why", "pod/p", "", "x.io/c, i", "hello"]).as_array().expect("a list").as_slice());
        assert_eq!(cells(1), json!(["Normal", "R", "pod/p", "", "comp, h", "m"]).as_array().expect("a list").as_slice());
        let gone = api.ask("DELETE", &format!("{EVENTS}/new"), &[], b"").await.json();
        assert_eq!((&gone["details"]["group"], &gone["details"]["kind"]), (&json!("events.k8s.io"), &json!("events")));
        let (code, _, message) = api.get(&format!("{EVENTS}/new")).await.failure();
        assert_eq!((code, message.as_str()), (404, "events.events.k8s.io \"new\" not found"));
        let all = api.ask("DELETE", EVENTS, &[], b"").await.json();
        assert_eq!(all["items"][0]["note"], "m");
        assert_eq!(api.get(&format!("{CORE}/old")).await.code, 404);
    });
}

#[test]
fn a_watch_speaks_the_words_of_the_group() {
    run(|api| async move {
        core_event(&api, "old").await;
        let watch = api.get(&format!("{EVENTS}?watch=1&timeoutSeconds=1")).await;
        let line: Value = serde_json::from_str(watch.text.lines().next().expect("a line")).expect("JSON");
        assert_eq!((&line["type"], &line["object"]["apiVersion"]), (&json!("ADDED"), &json!("events.k8s.io/v1")));
        assert_eq!((&line["object"]["note"], &line["object"]["message"]), (&json!("m"), &Value::Null));
    });
}

#[test]
fn patches_are_in_the_words_of_the_group_and_what_the_other_group_owned_is_forgotten() {
    run(|api| async move {
        core_event(&api, "old").await;
        let agent = [("content-type", MERGE), ("user-agent", "b/1")];
        let patch = br#"{"metadata":{"labels":{"a":"b"}}}"#;
        let labelled = api.ask("PATCH", &format!("{EVENTS}/old"), &agent, patch).await.json();
        assert_eq!(managers(&labelled), ["b events.k8s.io/v1"]);
        let nothing = api.patch(&format!("{CORE}/old"), MERGE, "{}").await.json();
        assert_eq!(managers(&nothing), Vec::<String>::new(), "nobody owns what nobody can read any more");

        created(&api, EVENTS, new_event("new")).await;
        let series = json!({"series": {"count": 5, "lastObservedTime": TIME}}).to_string();
        let counted = api.patch(&format!("{EVENTS}/new"), "application/strategic-merge-patch+json", &series).await;
        assert_eq!((counted.code, &counted.json()["series"]["count"]), (200, &json!(5)), "{}", counted.text);
        let refused = api.patch(&format!("{EVENTS}/new"), MERGE, r#"{"note":"y"}"#).await.failure();
        assert_eq!(refused.2, "Event \"new\" is invalid: message: Invalid value: \"y\": field is immutable");
        let core = api.patch(&format!("{CORE}/new"), MERGE, r#"{"message":"y"}"#).await;
        assert_eq!((core.code, &core.json()["message"]), (200, &json!("y")), "{}", core.text);
        assert_eq!(api.get(&format!("{EVENTS}/new")).await.json()["note"], "y");
    });
}

#[test]
fn an_application_is_in_the_words_of_the_group() {
    run(|api| async move {
        let mut config = new_event("app");
        config["apiVersion"] = "events.k8s.io/v1".into();
        config["kind"] = "Event".into();
        let applied = api.patch(&format!("{EVENTS}/app?fieldManager=m"), APPLY, &config.to_string()).await;
        assert_eq!(applied.code, 201, "{}", applied.text);
        assert_eq!(applied.json()["metadata"]["managedFields"][0]["fieldsV1"]["f:note"], json!({}));
        let other = r#"{"apiVersion":"v1","kind":"Event","metadata":{"name":"app"},"message":"other","count":3}"#;
        let taken = api.patch(&format!("{CORE}/app?fieldManager=n"), APPLY, other).await;
        assert_eq!((taken.code, managers(&taken.json())), (200, vec!["n v1".to_owned()]), "{}", taken.text);
        config.as_object_mut().expect("an object").remove("note");
        let again = api.patch(&format!("{EVENTS}/app?fieldManager=m"), APPLY, &config.to_string()).await.json();
        assert_eq!((&again["note"], &again["deprecatedCount"]), (&json!("other"), &json!(3)));
        assert_eq!(again["metadata"]["managedFields"][0].get("time"), None, "it changed nothing");
    });
}

#[test]
fn what_the_strict_group_refuses_the_core_group_takes() {
    run(|api| async move {
        let bare = json!({"metadata": {"name": "a"}, "regarding": {"namespace": "n"}});
        let (code, _, message) = api.post(EVENTS, bare).await.failure();
        let expected = "Event \"a\" is invalid: [eventTime: Required value, type: Invalid value: \"\": has invalid value: ]";
        assert_eq!((code, message.as_str()), (422, expected));
        let reply = api.post(CORE, json!({"metadata": {"name": "a"}, "involvedObject": {"namespace": "n"}})).await;
        assert_eq!(reply.code, 201, "{}", reply.text);
        let (code, _, message) =
            api.post(EVENTS, json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "w"}})).await.failure();
        let expected = "the API version in the data (v1) does not match the expected API version (events.k8s.io/v1)";
        assert_eq!((code, message.as_str()), (400, expected));
        let strict =
            api.post(&format!("{EVENTS}?fieldValidation=Strict"), json!({"metadata": {"name": "u"}, "message": "m"})).await;
        assert!(strict.text.contains(r#"strict decoding error: unknown field \"message\""#), "{}", strict.text);
    });
}

#[test]
fn discovery_offers_events_in_both_groups() {
    run(|api| async move {
        let list = api.get("/apis/events.k8s.io/v1").await.json();
        assert_eq!((&list["resources"][0]["shortNames"], &list["resources"][0]["kind"]), (&json!(["ev"]), &json!("Event")));
        assert_eq!(list["resources"][0]["storageVersionHash"], "r2yiGXH7wu8=", "they are stored as the core group's");
        let groups = api.get("/apis").await.json();
        assert!(groups.to_string().contains(r#""groupVersion":"events.k8s.io/v1""#));
    });
}
