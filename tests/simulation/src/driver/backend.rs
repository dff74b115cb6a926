//! The storage behind the plugins of one driver, and what the run knows its volumes by.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fake_driver::{Request, World};
use rt::Ctx;

use super::hooks::DriverHooks;

/// One storage. It has neither faults nor time; its plugins have.
pub struct Backend {
    pub(super) ctx: Ctx,
    pub(super) hooks: Arc<dyn DriverHooks>,
    world: Mutex<World>,
    /// Names of volumes by id, also of those that are gone or not there yet.
    names: Mutex<BTreeMap<String, Arc<str>>>,
    calls: AtomicU64,
}

impl Backend {
    /// Storage whose plugins run as tasks of `ctx`, which is never killed: the world's.
    pub fn new(ctx: &Ctx, world: World, hooks: Arc<dyn DriverHooks>) -> Arc<Self> {
        let (names, calls) = (Mutex::default(), AtomicU64::new(0));
        Arc::new(Self { ctx: ctx.clone(), hooks, world: Mutex::new(world), names, calls })
    }

    /// What there is. Not to be held across an await.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next_call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The volume that a call is about, by its id, which it may not have yet.
    pub(super) fn volume(&self, request: &Request) -> Option<String> {
        let id = self.world().volume_of(request)?;
        if let Request::CreateVolume(r) = request {
            self.names().entry(id.clone()).or_insert_with(|| r.name.as_str().into());
        }
        Some(id)
    }

    /// Its name: what a fault is addressed by, since it is the same before and after the volume exists.
    pub(super) fn name(&self, id: &str) -> Arc<str> {
        self.names().get(id).cloned().unwrap_or_else(|| id.into())
    }

    fn names(&self) -> MutexGuard<'_, BTreeMap<String, Arc<str>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
