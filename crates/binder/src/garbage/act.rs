//! Asks the API, and does what was decided. Every write holds only for the object, and the version of it, that was read.

use cluster::live::is_not_found;
use cluster::{Event, EventType, Key, Regarding};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions, PropagationPolicy};
use kube::core::Request;
use kube::{Api, Resource};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tracing::info;

use super::Garbage;
use super::graph::{FOREGROUND, ORPHAN, Uid};
use super::kinds::{KindId, Served};
use super::plan::{Action, Case, Policy, Standing, Verdict, Why, judge};
use super::watch::Slim;
use crate::error::Error;

const AT_ONCE: usize = 16;

/// What is left to say of the object is why it stays.
pub(crate) async fn act(on: &Garbage, uid: Uid, action: Action) -> Result<Why, Error> {
    let Some(subject) = Subject::find(on, uid) else { return Ok(Why::Settled) };
    let Some(live) = subject.read(on).await? else { return Ok(Why::Settled) };
    match action {
        Action::Verify => verify(on, &subject, &live).await,
        Action::ReleaseOwner => subject.drop_finalizer(on, &live, FOREGROUND).await,
        Action::OrphanDependents => {
            let dependents = on.objects.read(|graph, _| graph.dependents(uid));
            let orphaned = dependents.into_iter().map(|dependent| orphan(on, dependent, uid));
            stream::iter(orphaned).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
            subject.drop_finalizer(on, &live, ORPHAN).await
        }
    }
}

/// An object, and how it is reached.
struct Subject {
    uid: Uid,
    key: Key,
    served: std::sync::Arc<Served>,
}

async fn verify(on: &Garbage, subject: &Subject, live: &ObjectMeta) -> Result<Why, Error> {
    let references = live.owner_references.as_deref().unwrap_or_default();
    if live.deletion_timestamp.is_some() || references.is_empty() {
        return Ok(Why::Settled);
    }
    let mut owners = Vec::with_capacity(references.len());
    for reference in references {
        let standing = standing(on, subject, reference).await?;
        if standing == Standing::Absent {
            tell_if_elsewhere(on, subject, live, reference);
        }
        owners.push(standing);
    }
    let finalizers = live.finalizers.as_deref().unwrap_or_default();
    let case = on.objects.read(|graph, _| Case {
        owners,
        has_dependents: !graph.dependents(subject.uid).is_empty(),
        orphan: finalizers.iter().any(|finalizer| finalizer == ORPHAN),
        foreground: finalizers.iter().any(|finalizer| finalizer == FOREGROUND),
    });
    match judge(&case) {
        Verdict::Keep(why) => return Ok(why),
        Verdict::Unref(lost) => {
            let stay = references.iter().enumerate().filter(|(at, _)| !lost.contains(at)).map(|(_, reference)| reference);
            subject.set_owners(on, live, stay.cloned().collect()).await?;
        }
        Verdict::Delete(policy) => subject.delete(on, live, policy).await?,
    }
    Ok(Why::Settled)
}

/// By the reference's apiVersion, kind and name, in the dependent's own namespace: its uid alone proves nothing.
async fn standing(on: &Garbage, of: &Subject, reference: &OwnerReference) -> Result<Standing, Error> {
    let found = on.objects.read(|_, kinds| {
        let id = kinds.find(&reference.api_version, &reference.kind)?;
        Some(kinds.served(id).clone())
    });
    let Some(served) = found else { return Ok(Standing::KindUnknown) };
    let key = match (served.namespaced, of.key.namespace()) {
        (true, None) => return Ok(Standing::OutOfReach),
        (true, Some(namespace)) => Key::namespaced(namespace, &reference.name),
        (false, _) => Key::cluster(&reference.name),
    };
    let owner = Subject { uid: Uid::of(&reference.uid), key, served };
    Ok(match owner.read(on).await? {
        None => Standing::Absent,
        Some(owner) => {
            let waits = owner.finalizers.iter().flatten().any(|finalizer| finalizer == FOREGROUND);
            if owner.deletion_timestamp.is_some() && waits { Standing::Waiting } else { Standing::Solid }
        }
    })
}

fn tell_if_elsewhere(on: &Garbage, of: &Subject, live: &ObjectMeta, reference: &OwnerReference) {
    let namespace = of.key.namespace().unwrap_or_default();
    let owner = Uid::of(&reference.uid);
    if namespace.is_empty() || !on.objects.read(|graph, kinds| graph.is_elsewhere(kinds, owner, namespace)) {
        return;
    }
    on.events.publish(Event {
        regarding: Regarding {
            api_version: of.served.api.api_version.clone().into(),
            kind: of.served.api.kind.clone().into(),
            namespace: namespace.to_owned(),
            name: of.key.name().to_owned(),
            uid: live.uid.clone().unwrap_or_default(),
        },
        kind: EventType::Warning,
        reason: "OwnerRefInvalidNamespace",
        message: elsewhere(reference, namespace),
    });
}

