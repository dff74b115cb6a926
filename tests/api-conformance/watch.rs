//! Watches: what is told, in which order, from when on, and how a watch ends.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    k1_whatever_is_not_false_watches,
    k1b_the_old_path_watches_too,
    k1c_the_old_path_watches_one_object,
    k1d_a_watch_is_a_stream_of_json,
    k2_an_objects_own_path_cannot_be_watched,
    k3_a_watch_begins_with_what_is_there,
    k4_a_watch_from_a_version_tells_what_came_after,
    k4b_an_event_has_the_version_of_its_change,
    k5_a_watch_tells_of_additions_changes_and_deletions,
    k5b_the_deletion_is_told_with_its_own_version,
    k5c_the_last_finalizer_is_still_seen_on_the_deleted_object,
    k6_a_write_that_changes_nothing_is_no_event,
    k7_what_leaves_the_selection_is_deleted,
    k7b_what_enters_the_selection_is_added,
    k7c_one_name_can_be_watched,
    k7d_a_field_that_changes_moves_objects_in_and_out,
    k8_a_bookmark_comes_before_the_end,
    k8b_bookmarks_come_only_when_asked_for,
    k9_a_list_can_be_streamed,
    k9b_a_streamed_list_of_nothing_ends_too,
    k9c_a_streamed_list_is_not_older_than_asked,
    k9d_a_streamed_list_can_be_selected,
    k10_with_bookmarks_every_watch_says_when_all_has_been_told,
    k10b_without_bookmarks_nothing_marks_the_end,
    k11_without_initial_events_a_watch_goes_on_from_its_version,
    k12_a_match_needs_initial_events,
    k12b_initial_events_need_a_match,
    k12c_initial_events_match_not_older_only,
    k12d_a_watch_has_no_pages,
    k13_a_forgotten_version_ends_the_watch,
    k14_a_version_that_is_no_number_is_an_error,
    k14b_bad_selectors_are_refused_before_the_stream,
    k14c_a_watch_has_no_limit,
    k15_a_version_to_come_is_waited_for,
    k16_a_watch_ends_when_its_time_is_over,
    k17_a_missing_namespace_is_quiet,
    k17b_all_watchers_see_the_same,
    k17c_a_namespace_hides_the_others,
    k18_yaml_cannot_be_watched,
    k18b_protobuf_can_be_watched,
    k20_every_kind_can_be_watched,
}

/// Secrets, because nobody but the behaviour makes any.
async fn make(w: &World, name: &str) -> Value {
    w.post(&w.core("secrets").await, &secret(name)).await.made()
}

async fn label(w: &World, name: &str, labels: Value) -> Value {
    w.merge(&format!("{}/{name}", w.core("secrets").await), &json!({"metadata": {"labels": labels}})).await.ok()
}

async fn remove(w: &World, name: &str) {
    w.delete(&format!("{}/{name}", w.core("secrets").await)).await.ok();
}

/// A watch of this behaviour's Secrets.
async fn watch(w: &World, query: &[(&str, &str)]) -> Watch {
    let mut all = vec![("watch", "true")];
    all.extend(query);
    let watch = w.watch(&with(&w.core("secrets").await, &all)).await;
    assert_eq!(watch.code, 200);
    watch
}

/// Waits until the server's cache, from which a watch without a version begins, has these.
async fn cached(w: &World, expected: &[&str]) {
    let path = format!("{}?resourceVersion=0", w.core("secrets").await);
    eventually("the cache", async || (names(&w.get(&path).await.ok()) == expected).then_some(())).await;
}

/// The version of an empty list.
async fn now(w: &World) -> String {
    version(&w.get(&w.core("secrets").await).await.ok()).to_owned()
}

fn number(object: &Value) -> u64 {
    version(object).parse().expect("a version")
}

const STREAMED: &[(&str, &str)] =
    &[("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan"), ("allowWatchBookmarks", "true")];

async fn k1_whatever_is_not_false_watches(w: &World) {
    make(w, "x").await;
    let collection = w.core("secrets").await;
    for value in ["1", "true", "bogus"] {
        let mut watch = w.watch(&format!("{collection}?watch={value}")).await;
        watch.expect_of("ADDED", "x").await;
    }
    for value in ["0", "false"] {
        assert_eq!(w.get(&format!("{collection}?watch={value}")).await.ok()["kind"], "SecretList");
    }
}

