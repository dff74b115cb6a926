//! A store in memory, and short ways to ask it.

use std::future::Future;
use std::sync::Arc;

use api_kinds::{Registry, Resource, Subresource};
use apimachinery::Status;
use apistore::{
    Answer, DeleteOptions, Event, EventType, ListRequest, Listing, Patch, Selection, Store, VersionMatch, WatchRequest,
    WatchStream, WriteOptions, WriteRequest, WriteVerb, Written,
};
use rt::Ctx;
use rt::disk::MemoryDisk;
use serde_json::{Value, json};

pub(crate) fn run<F: Future<Output = ()>>(test: impl FnOnce(Api) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let ctx = Ctx::seeded(1, Arc::new(MemoryDisk::default()));
        let api = Api { store: Store::in_memory(&ctx), ctx };
        api.create("namespaces", "", json!({"metadata": {"name": "n"}})).await.expect("a namespace");
        test(api).await;
    });
}

#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) store: Store,
    pub(crate) ctx: Ctx,
}

/// A kind by its plural.
pub(crate) fn resource(plural: &str) -> Arc<Resource> {
    Registry::builtin().all().find(|resource| resource.plural == plural).cloned().expect("a kind that is served")
}

impl Api {
    pub(crate) fn request(plural: &str, namespace: &str, name: &str, verb: WriteVerb) -> WriteRequest {
        WriteRequest {
            resource: resource(plural),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: Subresource::Main,
            verb,
            options: WriteOptions { manager: "test".to_owned(), ..WriteOptions::default() },
        }
    }

    pub(crate) async fn write(&self, plural: &str, namespace: &str, name: &str, verb: WriteVerb) -> Result<Written, Status> {
        self.store.write(Self::request(plural, namespace, name, verb)).await
    }

    /// The same, with nothing stored.
    pub(crate) async fn dry(&self, plural: &str, namespace: &str, name: &str, verb: WriteVerb) -> Result<Value, Status> {
        let mut request = Self::request(plural, namespace, name, verb);
        request.options.dry_run = true;
        self.store.write(request).await.map(object)
    }

    pub(crate) async fn create(&self, plural: &str, namespace: &str, body: Value) -> Result<Value, Status> {
        self.write(plural, namespace, "", WriteVerb::Create(body)).await.map(object)
    }

    pub(crate) async fn update(&self, plural: &str, namespace: &str, name: &str, body: Value) -> Result<Value, Status> {
        self.write(plural, namespace, name, WriteVerb::Update(body)).await.map(object)
    }

    pub(crate) async fn merge(&self, plural: &str, namespace: &str, name: &str, patch: Value) -> Result<Value, Status> {
        let patch = WriteVerb::Patch(Patch::Merge, patch.to_string().into());
        self.write(plural, namespace, name, patch).await.map(object)
    }

    pub(crate) async fn delete(&self, plural: &str, namespace: &str, name: &str) -> Result<Written, Status> {
        self.write(plural, namespace, name, WriteVerb::Delete(DeleteOptions::default())).await
    }

    pub(crate) fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        self.store.get(&resource(plural), namespace, name).map(|object| object.value())
    }

    /// A config map of the namespace `n`, with one entry.
    pub(crate) async fn config_map(&self, name: &str, value: &str) -> Value {
        self.create("configmaps", "n", json!({"metadata": {"name": name}, "data": {"k": value}})).await.expect("created")
    }

    pub(crate) async fn list(&self, request: ListRequest) -> Result<Listing, Status> {
        self.store.list(request).await
    }

    pub(crate) fn watch(&self, since: Option<u64>) -> WatchStream {
        self.store.watch(watch("configmaps", since))
    }
}

/// All config maps of the namespace `n`.
pub(crate) fn all() -> ListRequest {
    ListRequest {
        resource: resource("configmaps"),
        namespace: Some("n".to_owned()),
        selection: Selection::default(),
        limit: None,
        resume: None,
        version: VersionMatch::Any,
    }
}

pub(crate) fn watch(plural: &str, since: Option<u64>) -> WatchRequest {
    WatchRequest {
        resource: resource(plural),
        namespace: None,
        selection: Selection::default(),
        since,
        bookmarks: false,
        timeout: None,
    }
}

/// The object that a write was answered with.
pub(crate) fn object(written: Written) -> Value {
    match written.answer {
        Answer::Object(object) => object.value(),
        other => panic!("an object, not {other:?}"),
    }
}

pub(crate) fn names(listing: &Listing) -> Vec<&str> {
    listing.items.iter().map(|object| object.name()).collect()
}

pub(crate) fn version(value: &Value) -> u64 {
    value["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).expect("a version")
}

/// What happened, to whom.
pub(crate) fn told(event: &Event) -> (EventType, String) {
    (event.kind, event.object.as_ref().map(|object| object.name().to_owned()).unwrap_or_default())
}

pub(crate) fn metadata(value: &Value, field: &str) -> Value {
    value["metadata"][field].clone()
}
