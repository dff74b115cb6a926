//! Definitions in a store: from their names to the end of their last instance.

use std::future::Future;
use std::sync::Arc;

use api_kinds::custom::CLEANUP;
use api_kinds::{Resource, Subresource};
use apimachinery::Status;
use rt::Ctx;
use rt::disk::MemoryDisk;
use serde_json::{Value, json};

use crate::{
    Answer, DeleteOptions, EventType, Patch, Selection, Store, Validation, WatchRequest, WriteOptions, WriteRequest, WriteVerb,
    Written,
};

const GROUP: &str = "test.example";

struct Api(Store);

fn run<F: Future<Output = ()>>(test: impl FnOnce(Api) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let ctx = Ctx::seeded(1, Arc::new(MemoryDisk::default()));
        let api = Api(Store::in_memory(&ctx));
        api.create("namespaces", "", json!({"metadata": {"name": "n"}})).await.expect("a namespace");
        test(api).await;
    });
}

impl Api {
    fn served(&self, plural: &str) -> Option<Arc<Resource>> {
        self.0.registry().all().find(|resource| resource.plural == plural).cloned()
    }

    async fn write(&self, resource: Arc<Resource>, namespace: &str, name: &str, verb: WriteVerb) -> Result<Written, Status> {
        let options = WriteOptions { manager: "test".to_owned(), validation: Validation::Warn, ..WriteOptions::default() };
        let (namespace, name, subresource) = (namespace.to_owned(), name.to_owned(), Subresource::Main);
        self.0.write(WriteRequest { resource, namespace, name, subresource, verb, options }).await
    }

    async fn create(&self, plural: &str, namespace: &str, mut body: Value) -> Result<Written, Status> {
        let resource = self.served(plural).expect("served");
        body["apiVersion"] = resource.api_version().into();
        body["kind"] = resource.kind.clone().into();
        self.write(resource, namespace, "", WriteVerb::Create(body)).await
    }

    async fn define(&self, plural: &str, kind: &str) -> Value {
        value(self.create("customresourcedefinitions", "", definition(plural, kind)).await.expect("a definition"))
    }

    async fn delete(&self, plural: &str, namespace: &str, name: &str) -> Value {
        let resource = self.served(plural).expect("served");
        let options = DeleteOptions::default();
        match self.write(resource, namespace, name, WriteVerb::Delete(options)).await.expect("deleted").answer {
            Answer::Object(object) => object.value(),
            _ => Value::Null,
        }
    }

    async fn merge(&self, plural: &str, namespace: &str, name: &str, patch: Value) -> Result<Written, Status> {
        let resource = self.served(plural).expect("served");
        self.write(resource, namespace, name, WriteVerb::Patch(Patch::Merge, patch.to_string().into())).await
    }

    fn definition(&self, plural: &str) -> Option<Value> {
        let resource = self.served("customresourcedefinitions").expect("served");
        self.0.get(&resource, "", &format!("{plural}.{GROUP}")).map(|object| object.value())
    }