async fn k1b_the_old_path_watches_too(w: &World) {
    make(w, "x").await;
    let mut watch = w.watch(&format!("/api/v1/watch/namespaces/{}/secrets", w.namespace().await)).await;
    watch.expect_of("ADDED", "x").await;
    make(w, "y").await;
    watch.expect_of("ADDED", "y").await;
}

async fn k1c_the_old_path_watches_one_object(w: &World) {
    make(w, "x").await;
    let mut watch = w.watch(&format!("/api/v1/watch/namespaces/{}/secrets/y", w.namespace().await)).await;
    make(w, "y").await;
    watch.expect_of("ADDED", "y").await;
}

async fn k1d_a_watch_is_a_stream_of_json(w: &World) {
    let watch = watch(w, &[("timeoutSeconds", "1")]).await;
    assert_eq!(watch.headers["content-type"], "application/json");
    assert!(!watch.headers.contains_key("content-length"), "{:?}", watch.headers);
}

async fn k2_an_objects_own_path_cannot_be_watched(w: &World) {
    let made = make(w, "x").await;
    assert_eq!(w.get(&format!("{}/x?watch=1", w.core("secrets").await)).await.ok(), made);
}

async fn k3_a_watch_begins_with_what_is_there(w: &World) {
    for name in ["c", "a", "b"] {
        make(w, name).await;
    }
    cached(w, &["a", "b", "c"]).await;
    for query in [&[][..], &[("resourceVersion", "0")]] {
        let mut watch = watch(w, query).await;
        for name in ["a", "b", "c"] {
            let object = watch.expect_of("ADDED", name).await;
            includes(&object, &json!({"kind": "Secret", "apiVersion": "v1"}));
        }
        label(w, "a", json!({"now": format!("v{}", query.len())})).await;
        watch.expect_of("MODIFIED", "a").await;
    }
}

async fn k4_a_watch_from_a_version_tells_what_came_after(w: &World) {
    make(w, "before").await;
    let since = now(w).await;
    make(w, "after").await;
    remove(w, "before").await;
    let mut watch = watch(w, &[("resourceVersion", &since)]).await;
    watch.expect_of("ADDED", "after").await;
    watch.expect_of("DELETED", "before").await;
}

async fn k4b_an_event_has_the_version_of_its_change(w: &World) {
    let since = now(w).await;
    let mut watch = watch(w, &[("resourceVersion", &since)]).await;
    let made = make(w, "x").await;
    assert_eq!(watch.expect("ADDED").await, made);
    let changed = label(w, "x", json!({"a": "1"})).await;
    assert_eq!(watch.expect("MODIFIED").await, changed);
}

async fn k5_a_watch_tells_of_additions_changes_and_deletions(w: &World) {
    let mut watch = watch(w, &[("resourceVersion", &now(w).await)]).await;
    make(w, "x").await;
    label(w, "x", json!({"a": "1"})).await;
    remove(w, "x").await;
    make(w, "x").await;
    for kind in ["ADDED", "MODIFIED", "DELETED", "ADDED"] {
        watch.expect_of(kind, "x").await;
    }
}

async fn k5b_the_deletion_is_told_with_its_own_version(w: &World) {
    let mut watch = watch(w, &[("resourceVersion", &now(w).await)]).await;
    let made = make(w, "x").await;
    watch.expect("ADDED").await;
    remove(w, "x").await;
    let mut last = watch.expect("DELETED").await;
    assert!(number(&last) > number(&made), "{last}");
    last["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"].clone();
    assert_eq!(last, made);
}

async fn k5c_the_last_finalizer_is_still_seen_on_the_deleted_object(w: &World) {
    let mut watch = watch(w, &[("resourceVersion", &now(w).await)]).await;
    let mut body = secret("x");
    body["metadata"]["finalizers"] = json!(["x.io/f"]);
    let collection = w.core("secrets").await;
    w.post(&collection, &body).await.made();
    let marked = w.delete(&format!("{collection}/x")).await.ok();
    w.merge(&format!("{collection}/x"), &json!({"metadata": {"finalizers": null}})).await.ok();
    watch.expect("ADDED").await;
    assert_eq!(watch.expect("MODIFIED").await, marked);
    let last = watch.expect("DELETED").await;
    assert_eq!(last["metadata"]["finalizers"], json!(["x.io/f"]));
    assert_eq!(last["metadata"]["deletionTimestamp"], marked["metadata"]["deletionTimestamp"]);
    assert!(number(&last) > number(&marked), "{last}");
}

