//! What is remembered between passes, per claim and per volume. Lost with the process; a plan is safe without it.
//!
//! What may exist at the driver and has no name in Kubernetes yet has a durable twin, its intent: of that, memory is only the part
//! that is at hand. Whatever concerns volumes under way is true for one term of leadership: in the next it is forgotten, since
//! whoever led in between may have finished it, and what is still open comes back from the intents.
//!
//! Bounded by what is under way: an entry goes when its claim is settled or gone, unless a volume hangs on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cluster::Leadership;
use csi_types::{CreatedVolume, NodeName};
use rt::Instant;

use crate::ask::Ask;
use crate::view::{Created, Live, Recall};

/// Keyed by uid, so that an object never inherits from its namesake.
pub(crate) struct Memory {
    leadership: Leadership,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// To which all of it belongs.
    term: u64,
    claims: BTreeMap<String, Entry>,
    /// Volumes whose DeleteVolume has succeeded, and when deleting began.
    deleted: BTreeMap<String, Instant>,
}

/// What was asked for, and what was written down of it.
#[derive(Clone)]
struct Asked {
    ask: Arc<Ask>,
    record: Arc<str>,
}

#[derive(Default)]
struct Entry {
    /// When the driver was first asked.
    started: Option<Instant>,
    created: Option<Arc<Created>>,
    asked: Option<Asked>,
    no_room: Option<NodeName>,
    live: Option<Arc<Live>>,
    /// The class whose request cannot work, and until when we believe that.
    infeasible: Option<(String, Instant)>,
    announced: bool,
}

impl Memory {
    pub(crate) fn new(leadership: Leadership) -> Self {
        Self { leadership, state: Mutex::default() }
    }

    /// What is known of a claim, for its plan.
    pub(crate) fn recall(&self, uid: &str, class_uid: &str, now: Instant) -> Recall {
        let state = self.state();
        let nothing = Recall { term: state.term, ..Recall::default() };
        let Some(entry) = state.claims.get(uid) else { return nothing };
        // Another class is another request.
        let slow = entry.infeasible.as_ref().filter(|(class, until)| class == class_uid && *until > now);
        Recall {
            created: entry.created.clone(),
            asked: entry.asked.as_ref().map(|asked| asked.ask.clone()),
            no_room: entry.no_room.clone(),
            live: entry.live.clone(),
            slow_for: slow.map(|(_, until)| until.since(now)),
            announced: entry.announced,
            ..nothing
        }
    }

    /// What was written down of this very ask, if it still is what was asked last.
    pub(crate) fn record(&self, ask: &Ask) -> Option<Arc<str>> {
        let state = self.state();
        let asked = state.claims.get(&ask.claim_uid)?.asked.as_ref()?;
        (*asked.ask == *ask).then(|| asked.record.clone())
    }

    /// CreateVolume is about to be sent, or was, by somebody else. From here on the volume may exist.
    pub(crate) fn asking(&self, term: u64, ask: &Arc<Ask>, record: Arc<str>, now: Instant) {
        self.in_term(term, &ask.claim_uid, |entry| {
            entry.started.get_or_insert(now);
            entry.asked = Some(Asked { ask: ask.clone(), record });
        });
    }

    /// The driver made it; it has to be saved.
    pub(crate) fn created(&self, term: u64, ask: &Arc<Ask>, volume: CreatedVolume) {
        let created = Arc::new(Created { ask: ask.clone(), volume });
        self.in_term(term, &ask.claim_uid, |entry| {
            let asked = entry.asked.take();
            *entry = Entry { started: entry.started, created: Some(created), asked, ..Entry::default() };
        });
    }

