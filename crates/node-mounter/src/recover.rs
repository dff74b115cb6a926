//! The first thing after a start: what may be mounted here? The journal says; where it lost a record, the folders do.
//!
//! Everything found is doubted: what pods still want is staged and published again, which drivers must allow, and what they
//! do not want is unpublished and unstaged. The staging folders are searched too, not only the pods': a volume that was
//! staged when the crash came, and never published, is still there.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use csi_types::VolumeMode;
use rt::Ctx;
use tracing::{error, info, warn};

use crate::journal::{Journal, Place, Publish, Record, SetAside, Stage};
use crate::paths::{Root, VolumeKey, publish_path_below};
use crate::vol_data::{self, VolData};

/// What a start found.
#[derive(Debug, Default)]
pub struct Recovered {
    /// All volumes that may be mounted here.
    pub records: BTreeMap<VolumeKey, Record>,
    /// Records that are lost, and whose volume's folders are not there either. Their volumes stay reported in use.
    pub held: Vec<SetAside>,
}

/// Reads the journal and the folders. What the folders add is written to the journal.
pub async fn recover(ctx: &Ctx, journal: &Journal, root: &Root) -> io::Result<Recovered> {
    let loaded = journal.load().await?;
    let mut records = BTreeMap::new();
    for (key, record) in loaded.records {
        records.insert(key, record.doubted());
    }
    let mut folders = Folders { ctx, root, seen: BTreeMap::new() };
    folders.staged().await;
    folders.published().await;
    folders.devices().await;
    for (key, seen) in folders.seen {
        let known = records.get(&key).cloned();
        let merged = merge(known.clone(), seen);
        if known.as_ref() != Some(&merged) {
            warn!(volume = %key, "its folders say more than the journal: it is taken for mounted");
            journal.save(&key, &merged).await?;
        }
        records.insert(key, merged);
    }
    let mut held = Vec::new();
    for lost in loaded.set_aside {
        let found = records.keys().any(|key| lost.is_of(key));
        let outcome = match found {
            true => "was found by its folders",
            false => {
                "stays reported in use until it was mounted and unmounted here again, or that file is taken away and node-mounter restarted"
            }
        };
        error!(file = %lost.file.display(), "a journal record cannot be read: {}. It is set aside; its volume {outcome}", lost.problem);
        if found {
            journal.settle(&lost).await?;
        } else {
            held.push(lost);
        }
    }
    info!(volumes = records.len(), held = held.len(), "recovered");
    Ok(Recovered { records, held })
}

/// The journal's word stands; what it does not know is added.
fn merge(known: Option<Record>, seen: Record) -> Record {
    let Some(mut record) = known else { return seen };
    for publish in seen.publishes {
        if record.publish(&publish.place).is_none() {
            record.set_publish(publish);
        }
    }
    if record.stage == Stage::No {
        record.stage = seen.stage;
        record.staging_path = seen.staging_path;
    }
    record
}

/// Volumes by the folders that kubelet's layout gives them. A folder that cannot be read is told of and passed over: what is
/// mounted there is not ours to touch.
struct Folders<'a> {
    ctx: &'a Ctx,
    root: &'a Root,
    seen: BTreeMap<VolumeKey, Record>,
}

impl Folders<'_> {
    /// `<driver>/<hash>/vol_data.json`.
    async fn staged(&mut self) {
        for driver in self.names(&self.root.staged()).await {
            let of_driver = self.root.staged().join(&driver);
            if of_driver == self.root.block() {
                continue;
            }
            for hash in self.names(&of_driver).await {
                let Some(data) = self.data(&of_driver.join(&hash)).await else { continue };
                let staging_path = self.root.staging_path(&data.driver, &data.handle);
                let key = VolumeKey::of(&data.driver, &data.handle);
                let record = self.record(key, &data, VolumeMode::Filesystem, "");
                record.stage = Stage::Maybe;
                record.staging_path = staging_path;
            }
        }
    }

    /// `pods/<uid>/volumes/kubernetes.io~csi/<name>/vol_data.json`.
    async fn published(&mut self) {
        for pod_uid in self.names(&self.root.pods()).await {
            for spec_name in self.names(&self.root.pod_volumes(&pod_uid)).await {
                let Some(data) = self.data(&self.root.publish_dir(&pod_uid, &spec_name)).await else { continue };
                let target = match &data.target_root {
                    Some(root) => publish_path_below(root, &pod_uid, &spec_name),
                    None => self.root.publish_path(&pod_uid, &spec_name),
                };
                let key = match data.inline {
                    true => VolumeKey::inline(&pod_uid, &spec_name),
                    false => VolumeKey::of(&data.driver, &data.handle),
                };
                let record = self.record(key, &data, VolumeMode::Filesystem, &spec_name);
                record.set_publish(Publish { place: Place { pod_uid: pod_uid.clone(), spec_name }, target, done: false });
            }
        }
    }

    /// `volumeDevices/<name>/data/vol_data.json`, and who has it by the files in `dev` and `publish`.
    async fn devices(&mut self) {
        for spec_name in self.names(&self.root.block()).await {
            let Some(data) = self.data(&self.root.block_data_dir(&spec_name)).await else { continue };
            let staging_path = self.root.block_staging_path(&spec_name);
            let staged = self.ctx.disk().list(&staging_path).await.is_ok();
            let mut pods = self.names(&self.root.block_devices_dir(&spec_name)).await;
            pods.extend(self.names(&self.root.block_publish_dir(&spec_name)).await);
            let target = |uid: &str| match &data.target_root {
                Some(root) => publish_path_below(root, uid, &spec_name),
                None => self.root.block_publish_path(&spec_name, uid),
            };
            let targets: Vec<(String, PathBuf)> = pods.into_iter().map(|uid| (uid.clone(), target(&uid))).collect();
            let key = VolumeKey::of(&data.driver, &data.handle);
            let record = self.record(key, &data, VolumeMode::Block, &spec_name);
            if staged {
                record.stage = Stage::Maybe;
                record.staging_path = staging_path;
            }
            for (pod_uid, target) in targets {
                record.set_publish(Publish { place: Place { pod_uid, spec_name: spec_name.clone() }, target, done: false });
            }
        }
    }

    fn record(&mut self, key: VolumeKey, data: &VolData, mode: VolumeMode, spec_name: &str) -> &mut Record {
        let record = self.seen.entry(key).or_insert_with(|| Record {
            driver: data.driver.clone(),
            handle: data.handle.clone(),
            mode,
            inline: data.inline,
            // Better reported in use for too long than not.
            attachable: !data.inline,
            spec_name: spec_name.to_owned(),
            stage: if data.inline { Stage::NotNeeded } else { Stage::No },
            staging_path: PathBuf::new(),
            publishes: Vec::new(),
        });
        if record.spec_name.is_empty() {
            record.spec_name = spec_name.to_owned();
        }
        record
    }

    async fn data(&self, folder: &Path) -> Option<VolData> {
        match vol_data::read(self.ctx, folder).await {
            Ok(data) => data,
            Err(problem) => {
                error!(folder = %folder.display(), "cannot tell whose volume this is, so it is left as it is: vol_data.json: {problem}");
                None
            }
        }
    }

    async fn names(&self, folder: &Path) -> Vec<String> {
        let listed = match self.ctx.disk().list(folder).await {
            Ok(listed) => listed,
            Err(problem) if matches!(problem.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Vec::new(),
            Err(problem) => {
                error!(folder = %folder.display(), "cannot look for volumes: {problem}");
                Vec::new()
            }
        };
        listed.iter().filter_map(|name| Some(name.file_name()?.to_str()?.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests;
