//! A published device, handed to the runtime: bind-mounted on a file of ours, and linked from the pod's folder.
//!
//! Upstream also locks the device with a loop device, so that the kernel cannot give its name to another disk while the pod
//! runs. We leave that out: our bind mount holds the device node itself, and the link is never followed again after the
//! runtime has opened it.

use std::path::Path;

use crate::agent::Agent;
use crate::error::Error;
use crate::journal::{Place, Record};

/// Before the publish: whose it is going to be stands in the folders as well as in the journal, so that either can be lost.
pub(super) async fn announce(agent: &Agent, place: &Place) -> Result<(), Error> {
    let folder = agent.config.root.block_devices_dir(&place.spec_name);
    let disk = agent.ctx.disk();
    disk.make_dir(&folder).await.map_err(Error::path("make the folder", &folder))?;
    let names = disk.list(&folder).await.map_err(Error::path("list", &folder))?;
    if names.iter().any(|name| name.as_os_str() == place.pod_uid.as_str()) {
        // It may have the device by now.
        return Ok(());
    }
    let device = agent.config.root.block_device(&place.spec_name, &place.pod_uid);
    disk.replace(&device, Vec::new()).await.map_err(Error::path("make the device file", device))
}

/// Everything here can be repeated.
pub(super) async fn hand_over(agent: &Agent, record: &Record, place: &Place) -> Result<(), Error> {
    let Some(target) = record.publish(place).map(|publish| publish.target.clone()) else { return Ok(()) };
    let root = &agent.config.root;
    let device = root.block_device(&place.spec_name, &place.pod_uid);
    let link = root.pod_device(&place.pod_uid, &place.spec_name);
    for file in [&device, &link] {
        let folder = file.parent().unwrap_or(Path::new("/"));
        agent.ctx.disk().make_dir(folder).await.map_err(Error::path("make the folder", folder))?;
    }
    let (files, mounter) = (agent.files.clone(), agent.mounter.clone());
    let work = move || {
        let published = files.resolve(&target).map_err(Error::path("follow the published device", &target))?;
        files.touch(&device).map_err(Error::path("make the device file", &device))?;
        if !mounter.table().map_err(Error::path("read the mount table for", &device))?.is_mount_point(&device) {
            mounter.bind(&published, &device).map_err(Error::path("bind the device on", &device))?;
        }
        files.link(&published, &link).map_err(Error::path("link the device as", &link))
    };
    agent.ctx.blocking(work).await
}
