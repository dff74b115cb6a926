//! The claims behind generic ephemeral volumes: made from the pod's template, and owned by the pod, so that they go with it.
//!
//! Upstream: pkg/controller/volume/ephemeral. What differs: a claim that was deleted is not made again for a pod that has ended.

use std::fmt;
use std::sync::Arc;

use cluster::drive::{Controller, Pass, drive};
use cluster::kinds::{Claim, Pod, PodVolumeSource};
use cluster::live::{already_exists, is_not_found};
use cluster::{Event, EventType, Key, Keys, Kind, Watch};
use csi_types::{Next, Reason};
use kube::api::PostParams;
use kube::core::{ApiResource, DynamicObject, Request};
use kube::{Api, Resource};
use serde_json::{Value, json};

use crate::Part;
use crate::error::Error;
use crate::words;
use crate::writes::look;

/// What must be cached for this controller.
pub(crate) fn watches() -> Vec<Watch> {
    vec![Watch::Pods, Watch::Claims]
}

/// Runs until the shutdown is requested and every pass under way has ended.
pub(crate) async fn run(part: Part) {
    let keys = Arc::new(Keys::new(part.around.engine.ctx.clone()));
    let to = keys.clone();
    part.caches.pods.subscribe(move |change| {
        if let Some(pod) = change.new.as_ref().filter(|pod| has_ephemeral(pod)) {
            to.add(pod.meta.key.clone());
        }
    });
    let (to, index) = (keys.clone(), part.index.clone());
    part.caches.claims.subscribe(move |change| {
        let Some(key) = change.key() else { return };
        for pod in index.pods_of(key.as_str()).iter().filter(|pod| has_ephemeral(pod)) {
            to.add(pod.meta.key.clone());
        }
    });
    let engine = part.engine("ephemeral_volume");
    drive(Arc::new(Ephemeral { part }), keys, engine).await;
}

fn has_ephemeral(pod: &Pod) -> bool {
    pod.volumes.iter().any(|volume| volume.source == PodVolumeSource::Ephemeral)
}

struct Ephemeral {
    part: Part,
}

/// The facts about one pod.
#[derive(Debug, Clone, PartialEq, Eq)]
struct View {
    exists: bool,
    deleting: bool,
    /// It will not use its volumes any more.
    over: bool,
    /// Its generic ephemeral volumes, in the order in which it has them.
    volumes: Vec<Volume>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Volume {
    name: String,
    /// With its namespace.
    claim: String,
    state: ClaimState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClaimState {
    Missing,
    Own,
    /// There is one of that name, and the pod does not own it.
    Foreign,
}

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    CreateClaim { volume: String, claim: String },
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Gone,
    Going,
    Over,
    HasItsClaims,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    NameTaken { volume: String, claim: String },
}

/// Upstream stops at the first volume that cannot have its claim, and so do we.
fn plan(view: &View) -> Next<Action, Why, Problem> {
    match view {
        View { exists: false, .. } => Next::Rest(Why::Gone),
        View { deleting: true, .. } => Next::Rest(Why::Going),
        View { over: true, .. } => Next::Rest(Why::Over),
        View { volumes, .. } => match volumes.iter().find(|volume| volume.state != ClaimState::Own) {
            None => Next::Rest(Why::HasItsClaims),
            Some(Volume { name, claim, state }) => {
                let (volume, claim) = (name.clone(), claim.clone());
                match state {
                    ClaimState::Foreign => Next::Refuse(Problem::NameTaken { volume, claim }),
                    ClaimState::Missing | ClaimState::Own => Next::Do(Action::CreateClaim { volume, claim }),
                }
            }
        },
    }
}

/// The claim as the pod's template has it. `None`: the pod has no such volume.
fn claim_of(pod: &DynamicObject, volume: &str, name: &str) -> Option<Value> {
    let meta = &pod.metadata;
    let mut volumes = pod.data.pointer("/spec/volumes")?.as_array()?.iter();
    let template = volumes.find(|have| have["name"] == volume)?.pointer("/ephemeral/volumeClaimTemplate")?;
    Some(json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": name,
            "namespace": meta.namespace,
            "labels": template.pointer("/metadata/labels"),
            "annotations": template.pointer("/metadata/annotations"),
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Pod", "name": meta.name, "uid": meta.uid,
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": template.get("spec"),
    }))
}

