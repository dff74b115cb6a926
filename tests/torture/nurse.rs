//! Who heals whoever was hit, and does to them meanwhile what the plan says.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Error, Result};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::dice::Dice;
use crate::facts::Wrong;
use crate::plan::{Fault, Plan};
use crate::process::Process;
use crate::round::{await_handover, give_up, holders};
use crate::stage::Stage;
use crate::witness::Strike;

/// Where node-mounter keeps its journal, under `--root-dir`. A mounter without one is none the worse for it.
const JOURNAL: &str = "plugins/longshore.node-mounter/journal";

/// Works until it cannot.
pub(crate) async fn work(stage: &Stage<'_>, mut strikes: UnboundedReceiver<Strike>, given_up: &AtomicBool) -> Error {
    let mut first = true;
    loop {
        let step = tokio::select! {
            biased;
            strike = strikes.recv() => match strike {
                Some(strike) => heal(stage, strike, std::mem::take(&mut first), given_up).await,
                None => Err(Error::msg("the driver is gone")),
            },
            () = tokio::time::sleep(Duration::from_millis(200)) => stage.processes.iter().try_for_each(|p| p.revive()),
        };
        if let Err(error) = step {
            return error;
        }
    }
}

async fn heal(stage: &Stage<'_>, strike: Strike, first: bool, given_up: &AtomicBool) -> Result<()> {
    let plan = &stage.plan;
    let Strike { victim, server } = strike;
    if let Some(stopped) = server {
        if plan.back_before_server {
            victim.launch()?;
        }
        tokio::time::sleep(plan.stopped_for).await;
        drop(stopped);
    }
    let before = if plan.fault == Fault::LeaseLost { holders(stage).await? } else { Vec::new() };
    if first && plan.gives_up {
        give_up(stage).await?;
        given_up.store(true, Ordering::Relaxed);
    }
    if first {
        damage_journal(plan, &stage.node_root().join(JOURNAL), &victim)?;
    }
    if plan.fault == Fault::LeaseLost && !await_handover(stage, &before).await? {
        stage.witness.complain(Wrong::Stuck, "the lease of a dead process was taken by nobody".to_owned());
    }
    tokio::time::sleep(plan.dead_for).await;
    if !plan.back_before_server || plan.fault != Fault::ServerStopped {
        victim.launch()?;
    }
    if plan.fault == Fault::LeaseLost {
        // Time to do harm: it believes that it leads until it looks.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    stage.witness.healed();
    Ok(())
}

fn damage_journal(plan: &Plan, folder: &Path, victim: &Process) -> Result<()> {
    if !matches!(plan.fault, Fault::JournalTruncated | Fault::JournalFlipped | Fault::JournalRemoved) || !folder.exists() {
        return Ok(());
    }
    let mut dice = Dice::new(plan.damage, 0);
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        let mut bytes = std::fs::read(&path)?;
        match plan.fault {
            Fault::JournalRemoved => {
                victim.note(&format!("robbed of {}", path.display()));
                std::fs::remove_file(&path)?;
            }
            _ if bytes.is_empty() => {}
            Fault::JournalTruncated => {
                let length = dice.below(bytes.len() as u64) as usize;
                victim.note(&format!("left with the first {length} of {} bytes of {}", bytes.len(), path.display()));
                bytes.truncate(length);
                std::fs::write(&path, bytes)?;
            }
            _ => {
                let bit = dice.below(bytes.len() as u64 * 8);
                victim.note(&format!("given another bit {bit} of {}", path.display()));
                bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
                std::fs::write(&path, bytes)?;
            }
        }
    }
    Ok(())
}
