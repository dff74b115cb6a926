//! Volumes attached to the node while pods there want them: VolumeAttachments made and removed, and the node's
//! `status.volumesAttached`, which its mounter waits for.
//!
//! ```text
//!  Pod ─ Claim ─ Volume ─ wanted? ─> VolumeAttachment ─ (attacher) ─> attached ─> Node.status.volumesAttached ─> (mounter)
//!  nobody wants it, not in Node.status.volumesInUse ─> out of volumesAttached ─> volumesInUse read live ─> attachment deleted
//! ```
//!
//! The order at the end is the promise to the mounter: it writes volumesInUse before it reads volumesAttached, we write
//! volumesAttached before we read volumesInUse, so one of the two always sees the other. A deletion whose
//! answer is not known is finished before the volume is attached again: it may still be on its way. Nothing else is remembered: a start
//! finds in attachments, pods and the node what is to be done.
//!
//! Upstream: pkg/controller/volume/attachdetach, pkg/volume/csi/csi_attacher.go. What differs: there is one node, so no volume is
//! refused for being attached elsewhere; what is mounted is never detached by force, and a node without its object is left
//! alone, because only that object says what is mounted; an attachment whose volume has vanished is deleted, not forgotten.

mod act;
mod observe;
mod plan;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cluster::drive::{Controller, Pass, drive};
use cluster::kinds::{Attachment, Node, Pod, Volume};
use cluster::{Backoff, Caches, Change, Event, EventType, Key, Keys, Watch};
use rt::Instant;

use crate::Part;
use crate::error::Error;
use crate::index::claims_of_pod;
use crate::words;
use plan::{Action, Next, Problem, View, Why, plan};
use wanted::handle_of;

/// What must be cached for this controller.
pub(crate) fn watches() -> Vec<Watch> {
    vec![Watch::Pods, Watch::Claims, Watch::Volumes, Watch::Nodes, Watch::CsiDrivers, Watch::Attachments, Watch::AttachFailures]
}

/// Upstream's, for one operation on one volume.
const BACKOFF: Backoff = Backoff { start: Duration::from_millis(500), max: Duration::from_secs(122) };

/// Runs until the shutdown is requested and every pass under way has ended.
pub(crate) async fn run(part: Part) {
    let keys = Arc::new(Keys::new(part.around.engine.ctx.clone()));
    let attach = Arc::new(Attach {
        part: part.clone(),
        status: tokio::sync::Mutex::default(),
        waiting: Mutex::default(),
        detaching: Arc::default(),
    });
    attach.subscribe(&keys);
    drive(attach, keys, part.engine_with("attach_detach", BACKOFF)).await;
}

/// What a pass is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// A PersistentVolume, there or not any more.
    Volume(Key),
    /// The node's list, for what no volume speaks for.
    Node,
}

struct Attach {
    part: Part,
    /// When the list was written last. One write at a time: the next takes in all that came up meanwhile.
    status: tokio::sync::Mutex<Option<Instant>>,
    /// Since when an attacher is waited for. A hint.
    waiting: Mutex<BTreeMap<Key, Instant>>,
    /// The uids of attachments whose deletion was asked for, while it is not known what became of that.
    detaching: Arc<Mutex<BTreeSet<Box<str>>>>,
}

impl Attach {
    fn node(&self) -> &str {
        &self.part.config.node
    }

    fn caches(&self) -> &Caches {
        &self.part.caches
    }