impl Ephemeral {
    /// The template is read live: it is large, it never changes, and it is needed once.
    async fn create(&self, pod: &Pod, volume: &str, claim: &str) -> Result<(), Error> {
        let client = &self.part.around.client;
        let (namespace, name) = (pod.meta.key.namespace().unwrap_or_default(), pod.meta.key.name());
        let resource = ApiResource::erase::<k8s_openapi::api::core::v1::Pod>(&());
        let pods: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
        let read = |source| Error::Api { attempt: "read", object: format!("Pod {}", pod.meta.key), source };
        let live = pods.get_opt(name).await.map_err(read)?;
        let went = || Error::Went { object: format!("Pod {}", pod.meta.key) };
        let live = live.filter(|live| live.metadata.uid.as_deref() == Some(&*pod.meta.uid)).ok_or_else(went)?;
        let key = Key::namespaced(namespace, claim.rsplit('/').next().unwrap_or_default());
        let Some(body) = claim_of(&live, volume, key.name()) else { return Ok(()) };
        // The words are upstream's, for the event: "create PVC".
        let failed = |source| Error::Api { attempt: CREATE, object: claim.to_owned(), source };
        let request = Request::new(<Claim as Kind>::Wire::url_path(&(), Some(namespace)));
        let request = request.create(&PostParams::default(), body.to_string().into_bytes());
        let request = request.map_err(|error| failed(kube::Error::BuildRequest(error)))?;
        match client.request::<<Claim as Kind>::Wire>(request).await {
            Ok(wire) => {
                if let Some(answer) = Claim::compact(wire) {
                    self.part.caches.claims.put_answer(answer);
                }
                Ok(())
            }
            // Whose it is, the next look decides.
            Err(error) if already_exists(&error) => look(client, &self.part.caches.claims, &key).await.map(drop),
            Err(error) => Err(failed(error)),
        }
    }

    fn tell(&self, key: &Key, volume: &str, what: &str) {
        let Some(pod) = self.part.caches.pods.get(key.as_str()) else { return };
        self.part.events.ephemeral.publish(Event {
            regarding: words::pod(&pod),
            kind: EventType::Warning,
            reason: "FailedBinding",
            message: format!("ephemeral volume {volume}: {what}"),
        });
    }
}

const CREATE: &str = "create PVC";

/// Upstream's words for a claim that could not be made.
fn create_failed(claim: &str, error: &kube::Error) -> String {
    let name = claim.rsplit('/').next().unwrap_or_default();
    match error {
        kube::Error::Api(status) => format!("create PVC {name}: {}", status.message),
        other => format!("create PVC {name}: {}", cluster::chain(other)),
    }
}

impl Controller for Ephemeral {
    const NAME: &'static str = "ephemeral";
    type Key = Key;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Problem;
    type Error = Error;

    fn observe(&self, key: &Key, _: Pass) -> View {
        let pod = self.part.caches.pods.get(key.as_str());
        let Some(pod) = pod else { return View { exists: false, deleting: false, over: false, volumes: Vec::new() } };
        let ephemeral = pod.volumes.iter().filter(|volume| volume.source == PodVolumeSource::Ephemeral);
        let volumes = ephemeral.filter_map(|volume| {
            let claim = Key::namespaced(key.namespace().unwrap_or_default(), &pod.claim_name(volume)?);
            let state = match self.part.caches.claims.get(claim.as_str()) {
                None => ClaimState::Missing,
                Some(claim) if claim.controller.as_ref() == Some(&pod.meta.uid) => ClaimState::Own,
                Some(_) => ClaimState::Foreign,
            };
            Some(Volume { name: volume.name.to_string(), claim: claim.to_string(), state })
        });
        View { exists: true, deleting: pod.meta.deleting, over: pod.is_over(), volumes: volumes.collect() }
    }

    fn plan(&self, view: &View) -> Next<Action, Why, Problem> {
        plan(view)
    }

    async fn act(&self, key: &Key, _: &View, action: &Action) -> Result<(), Error> {
        let Action::CreateClaim { volume, claim } = action;
        let Some(pod) = self.part.caches.pods.get(key.as_str()) else { return Ok(()) };
        let created = self.create(&pod, volume, claim).await;
        if let Err(Error::Api { attempt: CREATE, source, .. }) = &created
            && !is_not_found(source)
        {
            self.tell(key, volume, &create_failed(claim, source));
        }
        created
    }

    async fn refused(&self, key: &Key, _: &View, problem: &Problem) {
        let Problem::NameTaken { volume, claim } = problem;
        self.tell(key, volume, &words::not_owned(claim, key.as_str()));
    }

    async fn failed(&self, _: &Key, _: &View, _: &Error) {}

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::Gone | Why::Over)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem::NameTaken { volume, claim } = self;
        write!(
            f,
            "the claim {claim} of ephemeral volume {volume} exists and is not the pod's: rename the pod, or delete the claim"
        )
    }
}

impl Reason for Action {
    fn name(&self) -> &'static str {
        "create_claim"
    }
}

impl Reason for Problem {
    fn name(&self) -> &'static str {
        "NameTaken"
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::Gone => "Gone",
            Why::Going => "Going",
            Why::Over => "Over",
            Why::HasItsClaims => "HasItsClaims",
        }
    }
}

#[cfg(test)]
mod tests;
