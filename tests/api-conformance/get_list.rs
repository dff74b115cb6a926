//! Reading: one object, lists, selectors, pages, and lists of some version.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    e1_a_missing_object_is_not_found,
    e1b_a_missing_object_of_a_group_names_its_group,
    e1c_names_are_not_checked_where_they_are_read,
    e2_a_list_has_its_kind_and_a_version,
    e2b_items_of_built_in_kinds_do_not_repeat_their_kind,
    e3_items_stand_in_the_order_of_their_names_bytes,
    e3b_items_of_all_namespaces_stand_in_the_order_of_their_keys,
    e3c_the_version_of_a_list_is_the_stores,
    e4_label_selectors_select,
    e4b_not_equal_matches_what_has_no_such_label,
    e4c_an_empty_set_matches_the_empty_value,
    e4d_a_label_selector_that_does_not_parse_is_refused,
    e4e_a_label_selector_with_a_bad_value_is_refused,
    e5_field_selectors_know_equal_and_not_equal,
    e5b_a_field_selector_that_does_not_parse_is_refused,
    e5c_no_name_matches_nothing,
    e6_the_name_can_be_selected_in_every_kind,
    e6b_the_namespace_can_be_selected_in_plain_kinds,
    e6c_nodes_do_not_know_the_field_namespace,
    e7_fields_that_a_plain_kind_does_not_know_are_refused,
    e7b_fields_that_another_kind_does_not_know_are_refused,
    e8_volumes_and_claims_cannot_be_selected_by_state,
    e9_pods_can_be_selected_by_node_phase_and_policy,
    e9b_secrets_can_be_selected_by_type,
    e9c_nodes_can_be_selected_by_whether_they_take_pods,
    e9d_namespaces_can_be_selected_by_phase,
    e10_events_can_be_selected_by_what_they_are_about,
    e10b_new_events_have_other_fields,
    e12_a_list_comes_in_pages,
    e12b_a_selected_page_does_not_say_how_many_are_left,
    e12c_a_negative_limit_is_none,
    e12d_a_limit_that_is_no_number_is_refused,
    e12e_a_selected_page_is_filled_up,
    e13_later_pages_are_of_the_first_ones_version,
    e13b_pages_go_through_all_namespaces,
    e14_without_a_limit_the_whole_rest_comes,
    e14b_another_selector_may_go_on,
    e15_a_page_has_the_version_of_its_token,
    e15b_version_zero_goes_on_and_ignores_the_limit,
    e16_a_token_that_is_none_is_refused,
    e17_a_token_of_a_forgotten_version_is_expired_and_replaced,
    e18_version_zero_ignores_the_limit,
    e18b_a_past_version_means_at_least_that,
    e18c_a_past_version_with_a_limit_means_exactly_that,
    e18d_a_forgotten_version_is_expired,
    e19_exactly_a_version_can_be_listed,
    e19b_not_older_than_a_version_is_the_present,
    e19c_exactly_zero_is_refused,
    e19d_a_match_needs_a_version,
    e19e_an_unknown_match_is_refused,
    e20_a_version_that_is_no_number_is_refused,
    e20b_a_version_that_is_no_number_is_an_error_for_one_object,
    e21_a_version_to_come_times_out,
    e21b_a_version_to_come_times_out_for_one_object,
    e22_a_list_sends_no_initial_events,
    e22b_a_list_ignores_how_long_it_may_take,
}

async fn e1_a_missing_object_is_not_found(w: &World) {
    for plural in ["persistentvolumeclaims", "configmaps", "pods", "secrets", "serviceaccounts", "events"] {
        w.get(&format!("{}/nope", w.core(plural).await)).await.missing(plural, "nope");
    }
    w.get("/api/v1/namespaces/conf-missing").await.missing("namespaces", "conf-missing");
    w.get("/api/v1/namespaces/conf-missing/pods/nope").await.missing("pods", "nope");
}

async fn e1b_a_missing_object_of_a_group_names_its_group(w: &World) {
    w.get(&format!("{STORAGE}/storageclasses/nope")).await.missing("storageclasses.storage.k8s.io", "nope");
    w.get(&format!("{}/nope", w.group(LEASES, "leases").await)).await.missing("leases.coordination.k8s.io", "nope");
    w.get(&format!("{STORAGE}/volumeattachments/nope/status")).await.missing("volumeattachments.storage.k8s.io", "nope");
}