    fn detaching(&self) -> MutexGuard<'_, BTreeSet<Box<str>>> {
        self.detaching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn subscribe(&self, keys: &Arc<Keys<Subject>>) {
        let caches = self.caches().clone();
        let node = self.node().to_owned();
        let (to, claims, here) = (keys.clone(), caches.claims.clone(), node.clone());
        caches.pods.subscribe(move |change: &Change<Pod>| {
            let pods = change.old.iter().chain(&change.new).filter(|pod| *pod.node == *here);
            for claim in pods.flat_map(|pod| claims_of_pod(pod)) {
                if let Some(volume) = claims.get(claim.as_str()).and_then(|claim| claim.volume.clone()) {
                    to.add(Subject::Volume(Key::cluster(&volume)));
                }
            }
        });
        let to = keys.clone();
        caches.claims.subscribe(move |change| {
            for volume in change.old.iter().chain(&change.new).filter_map(|claim| claim.volume.as_deref()) {
                to.add(Subject::Volume(Key::cluster(volume)));
            }
        });
        let to = keys.clone();
        caches.volumes.subscribe(move |change| {
            if let Some(key) = change.key() {
                to.add(Subject::Volume(key.clone()));
            }
        });
        let (to, here, detaching) = (keys.clone(), node.clone(), self.detaching.clone());
        caches.attachments.subscribe(move |change: &Change<Attachment>| {
            if let (Some(gone), None) = (&change.old, &change.new) {
                detaching.lock().unwrap_or_else(PoisonError::into_inner).remove(&gone.meta.uid);
            }
            let ours = change.old.iter().chain(&change.new).filter(|attachment| *attachment.node == *here);
            ours.filter_map(|attachment| attachment.volume()).for_each(|volume| to.add(Subject::Volume(Key::cluster(volume))));
        });
        let to = keys.clone();
        caches.attach_failures.subscribe(move |change| {
            if let Some(failure) = change.new.as_ref().or(change.old.as_ref()) {
                to.add(Subject::Volume(Key::cluster(&failure.volume)));
            }
        });
        let (to, volumes) = (keys.clone(), caches.volumes.clone());
        caches.csi_drivers.subscribe(move |change| {
            let Some(driver) = change.key() else { return };
            let by = |volume: &&Arc<Volume>| volume.csi.as_ref().is_some_and(|csi| *csi.driver == *driver.as_str());
            volumes.all().iter().filter(by).for_each(|volume| to.add(Subject::Volume(volume.meta.key.clone())));
        });
        let (to, volumes, attachments) = (keys.clone(), caches.volumes.clone(), caches.attachments.clone());
        caches.nodes.subscribe(move |change: &Change<Node>| {
            if change.key().is_none_or(|key| *key.as_str() != *node) {
                return;
            }
            to.add(Subject::Node);
            let managed = |node: &Option<Arc<Node>>| node.as_ref().is_some_and(|node| node.attach_managed);
            if managed(&change.old) != managed(&change.new) {
                volumes.all().iter().for_each(|volume| to.add(Subject::Volume(volume.meta.key.clone())));
            }
            for name in wanted::changed_names(change.old.as_deref(), change.new.as_deref()) {
                let handle = handle_of(&name).map(|(_, handle)| handle).unwrap_or_default();
                volumes.indexed(handle).iter().for_each(|volume| to.add(Subject::Volume(volume.meta.key.clone())));
                let attachment = wanted::attachment_of(&name, &node).and_then(|name| attachments.get(&name));
                if let Some(volume) = attachment.as_ref().and_then(|attachment| attachment.volume()) {
                    to.add(Subject::Volume(Key::cluster(volume)));
                }
            }
        });
    }

    /// Says it to every pod that wants the volume.
    fn tell(&self, volume: &Key, kind: EventType, reason: &'static str, message: &str) {
        for pod in self.users(volume) {
            let message = message.to_owned();
            self.part.events.attach.publish(Event { regarding: words::pod(&pod), kind, reason, message });
        }
    }

    fn tell_failure(&self, volume: &Key, what: &str) {
        self.tell(volume, EventType::Warning, "FailedAttachVolume", &attach_failed(volume, what));
    }

    /// How long the attacher has been waited for; `None` takes the memory back.
    fn waiting(&self, volume: &Key, now: Option<Instant>) -> Duration {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match now {
            Some(now) => now.since(*waiting.entry(volume.clone()).or_insert(now)),
            None => {
                waiting.remove(volume);
                Duration::ZERO
            }
        }
    }
}

/// With upstream's blank at the end.
fn attach_succeeded(volume: &Key) -> String {
    format!("AttachVolume.Attach succeeded for volume \"{volume}\" ")
}

fn attach_failed(volume: &Key, what: &str) -> String {
    format!("AttachVolume.Attach failed for volume \"{volume}\" : {what}")
}

impl Controller for Attach {
    const NAME: &'static str = "attach";
    type Key = Subject;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Problem;
    type Error = Error;

    fn observe(&self, subject: &Subject, pass: Pass) -> View {
        let mut view = self.look(subject);
        if let (View::Volume(facts), Subject::Volume(volume)) = (&mut view, subject) {
            facts.waited = self.waiting(volume, facts.waits().then_some(pass.now));
        }
        view
    }

    fn plan(&self, view: &View) -> Next {
        plan(view)
    }

    async fn act(&self, subject: &Subject, _: &View, action: &Action) -> Result<(), Error> {
        match (subject, action) {
            (Subject::Volume(volume), Action::CreateAttachment) => self.create(volume).await,
            (Subject::Volume(volume), Action::DeleteAttachment) => self.delete(volume).await,
            (Subject::Volume(volume), Action::Report { attached }) => {
                self.report(Some(volume)).await?;
                if *attached {
                    self.tell(volume, EventType::Normal, "SuccessfulAttachVolume", &attach_succeeded(volume));
                }
                Ok(())
            }
            (Subject::Node, _) => self.report(None).await,
        }
    }

    async fn refused(&self, subject: &Subject, _: &View, problem: &Problem) {
        let Subject::Volume(volume) = subject else { return };
        self.tell_failure(volume, &problem.to_string());
        if matches!(problem, Problem::TimedOut { .. }) {
            // And is waited for anew.
            self.waiting(volume, None);
        }
    }

    async fn failed(&self, subject: &Subject, _: &View, error: &Error) {
        if let (Subject::Volume(volume), Error::Api { attempt: act::CREATE, source, .. }) = (subject, error) {
            self.tell_failure(volume, &cluster::chain(source));
        }
    }

    fn look_again(&self, why: &Why) -> Option<Duration> {
        matches!(why, Why::WaitsForAttacher).then_some(plan::PATIENCE)
    }

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::NotWanted | Why::InStep)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Volume(key) => key.fmt(f),
            Subject::Node => f.write_str("the node's volumesAttached"),
        }
    }
}

#[cfg(test)]
mod tests;