pub(crate) fn elsewhere(reference: &OwnerReference, namespace: &str) -> String {
    let OwnerReference { api_version, kind, name, uid, .. } = reference;
    format!(
        "ownerRef [{api_version}/{kind}, namespace: {namespace}, name: {name}, uid: {uid}] does not exist in namespace \
         \"{namespace}\""
    )
}

/// Takes the reference to this owner out of a dependent.
async fn orphan(on: &Garbage, dependent: Uid, owner: Uid) -> Result<(), Error> {
    let Some(dependent) = Subject::find(on, dependent) else { return Ok(()) };
    let Some(live) = dependent.read(on).await? else { return Ok(()) };
    let references = live.owner_references.as_deref().unwrap_or_default();
    let stay: Vec<OwnerReference> = references.iter().filter(|reference| Uid::of(&reference.uid) != owner).cloned().collect();
    if stay.len() < references.len() {
        dependent.set_owners(on, &live, stay).await?;
    }
    Ok(())
}

// === impl Subject ===

impl Subject {
    fn find(on: &Garbage, uid: Uid) -> Option<Self> {
        on.objects.read(|graph, kinds| {
            let (kind, key): (KindId, Key) = graph.place(uid)?;
            Some(Self { uid, key, served: kinds.served(kind).clone() })
        })
    }

    fn api(&self, on: &Garbage) -> Api<Slim> {
        let client = on.objects.client.clone();
        match self.key.namespace() {
            Some(namespace) => Api::namespaced_with(client, namespace, &self.served.api),
            None => Api::all_with(client, &self.served.api),
        }
    }

    fn failed(&self, attempt: &'static str) -> impl FnOnce(kube::Error) -> Error {
        let object = format!("{} {}", self.served.api.kind, self.key);
        move |source| Error::Api { attempt, object, source }
    }

    /// As it is now. `None`: it is gone, or what has its name is another object.
    async fn read(&self, on: &Garbage) -> Result<Option<ObjectMeta>, Error> {
        let live = self.api(on).get_opt(self.key.name()).await.map_err(self.failed("read"))?;
        Ok(live.map(|live| live.metadata).filter(|meta| meta.uid.as_deref().map(Uid::of) == Some(self.uid)))
    }

    async fn patch(&self, on: &Garbage, attempt: &'static str, patch: Patch<Value>) -> Result<(), Error> {
        match self.api(on).patch(self.key.name(), &PatchParams::default(), &patch).await {
            Ok(_) => Ok(()),
            Err(error) if is_not_found(&error) => Ok(()),
            Err(error) => Err(self.failed(attempt)(error)),
        }
    }

    async fn set_owners(&self, on: &Garbage, live: &ObjectMeta, owners: Vec<OwnerReference>) -> Result<(), Error> {
        let owners = if owners.is_empty() { Value::Null } else { json!(owners) };
        let patch = json!({
            "metadata": {"uid": live.uid, "resourceVersion": live.resource_version, "ownerReferences": owners},
        });
        self.patch(on, "change the owners of", Patch::Merge(patch)).await
    }

    async fn drop_finalizer(&self, on: &Garbage, live: &ObjectMeta, finalizer: &str) -> Result<Why, Error> {
        const ATTEMPT: &str = "remove the garbage collector's finalizer from";
        let finalizers = live.finalizers.as_deref().unwrap_or_default();
        if let Some(at) = finalizers.iter().position(|have| have == finalizer) {
            let path = format!("/metadata/finalizers/{at}");
            let operations = json!([
                {"op": "test", "path": "/metadata/uid", "value": live.uid},
                {"op": "test", "path": path, "value": finalizer},
                {"op": "remove", "path": path},
            ]);
            let patch = cluster::patch::json_patch(operations).map_err(self.failed(ATTEMPT))?;
            self.patch(on, ATTEMPT, patch).await?;
        }
        Ok(Why::Settled)
    }

    async fn delete(&self, on: &Garbage, live: &ObjectMeta, policy: Policy) -> Result<(), Error> {
        let parameters = DeleteParams {
            propagation_policy: Some(match policy {
                Policy::Background => PropagationPolicy::Background,
                Policy::Foreground => PropagationPolicy::Foreground,
                Policy::Orphan => PropagationPolicy::Orphan,
            }),
            preconditions: Some(Preconditions { uid: live.uid.clone(), resource_version: live.resource_version.clone() }),
            ..DeleteParams::default()
        };
        let request = Request::new(Slim::url_path(&self.served.api, self.key.namespace()));
        let request = request.delete(self.key.name(), &parameters);
        let request = request.map_err(|error| self.failed("delete")(kube::Error::BuildRequest(error)))?;
        // The answer is the object for some kinds and a status for others; neither says what is not known.
        match on.objects.client.request::<IgnoredAny>(request).await {
            Ok(_) => {
                info!(kind = self.served.api.kind, object = %self.key, ?policy, "deleted: its owners are gone");
                Ok(())
            }
            Err(error) if is_not_found(&error) => Ok(()),
            Err(error) => Err(self.failed("delete")(error)),
        }
    }
}
