//! What is known, as facts about one volume. Never decides, and misses nothing that is missing.

use std::path::PathBuf;

use rt::Instant;

use crate::agent::Agent;
use crate::journal::Record;
use crate::paths::VolumeKey;
use crate::plan::{View, Want};

/// The facts about one volume now.
pub(crate) fn observe(agent: &Agent, key: &VolumeKey, now: Instant) -> View {
    let mut state = agent.state();
    let record = state.records.get(key).cloned();
    let wants = state.wants(key, &agent.caches.csi_drivers);
    if record.is_none() && wants.is_empty() {
        state.memory.remove(key);
    }
    let driver = record.as_ref().map(|record| &record.driver);
    let wanted_driver = wants.first().and_then(|want| state.wanted_at(key, &want.place)).map(|(_, spec)| spec.driver.clone());
    View {
        now,
        pods: record.as_ref().map(|record| state.lives(record)).unwrap_or_default(),
        pods_listed: agent.caches.pods.is_synced() && !state.manifests_unread,
        driver_registered: driver.or(wanted_driver.as_ref()).is_some_and(|driver| state.drivers.contains_key(driver)),
        reported_in_use: state.node.reported.contains(key),
        attached: state.node.attached.contains(key),
        out_of_service: state.node.out_of_service,
        memory: state.memory.get(key).map(|memory| memory.plan.clone()).unwrap_or_default(),
        leaked: {
            drop(state);
            leaked(agent, record.as_ref(), &wants)
        },
        record,
        wants,
    }
}

/// Other mounts of the staged volume that are neither below the staging folders nor the target of any publish we know. Only
/// looked up when the volume is about to be unstaged.
fn leaked(agent: &Agent, record: Option<&Record>, wants: &[Want]) -> Vec<PathBuf> {
    let Some(record) = record.filter(|record| record.publishes.is_empty() && wants.iter().all(|want| want.leaving)) else {
        return Vec::new();
    };
    let Ok(table) = agent.mounter.table() else { return Vec::new() };
    let state = agent.state();
    let published =
        |path: &std::path::Path| state.records.values().flat_map(|other| &other.publishes).any(|publish| publish.target == path);
    let staged = agent.config.root.staged();
    table
        .references(&record.staging_path)
        .filter(|path| !path.starts_with(&staged) && !published(path))
        .map(PathBuf::from)
        .collect()
}