async fn k6_a_write_that_changes_nothing_is_no_event(w: &World) {
    let made = make(w, "x").await;
    let mut watch = watch(w, &[("resourceVersion", version(&made))]).await;
    let path = format!("{}/x", w.core("secrets").await);
    assert_eq!(w.put(&path, &made).await.ok(), made);
    assert_eq!(w.merge(&path, &json!({})).await.ok(), made);
    make(w, "y").await;
    watch.expect_of("ADDED", "y").await;
}

async fn k7_what_leaves_the_selection_is_deleted(w: &World) {
    make(w, "x").await;
    let inside = label(w, "x", json!({"a": "1"})).await;
    let mut watch = watch(w, &[("labelSelector", "a=1")]).await;
    assert_eq!(watch.expect("ADDED").await, inside);
    let outside = label(w, "x", json!({"a": "2"})).await;
    let mut gone = watch.expect("DELETED").await;
    assert_eq!(version(&gone), version(&outside), "the version is that of the change");
    gone["metadata"]["resourceVersion"] = inside["metadata"]["resourceVersion"].clone();
    assert_eq!(gone, inside, "the object is as it was before");
    // What happens outside is not told.
    label(w, "x", json!({"a": "3"})).await;
    remove(w, "x").await;
    let mut body = secret("y");
    body["metadata"]["labels"] = json!({"a": "1"});
    w.post(&w.core("secrets").await, &body).await.made();
    watch.expect_of("ADDED", "y").await;
}

async fn k7b_what_enters_the_selection_is_added(w: &World) {
    make(w, "x").await;
    let mut watch = watch(w, &[("labelSelector", "a=1"), ("resourceVersion", &now(w).await)]).await;
    let inside = label(w, "x", json!({"a": "1"})).await;
    assert_eq!(watch.expect("ADDED").await, inside);
    label(w, "x", json!({"b": "1"})).await;
    watch.expect_of("MODIFIED", "x").await;
}

async fn k7c_one_name_can_be_watched(w: &World) {
    make(w, "x").await;
    let mut watch = watch(w, &[("fieldSelector", "metadata.name=y")]).await;
    label(w, "x", json!({"a": "1"})).await;
    make(w, "y").await;
    watch.expect_of("ADDED", "y").await;
    remove(w, "y").await;
    watch.expect_of("DELETED", "y").await;
}

async fn k7d_a_field_that_changes_moves_objects_in_and_out(w: &World) {
    let pods = w.core("pods").await;
    let path = with(&pods, &[("watch", "1"), ("fieldSelector", "spec.nodeName=conf-nowhere,status.phase!=Failed")]);
    let mut watch = w.watch(&path).await;
    w.post(&pods, &pod("x")).await.made();
    let binding = json!({"metadata": {"name": "x"}, "target": {"kind": "Node", "name": "conf-nowhere"}});
    w.post(&format!("{pods}/x/binding"), &binding).await.made();
    watch.expect_of("ADDED", "x").await;
    w.merge(&format!("{pods}/x/status"), &json!({"status": {"phase": "Failed"}})).await.ok();
    assert_eq!(watch.expect_of("DELETED", "x").await["status"]["phase"], "Pending");
}

async fn k8_a_bookmark_comes_before_the_end(w: &World) {
    let since = now(w).await;
    let query = [
        ("fieldSelector", "metadata.name=nobody"),
        ("resourceVersion", since.as_str()),
        ("allowWatchBookmarks", "true"),
        ("timeoutSeconds", "5"),
    ];
    let watch = watch(w, &query).await;
    let other = make(w, "x").await;
    let events = watch.rest().await;
    for event in &events {
        let metadata = json!({"resourceVersion": version(&event["object"])});
        includes(event, &json!({"type": "BOOKMARK", "object": {"kind": "Secret", "apiVersion": "v1", "metadata": metadata}}));
        assert_eq!(event["object"]["metadata"], metadata);
    }
    let last = events.last().expect("a bookmark");
    assert!(number(&last["object"]) >= number(&other), "{last} is older than what the watch has passed");
}

