//! The folders of a pod that has no volume here any more. Empty ones only: what else is in them is somebody's.

use std::path::{Path, PathBuf};

use crate::agent::Agent;
use crate::error::Error;

/// Leaves what is not empty, and says so at debug: a runtime may have things of its own there.
pub(super) async fn act(agent: &Agent, uid: &str) -> Result<(), Error> {
    let root = &agent.config.root;
    let file = root.pod_volumes_file(uid);
    agent.ctx.disk().remove(&file).await.map_err(Error::path("remove", file))?;
    let mut folders: Vec<PathBuf> = Vec::new();
    for csi in [root.pod_volumes(uid), root.pod_devices(uid)] {
        folders.push(csi.clone());
        folders.extend(csi.parent().map(PathBuf::from));
    }
    let sub_paths = root.pod(uid).join("volume-subpaths");
    folders.extend(empty_tree(agent, &sub_paths).await);
    folders.push(root.pod(uid));
    for folder in folders {
        if let Err(error) = agent.ctx.disk().remove_dir(&folder).await {
            tracing::debug!(folder = %folder.display(), "left as it is: {error}");
        }
    }
    let mut state = agent.state();
    state.files.remove(uid);
    state.through.insert(uid.to_owned());
    Ok(())
}

/// `volume-subpaths/<volume>/<container>`, the deepest first. The mounts in it are gone with the volumes.
async fn empty_tree(agent: &Agent, sub_paths: &Path) -> Vec<PathBuf> {
    let disk = agent.ctx.disk();
    let mut folders = Vec::new();
    for volume in disk.list(sub_paths).await.unwrap_or_default() {
        let volume = sub_paths.join(volume);
        for container in disk.list(&volume).await.unwrap_or_default() {
            let container = volume.join(container);
            folders.extend(disk.list(&container).await.unwrap_or_default().into_iter().map(|index| container.join(index)));
            folders.push(container);
        }
        folders.push(volume);
    }
    folders.push(sub_paths.to_owned());
    folders
}
