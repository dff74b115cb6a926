//! The volume, for one pod: a mounted directory, or a device.

mod context;
mod device;

use std::path::{Path, PathBuf};

use csi_types::{NodeCapability, NodePublishVolumeRequest, Rpc, VolumeMode};
use plugin_host::Targets;
use rt::rules::{self, Rule};

use super::{call, capabilities, secret, tidy};
use crate::agent::Agent;
use crate::attachment::publish_context;
use crate::error::{Error, Left, left_by};
use crate::fs_group::{Walk, group_to_apply};
use crate::journal::{Place, Publish, Record, Stage};
use crate::paths::{VolumeKey, publish_path_below};
use crate::spec::Spec;
use crate::vol_data;

/// Publishes, again if need be. The record has the target before the call goes out.
pub(super) async fn act(agent: &Agent, key: &VolumeKey, place: &Place) -> Result<(), Error> {
    let wanted = agent.state().wanted_at(key, place);
    let (pod, spec) = wanted.ok_or_else(|| Error::NotWanted { key: key.clone() })?;
    let driver = agent.driver(&spec.driver)?;
    let rules = agent.caches.csi_drivers.get(spec.driver.as_str());
    context::lifecycle_allowed(rules.as_deref(), &spec)?;
    let publish_context = publish_context(agent, &spec).await?;
    let can = capabilities(&*driver, &spec).await?;
    let before = agent.state().records.get(key).cloned();
    let mut record = before.clone().unwrap_or_else(|| inline_record(&spec));
    let targets = agent.state().targets.get(&spec.driver).cloned().unwrap_or_default();
    let known = record.publish(place).cloned();
    // Where it was published, or may have been, is where it is: settings may have changed since.
    let target = known.as_ref().map_or_else(|| target_path(agent, place, &spec, &targets), |publish| publish.target.clone());
    let takes_group = can.contains(&NodeCapability::VolumeMountGroup);
    let request = NodePublishVolumeRequest {
        handle: spec.handle.clone(),
        publish_context,
        staging_target_path: staging_path(agent, &record, &spec, can.contains(&NodeCapability::StageUnstageVolume)),
        target_path: target.to_string_lossy().into_owned(),
        capability: spec.capability(can.contains(&NodeCapability::SingleNodeMultiWriter), pod.fs_group.filter(|_| takes_group)),
        readonly: spec.read_only,
        secrets: secret(agent, Rpc::NodePublishVolume, spec.publish_secret.as_ref()).await?,
        volume_context: context::volume_context(agent, rules.as_deref(), &pod, &spec).await?,
    };

    let done = known.as_ref().is_some_and(|publish| publish.done);
    record.set_publish(Publish { place: place.clone(), target, done });
    if before.as_ref() != Some(&record) && rules::on(Rule::JournalBeforePublish) {
        agent.save(key, record.clone()).await?;
    }
    prepare(agent, &spec, place, &record, &targets).await?;
    if let Err(error) = driver.node_publish_volume(request).await {
        let first = known.is_none();
        // What cannot be cleared away is kept on record, and is unpublished in the end.
        if first && left_by(&error) == Left::Nothing && clear(agent, &record, place).await.is_ok() {
            record.remove_publish(place);
            agent.save(key, record).await?;
        }
        return Err(call(&spec.driver, &spec.handle)(error));
    }
    match spec.mode {
        VolumeMode::Block => device::hand_over(agent, &record, place).await?,
        VolumeMode::Filesystem => {
            let policy = rules.as_deref().map(|rules| rules.fs_group_policy).unwrap_or_default();
            if let Some(gid) = group_to_apply(&spec, pod.fs_group, takes_group, policy) {
                give_to_group(agent, &record, place, gid, pod.fs_group_on_root_mismatch).await?;
            }
        }
    }
    if !done {
        if let Some(publish) = record.publishes.iter_mut().find(|publish| publish.place == *place) {
            publish.done = true;
        }
        agent.save(key, record).await?;
        tracing::info!(pod = %pod.meta.key, volume = %spec.name, driver = %spec.driver, "mounted");
    }
    Ok(())
}

/// Inline volumes begin here: nothing is staged.
fn inline_record(spec: &Spec) -> Record {
    Record {
        driver: spec.driver.clone(),
        handle: spec.handle.clone(),
        mode: spec.mode,
        inline: spec.inline,
        attachable: false,
        spec_name: spec.name.clone(),
        stage: Stage::NotNeeded,
        staging_path: PathBuf::new(),
        publishes: Vec::new(),
    }
}

