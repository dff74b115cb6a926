use apistore::EventType::{Deleted, Modified};
use apistore::{Answer, DeleteOptions, Preconditions, Propagation, Selection, WriteVerb};
use serde_json::json;

use crate::support::*;

#[test]
fn a_deletion_answers_with_a_status_or_the_object_as_the_kind_does() {
    run(async |api| {
        let made = api.config_map("a", "1").await;
        let Answer::Success(details) = api.delete("configmaps", "n", "a").await.expect("deleted").answer else {
            panic!("an object")
        };
        let wanted = ("a", "", "configmaps", metadata(&made, "uid"));
        assert_eq!((details.name.as_str(), details.group.as_str(), details.kind.as_str(), details.uid.into()), wanted);
        assert_eq!(api.delete("configmaps", "n", "a").await.expect_err("gone").code, 404);
        let class = json!({"metadata": {"name": "c"}, "provisioner": "p.io"});
        let made = api.create("storageclasses", "", class).await.expect("created");
        let last = object(api.delete("storageclasses", "", "c").await.expect("deleted"));
        assert_eq!(version(&last), version(&made) + 1, "the version of the deletion");
        assert!(metadata(&last, "deletionTimestamp").is_null());
    });
}

#[test]
fn finalizers_hold_an_object_and_the_last_one_to_go_ends_it_in_the_same_write() {
    run(async |api| {
        let body = json!({"metadata": {"name": "a", "finalizers": ["x.io/f"]}});
        let made = api.create("configmaps", "n", body).await.expect("created");
        let mut watch = api.watch(Some(version(&made)));
        let going = object(api.delete("configmaps", "n", "a").await.expect("marked"));
        assert_eq!((version(&going), metadata(&going, "deletionGracePeriodSeconds")), (version(&made) + 1, json!(0)));
        assert!(metadata(&going, "deletionTimestamp").is_string());
        let again = object(api.delete("configmaps", "n", "a").await.expect("marked already"));
        assert_eq!(again, going);
        let patch = json!({"metadata": {"finalizers": null, "labels": {"a": "b"}}});
        let ended = api.merge("configmaps", "n", "a", patch).await.expect("ended");
        assert_eq!((version(&ended), metadata(&ended, "labels")), (version(&going), json!({"a": "b"})), "the old version");
        assert_eq!(api.get("configmaps", "n", "a"), None);
        assert_eq!(watch.next().await.expect("an event").kind, Modified);
        let event = watch.next().await.expect("an event");
        let last = event.object.expect("the last state").value();
        assert_eq!((event.kind, version(&last)), (Deleted, version(&going) + 1));
        assert_eq!(metadata(&last, "finalizers"), json!(["x.io/f"]), "the state before");
        assert!(metadata(&last, "labels").is_null());
    });
}

#[test]
fn a_policy_is_a_finalizer_for_the_garbage_collector() {
    run(async |api| {
        api.config_map("a", "1").await;
        let with = async |propagation| {
            let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
            let deleted = api.write("configmaps", "n", "a", WriteVerb::Delete(options)).await.map(object);
            metadata(&deleted.expect("waits"), "finalizers")
        };
        assert_eq!(with(Propagation::Foreground).await, json!(["foregroundDeletion"]));
        assert_eq!(with(Propagation::Orphan).await, json!(["orphan"]));
        assert_eq!(
            api.delete("configmaps", "n", "a").await.map(object).expect("waits")["metadata"]["finalizers"],
            json!(["orphan"])
        );
    });
}

#[test]
fn preconditions_must_hold() {
    run(async |api| {
        let made = api.config_map("a", "1").await;
        let delete = async |preconditions| {
            let options = DeleteOptions { preconditions, ..DeleteOptions::default() };
            api.write("configmaps", "n", "a", WriteVerb::Delete(options)).await
        };
        let uid = metadata(&made, "uid").as_str().expect("a uid").to_owned();
        let refused = delete(Preconditions { uid: Some("x".into()), resource_version: None }).await.expect_err("another");
        let why = format!(
            "Operation cannot be fulfilled on ConfigMap \"a\": the UID in the precondition (x) does not match the UID in record ({uid}). \
             The object might have been deleted and then recreated"
        );
        assert_eq!((refused.code, refused.message), (409, why));
        assert_eq!(refused.details.expect("details").kind, "ConfigMap");
        let refused =
            delete(Preconditions { uid: Some(uid.clone()), resource_version: Some("1".into()) }).await.expect_err("older");
        let why = format!(
            "Operation cannot be fulfilled on ConfigMap \"a\": the ResourceVersion in the precondition (1) does not match the \
             ResourceVersion in record ({}). The object might have been modified",
            version(&made)
        );
        assert_eq!((refused.code, refused.message), (409, why));
        let version = version(&made).to_string();
        delete(Preconditions { uid: Some(uid), resource_version: Some(version) }).await.expect("deleted");
    });
}