async fn k8b_bookmarks_come_only_when_asked_for(w: &World) {
    let watch = watch(w, &[("resourceVersion", &now(w).await), ("timeoutSeconds", "5")]).await;
    make(w, "x").await;
    let events = watch.rest().await;
    assert_eq!(events.iter().map(|event| &event["type"]).collect::<Vec<_>>(), ["ADDED"]);
}

async fn k9_a_list_can_be_streamed(w: &World) {
    make(w, "b").await;
    let newest = make(w, "a").await;
    let mut watch = watch(w, STREAMED).await;
    watch.expect_of("ADDED", "a").await;
    watch.expect_of("ADDED", "b").await;
    let end = watch.expect_end_of_list().await;
    assert!(number(&end) >= number(&newest), "{end}");
    let metadata = json!({"resourceVersion": version(&end), "annotations": {"k8s.io/initial-events-end": "true"}});
    includes(&end, &json!({"kind": "Secret", "apiVersion": "v1"}));
    assert_eq!(end["metadata"]["annotations"], metadata["annotations"]);
    make(w, "c").await;
    watch.expect_of("ADDED", "c").await;
}

async fn k9b_a_streamed_list_of_nothing_ends_too(w: &World) {
    let mut watch = watch(w, STREAMED).await;
    watch.expect_end_of_list().await;
    make(w, "x").await;
    watch.expect_of("ADDED", "x").await;
}

async fn k9c_a_streamed_list_is_not_older_than_asked(w: &World) {
    make(w, "a").await;
    let made = make(w, "b").await;
    for since in [version(&made), "0"] {
        let mut query = STREAMED.to_vec();
        query.push(("resourceVersion", since));
        let mut watch = watch(w, &query).await;
        watch.expect_of("ADDED", "a").await;
        watch.expect_of("ADDED", "b").await;
        let end = watch.expect_end_of_list().await;
        assert!(since == "0" || number(&end) >= number(&made), "{end}");
    }
}

async fn k9d_a_streamed_list_can_be_selected(w: &World) {
    make(w, "a").await;
    make(w, "b").await;
    let mut query = STREAMED.to_vec();
    query.push(("fieldSelector", "metadata.name=b"));
    let mut watch = watch(w, &query).await;
    watch.expect_of("ADDED", "b").await;
    watch.expect_end_of_list().await;
    remove(w, "a").await;
    remove(w, "b").await;
    watch.expect_of("DELETED", "b").await;
}

async fn k10_with_bookmarks_every_watch_says_when_all_has_been_told(w: &World) {
    make(w, "a").await;
    cached(w, &["a"]).await;
    for query in [&[("allowWatchBookmarks", "true")][..], &[("allowWatchBookmarks", "true"), ("resourceVersion", "0")]] {
        let mut watch = watch(w, query).await;
        watch.expect_of("ADDED", "a").await;
        watch.expect_end_of_list().await;
    }
}

async fn k10b_without_bookmarks_nothing_marks_the_end(w: &World) {
    make(w, "a").await;
    let mut watch = watch(w, &STREAMED[..2]).await;
    watch.expect_of("ADDED", "a").await;
    make(w, "b").await;
    watch.expect_of("ADDED", "b").await;
}

async fn k11_without_initial_events_a_watch_goes_on_from_its_version(w: &World) {
    let made = make(w, "before").await;
    let query = [("sendInitialEvents", "false"), ("resourceVersionMatch", "NotOlderThan"), ("resourceVersion", version(&made))];
    let mut watch = watch(w, &query).await;
    make(w, "after").await;
    watch.expect_of("ADDED", "after").await;
}

async fn refused(w: &World, query: &[(&str, &str)], errors: &[(&str, &str, &str)]) {
    let mut all = vec![("watch", "1")];
    all.extend(query);
    let reply = w.get(&with(&w.core("secrets").await, &all)).await;
    reply.invalid("ListOptions.meta.k8s.io", "", errors);
}

async fn k12_a_match_needs_initial_events(w: &World) {
    let message = "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
    refused(w, &[("resourceVersionMatch", "NotOlderThan")], &[("resourceVersionMatch", "Forbidden", message)]).await;
}

const NEEDS_MATCH: &str = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";

