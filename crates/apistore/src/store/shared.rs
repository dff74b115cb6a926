//! What readers, watchers and the writer share.

use std::collections::VecDeque;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rt::Ctx;
use tokio::sync::Notify;

use super::state::{Change, State};
use crate::{Object, WatchRequest};

/// The durable state, and a bell for each change of it.
pub(super) struct Shared {
    pub(super) ctx: Ctx,
    state: RwLock<State>,
    moved: Notify,
}

impl Shared {
    pub(super) fn new(ctx: Ctx, state: State) -> Self {
        Self { ctx, state: RwLock::new(state), moved: Notify::new() }
    }

    pub(super) fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Lets readers and watchers see changes that are durable.
    pub(super) fn publish(&self, changes: Vec<Change>) {
        let bells = self.write_state().commit(changes);
        bells.iter().for_each(|bell| bell.notify_waiters());
        self.moved.notify_waiters();
    }

    /// Forgets every change so far. Watchers that are behind find out the next time they look.
    pub(super) fn compact(&self) {
        self.write_state().compact();
    }

    /// Waits until this version exists.
    pub(super) async fn reached(&self, version: u64) {
        loop {
            let moved = self.moved.notified();
            if self.read_state().version() >= version {
                return;
            }
            moved.await;
        }
    }

    /// The bell that rings after each change of this resource.
    pub(super) fn changed(&self, resource: &Arc<str>) -> Arc<Notify> {
        if let Some(collection) = self.read_state().find(resource) {
            return collection.changed.clone();
        }
        self.write_state().collection(resource).changed.clone()
    }

    /// The objects that a watch selects, and as of which version.
    pub(super) fn snapshot(&self, resource: &str, request: &WatchRequest) -> (VecDeque<Object>, u64) {
        let prefix = request.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        let (mut objects, version) = {
            let state = self.read_state();
            let objects: VecDeque<Object> =
                state.find(resource).into_iter().flat_map(|collection| collection.range(&prefix, &prefix)).cloned().collect();
            (objects, state.version())
        };
        if !request.selection.is_empty() {
            objects.retain(|object| request.selection.matches(&request.resource, object));
        }
        (objects, version)
    }
}