    /// Status and reason of a condition.
    fn condition(&self, plural: &str, kind: &str) -> (String, String) {
        let definition = self.definition(plural).expect("there");
        let conditions = definition["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let found = conditions.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default();
        let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
        (text("status"), text("reason"))
    }

    fn instance(&self, resource: &Resource, name: &str) -> Option<Value> {
        self.0.get(resource, "n", name).map(|object| object.value())
    }
}

fn value(written: Written) -> Value {
    match written.answer {
        Answer::Object(object) => object.value(),
        other => panic!("an object, not {other:?}"),
    }
}

fn definition(plural: &str, kind: &str) -> Value {
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1, "default": 3}}}}});
    json!({
        "metadata": {"name": format!("{plural}.{GROUP}")},
        "spec": {
            "group": GROUP, "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

fn told(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[test]
fn a_definition_is_served_as_soon_as_it_is_stored() {
    run(async |api| {
        let answer = api.define("wids", "Wid").await;
        assert_eq!(
            answer["status"],
            json!({
                "conditions": null, "acceptedNames": {"kind": "", "plural": ""}, "storedVersions": ["v1"],
            })
        );
        assert_eq!(api.condition("wids", "NamesAccepted"), told("True", "NoConflicts"));
        assert_eq!(api.condition("wids", "Established"), told("True", "InitialNamesAccepted"));
        let stored = api.create("wids", "n", json!({"metadata": {"name": "a"}, "spec": {"more": 1}})).await.expect("created");
        assert_eq!(stored.warnings, [r#"unknown field "spec.more""#]);
        assert_eq!(value(stored)["spec"], json!({"size": 3}));
        let refused =
            api.create("wids", "n", json!({"metadata": {"name": "b"}, "spec": {"size": 0}})).await.expect_err("too small");
        assert_eq!(
            refused.message,
            r#"Wid.test.example "b" is invalid: spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"#
        );
    });
}

#[test]
fn watchers_see_a_definition_being_installed_step_by_step() {
    run(async |api| {
        let resource = api.served("customresourcedefinitions").expect("served");
        let mut watch = api.0.watch(WatchRequest {
            resource,
            namespace: None,
            selection: Selection::default(),
            since: Some(api.0.version()),
            bookmarks: false,
            timeout: None,
        });
        api.define("wids", "Wid").await;
        let mut seen = Vec::new();
        for _ in 0..3 {
            let event = watch.next().await.expect("an event");
            let object = event.object.expect("an object").value();
            let established = object["status"]["conditions"].as_array().and_then(|conditions| {
                let found = conditions.iter().find(|condition| condition["type"] == "Established")?;
                Some(found["reason"].as_str().unwrap_or_default().to_owned())
            });
            seen.push((event.kind, established.unwrap_or_default()));
        }
        let expected = [
            (EventType::Added, String::new()),
            (EventType::Modified, "Installing".to_owned()),
            (EventType::Modified, "InitialNamesAccepted".to_owned()),
        ];
        assert_eq!(seen, expected);
    });
}

#[test]
fn a_name_belongs_to_one_definition_until_that_is_gone() {
    run(async |api| {
        api.define("gizmos", "Gizmo").await;
        api.define("gizmoz", "Gizmo").await;
        assert_eq!(api.condition("gizmoz", "NamesAccepted"), told("False", "ListKindConflict"));
        assert_eq!(api.condition("gizmoz", "Established"), told("False", "NotAccepted"));
        assert_eq!(api.definition("gizmoz").expect("there")["status"]["acceptedNames"], json!({"plural": "gizmoz", "kind": ""}));
        assert!(api.served("gizmoz").is_none());
        api.delete("customresourcedefinitions", "", "gizmos.test.example").await;
        assert_eq!(api.definition("gizmos"), None);
        assert_eq!(api.condition("gizmoz", "Established"), told("True", "InitialNamesAccepted"));
        assert!(api.served("gizmoz").is_some());
    });
}

#[test]
fn a_definition_takes_its_instances_along_and_waits_for_those_that_are_held() {
    run(async |api| {
        api.define("wids", "Wid").await;
        let resource = api.served("wids").expect("served");
        api.create("wids", "n", json!({"metadata": {"name": "free"}})).await.expect("created");
        let held = json!({"metadata": {"name": "held", "finalizers": ["a.b/c"]}});
        api.create("wids", "n", held).await.expect("created");
        let answer = api.delete("customresourcedefinitions", "", "wids.test.example").await;
        assert_eq!(answer["metadata"]["finalizers"], json!([CLEANUP]));
        assert_eq!(answer["status"]["conditions"][2]["reason"], "InstanceDeletionPending");
        assert_eq!(api.condition("wids", "Terminating"), told("True", "InstanceDeletionInProgress"));
        assert_eq!(api.instance(&resource, "free"), None);
        assert!(api.instance(&resource, "held").expect("held")["metadata"]["deletionTimestamp"].is_string());
        let late = api.create("wids", "n", json!({"metadata": {"name": "late"}})).await.expect_err("too late");
        assert_eq!(
            (late.code, late.message.as_str()),
            (403, r#"wids.test.example "late" is forbidden: create not allowed while custom resource definition is terminating"#)
        );
        api.merge("wids", "n", "held", json!({"metadata": {"finalizers": null}})).await.expect("released");
        assert_eq!(api.instance(&resource, "held"), None);
        assert_eq!(api.definition("wids"), None);
        assert!(api.served("wids").is_none());
        let body = json!({"apiVersion": "test.example/v1", "kind": "Wid", "metadata": {"name": "x"}});
        let gone = api.write(resource, "n", "", WriteVerb::Create(body)).await.expect_err("a request that was on its way");
        assert_eq!(gone.code, 404);
    });
}

#[test]
fn a_definition_that_is_going_goes_on_after_a_restart() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let ctx = Ctx::seeded(1, Arc::new(MemoryDisk::default()));
        let path = folder.path().join("store");
        let api = Api(Store::open(&ctx, &path).await.expect("a store"));
        api.create("namespaces", "", json!({"metadata": {"name": "n"}})).await.expect("a namespace");
        api.define("wids", "Wid").await;
        let held = json!({"metadata": {"name": "held", "finalizers": ["a.b/c"]}});
        api.create("wids", "n", held).await.expect("created");
        api.delete("customresourcedefinitions", "", "wids.test.example").await;
        api.0.close().await;
        drop(api);
        let api = Api(Store::open(&ctx, &path).await.expect("the same store"));
        assert_eq!(api.condition("wids", "Terminating"), told("True", "InstanceDeletionInProgress"));
        api.merge("wids", "n", "held", json!({"metadata": {"finalizers": []}})).await.expect("released");
        assert_eq!(api.definition("wids"), None);
    });
}

#[test]
fn another_storage_version_is_remembered_and_the_old_one_cannot_go() {
    run(async |api| {
        api.define("wids", "Wid").await;
        let version = |name: &str, storage: bool| json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object"}}});
        let name = "wids.test.example";
        let two = json!({"spec": {"versions": [version("v1", false), version("v2", true)]}});
        let told = api.merge("customresourcedefinitions", "", name, two).await.expect("two versions");
        let told = value(told);
        assert_eq!((&told["status"]["storedVersions"], &told["metadata"]["generation"]), (&json!(["v1", "v2"]), &json!(2)));
        let only = json!({"spec": {"versions": [version("v2", true)]}});
        let refused = api.merge("customresourcedefinitions", "", name, only).await.expect_err("objects may be in v1");
        assert!(refused.message.contains("status.storedVersions[0]: Invalid value: \"v1\": missing from spec.versions"));
        let cluster = json!({"spec": {"scope": "Cluster"}});
        let refused = api.merge("customresourcedefinitions", "", name, cluster).await.expect_err("immutable");
        assert!(refused.message.ends_with("spec.scope: Invalid value: \"Cluster\": field is immutable"));
    });
}