async fn e1c_names_are_not_checked_where_they_are_read(w: &World) {
    w.get(&format!("{}/Bad_Name", w.core("configmaps").await)).await.missing("configmaps", "Bad_Name");
}

async fn e2_a_list_has_its_kind_and_a_version(w: &World) {
    let list = w.get(&w.core("persistentvolumeclaims").await).await.ok();
    let expected = json!({
        "kind": "PersistentVolumeClaimList", "apiVersion": "v1", "metadata": {"resourceVersion": version(&list)}, "items": [],
    });
    assert_eq!(list, expected);
    let list = w.get(&w.group(LEASES, "leases").await).await.ok();
    includes(&list, &json!({"kind": "LeaseList", "apiVersion": "coordination.k8s.io/v1", "items": []}));
}

async fn e2b_items_of_built_in_kinds_do_not_repeat_their_kind(w: &World) {
    let (path, made) = w.config_map("x").await;
    let list = w.get(&with(&w.core("configmaps").await, &[("fieldSelector", "metadata.name=x")])).await.ok();
    let mut expected = w.get(&path).await.ok();
    assert_eq!(expected, made);
    let fields = expected.as_object_mut().expect("an object");
    assert_eq!((fields.remove("kind"), fields.remove("apiVersion")), (Some(json!("ConfigMap")), Some(json!("v1"))));
    assert_eq!(list["items"], json!([expected]));
}

/// Secrets with these names, because nobody else makes any.
async fn secrets(w: &World, names: &[&str]) -> String {
    let collection = w.core("secrets").await;
    for name in names {
        w.post(&collection, &secret(name)).await.made();
    }
    collection
}

async fn e3_items_stand_in_the_order_of_their_names_bytes(w: &World) {
    let collection = secrets(w, &["b", "a.b", "a-b", "ab", "a", "a0", "10", "9"]).await;
    let list = w.get(&collection).await.ok();
    assert_eq!(names(&list), ["10", "9", "a", "a-b", "a.b", "a0", "ab", "b"]);
}

/// Secrets in two namespaces, all with a label of this behaviour, and what lists them. The second namespace is the first one's
/// name with `-2` behind it, but its keys come first: `x-2/` before `x/`.
async fn two_namespaces(w: &World) -> (String, String, String) {
    let (first, second) = (w.namespace().await.to_owned(), w.name("2"));
    w.post("/api/v1/namespaces", &json!({"metadata": {"name": second}})).await.made();
    for (namespace, name) in [(&second, "a"), (&first, "b"), (&first, "a"), (&second, "c")] {
        let mut body = secret(name);
        body["metadata"]["labels"] = json!({"conf": first});
        w.post(&format!("/api/v1/namespaces/{namespace}/secrets"), &body).await.made();
    }
    let all = with("/api/v1/secrets", &[("labelSelector", &format!("conf={first}"))]);
    (first, second, all)
}

fn places(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let items = list["items"].as_array().expect("items").iter();
    items.map(|item| (text(&item["metadata"]["namespace"]), text(&item["metadata"]["name"]))).collect()
}

async fn e3b_items_of_all_namespaces_stand_in_the_order_of_their_keys(w: &World) {
    let (first, second, all) = two_namespaces(w).await;
    let expected = [(&second, "a"), (&second, "c"), (&first, "a"), (&first, "b")];
    let expected = expected.map(|(namespace, name)| (namespace.clone(), name.to_owned()));
    assert_eq!(places(&w.get(&all).await.ok()), expected);
}

fn number(version: &str) -> u64 {
    version.parse().unwrap_or_else(|error| panic!("the version {version}: {error}"))
}

async fn e3c_the_version_of_a_list_is_the_stores(w: &World) {
    let collection = secrets(w, &["x"]).await;
    let (_, later) = w.config_map("later").await;
    let list = w.get(&collection).await.ok();
    assert!(number(version(&list)) >= number(version(&later)), "{list} is older than {later}");
    assert!(number(version(&list)) > number(version(&list["items"][0])), "{list}");
}

/// Secrets with these labels.
async fn labelled(w: &World, objects: &[(&str, Value)]) -> String {
    let collection = w.core("secrets").await;
    for (name, labels) in objects {
        let mut body = secret(name);
        body["metadata"]["labels"] = labels.clone();
        w.post(&collection, &body).await.made();
    }
    collection
}