/// For a filesystem only if the driver stages; for a device always: that is what kubelet sends, and drivers know it.
fn staging_path(agent: &Agent, record: &Record, spec: &Spec, driver_stages: bool) -> String {
    let path = match spec.mode {
        _ if spec.inline => PathBuf::new(),
        VolumeMode::Filesystem if driver_stages => record.staging_path.clone(),
        VolumeMode::Filesystem => PathBuf::new(),
        VolumeMode::Block if record.staging_path.as_os_str().is_empty() => {
            agent.config.root.block_staging_path(&record.spec_name)
        }
        VolumeMode::Block => record.staging_path.clone(),
    };
    path.to_string_lossy().into_owned()
}

fn target_path(agent: &Agent, place: &Place, spec: &Spec, targets: &Targets) -> PathBuf {
    match (&targets.root, spec.mode) {
        (Some(root), _) => publish_path_below(root, &place.pod_uid, &place.spec_name),
        (None, VolumeMode::Filesystem) => agent.config.root.publish_path(&place.pod_uid, &place.spec_name),
        (None, VolumeMode::Block) => agent.config.root.block_publish_path(&place.spec_name, &place.pod_uid),
    }
}

/// The folder above the target; the target itself is the driver's to make, unless it asks to find it made.
async fn prepare(agent: &Agent, spec: &Spec, place: &Place, record: &Record, targets: &Targets) -> Result<(), Error> {
    let root = &agent.config.root;
    let disk = agent.ctx.disk();
    let (own, data) = match spec.mode {
        VolumeMode::Filesystem => {
            let folder = root.publish_dir(&place.pod_uid, &place.spec_name);
            (folder.clone(), folder)
        }
        VolumeMode::Block => (root.block_publish_dir(&place.spec_name), root.block_data_dir(&record.spec_name)),
    };
    let target = record.publish(place).map(|publish| publish.target.clone()).unwrap_or_default();
    let elsewhere = tidy::elsewhere(&target, place);
    let parent = if elsewhere.is_some() { target.parent().unwrap_or(&own).to_owned() } else { own };
    for folder in [&parent, &data] {
        disk.make_dir(folder).await.map_err(Error::path("make the folder", folder))?;
    }
    let written = vol_data::of_publish(spec, &agent.config.node, elsewhere.as_deref());
    let written = vol_data::write(&agent.ctx, &data, &written).await;
    written.map_err(Error::path("write vol_data.json in", data))?;
    if targets.exists {
        make_target(agent, spec.mode, &parent, &target).await?;
    }
    if spec.mode == VolumeMode::Block { device::announce(agent, place).await } else { Ok(()) }
}

/// Mesos' `target_path_exists`. What is there stays: it may have the volume on it.
async fn make_target(agent: &Agent, mode: VolumeMode, parent: &Path, target: &Path) -> Result<(), Error> {
    let disk = agent.ctx.disk();
    match mode {
        VolumeMode::Filesystem => disk.make_dir(target).await.map_err(Error::path("make the target", target)),
        VolumeMode::Block => {
            let names = disk.list(parent).await.map_err(Error::path("list", parent))?;
            if names.iter().any(|name| name.file_name() == target.file_name()) {
                return Ok(());
            }
            disk.replace(target, Vec::new()).await.map_err(Error::path("make the target", target))
        }
    }
}

/// After a publish that left nothing.
async fn clear(agent: &Agent, record: &Record, place: &Place) -> Result<(), Error> {
    tidy::device(agent, record, place).await?;
    tidy::target(agent, record, place).await
}

async fn give_to_group(agent: &Agent, record: &Record, place: &Place, gid: u32, only_on_mismatch: bool) -> Result<(), Error> {
    let Some(target) = record.publish(place).map(|publish| publish.target.clone()) else { return Ok(()) };
    let (files, path) = (agent.files.clone(), target.clone());
    let walk = agent.ctx.blocking(move || files.give_to_group(&path, gid, only_on_mismatch)).await;
    match walk.map_err(Error::path("give to the pod's fsGroup", &target))? {
        Walk::Changed { entries, failed } if failed > 0 => {
            tracing::warn!(target = %target.display(), gid, entries, failed, "some entries did not take the pod's fsGroup");
        }
        walk => tracing::debug!(target = %target.display(), gid, ?walk, "fsGroup"),
    }
    Ok(())
}
