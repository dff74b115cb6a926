//! VolumeAttachment to ControllerPublishVolume, and back.
//!
//! ```text
//!  VolumeAttachment ┐
//!  PersistentVolume ├─ observe ─> View ─ plan ─> Next ─ act ─> ControllerPublishVolume   ─> status.attached, attachmentMetadata
//!  CSINode          ┘                                          ControllerUnpublishVolume ─> finalizer gone, status.attached=false
//! ```
//!
//! [`plan()`] is the file to read first. `volumes.rs` lets go of a PersistentVolume once nothing attaches it any more, and `verify.rs`
//! compares with what the driver lists as published, where it can.
//!
//! Upstream: external-attacher@e6106024. What differs: finalizers are written with a precondition, an attachment that waits for
//! its volume or node is looked at when that appears rather than after a backoff, a detach uses the node id that the attach was
//! made with even if the node has a new one, and an attachment whose volume is written into it (`inlineVolumeSpec`) is refused:
//! only the migration of in-tree volumes makes those. For the same reason a volume without `spec.csi` is refused, one that names
//! another driver too, and `pv.kubernetes.io/migrated-to` is not read. Calls for one volume are made one after the other. The
//! message of an error says what was attempted, then the driver's words. An attachment of a driver that does not publish is
//! not marked attached once it is being deleted, and what an earlier version of that driver held is let go. `--timeout` limits
//! each page of ListVolumes rather than all of them, and `--reconcile-sync=0` means never. A lost driver ends no process: one
//! attachment goes on trying every ten seconds, and its success wakes the rest.
#![forbid(unsafe_code)]

mod act;
mod attachments;
mod error;
mod flags;
mod observe;
mod plan;
mod program;
mod verify;
mod volumes;

use std::sync::Arc;

use cluster::drive::{Engine, drive};
use cluster::{Caches, Keys, Watch};
use csi_types::{ControllerCapability, PluginCapability, sanitize_driver_name};
use sidecar::Surroundings;

use crate::attachments::Attachments;
use crate::volumes::Volumes;

pub use flags::{Config, Flags, Settings};
pub use plan::{Action, Attachment, Next, Problem, View, Volume, Why, plan};
pub use program::main;

/// What must be cached.
pub const WATCHES: [Watch; 3] = [Watch::Attachments, Watch::Volumes, Watch::CsiNodes];

/// Runs until the shutdown is requested and every pass under way has ended. `caches` hold [`WATCHES`] and are synced.
pub async fn controller(settings: Settings, surroundings: Surroundings, caches: &Caches) {
    let info = &surroundings.info;
    let publishes = info.has(PluginCapability::ControllerService) && info.can(ControllerCapability::PublishUnpublishVolume);
    let lists = info.can(ControllerCapability::ListVolumes) && info.can(ControllerCapability::ListVolumesPublishedNodes);
    let engine = surroundings.engine.clone();
    let keys = Arc::new(Keys::new(engine.ctx.clone()));
    let attachments = Arc::new(Attachments::new(settings.clone(), surroundings.clone(), caches.clone(), publishes));
    attachments.subscribe(&keys);
    let driven = drive(attachments.clone(), keys.clone(), engine.clone());
    let resynced = attachments.resync(&keys);
    if !publishes {
        tracing::info!(driver = %info.name, "the driver does not publish through its controller: attachments are marked attached");
    }
    // Also when the driver does not publish: an earlier version of it may have, and its volumes could never be deleted.
    let held = Arc::new(Keys::new(engine.ctx.clone()));
    let volumes = Arc::new(Volumes::new(&surroundings, caches.clone()));
    volumes.subscribe(&held);
    let released = drive(volumes, held, Engine { queue: "csi-attacher-pv".into(), ..engine });
    let verified = async {
        if publishes && lists && !attachments.settings.verify_every.is_zero() {
            verify::run(&attachments, &keys).await;
        }
    };
    futures::join!(driven, resynced, released, verified);
}

/// `external-attacher/<driver>`, on attachments and volumes.
pub(crate) fn finalizer(driver: &str) -> String {
    format!("external-attacher/{}", sanitize_driver_name(driver))
}
