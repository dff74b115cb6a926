//! What is cleared away after a driver let go. Only what is empty, and never through a mount: a folder with something in it
//! is an error for a person to look at, not a tree to delete.

use std::io;
use std::path::{Path, PathBuf};

use csi_types::VolumeMode;

use crate::agent::Agent;
use crate::error::Error;
use crate::journal::{Place, Record};
use crate::paths::publish_path_below;
use crate::vol_data;

/// Asks the kernel.
pub(super) async fn is_mount_point(agent: &Agent, path: &Path) -> Result<bool, Error> {
    let mounter = agent.mounter.clone();
    let table = agent.ctx.blocking(move || mounter.table()).await.map_err(Error::path("read the mount table for", path))?;
    Ok(table.is_mount_point(path))
}

/// A staging folder and what is beside it.
pub(super) async fn staging(agent: &Agent, record: &Record) -> Result<(), Error> {
    let root = &agent.config.root;
    if record.staging_path.as_os_str().is_empty() && record.mode == VolumeMode::Filesystem {
        return Ok(());
    }
    match record.mode {
        VolumeMode::Filesystem => {
            let folder = root.staging_dir(&record.driver, &record.handle);
            remove_dir(agent, &record.staging_path).await?;
            remove_file(agent, &vol_data::file(&folder)).await?;
            remove_dir(agent, &folder).await
        }
        VolumeMode::Block => {
            let name = &record.spec_name;
            // Some drivers leave the device's file in their folder.
            remove_dir_with_files(agent, &root.block_staging_path(name)).await?;
            remove_dir(agent, &root.block_publish_dir(name)).await?;
            remove_file(agent, &vol_data::file(&root.block_data_dir(name))).await?;
            for folder in [root.block_data_dir(name), root.block_devices_dir(name), root.block_dir(name)] {
                remove_dir(agent, &folder).await?;
            }
            Ok(())
        }
    }
}

/// The folder of a plugin's own that a target is below; `None` for one that is where kubelets have them.
pub(super) fn elsewhere(target: &Path, place: &Place) -> Option<PathBuf> {
    let root = target.parent()?.parent()?.parent()?;
    (publish_path_below(root, &place.pod_uid, &place.spec_name) == target).then(|| root.to_owned())
}

/// A target path and what is beside it. Drivers ought to have removed the target.
pub(super) async fn target(agent: &Agent, record: &Record, place: &Place) -> Result<(), Error> {
    let root = &agent.config.root;
    let published = record.publish(place).map(|publish| publish.target.clone());
    match record.mode {
        VolumeMode::Filesystem => {
            let folder = root.publish_dir(&place.pod_uid, &place.spec_name);
            let target = published.unwrap_or_else(|| root.publish_path(&place.pod_uid, &place.spec_name));
            remove_dir(agent, &target).await?;
            above(agent, &target, place).await?;
            remove_file(agent, &vol_data::file(&folder)).await?;
            remove_dir(agent, &folder).await
        }
        VolumeMode::Block => {
            let target = published.unwrap_or_else(|| root.block_publish_path(&place.spec_name, &place.pod_uid));
            let removed = agent.ctx.disk().remove(&target).await;
            match removed {
                Err(error) if error.kind() == io::ErrorKind::IsADirectory => remove_dir(agent, &target).await?,
                removed => removed.map_err(Error::path("remove", &target))?,
            }
            above(agent, &target, place).await?;
            // A second PersistentVolume of this handle has folders of its own; of the first, they go with the staging.
            if place.spec_name != record.spec_name {
                let name = &place.spec_name;
                for folder in [root.block_publish_dir(name), root.block_devices_dir(name), root.block_dir(name)] {
                    remove_dir(agent, &folder).await.ok();
                }
            }
            Ok(())
        }
    }
}

/// What we made above a target in a plugin's own folder: the pod's folder, and the volume's if it was the last pod.
async fn above(agent: &Agent, target: &Path, place: &Place) -> Result<(), Error> {
    let Some(root) = elsewhere(target, place) else { return Ok(()) };
    let volume = root.join(&place.spec_name);
    remove_dir(agent, &volume.join(&place.pod_uid)).await?;
    // Another pod's target may be in it.
    remove_dir(agent, &volume).await.ok();
    Ok(())
}

/// Our own handle on a device: the pod's link, the bind mount, its file. Before NodeUnpublishVolume, or the driver's device
/// would be busy.
pub(super) async fn device(agent: &Agent, record: &Record, place: &Place) -> Result<(), Error> {
    if record.mode != VolumeMode::Block {
        return Ok(());
    }
    let device = agent.config.root.block_device(&place.spec_name, &place.pod_uid);
    remove_file(agent, &agent.config.root.pod_device(&place.pod_uid, &place.spec_name)).await?;
    unmount_all(agent, vec![device.clone()]).await?;
    remove_file(agent, &device).await
}

/// Bind mounts of parts of this volume that a runtime made for containers: they hold the volume.
pub(super) async fn sub_paths(agent: &Agent, place: &Place) -> Result<(), Error> {
    let folder = agent.config.root.pod(&place.pod_uid).join("volume-subpaths").join(&place.spec_name);
    let (mounter, below) = (agent.mounter.clone(), folder.clone());
    let table = agent.ctx.blocking(move || mounter.table()).await.map_err(Error::path("read the mount table for", &folder))?;
    let mut targets: Vec<PathBuf> =
        table.0.into_iter().map(|mount| mount.target).filter(|target| target.starts_with(&below)).collect();
    targets.sort();
    targets.reverse();
    unmount_all(agent, targets).await
}

async fn unmount_all(agent: &Agent, targets: Vec<PathBuf>) -> Result<(), Error> {
    let mounter = agent.mounter.clone();
    let work = move || {
        for target in targets {
            let table = mounter.table().map_err(Error::path("read the mount table for", &target))?;
            for _ in 0..table.layers(&target) {
                mounter.unmount(&target).map_err(Error::path("unmount", &target))?;
            }
        }
        Ok(())
    };
    agent.ctx.blocking(work).await
}

/// Also for folders whose parent is not there.
pub(super) async fn remove_dir(agent: &Agent, path: &Path) -> Result<(), Error> {
    agent.ctx.disk().remove_dir(path).await.map_err(Error::path("remove the folder", path))
}

async fn remove_file(agent: &Agent, path: &Path) -> Result<(), Error> {
    agent.ctx.disk().remove(path).await.map_err(Error::path("remove", path))
}

async fn remove_dir_with_files(agent: &Agent, path: &Path) -> Result<(), Error> {
    if is_mount_point(agent, path).await? {
        return Err(Error::path("remove the folder", path)(io::ErrorKind::ResourceBusy.into()));
    }
    let names = match agent.ctx.disk().list(path).await {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::path("list", path)(error)),
    };
    for name in names {
        remove_file(agent, &path.join(name)).await?;
    }
    remove_dir(agent, path).await
}