async fn k12b_initial_events_need_a_match(w: &World) {
    for value in ["true", "false"] {
        refused(w, &[("sendInitialEvents", value)], &[("resourceVersionMatch", "Forbidden", NEEDS_MATCH)]).await;
    }
}

async fn k12c_initial_events_match_not_older_only(w: &World) {
    let errors = [
        ("resourceVersionMatch", "Forbidden", NEEDS_MATCH),
        ("resourceVersionMatch", "NotSupported", "Unsupported value: \"Exact\": supported values: \"NotOlderThan\""),
    ];
    refused(w, &[("sendInitialEvents", "true"), ("resourceVersionMatch", "Exact")], &errors).await;
}

async fn k12d_a_watch_has_no_pages(w: &World) {
    let message = "Forbidden: resourceVersionMatch is forbidden when continue is provided";
    let errors = [("resourceVersionMatch", "Forbidden", message)];
    refused(w, &[("continue", "x")], &errors).await;
    refused(w, &[("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan"), ("continue", "x")], &errors).await;
}

async fn k13_a_forgotten_version_ends_the_watch(w: &World) {
    // A kind that is served only now remembers nothing of the first version.
    let kind = CustomKind::new(w, "Late").make(w).await;
    let watch = w.watch(&format!("{}?watch=1&resourceVersion=1", kind.collection(w).await)).await;
    assert_eq!(watch.code, 200, "HTTP does not tell");
    let events = watch.rest().await;
    let [event] = events.as_slice() else { panic!("one error, found {events:?}") };
    let message = event["object"]["message"].as_str().expect("a message");
    let oldest = message.strip_prefix("too old resource version: 1 (").and_then(|rest| rest.strip_suffix(')'));
    assert!(oldest.is_some_and(|oldest| oldest.parse::<u64>().is_ok()), "{message}");
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": "Expired",
        "code": 410,
    });
    assert_eq!(event, &json!({"type": "ERROR", "object": status}));
}

async fn k14_a_version_that_is_no_number_is_an_error(w: &World) {
    let reply = w.get(&format!("{}?watch=1&resourceVersion=abc", w.core("secrets").await)).await;
    reply.refused(500, "", "resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax");
}

async fn k14b_bad_selectors_are_refused_before_the_stream(w: &World) {
    let collection = w.core("secrets").await;
    let cases = [
        (("labelSelector", "x y"), "unable to parse requirement: found 'y', expected: in, notin, =, ==, !=, gt, lt"),
        (("fieldSelector", "spec.x=a"), "field label not supported: spec.x"),
        (("fieldSelector", "spec.x"), "invalid selector: 'spec.x'; can't understand 'spec.x'"),
        (("timeoutSeconds", "x"), "strconv.ParseInt: parsing \"x\": invalid syntax"),
    ];
    for (parameter, message) in cases {
        w.get(&with(&collection, &[("watch", "1"), parameter])).await.bad_request(message);
    }
}

async fn k14c_a_watch_has_no_limit(w: &World) {
    make(w, "a").await;
    make(w, "b").await;
    let mut watch = watch(w, &[("limit", "1")]).await;
    watch.expect_of("ADDED", "a").await;
    watch.expect_of("ADDED", "b").await;
}

async fn k15_a_version_to_come_is_waited_for(w: &World) {
    let future: u64 = now(w).await.parse::<u64>().expect("a version") + 20;
    let mut watch = watch(w, &[("resourceVersion", &future.to_string())]).await;
    let mut first = None;
    for index in 0..40 {
        let made = make(w, &format!("x{index:02}")).await;
        if number(&made) > future {
            first = Some(made);
            break;
        }
    }
    assert_eq!(Some(watch.expect("ADDED").await), first, "the first one after {future}");
}

async fn k16_a_watch_ends_when_its_time_is_over(w: &World) {
    make(w, "a").await;
    let watch = watch(w, &[("timeoutSeconds", "1")]).await;
    assert_eq!(watch.rest().await.len(), 1);
}

async fn k17_a_missing_namespace_is_quiet(w: &World) {
    let watch = w.watch("/api/v1/namespaces/conf-missing/secrets?watch=1&timeoutSeconds=1").await;
    assert_eq!((watch.code, watch.rest().await), (200, vec![]));
}