async fn selects(w: &World, collection: &str, parameter: &str, cases: &[(&str, &[&str])]) {
    for (selector, expected) in cases {
        let list = w.get(&with(collection, &[(parameter, selector)])).await.ok();
        assert_eq!(names(&list), *expected, "{parameter}={selector}");
    }
}

async fn e4_label_selectors_select(w: &World) {
    let objects = [
        ("none", json!({})),
        ("one", json!({"a": "1", "b": "x"})),
        ("two", json!({"a": "2"})),
        ("three", json!({"a": "3", "b": "x"})),
    ];
    let collection = labelled(w, &objects).await;
    let cases: &[(&str, &[&str])] = &[
        ("a=1", &["one"]),
        ("a==1", &["one"]),
        ("a", &["one", "three", "two"]),
        ("!a", &["none"]),
        ("a in (1,2)", &["one", "two"]),
        ("a in (1, 2),b", &["one"]),
        ("a>1", &["three", "two"]),
        ("a<3", &["one", "two"]),
        ("b=x,a!=1", &["three"]),
        ("a=9", &[]),
        ("", &["none", "one", "three", "two"]),
    ];
    selects(w, &collection, "labelSelector", cases).await;
}

async fn e4b_not_equal_matches_what_has_no_such_label(w: &World) {
    let collection = labelled(w, &[("none", json!({})), ("one", json!({"a": "1"})), ("two", json!({"a": "2"}))]).await;
    selects(w, &collection, "labelSelector", &[("a!=1", &["none", "two"]), ("a notin (1,2)", &["none"])]).await;
}

async fn e4c_an_empty_set_matches_the_empty_value(w: &World) {
    let collection = labelled(w, &[("none", json!({})), ("empty", json!({"a": ""})), ("one", json!({"a": "1"}))]).await;
    selects(w, &collection, "labelSelector", &[("a in ()", &["empty"]), ("a=", &["empty"]), ("a in (,1)", &["empty", "one"])])
        .await;
}

