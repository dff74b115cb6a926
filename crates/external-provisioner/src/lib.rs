//! PersistentVolumeClaim to CreateVolume, released PersistentVolume to DeleteVolume.
//!
//! ```text
//!  PVC ─┐                                      ┌─> act/create_volume ─> CreateVolume ─> act/save_pv ─> PV
//!       ├─> observe ─> ClaimView ─> plan/claim ┤
//!  StorageClass, nodes, memory                 └─> act/reschedule, act/discard_volume, act/look_up
//!
//!  PV ──┐
//!       ├─> observe ─> VolumeView ─> plan/volume ─> act/delete_volume ─> DeleteVolume ─> act/release_pv ─> nothing left
//!  VolumeAttachments
//! ```
//!
//! - What a class and a claim ask of the driver: `ask.rs`, with `parameters.rs` (reserved keys, secrets) and `placement.rs`
//!   (topology). What the PersistentVolume says: `pv.rs`. All pure.
//! - What survives a crash: `intent.rs`, the ask as it is written down before every call; what is found of it by the next process,
//!   or the next leader, goes the ordinary way from `settle.rs`.
//! - What makes us look: `wake.rs`. What we remember: `memory.rs`. What can go wrong: `error.rs`.
//! - One event per volume on success (`ProvisioningSucceeded`); every failure is a `ProvisioningFailed` that names the object and
//!   the key or value. Upstream's `Provisioning` before each attempt is left out.
//! - Not in this version: data sources, CSIStorageCapacity, node deployment, in-tree migration. Their flags parse.
#![forbid(unsafe_code)]

mod act;
pub mod ask;
mod claims;
mod error;
#[cfg(test)]
mod fixtures;
pub mod flags;
mod intent;
mod memory;
mod metrics;
mod observe;
pub mod parameters;
pub mod placement;
pub mod plan;
mod program;
pub mod pv;
mod settle;
pub mod view;
mod volumes;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use cluster::drive::{Engine, drive};
use cluster::intents::{Found, IntentsConfig};
use cluster::{Caches, Intents, Keys, Locks, Watch};
use csi_types::{ControllerCapability, DriverInfo, PluginCapability, sanitize_driver_name};
use sidecar::Surroundings;
use tokio::sync::Semaphore;

use crate::act::Act;
use crate::claims::Claims;
use crate::flags::ControllerConfig;
use crate::memory::Memory;
pub use crate::metrics::Metrics;
use crate::observe::Observer;
pub use crate::program::main;
use crate::settle::Settle;
use crate::volumes::Volumes;
use crate::wake::Wake;

/// How long the end of a process waits for its intents to be crossed out.
const FLUSH: Duration = Duration::from_secs(5);

/// The kinds that have to be cached for a driver that can do this.
pub fn watches(driver: &DriverInfo) -> Vec<Watch> {
    let mut watches = vec![Watch::Claims, Watch::Volumes, Watch::Classes];
    if driver.can(ControllerCapability::PublishUnpublishVolume) {
        watches.push(Watch::Attachments);
    }
    if driver.has(PluginCapability::VolumeAccessibilityConstraints) {
        watches.extend([Watch::CsiNodes, Watch::Nodes]);
    }
    watches
}

/// Provisions and deletes until the shutdown is requested, and returns when everything under way has ended.
///
/// Assumes that [`watches`] are cached, and have been listed once. Acts only while leading.
pub async fn controller(config: ControllerConfig, metrics: Metrics, surroundings: Surroundings, caches: &Caches) {
    let Surroundings { client, events, driver, info, engine, namespace } = surroundings;
    let ctx = engine.ctx.clone();
    let memory = Arc::new(Memory::new(engine.leadership.clone()));
    let (claims, volumes) = (Arc::new(Keys::new(ctx.clone())), Arc::new(Keys::new(ctx.clone())));
    let intents = config.intents.then(|| {
        let name = format!("longshore-intents-{}", sanitize_driver_name(info.name.as_str()).to_lowercase());
        let settle = Settle { ctx: ctx.clone(), driver: info.name.clone(), memory: memory.clone(), claims: claims.clone() };
        let config = IntentsConfig { namespace, name };
        let found = move |found: Found<'_>| settle.found(found);
        Intents::start(&ctx, client.clone(), engine.leadership.clone(), &engine.metrics, config, found)
    });
    let run = ctx.draw("provisioner identity") % 10_000;
    let act = Arc::new(Act {
        run: format!("{}-{run}", ctx.timestamp().as_millisecond()),
        ctx: ctx.clone(),
        client,
        caches: caches.clone(),
        driver,
        driver_name: info.name.clone(),
        events,
        memory: memory.clone(),
        leadership: engine.leadership.clone(),
        intents: intents.clone(),
        metrics,
        calls: Semaphore::new(config.workers),
        handles: Locks::new(),
        slow: config.backoff.max,
    });
    let wake = Wake { driver: info.name.to_string(), memory: memory.clone(), claims: claims.clone(), volumes: volumes.clone() };
    wake.subscribe(caches);
    let settings = Arc::new(config.settings);
    let observer = Arc::new(Observer { caches: caches.clone(), memory, settings, driver: Arc::new(info) });
    let engine = |queue: &str, workers| Engine { workers, backoff: config.backoff, queue: queue.to_owned(), ..engine.clone() };
    // While as many as may call the driver do so, as many others are written down: `Act::calls` has the limit.
    let claims_at_once = if config.intents { config.workers * 2 } else { config.workers };
    let claims_engine = engine("claims", claims_at_once);
    let provisioning = drive(Arc::new(Claims { observer: observer.clone(), act: act.clone() }), claims, claims_engine);
    let deleting = drive(Arc::new(Volumes { observer, act }), volumes, engine("volumes", config.workers));
    futures::join!(provisioning, deleting);
    if let Some(intents) = intents {
        // What is not written is found by the next process, which has then the same to do once more.
        let _ = ctx.timeout(FLUSH, intents.close()).await;
    }
}