async fn k17b_all_watchers_see_the_same(w: &World) {
    let since = now(w).await;
    let query = [("resourceVersion", since.as_str())];
    let mut watches = Vec::new();
    for _ in 0..3 {
        watches.push(watch(w, &query).await);
    }
    for name in ["x", "y", "z"] {
        make(w, name).await;
    }
    remove(w, "y").await;
    let mut seen = Vec::new();
    for watch in &mut watches {
        let mut events = Vec::new();
        for _ in 0..4 {
            events.push(watch.next().await.expect("an event"));
        }
        seen.push(events);
    }
    assert!(seen[0].is_sorted_by_key(|event| number(&event["object"])), "{:?}", seen[0]);
    assert!(seen[0] == seen[1] && seen[1] == seen[2], "{seen:?}");
}

async fn k17c_a_namespace_hides_the_others(w: &World) {
    let mut watch = watch(w, &[]).await;
    let other = w.name("other");
    w.post("/api/v1/namespaces", &json!({"metadata": {"name": other}})).await.made();
    let hidden = w.post(&format!("/api/v1/namespaces/{other}/secrets"), &secret("hidden")).await.made();
    make(w, "x").await;
    watch.expect_of("ADDED", "x").await;
    let mut all =
        w.watch(&with("/api/v1/secrets", &[("watch", "1"), ("fieldSelector", &format!("metadata.namespace={other}"))])).await;
    assert_eq!(all.expect("ADDED").await, hidden);
}

async fn k18_yaml_cannot_be_watched(w: &World) {
    let path = format!("{}?watch=1", w.core("secrets").await);
    let reply = w.get(&path).accept("application/yaml").await;
    let message = "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
    // A line of YAML may be broken anywhere.
    let text = reply.text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!((reply.code, reply.header("content-type")), (406, "application/yaml"), "{}", reply.text());
    assert!(text.contains(message), "{text}");
}

async fn k18b_protobuf_can_be_watched(w: &World) {
    make(w, "x").await;
    let path = format!("{}?watch=1&timeoutSeconds=1", w.core("secrets").await);
    let reply = w.get(&path).accept("application/vnd.kubernetes.protobuf").await;
    if w.is_exception() {
        let reply_json = w.get(&path).accept("application/vnd.kubernetes.protobuf,application/json").await;
        return assert_eq!((reply.code, reply_json.code), (406, 200));
    }
    assert_eq!((reply.code, reply.header("content-type")), (200, "application/vnd.kubernetes.protobuf;stream=watch"));
    // Four bytes of length, then the event: a type (field 1) and an object with an envelope of its own.
    let length = u32::from_be_bytes(reply.body[..4].try_into().expect("four bytes"));
    assert_eq!(length as usize, reply.body.len() - 4);
    assert_eq!(&reply.body[4..11], b"\x0a\x05ADDED");
    assert!(reply.body.windows(4).any(|bytes| bytes == b"k8s\0"), "{reply:?}");
}

async fn k20_every_kind_can_be_watched(w: &World) {
    let (name, namespace) = (w.name(""), w.namespace().await);
    let cases = [
        (w.core("configmaps").await, config_map(&name)),
        (w.core("persistentvolumeclaims").await, claim(&name)),
        (w.core("pods").await, pod(&name)),
        (w.core("events").await, event(&name, namespace)),
        (w.core("serviceaccounts").await, json!({"metadata": {"name": name}})),
        (w.group(LEASES, "leases").await, lease(&name)),
        ("/api/v1/persistentvolumes".to_owned(), volume(&name)),
        ("/api/v1/nodes".to_owned(), node(&name)),
        (format!("{STORAGE}/storageclasses"), storage_class(&name)),
        (format!("{STORAGE}/volumeattachments"), attachment(&name)),
        (format!("{STORAGE}/volumeattributesclasses"), attributes_class(&name)),
        (format!("{STORAGE}/csidrivers"), csi_driver(&name)),
        (format!("{STORAGE}/csinodes"), csi_node(&name)),
    ];
    for (collection, body) in cases {
        let selector = format!("metadata.name={name}");
        let mut watch = w.watch(&with(&collection, &[("watch", "1"), ("fieldSelector", &selector)])).await;
        let made = w.post(&collection, &body).await.made();
        assert_eq!(watch.expect("ADDED").await, made, "{collection}");
    }
}
