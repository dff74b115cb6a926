//! The volume, once for the whole node.

use csi_types::{NodeCapability, NodeStageVolumeRequest, Rpc, VolumeMode};
use rt::rules::{self, Rule};

use super::{call, capabilities, secret, tidy};
use crate::agent::Agent;
use crate::attachment::publish_context;
use crate::error::{Error, Left, left_by};
use crate::journal::{Place, Record, Stage};
use crate::paths::VolumeKey;
use crate::spec::Spec;
use crate::state::attachable;
use crate::vol_data;

/// Stages on behalf of this pod. The record says `Maybe` before the call goes out.
pub(super) async fn act(agent: &Agent, key: &VolumeKey, place: &Place) -> Result<(), Error> {
    let wanted = agent.state().wanted_at(key, place);
    let (pod, spec) = wanted.ok_or_else(|| Error::NotWanted { key: key.clone() })?;
    let driver = agent.driver(&spec.driver)?;
    let publish_context = publish_context(agent, &spec).await?;
    let can = capabilities(&*driver, &spec).await?;
    let before = agent.state().records.get(key).cloned();
    let mut record = before.clone().unwrap_or_else(|| new_record(agent, &spec));
    record.attachable = attachable(&agent.caches.csi_drivers, &spec.driver);
    // A record that says that a call was begun is not taken back by a driver that no longer stages.
    if !can.contains(&NodeCapability::StageUnstageVolume) && record.stage == Stage::No {
        record.stage = Stage::NotNeeded;
        return agent.save(key, record).await;
    }
    let group = pod.fs_group.filter(|_| can.contains(&NodeCapability::VolumeMountGroup));
    let request = NodeStageVolumeRequest {
        handle: spec.handle.clone(),
        publish_context,
        staging_target_path: staging_path(&record, agent, &spec).to_string_lossy().into_owned(),
        capability: spec.capability(can.contains(&NodeCapability::SingleNodeMultiWriter), group),
        secrets: secret(agent, Rpc::NodeStageVolume, spec.stage_secret.as_ref()).await?,
        volume_context: spec.attributes.clone(),
    };

    record.staging_path = staging_path(&record, agent, &spec);
    record.stage = Stage::Maybe;
    if rules::on(Rule::JournalBeforeStage) {
        agent.save(key, record.clone()).await?;
    }
    // From here on the record keeps it in volumesInUse. If a pod's deletion took it out just before, somebody may be detaching it.
    let stands = !record.attachable || agent.state().node.reported.contains(key) || !rules::on(Rule::InUseBeforeMount);
    if before.is_none() && !stands {
        agent.cross_out(key).await?;
        return Err(Error::NotInUse { key: key.clone() });
    }
    prepare(agent, &spec, &record).await?;
    match driver.node_stage_volume(request).await {
        Ok(()) => {
            record.stage = Stage::Yes;
            agent.save(key, record).await
        }
        Err(error) => {
            // Once an outcome was unknown, a later refusal does not prove that the first call did nothing.
            let first = before.is_none_or(|before| before.stage == Stage::No);
            // What cannot be cleared away is kept on record, and is unstaged in the end.
            if first && left_by(&error) == Left::Nothing && tidy::staging(agent, &record).await.is_ok() {
                agent.cross_out(key).await?;
            }
            Err(call(&spec.driver, &spec.handle)(error))
        }
    }
}

fn new_record(agent: &Agent, spec: &Spec) -> Record {
    Record {
        driver: spec.driver.clone(),
        handle: spec.handle.clone(),
        mode: spec.mode,
        inline: spec.inline,
        attachable: !spec.inline && attachable(&agent.caches.csi_drivers, &spec.driver),
        spec_name: spec.name.clone(),
        stage: Stage::No,
        staging_path: Default::default(),
        publishes: Vec::new(),
    }
}

/// Where it was staged before, it is staged again: a second PersistentVolume of one handle has another name.
fn staging_path(record: &Record, agent: &Agent, spec: &Spec) -> std::path::PathBuf {
    let root = &agent.config.root;
    match spec.mode {
        _ if !record.staging_path.as_os_str().is_empty() => record.staging_path.clone(),
        VolumeMode::Filesystem => root.staging_path(&spec.driver, &spec.handle),
        VolumeMode::Block => root.block_staging_path(&record.spec_name),
    }
}

async fn prepare(agent: &Agent, spec: &Spec, record: &Record) -> Result<(), Error> {
    let root = &agent.config.root;
    let disk = agent.ctx.disk();
    // What an earlier call mounted there may be dead, and then cannot even be looked at: that is the driver's to mend.
    if !tidy::is_mount_point(agent, &record.staging_path).await? {
        disk.make_dir(&record.staging_path).await.map_err(Error::path("make the folder", &record.staging_path))?;
    }
    let (folder, data) = match spec.mode {
        VolumeMode::Filesystem => (root.staging_dir(&spec.driver, &spec.handle), vol_data::of_stage(spec)),
        VolumeMode::Block => (
            root.block_data_dir(&record.spec_name),
            vol_data::of_publish(spec, &agent.config.node, published_below(record).as_deref()),
        ),
    };
    disk.make_dir(&folder).await.map_err(Error::path("make the folder", &folder))?;
    vol_data::write(&agent.ctx, &folder, &data).await.map_err(Error::path("write vol_data.json in", folder))
}

/// A plugin's own folder that the volume is published below already: staging it again must not forget that.
fn published_below(record: &Record) -> Option<std::path::PathBuf> {
    record.publishes.iter().find_map(|publish| tidy::elsewhere(&publish.target, &publish.place))
}
