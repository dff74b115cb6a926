//! Next to world: dispatch only. One file per action; those of one line are here.

pub(super) mod ask_provisioner;
mod mark_bound;
mod mark_lost;
mod name_volume;

use cluster::kinds::{Claim, Phase};
use cluster::patch::Change;
use serde_json::{Value, json};

use super::Claims;
use super::plan::{Action, View};
use crate::error::Error;
use crate::words;
use crate::writes::{hold_volume, mark_phase, write};

pub(super) async fn act(on: &Claims, view: &View, action: &Action) -> Result<(), Error> {
    let Some(claim) = &view.claim else { return Ok(()) };
    match action {
        Action::HoldVolume(volume) => hold_volume(&on.part, volume, claim).await,
        Action::MarkVolumeBound(volume) => mark_phase(&on.part, volume, Phase::Bound, "").await,
        Action::NameVolume(volume) => name_volume::act(on, claim, volume).await,
        Action::MarkBound(volume) => mark_bound::act(on, claim, volume).await,
        Action::MarkPending => {
            let change = Change::merge(no_volume("Pending")).status();
            patch(on, claim, "mark as pending PersistentVolumeClaim", change).await
        }
        Action::MarkLost(how) => mark_lost::act(on, claim, *how).await,
        Action::SetDefaultClass(class) => {
            let body = json!({"spec": {"storageClassName": class}});
            patch(on, claim, "set the default class of PersistentVolumeClaim", Change::merge(body)).await
        }
        Action::AskProvisioner(provisioner) => ask_provisioner::act(on, claim, provisioner).await,
        Action::Tell(say) => {
            on.told.note(&claim.meta, say.clone(), on.part.around.engine.ctx.now());
            on.part.events.volumes.publish(say.clone().about(words::claim(claim)));
            Ok(())
        }
    }
}

async fn patch(on: &Claims, claim: &Claim, attempt: &'static str, change: Change) -> Result<(), Error> {
    write(&on.part.around.client, &on.part.caches.claims, &claim.meta, attempt, change.if_unchanged()).await
}

/// The status of a claim that has no volume, or not any more.
fn no_volume(phase: &str) -> Value {
    json!({"status": {"phase": phase, "accessModes": null, "capacity": null, "currentVolumeAttributesClassName": null}})
}