    /// The driver's final answer was no: the next attempt starts from the claim as it is then.
    pub(crate) fn refused(&self, term: u64, ask: &Ask) {
        self.in_term(term, &ask.claim_uid, |entry| (entry.asked, entry.live) = (None, None));
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

    /// The pod was given back to the scheduler. Whichever node is chosen next, this one again among them, is asked for anew.
    pub(crate) fn rescheduled(&self, claim_uid: &str) {
        if let Some(entry) = self.state().claims.get_mut(claim_uid) {
            entry.no_room = None;
        }
    }

    /// What was made is deleted again; it is asked for anew, from the claim as it is then.
    pub(crate) fn discarded(&self, term: u64, created: &Created) {
        self.in_term(term, &created.ask.claim_uid, |entry| (entry.created, entry.asked) = (None, None));
    }

    /// What was made may be deleted: the same is asked again, and the intent stays.
    pub(crate) fn doubt(&self, term: u64, created: &Created) {
        self.in_term(term, &created.ask.claim_uid, |entry| entry.created = None);
    }

    /// Read live, for the next plan.
    pub(crate) fn looked_up(&self, claim_uid: &str, live: Live) {
        self.entry(claim_uid, |entry| entry.live = Some(Arc::new(live)));
    }

    /// What was read live is old by the next attempt.
    pub(crate) fn forget_live(&self, claim_uid: &str) {
        if let Some(entry) = self.state().claims.get_mut(claim_uid) {
            entry.live = None;
        }
    }

    /// The user was told of the populator.
    pub(crate) fn announced(&self, claim_uid: &str) {
        self.entry(claim_uid, |entry| entry.announced = true);
    }

    /// When the driver was first asked for this claim's volume.
    pub(crate) fn started(&self, claim_uid: &str) -> Option<Instant> {
        self.state().claims.get(claim_uid)?.started
    }

    /// A PersistentVolume names the volume, whoever saved it: nothing hangs on memory any more.
    pub(crate) fn saved(&self, term: u64, claim_uid: &str) {
        let mut state = self.state();
        if state.term == term {
            state.claims.remove(claim_uid);
        }
    }

    /// Whether a volume of this claim may exist, and nothing names it yet as far as is remembered.
    pub(crate) fn is_under_way(&self, claim_uid: &str) -> bool {
        self.state().claims.get(claim_uid).is_some_and(|entry| entry.created.is_some() || entry.asked.is_some())
    }

    /// The claim needs nothing more. What hangs on a volume is kept all the same.
    pub(crate) fn settle(&self, claim_uid: &str) {
        let claims = &mut self.state().claims;
        if claims.get(claim_uid).is_some_and(|entry| entry.created.is_none() && entry.asked.is_none()) {
            claims.remove(claim_uid);
        }
    }

    /// DeleteVolume succeeded for this PersistentVolume.
    pub(crate) fn deleted(&self, volume_uid: &str, started: Instant) {
        self.state().deleted.insert(volume_uid.to_owned(), started);
    }

    /// Whether it did, and when it was begun.
    pub(crate) fn deletion(&self, volume_uid: &str) -> Option<Instant> {
        self.state().deleted.get(volume_uid).copied()
    }

    /// The PersistentVolume is gone.
    pub(crate) fn volume_gone(&self, volume_uid: &str) {
        self.state().deleted.remove(volume_uid);
    }

    fn entry(&self, uid: &str, change: impl FnOnce(&mut Entry)) {
        change(self.state().claims.entry(uid.to_owned()).or_default());
    }

    /// Only if it is true in this term.
    fn in_term(&self, term: u64, uid: &str, change: impl FnOnce(&mut Entry)) {
        let mut state = self.state();
        if state.term == term {
            change(state.claims.entry(uid.to_owned()).or_default());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        let term = self.leadership.term();
        if state.term != term {
            state.enter(term);
        }
        state
    }
}

// === impl State ===

impl State {
    /// Forgets what somebody else may have finished meanwhile.
    fn enter(&mut self, term: u64) {
        self.term = term;
        self.deleted.clear();
        for entry in self.claims.values_mut() {
            (entry.started, entry.created, entry.asked) = (None, None, None);
        }
    }
}
