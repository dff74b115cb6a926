//! Where things are under the root directory, and what they are called: kubelet's layout, to the letter.
//!
//! Drivers look at these paths (their own mounts, their registration socket), and so do people, so they are not ours to
//! improve. Knows nothing of what is on the disk.
//! Upstream: kubelet `pkg/volume/csi`, as `docs/node-mounter.md` lists it.

use std::path::{Path, PathBuf};

use csi_types::{DriverName, NodeName, VolumeHandle};
use sha2::{Digest, Sha256};

/// The root directory, `/var/lib/kubelet` by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(PathBuf);

/// What keeps two volumes apart: a driver and its handle, or, for an inline volume, the pod and the volume's name in it.
/// Two PersistentVolumes with one driver and handle are one volume.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VolumeKey(Box<str>);

const CSI: &str = "kubernetes.io/csi";
const CSI_ESCAPED: &str = "kubernetes.io~csi";

impl VolumeKey {
    /// The name that goes into `volumesInUse` and `volumesAttached`.
    pub fn of(driver: &DriverName, handle: &VolumeHandle) -> Self {
        Self(format!("{CSI}/{driver}^{handle}").into())
    }

    /// An inline volume. Never reported in the Node's status.
    pub fn inline(pod_uid: &str, volume: &str) -> Self {
        Self(format!("{CSI}/{pod_uid}-{volume}").into())
    }

    /// A name as the journal or the Node's status has it.
    pub fn parse(name: &str) -> Self {
        Self(name.into())
    }

    /// The unique volume name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for VolumeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of the VolumeAttachment for this volume on this node. The three are joined without a separator.
pub fn attachment_name(handle: &VolumeHandle, driver: &DriverName, node: &NodeName) -> String {
    format!("csi-{}", sha256_hex([handle.as_str(), driver.as_str(), node.as_str()]))
}

/// The handle of an inline volume, which nobody provisions.
pub fn inline_handle(pod_uid: &str, volume: &str) -> VolumeHandle {
    VolumeHandle::new(format!("csi-{}", sha256_hex([pod_uid, volume])))
}

/// Lowercase hex of the SHA-256 of the parts, joined.
pub fn sha256_hex<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `target_path` below a folder of a plugin's own. The same shape everywhere, so that what is made above the target is known.
pub fn publish_path_below(root: &Path, pod_uid: &str, spec_name: &str) -> PathBuf {
    root.join(spec_name).join(pod_uid).join("target")
}

/// A name from outside as one path component; `None` for one that would climb or hide.
pub fn component(name: &str) -> Option<&str> {
    (!name.is_empty() && name != "." && name != ".." && !name.contains('/') && !name.contains('\0')).then_some(name)
}

impl Root {
    /// The directory is not looked at here.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where registration sockets appear.
    pub fn plugins_registry(&self) -> PathBuf {
        self.0.join("plugins_registry")
    }

    /// Where drivers conventionally keep their sockets.
    pub fn plugins(&self) -> PathBuf {
        self.0.join("plugins")
    }

    /// Where plugins that are started here have their sockets.
    pub fn hosted_plugins(&self) -> PathBuf {
        self.plugins().join("longshore.plugins")
    }

    /// Everything that belongs to pods.
    pub fn pods(&self) -> PathBuf {
        self.0.join("pods")
    }

    /// Everything that belongs to one pod.
    pub fn pod(&self, uid: &str) -> PathBuf {
        self.pods().join(uid)
    }

    /// What the pod's volumes are and where: the file for the local runtime.
    pub fn pod_volumes_file(&self, uid: &str) -> PathBuf {
        self.pod(uid).join("volumes.json")
    }

    /// Our journal. A folder of ours beside the drivers' own, so that wiping one driver's folder does not take it along.
    pub fn journal(&self) -> PathBuf {
        self.plugins().join("longshore.node-mounter/journal")
    }

    /// Held by the agent that works here.
    pub fn lock(&self) -> PathBuf {
        self.plugins().join("longshore.node-mounter/lock")
    }

    /// The folder of staged filesystem volumes, one folder per driver.
    pub fn staged(&self) -> PathBuf {
        self.plugins().join(CSI)
    }

    /// The folder around a filesystem volume's staging path; `vol_data.json` lies here.
    pub fn staging_dir(&self, driver: &DriverName, handle: &VolumeHandle) -> PathBuf {
        self.staged().join(driver.as_str()).join(sha256_hex([handle.as_str()]))
    }

    /// `staging_target_path` of a filesystem volume.
    pub fn staging_path(&self, driver: &DriverName, handle: &VolumeHandle) -> PathBuf {
        self.staging_dir(driver, handle).join("globalmount")
    }

    /// The pod's folder of CSI filesystem volumes.
    pub fn pod_volumes(&self, pod_uid: &str) -> PathBuf {
        self.pod(pod_uid).join("volumes").join(CSI_ESCAPED)
    }

    /// The folder around a target path; `vol_data.json` lies here.
    pub fn publish_dir(&self, pod_uid: &str, spec_name: &str) -> PathBuf {
        self.pod_volumes(pod_uid).join(spec_name)
    }

    /// `target_path` of a filesystem volume.
    pub fn publish_path(&self, pod_uid: &str, spec_name: &str) -> PathBuf {
        self.publish_dir(pod_uid, spec_name).join("mount")
    }

    /// Everything of block volumes.
    pub fn block(&self) -> PathBuf {
        self.staged().join("volumeDevices")
    }

    /// `staging_target_path` of a block volume. By the PersistentVolume's name, not by the handle's hash.
    pub fn block_staging_path(&self, spec_name: &str) -> PathBuf {
        self.block().join("staging").join(spec_name)
    }

    /// The folder around a block volume's target paths.
    pub fn block_publish_dir(&self, spec_name: &str) -> PathBuf {
        self.block().join("publish").join(spec_name)
    }

    /// `target_path` of a block volume.
    pub fn block_publish_path(&self, spec_name: &str, pod_uid: &str) -> PathBuf {
        self.block_publish_dir(spec_name).join(pod_uid)
    }

    /// The folder of a block volume's metadata and device files.
    pub fn block_dir(&self, spec_name: &str) -> PathBuf {
        self.block().join(spec_name)
    }

    /// Holds `vol_data.json` of a block volume.
    pub fn block_data_dir(&self, spec_name: &str) -> PathBuf {
        self.block_dir(spec_name).join("data")
    }

    /// The folder of device files, one per pod.
    pub fn block_devices_dir(&self, spec_name: &str) -> PathBuf {
        self.block_dir(spec_name).join("dev")
    }

    /// The file that the published device is bind-mounted on: a place of ours that holds the device open by name.
    pub fn block_device(&self, spec_name: &str, pod_uid: &str) -> PathBuf {
        self.block_devices_dir(spec_name).join(pod_uid)
    }

    /// The pod's folder of links to its CSI devices.
    pub fn pod_devices(&self, pod_uid: &str) -> PathBuf {
        self.pod(pod_uid).join("volumeDevices").join(CSI_ESCAPED)
    }

    /// The link that a runtime follows to the device.
    pub fn pod_device(&self, pod_uid: &str, spec_name: &str) -> PathBuf {
        self.pod_devices(pod_uid).join(spec_name)
    }
}

#[cfg(test)]
mod tests;