async fn e4d_a_label_selector_that_does_not_parse_is_refused(w: &World) {
    let collection = w.core("configmaps").await;
    let cases = [
        ("x y", "unable to parse requirement: found 'y', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in x", "unable to parse requirement: found 'x' expected: '('"),
        ("a===1", "unable to parse requirement: found '=', expected: identifier"),
        ("=1", "found '=', expected: !, identifier, or 'end of string'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
    ];
    for (selector, message) in cases {
        w.get(&with(&collection, &[("labelSelector", selector)])).await.bad_request(message);
    }
}

async fn e4e_a_label_selector_with_a_bad_value_is_refused(w: &World) {
    let reply = w.get(&with(&w.core("configmaps").await, &[("labelSelector", "a=_")])).await;
    reply.bad_request("unable to parse requirement: values[0][a]: Invalid value: \"_\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')");
}

async fn e5_field_selectors_know_equal_and_not_equal(w: &World) {
    let collection = secrets(w, &["a", "b", "c"]).await;
    let cases: &[(&str, &[&str])] = &[
        ("metadata.name=a", &["a"]),
        ("metadata.name==a", &["a"]),
        ("metadata.name!=a", &["b", "c"]),
        ("metadata.name!=a,metadata.name!=b", &["c"]),
        ("metadata.name=a,metadata.name=b", &[]),
    ];
    selects(w, &collection, "fieldSelector", cases).await;
}

async fn e5b_a_field_selector_that_does_not_parse_is_refused(w: &World) {
    let reply = w.get(&with(&w.core("configmaps").await, &[("fieldSelector", "foo")])).await;
    reply.bad_request("invalid selector: 'foo'; can't understand 'foo'");
}

async fn e5c_no_name_matches_nothing(w: &World) {
    let collection = secrets(w, &["a"]).await;
    selects(w, &collection, "fieldSelector", &[("metadata.name=", &[])]).await;
}

/// The kinds that can be selected by name and namespace only.
const PLAIN: &[&str] = &[
    "/api/v1/configmaps",
    "/api/v1/persistentvolumeclaims",
    "/api/v1/persistentvolumes",
    "/api/v1/serviceaccounts",
    "/apis/storage.k8s.io/v1/storageclasses",
    "/apis/storage.k8s.io/v1/csidrivers",
    "/apis/storage.k8s.io/v1/csinodes",
    "/apis/storage.k8s.io/v1/csistoragecapacities",
    "/apis/storage.k8s.io/v1/volumeattachments",
    "/apis/storage.k8s.io/v1/volumeattributesclasses",
    "/apis/coordination.k8s.io/v1/leases",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
];
const OTHERS: &[&str] = &[
    "/api/v1/pods",
    "/api/v1/nodes",
    "/api/v1/namespaces",
    "/api/v1/secrets",
    "/api/v1/events",
    "/apis/events.k8s.io/v1/events",
];

async fn e6_the_name_can_be_selected_in_every_kind(w: &World) {
    for collection in PLAIN.iter().chain(OTHERS) {
        let list = w.get(&with(collection, &[("fieldSelector", "metadata.name=conf-nobody")])).await.ok();
        assert_eq!(list["items"], json!([]), "{collection}");
    }
    let name = w.namespace().await;
    let list = w.get(&with("/api/v1/namespaces", &[("fieldSelector", &format!("metadata.name={name}"))])).await.ok();
    assert_eq!(names(&list), [name]);
}

async fn e6b_the_namespace_can_be_selected_in_plain_kinds(w: &World) {
    for collection in PLAIN {
        let list = w.get(&with(collection, &[("fieldSelector", "metadata.namespace=conf-nowhere")])).await.ok();
        assert_eq!(list["items"], json!([]), "{collection}");
    }
    let name = w.name("");
    w.post(&format!("{STORAGE}/storageclasses"), &storage_class(&name)).await.made();
    let selector = format!("metadata.namespace=,metadata.name={name}");
    let list = w.get(&with(&format!("{STORAGE}/storageclasses"), &[("fieldSelector", &selector)])).await.ok();
    assert_eq!(names(&list), [name]);
}

async fn e6c_nodes_do_not_know_the_field_namespace(w: &World) {
    let reply = w.get(&with("/api/v1/nodes", &[("fieldSelector", "metadata.namespace=a")])).await;
    reply.bad_request("field label not supported: metadata.namespace");
}

async fn e7_fields_that_a_plain_kind_does_not_know_are_refused(w: &World) {
    for collection in PLAIN {
        let reply = w.get(&with(collection, &[("fieldSelector", "spec.volumeName=a")])).await;
        reply.bad_request("\"spec.volumeName\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
    }
}

async fn e7b_fields_that_another_kind_does_not_know_are_refused(w: &World) {
    for collection in OTHERS {
        let reply = w.get(&with(collection, &[("fieldSelector", "spec.priority=a")])).await;
        reply.bad_request("field label not supported: spec.priority");
    }
}

async fn e8_volumes_and_claims_cannot_be_selected_by_state(w: &World) {
    let cases = [
        ("/api/v1/persistentvolumes", "status.phase"),
        ("/api/v1/persistentvolumeclaims", "status.phase"),
        ("/apis/storage.k8s.io/v1/volumeattachments", "spec.nodeName"),
        ("/apis/storage.k8s.io/v1/volumeattachments", "spec.attacher"),
    ];
    for (collection, field) in cases {
        let reply = w.get(&with(collection, &[("fieldSelector", &format!("{field}=a"))])).await;
        reply.bad_request(&format!("\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""));
    }
}

async fn e9_pods_can_be_selected_by_node_phase_and_policy(w: &World) {
    let collection = w.core("pods").await;
    w.post(&collection, &pod("free")).await.made();
    let mut body = pod_on_node("placed");
    body["spec"]["restartPolicy"] = "Never".into();
    w.post(&collection, &body).await.made();
    w.merge(&format!("{collection}/placed/status"), &json!({"status": {"phase": "Running", "podIP": "10.9.8.7"}})).await.ok();
    let cases: &[(&str, &[&str])] = &[
        ("spec.nodeName=conf-nowhere", &["placed"]),
        ("spec.nodeName=", &["free"]),
        ("spec.nodeName!=", &["placed"]),
        ("spec.restartPolicy=Always", &["free"]),
        ("spec.schedulerName=nobody", &["free", "placed"]),
        ("spec.serviceAccountName=other", &[]),
        ("spec.hostNetwork=false", &["free", "placed"]),
        ("status.phase=Pending", &["free"]),
        ("status.phase!=Pending", &["placed"]),
        ("status.podIP=10.9.8.7", &["placed"]),
        ("status.nominatedNodeName=", &["free", "placed"]),
        ("status.phase=Running,spec.restartPolicy=Never", &["placed"]),
    ];
    selects(w, &collection, "fieldSelector", cases).await;
}

async fn e9b_secrets_can_be_selected_by_type(w: &World) {
    let collection = secrets(w, &["plain"]).await;
    w.post(&collection, &json!({"metadata": {"name": "own"}, "type": "conf.example/own"})).await.made();
    selects(w, &collection, "fieldSelector", &[("type=Opaque", &["plain"]), ("type!=Opaque", &["own"])]).await;
}

async fn e9c_nodes_can_be_selected_by_whether_they_take_pods(w: &World) {
    let (open, closed) = (w.name("open"), w.name("closed"));
    let labels = json!({"conf": w.name("")});
    w.post("/api/v1/nodes", &json!({"metadata": {"name": open, "labels": labels}})).await.made();
    let body = json!({"metadata": {"name": closed, "labels": labels}, "spec": {"unschedulable": true}});
    w.post("/api/v1/nodes", &body).await.made();
    let ours = with("/api/v1/nodes", &[("labelSelector", &format!("conf={}", w.name("")))]);
    selects(w, &ours, "fieldSelector", &[("spec.unschedulable=true", &[&closed]), ("spec.unschedulable=false", &[&open])]).await;
}

async fn e9d_namespaces_can_be_selected_by_phase(w: &World) {
    let name = w.namespace().await;
    let ours = with("/api/v1/namespaces", &[("labelSelector", &format!("kubernetes.io/metadata.name={name}"))]);
    selects(w, &ours, "fieldSelector", &[("status.phase=Active", &[name]), ("status.phase=Terminating", &[])]).await;
    let reply = w.get(&with("/api/v1/namespaces", &[("fieldSelector", "name=x")])).await;
    reply.bad_request("field label not supported: name");
}

async fn e10_events_can_be_selected_by_what_they_are_about(w: &World) {
    let collection = w.core("events").await;
    let mut other = event("other", w.namespace().await);
    other["involvedObject"]["name"] = "p2".into();
    other["type"] = "Warning".into();
    other["source"] = json!({"component": "conf"});
    w.post(&collection, &event("one", w.namespace().await)).await.made();
    w.post(&collection, &other).await.made();
    let cases: &[(&str, &[&str])] = &[
        ("involvedObject.name=p1", &["one"]),
        ("involvedObject.kind=PersistentVolumeClaim", &["one", "other"]),
        ("involvedObject.uid=u1,involvedObject.name=p2", &["other"]),
        ("involvedObject.apiVersion=v2", &[]),
        ("reason=Provisioning", &["one", "other"]),
        ("type=Warning", &["other"]),
        ("source=conf", &["other"]),
    ];
    selects(w, &collection, "fieldSelector", cases).await;
    let reply = w.get(&with(&collection, &[("fieldSelector", "regarding.name=p1")])).await;
    reply.bad_request("field label not supported: regarding.name");
}

async fn e10b_new_events_have_other_fields(w: &World) {
    w.post(&w.core("events").await, &event("one", w.namespace().await)).await.made();
    let collection = w.group("events.k8s.io/v1", "events").await;
    let cases: &[(&str, &[&str])] =
        &[("regarding.name=p1", &["one"]), ("regarding.kind=Pod", &[]), ("reason=Provisioning,type=Normal", &["one"])];
    selects(w, &collection, "fieldSelector", cases).await;
    let reply = w.get(&with(&collection, &[("fieldSelector", "involvedObject.name=p1")])).await;
    reply.bad_request("field label not supported: involvedObject.name");
}

async fn five(w: &World) -> String {
    secrets(w, &["a", "b", "c", "d", "e"]).await
}

/// Where the next page begins.
#[track_caller]
fn token(list: &Value) -> &str {
    list["metadata"]["continue"].as_str().unwrap_or_else(|| panic!("no next page in {list}"))
}

async fn next(w: &World, collection: &str, list: &Value, limit: &str) -> Value {
    w.get(&with(collection, &[("limit", limit), ("continue", token(list))])).await.ok()
}

async fn e12_a_list_comes_in_pages(w: &World) {
    let _history = w.site.history.read().await;
    let collection = five(w).await;
    let first = w.get(&format!("{collection}?limit=2")).await.ok();
    assert_eq!((names(&first), &first["metadata"]["remainingItemCount"]), (vec!["a", "b"], &json!(3)));
    let second = next(w, &collection, &first, "2").await;
    assert_eq!((names(&second), &second["metadata"]["remainingItemCount"]), (vec!["c", "d"], &json!(1)));
    let third = next(w, &collection, &second, "2").await;
    assert_eq!(names(&third), ["e"]);
    assert_eq!(third["metadata"], json!({"resourceVersion": version(&first)}));
    let all = w.get(&format!("{collection}?limit=5")).await.ok();
    assert_eq!((names(&all).len(), all["metadata"].get("continue")), (5, None));
}

async fn e12b_a_selected_page_does_not_say_how_many_are_left(w: &World) {
    let collection = five(w).await;
    for selector in [("labelSelector", "!x"), ("fieldSelector", "metadata.name!=x")] {
        let first = w.get(&with(&collection, &[("limit", "2"), selector])).await.ok();
        assert_eq!((names(&first), first["metadata"].get("remainingItemCount")), (vec!["a", "b"], None));
        token(&first);
    }
}

async fn e12c_a_negative_limit_is_none(w: &World) {
    let collection = five(w).await;
    for limit in ["-1", "0"] {
        let list = w.get(&format!("{collection}?limit={limit}")).await.ok();
        assert_eq!((names(&list).len(), list["metadata"].get("continue")), (5, None));
    }
}

async fn e12d_a_limit_that_is_no_number_is_refused(w: &World) {
    let reply = w.get(&format!("{}?limit=x", w.core("configmaps").await)).await;
    reply.bad_request("strconv.ParseInt: parsing \"x\": invalid syntax");
}

async fn e12e_a_selected_page_is_filled_up(w: &World) {
    let _history = w.site.history.read().await;
    let collection = five(w).await;
    let selector = ("fieldSelector", "metadata.name!=b");
    let first = w.get(&with(&collection, &[("limit", "3"), selector])).await.ok();
    assert_eq!(names(&first), ["a", "c", "d"]);
    let rest = w.get(&with(&collection, &[("continue", token(&first)), selector])).await.ok();
    assert_eq!(names(&rest), ["e"]);
}

async fn e13_later_pages_are_of_the_first_ones_version(w: &World) {
    let _history = w.site.history.read().await;
    let collection = five(w).await;
    let first = w.get(&format!("{collection}?limit=2")).await.ok();
    w.delete(&format!("{collection}/c")).await.ok();
    w.post(&collection, &secret("cc")).await.made();
    w.merge(&format!("{collection}/d"), &json!({"metadata": {"labels": {"late": "yes"}}})).await.ok();
    let rest = next(w, &collection, &first, "9").await;
    assert_eq!((names(&rest), version(&rest)), (vec!["c", "d", "e"], version(&first)));
    assert_eq!(rest["items"][1]["metadata"].get("labels"), None);
    assert_eq!(names(&w.get(&collection).await.ok()), ["a", "b", "cc", "d", "e"]);
}

async fn e13b_pages_go_through_all_namespaces(w: &World) {
    let _history = w.site.history.read().await;
    let (first, second, all) = two_namespaces(w).await;
    let page = w.get(&with(&all, &[("limit", "3")])).await.ok();
    let place = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
    assert_eq!(places(&page), [place(&second, "a"), place(&second, "c"), place(&first, "a")]);
    assert_eq!(places(&next(w, &all, &page, "3").await), [place(&first, "b")]);
}

async fn e14_without_a_limit_the_whole_rest_comes(w: &World) {
    let _history = w.site.history.read().await;
    let collection = five(w).await;
    let first = w.get(&format!("{collection}?limit=1")).await.ok();
    let rest = w.get(&with(&collection, &[("continue", token(&first))])).await.ok();
    assert_eq!(names(&rest), ["b", "c", "d", "e"]);
}

async fn e14b_another_selector_may_go_on(w: &World) {
    let _history = w.site.history.read().await;
    let collection = five(w).await;
    let first = w.get(&format!("{collection}?limit=1")).await.ok();
    let rest = w.get(&with(&collection, &[("continue", token(&first)), ("fieldSelector", "metadata.name!=c")])).await.ok();
    assert_eq!(names(&rest), ["b", "d", "e"]);
}

async fn e15_a_page_has_the_version_of_its_token(w: &World) {
    let collection = five(w).await;
    let first = w.get(&format!("{collection}?limit=1")).await.ok();
    let reply = w.get(&with(&collection, &[("continue", token(&first)), ("resourceVersion", version(&first))])).await;
    reply.bad_request("specifying resource version is not allowed when using continue");
}

async fn e15b_version_zero_goes_on_and_ignores_the_limit(w: &World) {
    let _history = w.site.history.read().await;
    let collection = five(w).await;
    let first = w.get(&format!("{collection}?limit=1")).await.ok();
    let query = [("continue", token(&first)), ("resourceVersion", "0"), ("limit", "2")];
    let rest = w.get(&with(&collection, &query)).await.ok();
    assert_eq!(names(&rest), ["b", "c", "d", "e"]);
}

async fn e16_a_token_that_is_none_is_refused(w: &World) {
    let collection = w.core("configmaps").await;
    // The last two are `hello` and `{"v":"x"}`.
    let cases = [
        ("*", "illegal base64 data at input byte 0"),
        ("aGVsbG8", "invalid character 'h' looking for beginning of value"),
        ("eyJ2IjoieCJ9", "server does not recognize this encoded version x"),
    ];
    for (token, why) in cases {
        let reply = w.get(&with(&collection, &[("continue", token)])).await;
        reply.bad_request(&format!("invalid continue token: continue key is not valid: {why}"));
    }
}

/// What is answered when a version has been forgotten, which caches notice in their own time.
async fn expired(w: &World, path: &str) -> Reply {
    eventually("410", async || Some(w.get(path).await).filter(|reply| reply.code == 410)).await
}

const EXPIRED_TOKEN: &str = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

async fn e17_a_token_of_a_forgotten_version_is_expired_and_replaced(w: &World) {
    let collection = five(w).await;
    let first = w.get(&format!("{collection}?limit=2")).await.ok();
    w.delete(&format!("{collection}/c")).await.ok();
    let path = with(&collection, &[("continue", token(&first))]);
    let _history = w.site.forget_history().await;
    let reply = expired(w, &path).await;
    let mut found = reply.json();
    let fresh = found["metadata"]["continue"].as_str().expect("a fresh token").to_owned();
    found["metadata"] = json!({});
    let expected = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": EXPIRED_TOKEN, "reason": "Expired",
        "code": 410,
    });
    assert_eq!((reply.code, found), (410, expected));
    let rest = w.get(&with(&collection, &[("continue", &fresh)])).await.ok();
    assert_eq!(names(&rest), ["d", "e"]);
}

async fn e18_version_zero_ignores_the_limit(w: &World) {
    let collection = five(w).await;
    let path = with(&collection, &[("resourceVersion", "0"), ("limit", "2")]);
    // From a cache, which may be a moment behind.
    let list = eventually("five secrets in the cache", async || {
        let list = w.get(&path).await.ok();
        (names(&list).len() == 5).then_some(list)
    });
    assert_eq!(list.await["metadata"].get("continue"), None);
}

async fn e18b_a_past_version_means_at_least_that(w: &World) {
    let collection = w.core("secrets").await;
    let made = w.post(&collection, &secret("a")).await.made();
    w.post(&collection, &secret("b")).await.made();
    for past in ["1", version(&made)] {
        let path = with(&collection, &[("resourceVersion", past)]);
        eventually("both secrets", async || (names(&w.get(&path).await.ok()) == ["a", "b"]).then_some(())).await;
    }
}

async fn e18c_a_past_version_with_a_limit_means_exactly_that(w: &World) {
    let _history = w.site.history.read().await;
    let collection = w.core("secrets").await;
    let made = w.post(&collection, &secret("a")).await.made();
    w.post(&collection, &secret("b")).await.made();
    let list = w.get(&with(&collection, &[("resourceVersion", version(&made)), ("limit", "9")])).await.ok();
    assert_eq!((names(&list), version(&list)), (vec!["a"], version(&made)));
}

async fn e18d_a_forgotten_version_is_expired(w: &World) {
    let collection = w.core("secrets").await;
    let made = w.post(&collection, &secret("a")).await.made();
    w.post(&collection, &secret("b")).await.made();
    let _history = w.site.forget_history().await;
    let past = ("resourceVersion", version(&made));
    for query in [[past, ("limit", "9")], [past, ("resourceVersionMatch", "Exact")]] {
        let reply = expired(w, &with(&collection, &query)).await;
        let details = reply.refused(410, "Expired", "The resourceVersion for the provided list is too old.");
        assert_eq!(details, Value::Null);
    }
    assert_eq!(names(&w.get(&with(&collection, &[past])).await.ok()), ["a", "b"]);
}

async fn e19_exactly_a_version_can_be_listed(w: &World) {
    let _history = w.site.history.read().await;
    let collection = w.core("secrets").await;
    let made = w.post(&collection, &secret("a")).await.made();
    w.merge(&format!("{collection}/a"), &json!({"metadata": {"labels": {"late": "yes"}}})).await.ok();
    w.post(&collection, &secret("b")).await.made();
    let query = [("resourceVersion", version(&made)), ("resourceVersionMatch", "Exact")];
    let list = w.get(&with(&collection, &query)).await.ok();
    assert_eq!((names(&list), version(&list)), (vec!["a"], version(&made)));
    assert_eq!(list["items"][0]["metadata"].get("labels"), None);
}

async fn e19b_not_older_than_a_version_is_the_present(w: &World) {
    let collection = w.core("secrets").await;
    w.post(&collection, &secret("a")).await.made();
    let made = w.post(&collection, &secret("b")).await.made();
    let query = [("resourceVersion", version(&made)), ("resourceVersionMatch", "NotOlderThan")];
    let list = w.get(&with(&collection, &query)).await.ok();
    assert_eq!(names(&list), ["a", "b"]);
    assert!(number(version(&list)) >= number(version(&made)), "{list}");
}

async fn refused_options(w: &World, query: &[(&str, &str)], error: (&str, &str, &str)) {
    let reply = w.get(&with(&w.core("configmaps").await, query)).await;
    reply.invalid("ListOptions.meta.k8s.io", "", &[error]);
}

async fn e19c_exactly_zero_is_refused(w: &World) {
    let message = "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
    let query = [("resourceVersionMatch", "Exact"), ("resourceVersion", "0")];
    refused_options(w, &query, ("resourceVersionMatch", "Forbidden", message)).await;
}

async fn e19d_a_match_needs_a_version(w: &World) {
    let message = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";
    for kind in ["Exact", "NotOlderThan"] {
        refused_options(w, &[("resourceVersionMatch", kind)], ("resourceVersionMatch", "Forbidden", message)).await;
    }
}

async fn e19e_an_unknown_match_is_refused(w: &World) {
    let message = "Unsupported value: \"Foo\": supported values: \"Exact\", \"NotOlderThan\", \"\"";
    let query = [("resourceVersionMatch", "Foo"), ("resourceVersion", "1")];
    refused_options(w, &query, ("resourceVersionMatch", "NotSupported", message)).await;
}

const NO_NUMBER: &str = "resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax";

async fn e20_a_version_that_is_no_number_is_refused(w: &World) {
    let reply = w.get(&format!("{}?resourceVersion=abc", w.core("configmaps").await)).await;
    reply.bad_request(&format!("invalid resource version: {NO_NUMBER}"));
}

async fn e20b_a_version_that_is_no_number_is_an_error_for_one_object(w: &World) {
    let (path, _) = w.config_map("x").await;
    let details = w.get(&format!("{path}?resourceVersion=abc")).await.refused(500, "", NO_NUMBER);
    assert_eq!(details, Value::Null);
}

const FUTURE: &str = "900000000000";

#[track_caller]
fn times_out(reply: &Reply) {
    let details = reply.refused_with(504, "Timeout", &[&format!("Timeout: Too large resource version: {FUTURE}, current: ")]);
    let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
    assert_eq!(details, json!({"causes": [cause], "retryAfterSeconds": 1}));
    assert_eq!(reply.header("retry-after"), "1");
}

async fn e21_a_version_to_come_times_out(w: &World) {
    let collection = w.core("configmaps").await;
    times_out(&w.get(&with(&collection, &[("resourceVersion", FUTURE)])).await);
    times_out(&w.get(&with(&collection, &[("resourceVersion", FUTURE), ("resourceVersionMatch", "Exact")])).await);
}

async fn e21b_a_version_to_come_times_out_for_one_object(w: &World) {
    let (path, _) = w.config_map("x").await;
    times_out(&w.get(&with(&path, &[("resourceVersion", FUTURE)])).await);
}

async fn e22_a_list_sends_no_initial_events(w: &World) {
    let message = "Forbidden: sendInitialEvents is forbidden for list";
    refused_options(w, &[("sendInitialEvents", "true")], ("sendInitialEvents", "Forbidden", message)).await;
}

async fn e22b_a_list_ignores_how_long_it_may_take(w: &World) {
    let collection = five(w).await;
    let list = w.get(&format!("{collection}?timeoutSeconds=1")).await.ok();
    assert_eq!(names(&list).len(), 5);
}
