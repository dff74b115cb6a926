//! What is remembered between passes, per claim and per volume. Lost with the process; a plan is safe without it.
//!
//! Bounded by what is under way: an entry goes when its claim is settled or gone, unless a volume hangs on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use csi_types::{CreatedVolume, NodeName};
use rt::Instant;

use crate::ask::Ask;
use crate::view::{Created, Live, Recall};

/// Keyed by uid, so that an object never inherits from its namesake.
#[derive(Default)]
pub(crate) struct Memory {
    claims: Mutex<BTreeMap<String, Entry>>,
    /// Volumes whose DeleteVolume has succeeded, and when deleting began.
    deleted: Mutex<BTreeMap<String, Instant>>,
}

#[derive(Default)]
struct Entry {
    /// When the driver was first asked.
    started: Option<Instant>,
    created: Option<Arc<Created>>,
    asked: Option<Arc<Ask>>,
    no_room: Option<NodeName>,
    live: Option<Arc<Live>>,
    /// The class whose request cannot work, and until when we believe that.
    infeasible: Option<(String, Instant)>,
    announced: bool,
}

impl Memory {
    /// What is known of a claim, for its plan.
    pub(crate) fn recall(&self, uid: &str, class_uid: &str, now: Instant) -> Recall {
        let claims = self.claims();
        let Some(entry) = claims.get(uid) else { return Recall::default() };
        // Another class is another request.
        let slow = entry.infeasible.as_ref().filter(|(class, until)| class == class_uid && *until > now);
        Recall {
            created: entry.created.clone(),
            asked: entry.asked.clone(),
            no_room: entry.no_room.clone(),
            live: entry.live.clone(),
            slow_for: slow.map(|(_, until)| until.since(now)),
            announced: entry.announced,
        }
    }

    /// CreateVolume is about to be sent. From here on the volume may exist.
    pub(crate) fn asking(&self, ask: &Arc<Ask>, now: Instant) {
        self.entry(&ask.claim_uid, |entry| {
            entry.started.get_or_insert(now);
            entry.asked = Some(ask.clone());
        });
    }

    /// The driver made it; it has to be saved.
    pub(crate) fn created(&self, ask: &Arc<Ask>, volume: CreatedVolume) {
        let created = Arc::new(Created { ask: ask.clone(), volume });
        self.entry(&ask.claim_uid, |entry| {
            *entry = Entry { started: entry.started, created: Some(created), ..Entry::default() };
        });
    }

    /// The driver's final answer was no: the next attempt starts from the claim as it is then.
    pub(crate) fn refused(&self, ask: &Ask) {
        self.entry(&ask.claim_uid, |entry| (entry.asked, entry.live) = (None, None));
    }

    /// The driver will not do this whatever the time: not asked again before `until`. The first time counts.
    pub(crate) fn infeasible(&self, ask: &Ask, now: Instant, window: Duration) {
        self.entry(&ask.claim_uid, |entry| match &entry.infeasible {
            Some((class, until)) if *class == ask.class_uid && *until > now => {}
            _ => entry.infeasible = Some((ask.class_uid.clone(), now + window)),
        });
    }

    /// There is no room in reach of this node.
    pub(crate) fn no_room(&self, claim_uid: &str, node: NodeName) {
        self.entry(claim_uid, |entry| entry.no_room = Some(node));
    }

    /// What was made is deleted again; it is asked for anew, from the claim as it is then.
    pub(crate) fn discarded(&self, created: &Created) {
        self.entry(&created.ask.claim_uid, |entry| entry.created = None);
    }

    /// Read live, for the next plan.
    pub(crate) fn looked_up(&self, claim_uid: &str, live: Live) {
        self.entry(claim_uid, |entry| entry.live = Some(Arc::new(live)));
    }

    /// What was read live is old by the next attempt.
    pub(crate) fn forget_live(&self, claim_uid: &str) {
        if let Some(entry) = self.claims().get_mut(claim_uid) {
            entry.live = None;
        }
    }

    /// The user was told of the populator.
    pub(crate) fn announced(&self, claim_uid: &str) {
        self.entry(claim_uid, |entry| entry.announced = true);
    }

    /// When the driver was first asked for this claim's volume.
    pub(crate) fn started(&self, claim_uid: &str) -> Option<Instant> {
        self.claims().get(claim_uid)?.started
    }

    /// A PersistentVolume names this volume for the claim, whoever saved it: nothing hangs on memory any more.
    pub(crate) fn saved(&self, claim_uid: &str, handle: &str) {
        let mut claims = self.claims();
        let other = |entry: &Entry| entry.created.as_ref().is_some_and(|created| created.volume.handle.as_str() != handle);
        if claims.get(claim_uid).is_some_and(|entry| !other(entry)) {
            claims.remove(claim_uid);
        }
    }

    /// The claim needs nothing more. What hangs on a volume is kept all the same.
    pub(crate) fn settle(&self, claim_uid: &str) {
        let mut claims = self.claims();
        if claims.get(claim_uid).is_some_and(|entry| entry.created.is_none() && entry.asked.is_none()) {
            claims.remove(claim_uid);
        }
    }

    /// DeleteVolume succeeded for this PersistentVolume.
    pub(crate) fn deleted(&self, volume_uid: &str, started: Instant) {
        self.volumes().insert(volume_uid.to_owned(), started);
    }

    /// Whether it did, and when it was begun.
    pub(crate) fn deletion(&self, volume_uid: &str) -> Option<Instant> {
        self.volumes().get(volume_uid).copied()
    }

    /// The PersistentVolume is gone.
    pub(crate) fn volume_gone(&self, volume_uid: &str) {
        self.volumes().remove(volume_uid);
    }

    fn entry(&self, uid: &str, change: impl FnOnce(&mut Entry)) {
        change(self.claims().entry(uid.to_owned()).or_default());
    }

    fn claims(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.claims.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn volumes(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.deleted.lock().unwrap_or_else(|e| e.into_inner())
    }
}
