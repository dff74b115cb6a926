//! The graph and those who feed it and read it. One per process: the collector and the deletion of namespaces share it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cluster::{Key, Keys};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use rt::{Ctx, Instant, Task};
use tokio::sync::Notify;

use super::graph::{Changed, Graph, Uid};
use super::kinds::{Discovered, KindId, Kinds, Served, Update};
use super::plan::{View, Why};

/// An object, for the queue. Told apart by its uid; the rest is for people.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) uid: Uid,
    label: Arc<str>,
}

/// An object was made, changed or deleted.
pub(crate) struct Seen<'a> {
    pub(crate) plural: &'a str,
    pub(crate) namespace: Option<&'a str>,
    /// `None`: some objects of the kind are gone, and nobody saw which.
    pub(crate) name: Option<&'a str>,
    pub(crate) gone: bool,
}

type Listener = Box<dyn Fn(&Seen<'_>) + Send + Sync>;

/// All objects, by what garbage collection needs of them.
pub(crate) struct Objects {
    pub(crate) client: Client,
    pub(crate) ctx: Ctx,
    pub(crate) keys: Arc<Keys<Subject>>,
    pub(crate) rediscover: Notify,
    known: Notify,
    state: Mutex<State>,
    listeners: Mutex<Vec<Listener>>,
}

#[derive(Default)]
struct State {
    graph: Graph,
    kinds: Kinds,
    feeders: BTreeMap<KindId, Feeder>,
    discovered: bool,
    marks: BTreeMap<Uid, Mark>,
}

struct Feeder {
    task: Option<Task>,
    listed: bool,
}

/// What is remembered of an object until something changes.
#[derive(Debug, Clone, Copy)]
enum Mark {
    /// A pass is looking at it; a change takes the mark away, and so the pass learns that it has seen only what was.
    Looking,
    Kept(Why, Instant),
}

/// What the API said is asked again after this long, though nothing seems to have changed.
pub(crate) fn asked_again(why: Why) -> Option<Duration> {
    match why {
        Why::Settled | Why::FoundOwned => Some(Duration::from_secs(30)),
        Why::OwnerKindUnknown => Some(Duration::from_secs(60)),
        Why::OwnerOutOfReach => Some(Duration::from_secs(600)),
        Why::Gone | Why::NotListed | Why::NoOwners | Why::Owned | Why::Going | Why::BlockedByDependents => None,
    }
}

impl Objects {
    pub(crate) fn new(ctx: &Ctx, client: Client) -> Arc<Self> {
        Arc::new(Self {
            client,
            ctx: ctx.clone(),
            keys: Arc::new(Keys::new(ctx.clone())),
            rediscover: Notify::new(),
            known: Notify::new(),
            state: Mutex::default(),
            listeners: Mutex::default(),
        })
    }

    /// Calls `listener` for every object that is seen from now on.
    pub(crate) fn subscribe(&self, listener: impl Fn(&Seen<'_>) + Send + Sync + 'static) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(listener));
    }

    /// Waits until it is known what is served. Cancel safe.
    pub(crate) async fn kinds_known(&self) {
        loop {
            let known = self.known.notified();
            if self.state().discovered {
                return;
            }
            known.await;
        }
    }

    /// The kinds of objects that live in namespaces. `None`: not known yet.
    pub(crate) fn namespaced_kinds(&self) -> Option<Vec<Arc<Served>>> {
        let state = self.state();
        let kinds = || state.kinds.all().map(|(_, served)| served.clone()).filter(|served| served.namespaced).collect();
        state.discovered.then(kinds)
    }

    pub(crate) fn tell(&self, seen: &Seen<'_>) {
        for listener in self.listeners.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            listener(seen);
        }
    }

    pub(crate) fn apply(&self, kind: KindId, meta: &ObjectMeta) {
        self.change(|state| state.graph.apply(&state.kinds, kind, meta));
    }

    pub(crate) fn remove(&self, meta: &ObjectMeta) {
        let Some(uid) = meta.uid.as_deref().map(Uid::of) else { return };
        self.change(|state| {
            state.marks.remove(&uid);
            state.graph.remove(&state.kinds, uid)
        });
    }

    /// A complete list is in. Returns whether anything was found to be gone.
    pub(crate) fn listed(&self, kind: KindId, uids: &BTreeSet<Uid>) -> bool {
        let mut any = false;
        self.change(|state| {
            let (changed, gone) = state.graph.retain(&state.kinds, kind, uids);
            any = gone;
            let State { marks, graph, .. } = state;
            marks.retain(|uid, _| graph.place(*uid).is_some());
            changed
        });
        self.give_up(kind);
        any
    }

    /// This kind's list is not waited for, or not any more.
    pub(crate) fn give_up(&self, kind: KindId) {
        self.look_at_all(|state| {
            if let Some(feeder) = state.feeders.get_mut(&kind) {
                feeder.listed = true;
            }
        });
    }

    /// Takes in what is served now; returns what has to be watched.
    pub(crate) fn served_are(&self, found: Discovered) -> Vec<(KindId, Arc<Served>)> {
        let mut watch = Vec::new();
        // What waits for an owner's kind is looked at again only if there is a new one, or it would ask for kinds for ever.
        self.change(|state| {
            let Some(Update { new, gone }) = state.kinds.update(found) else { return Changed::default() };
            for id in gone {
                if let Some(Feeder { task: Some(task), .. }) = state.feeders.remove(&id) {
                    task.abort();
                }
                state.graph.retain(&state.kinds, id, &BTreeSet::new());
            }
            state.feeders.extend(new.iter().map(|id| (*id, Feeder { task: None, listed: false })));
            watch.extend(new.into_iter().map(|id| (id, state.kinds.served(id).clone())));
            state.discovered = true;
            Changed { wake: state.graph.all(&state.kinds) }
        });
        self.known.notify_waiters();
        watch
    }

    pub(crate) fn fed_by(&self, kind: KindId, task: Task) {
        if let Some(feeder) = self.state().feeders.get_mut(&kind) {
            feeder.task = Some(task);
        }
    }

    pub(crate) fn stop(&self) {
        self.state().feeders.values().filter_map(|feeder| feeder.task.as_ref()).for_each(Task::abort);
    }

    /// What is known of an object, for a pass that begins.
    pub(crate) fn look(&self, uid: Uid, now: Instant) -> View {
        let mut state = self.state();
        let kept = match state.marks.get(&uid) {
            Some(Mark::Kept(why, at)) if asked_again(*why).is_some_and(|time| now.since(*at) < time) => Some(*why),
            _ => None,
        };
        let view = View { facts: state.graph.facts(&state.kinds, uid), complete: state.is_complete(), kept };
        if matches!(super::plan::plan(&view), csi_types::Next::Do(_)) {
            state.marks.insert(uid, Mark::Looking);
        } else if kept.is_none() {
            state.marks.remove(&uid);
        }
        view
    }

    /// A pass is over and need not be repeated, unless something changed since it began.
    pub(crate) fn keep(&self, uid: Uid, why: Why, now: Instant) {
        let mut state = self.state();
        if let Some(mark @ Mark::Looking) = state.marks.get_mut(&uid) {
            *mark = Mark::Kept(why, now);
        }
    }

    /// Reads the graph.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Graph, &Kinds) -> T) -> T {
        let state = self.state();
        read(&state.graph, &state.kinds)
    }

    fn change(&self, change: impl FnOnce(&mut State) -> Changed) {
        let subjects = {
            let mut state = self.state();
            let Changed { wake } = change(&mut state);
            state.wake(wake)
        };
        subjects.into_iter().for_each(|subject| self.keys.add(subject));
    }

    /// After what may change how everything looks.
    fn look_at_all(&self, change: impl FnOnce(&mut State)) {
        self.change(|state| {
            change(state);
            Changed { wake: state.graph.all(&state.kinds) }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_complete(&self) -> bool {
        self.discovered && self.feeders.values().all(|feeder| feeder.listed)
    }

    /// Before everything is listed nothing is looked at: the last list wakes all that needs it.
    fn wake(&mut self, uids: BTreeSet<Uid>) -> Vec<Subject> {
        for uid in &uids {
            self.marks.remove(uid);
        }
        if !self.is_complete() {
            return Vec::new();
        }
        uids.into_iter().filter_map(|uid| self.subject(uid)).collect()
    }

    fn subject(&self, uid: Uid) -> Option<Subject> {
        let (kind, key): (KindId, Key) = self.graph.place(uid)?;
        Some(Subject { uid, label: format!("{}/{key}", self.kinds.served(kind).api.plural).into() })
    }
}

// === impl Subject ===

impl PartialEq for Subject {
    fn eq(&self, other: &Self) -> bool {
        self.uid == other.uid
    }
}

impl Eq for Subject {}

impl PartialOrd for Subject {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Subject {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.uid.cmp(&other.uid)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}
