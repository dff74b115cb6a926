//! One call at a time for a volume: X_CSI_SERIAL_VOL_ACCESS. Who finds it busy is told so, as gocsi does, rather than queued.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prost_reflect::DynamicMessage;
use rt::Ctx;
use tokio::sync::OwnedMutexGuard;
use tonic::Status;

use super::method::{Method, text};

/// The volumes that are busy.
#[derive(Default)]
pub(super) struct Serial(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Serial {
    /// The turn, if it comes within `patience`; zero asks once. Calls that gocsi does not serialise need none.
    ///
    /// # Errors
    /// Another call is at it: ABORTED, "pending".
    pub(super) async fn turn(
        &self,
        ctx: &Ctx,
        method: &Method,
        request: &DynamicMessage,
        patience: Duration,
    ) -> Result<Option<OwnedMutexGuard<()>>, Status> {
        let key = match &*method.name {
            "CreateVolume" => format!("name/{}", text(request, "name")),
            "DeleteVolume"
            | "ControllerPublishVolume"
            | "ControllerUnpublishVolume"
            | "NodePublishVolume"
            | "NodeUnpublishVolume" => format!("id/{}", text(request, "volume_id")),
            _ => return Ok(None),
        };
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            locks.entry(key).or_default().clone()
        };
        if let Ok(turn) = lock.clone().try_lock_owned() {
            return Ok(Some(turn));
        }
        match ctx.timeout(patience, lock.lock_owned()).await {
            Ok(turn) => Ok(Some(turn)),
            Err(_) => Err(Status::aborted("pending")),
        }
    }
}
