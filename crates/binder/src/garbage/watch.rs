//! Feeds the graph from one watch of metadata per kind, and finds out which kinds there are.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cluster::{Backoff, chain};
use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::Api;
use kube::core::DynamicResourceScope;
use kube::discovery::ApiResource;
use kube::runtime::watcher::{self, Event, watcher};
use rt::Shutdown;
use serde::{Deserialize, Deserializer};
use tracing::{debug, warn};

use super::graph::Uid;
use super::kinds::{KindId, Served, discover};
use super::objects::{Objects, Seen};

/// Kinds come and go with these.
const DEFINITIONS: &str = "customresourcedefinitions";
/// And are looked for this often, in case that was missed.
const REDISCOVER: Duration = Duration::from_secs(300);
/// A definition changes several times while it becomes served.
const GATHER: Duration = Duration::from_millis(50);
const RETRY: Backoff = Backoff { start: Duration::from_millis(800), max: Duration::from_secs(30) };
/// A kind that cannot be listed does not hold up the rest for longer than so many tries.
const PATIENCE: u32 = 3;

/// Any object, by the metadata that is read; the API server sends no more.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Slim {
    #[serde(deserialize_with = "slim")]
    pub(crate) metadata: ObjectMeta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlimMeta {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    deletion_timestamp: Option<Time>,
    finalizers: Option<Vec<String>>,
    owner_references: Option<Vec<OwnerReference>>,
}

fn slim<'de, D: Deserializer<'de>>(from: D) -> Result<ObjectMeta, D::Error> {
    let slim = SlimMeta::deserialize(from)?;
    Ok(ObjectMeta {
        name: slim.name,
        namespace: slim.namespace,
        uid: slim.uid,
        resource_version: slim.resource_version,
        deletion_timestamp: slim.deletion_timestamp,
        finalizers: slim.finalizers,
        owner_references: slim.owner_references,
        ..ObjectMeta::default()
    })
}

impl kube::Resource for Slim {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(of: &ApiResource) -> Cow<'_, str> {
        of.kind.as_str().into()
    }
    fn group(of: &ApiResource) -> Cow<'_, str> {
        of.group.as_str().into()
    }
    fn version(of: &ApiResource) -> Cow<'_, str> {
        of.version.as_str().into()
    }
    fn plural(of: &ApiResource) -> Cow<'_, str> {
        of.plural.as_str().into()
    }
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
    /// Makes kube ask for PartialObjectMetadata.
    fn metadata_api() -> bool {
        true
    }
}

/// Watches everything that is served, and finds out what that is, until the shutdown.
pub(crate) async fn run(objects: Arc<Objects>, shutdown: Shutdown) {
    let mut failures = 0;
    loop {
        let pause = match discover(&objects.client).await {
            Ok(found) => {
                failures = 0;
                for (id, served) in objects.served_are(found) {
                    let name = format!("owners of {}", served.api.plural);
                    let task = objects.ctx.spawn(&name, feed(objects.clone(), id, served));
                    objects.fed_by(id, task);
                }
                REDISCOVER
            }
            Err(error) => {
                failures += 1;
                let pause = RETRY.delay(&objects.ctx, "discovery", failures);
                warn!("cannot find out which kinds are served, next try in {pause:?}: {}", chain(&error));
                pause
            }
        };
        tokio::select! {
            biased;
            () = shutdown.requested() => break,
            () = objects.rediscover.notified() => objects.ctx.sleep(GATHER).await,
            () = objects.ctx.sleep(pause) => {}
        }
    }
    objects.stop();
}

/// Never returns: it is aborted when the kind is served no more.
async fn feed(objects: Arc<Objects>, id: KindId, served: Arc<Served>) {
    let api: Api<Slim> = Api::all_with(objects.client.clone(), &served.api);
    let mut events = pin!(watcher(api.clone(), watcher::Config::default()));
    let mut listed = BTreeSet::new();
    let mut failures = 0;
    let seen = |meta: &ObjectMeta, gone: bool| {
        if served.api.plural == DEFINITIONS {
            objects.rediscover.notify_one();
        }
        objects.tell(&Seen {
            plural: &served.api.plural,
            namespace: meta.namespace.as_deref(),
            name: meta.name.as_deref(),
            gone,
        });
    };
    while let Some(event) = events.next().await {
        if event.as_ref().is_ok_and(|event| !matches!(event, Event::Init)) {
            failures = 0;
        }
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => {
                listed.extend(object.metadata.uid.as_deref().map(Uid::of));
                objects.apply(id, &object.metadata);
                seen(&object.metadata, false);
            }
            Ok(Event::InitDone) => {
                if objects.listed(id, &std::mem::take(&mut listed)) {
                    // Which they were is not known any more.
                    seen(&ObjectMeta::default(), true);
                }
            }
            Ok(Event::Apply(object)) => {
                objects.apply(id, &object.metadata);
                seen(&object.metadata, false);
            }
            Ok(Event::Delete(object)) => {
                objects.remove(&object.metadata);
                seen(&object.metadata, true);
            }
            Err(error) => {
                failures += 1;
                let delay = RETRY.delay(&objects.ctx, &served.api.plural, failures);
                if failures > 1 {
                    let kind = &served.api.plural;
                    warn!(kind, failures, "cannot watch for owners, next try in {delay:?}: {}", chain(&error));
                    // It may be that it is served no more.
                    objects.rediscover.notify_one();
                } else {
                    debug!(kind = served.api.plural, "watch ended: {}", chain(&error));
                }
                if failures == PATIENCE {
                    objects.give_up(id);
                }
                objects.ctx.sleep(delay).await;
                if matches!(&error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 410) {
                    // kube would ask for the same version for ever (kube-rs issue 1042).
                    events.set(watcher(api.clone(), watcher::Config::default()));
                }
            }
        }
    }
}