#[test]
fn a_dry_run_deletes_nothing() {
    run(async |api| {
        let made = api.config_map("a", "1").await;
        let mut request = Api::request("configmaps", "n", "a", WriteVerb::Delete(DeleteOptions::default()));
        request.options.dry_run = true;
        api.store.write(request).await.expect("as if");
        assert_eq!(api.get("configmaps", "n", "a"), Some(made));
        let class = json!({"metadata": {"name": "c"}, "provisioner": "p.io"});
        let made = api.create("storageclasses", "", class).await.expect("created");
        let shown = api.dry("storageclasses", "", "c", WriteVerb::Delete(DeleteOptions::default())).await.expect("as if");
        assert_eq!(shown, made, "with the version that is there");
    });
}

#[test]
fn a_pod_is_seen_being_deleted_before_it_is_gone() {
    run(async |api| {
        let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
        let made = api.create("pods", "n", pod).await.expect("created");
        let mut watch = api.store.watch(watch("pods", Some(version(&made))));
        let last = object(api.delete("pods", "n", "p").await.expect("deleted"));
        assert_eq!((version(&last), metadata(&last, "deletionGracePeriodSeconds")), (version(&made) + 2, json!(0)));
        assert_eq!(metadata(&last, "deletionTimestamp"), "2026-01-01T00:00:00Z");
        let (modified, deleted) = (watch.next().await.expect("an event"), watch.next().await.expect("an event"));
        assert_eq!((modified.kind, deleted.kind), (Modified, Deleted));
        assert_eq!(metadata(&modified.object.expect("a pod").value(), "deletionTimestamp"), "2026-01-01T00:00:00Z");
    });
}

#[test]
fn a_pod_on_a_node_has_its_grace() {
    run(async |api| {
        let pod = json!({"metadata": {"name": "p"}, "spec": {"nodeName": "here", "containers": [{"name": "c", "image": "i"}]}});
        let made = api.create("pods", "n", pod).await.expect("created");
        let mut watch = api.store.watch(watch("pods", Some(version(&made))));
        let going = object(api.delete("pods", "n", "p").await.expect("marked"));
        assert_eq!(metadata(&going, "deletionGracePeriodSeconds"), 30);
        assert_eq!(metadata(&going, "deletionTimestamp"), "2026-01-01T00:00:30Z");
        let options = DeleteOptions { grace: Some(0), ..DeleteOptions::default() };
        let last = object(api.write("pods", "n", "p", WriteVerb::Delete(options)).await.expect("deleted"));
        assert_eq!((version(&last), metadata(&last, "deletionGracePeriodSeconds")), (version(&going) + 2, json!(0)));
        assert_eq!(metadata(&last, "deletionTimestamp"), "2026-01-01T00:00:00Z");
        let mut kinds = Vec::new();
        for _ in 0..3 {
            kinds.push(watch.next().await.expect("an event").kind);
        }
        assert_eq!(kinds, [Modified, Modified, Deleted]);
    });
}

#[test]
fn a_namespace_goes_when_it_is_finalized() {
    run(async |api| {
        let going = object(api.delete("namespaces", "", "n").await.expect("marked"));
        assert_eq!((&going["status"]["phase"], &going["spec"]["finalizers"]), (&json!("Terminating"), &json!(["kubernetes"])));
        api.update("namespaces", "", "n", json!({"metadata": {"name": "n"}, "spec": {}})).await.expect("changes nothing");
        let body = json!({"metadata": {"name": "n"}, "spec": {"finalizers": []}});
        let mut request = Api::request("namespaces", "", "n", WriteVerb::Update(body));
        request.subresource = api_kinds::Subresource::Finalize;
        let ended = object(api.store.write(request).await.expect("ended"));
        assert_eq!(version(&ended), version(&going), "the old version");
        assert_eq!(api.get("namespaces", "", "n"), None);
    });
}

#[test]
fn a_collection_is_deleted_by_page_and_answers_with_what_was_there() {
    run(async |api| {
        for name in ["a", "b", "c"] {
            api.config_map(name, "1").await;
        }
        api.merge("configmaps", "n", "b", json!({"metadata": {"finalizers": ["x.io/f"]}})).await.expect("held");
        let delete = async |limit| {
            let verb = WriteVerb::DeleteCollection(DeleteOptions::default(), Box::default(), limit);
            match api.write("configmaps", "n", "", verb).await.expect("deleted").answer {
                Answer::List(listing) => listing,
                other => panic!("a list, not {other:?}"),
            }
        };
        let page = delete(Some(1)).await;
        assert_eq!((names(&page), page.remaining, page.resume.is_some()), (vec!["a"], Some(2), true));
        let rest = delete(None).await;
        assert_eq!(names(&rest), ["b", "c"]);
        assert!(rest.items.iter().all(|object| metadata(&object.value(), "deletionTimestamp").is_null()), "as they were");
        assert_eq!(names(&api.list(all()).await.expect("a list")), ["b"], "it is held");
        assert!(Selection::default().is_empty());
    });
}
