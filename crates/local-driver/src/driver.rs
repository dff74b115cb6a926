//! The driver itself: what it was told, where its state is, and what every call needs. Calls are plain blocking functions; see
//! `service.rs` for how they reach the socket.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use csi_proto::csi::v1::{Topology, TopologyRequirement};

use crate::error::{Error, Result};
use crate::flags::Config;
use crate::host::{loop_device, mountinfo};
use crate::store::Store;
use crate::store::key::Key;

/// One driver on one data directory.
pub(crate) struct Driver {
    pub(crate) config: Config,
    pub(crate) store: Store,
}

impl Driver {
    /// Opens the data directory and repairs what a killed process left.
    pub(crate) fn open(config: Config) -> Result<Driver> {
        let store = Store::open(&config.data_dir, config.overcommit)?;
        let driver = Driver { config, store };
        driver.thaw_leftovers();
        if driver.config.node {
            driver.store.register_node(&driver.config.node_id)?;
        }
        Ok(driver)
    }

    /// A process killed between freeze and thaw of a snapshot leaves a filesystem on which every write hangs.
    fn thaw_leftovers(&self) {
        let volumes = self.store.volumes.dir();
        let (Ok(loops), Ok(table)) = (loop_device::all(), mountinfo::read()) else { return };
        for (number, backing) in loops.iter().filter(|(_, backing)| backing.starts_with(volumes)) {
            let Some(key) = backing.parent().and_then(Path::file_name).and_then(|name| Key::from_directory(name.to_str()?))
            else {
                continue;
            };
            let Some(mount) = table.iter().find(|mount| mount.source == loop_device::node(*number)) else { continue };
            // A held lock means that another process is taking a snapshot right now.
            if let Ok(_guard) = self.store.volumes.lock(&key)
                && let Err(error) = loop_device::thaw(&mount.point)
            {
                tracing::warn!(volume = key.as_str(), why = %error, "cannot thaw");
            }
        }
    }

    /// Where this node is, as volumes and nodes report it.
    pub(crate) fn topology(&self) -> Option<Topology> {
        let key = self.config.topology_key.clone()?;
        Some(Topology { segments: BTreeMap::from([(key, self.config.node_id.clone())]) })
    }

    /// Whether a place is this one.
    pub(crate) fn is_here(&self, place: &Topology) -> bool {
        match &self.config.topology_key {
            Some(key) => place.segments.get(key) == Some(&self.config.node_id),
            None => true,
        }
    }

    /// Refuses a volume that must be elsewhere. No requisite place means anywhere.
    pub(crate) fn check_place(&self, required: Option<&TopologyRequirement>) -> Result<()> {
        let Some(required) = required.filter(|required| !required.requisite.is_empty()) else { return Ok(()) };
        if required.requisite.iter().any(|place| self.is_here(place)) {
            return Ok(());
        }
        Err(Error::Exhausted(format!(
            "none of the {} requisite places is this host ({}={}); only the driver on one of them can make the volume",
            required.requisite.len(),
            self.config.topology_key.as_deref().unwrap_or_default(),
            self.config.node_id
        )))
    }
}

/// A field that every request must have.
pub(crate) fn required<'a>(field: &'static str, value: &'a str) -> Result<&'a str> {
    if value.is_empty() { Err(Error::Invalid(format!("{field} is missing"))) } else { Ok(value) }
}

/// A path that we will create, mount on or remove: absolute and without detours, its parents resolved as the kernel shows them.
pub(crate) fn host_path(field: &'static str, value: &str) -> Result<PathBuf> {
    let path = Path::new(required(field, value)?);
    let plain = path.components().all(|part| matches!(part, std::path::Component::RootDir | std::path::Component::Normal(_)));
    let (Some(parent), Some(name), true) = (path.parent(), path.file_name(), path.is_absolute() && plain) else {
        return Err(Error::Invalid(format!("{field} is {value:?}; it must be an absolute path without . or ..")));
    };
    // What does not exist yet cannot be a link.
    let resolved = parent.ancestors().find_map(|known| {
        let real = std::fs::canonicalize(known).ok()?;
        Some(real.join(parent.strip_prefix(known).ok()?))
    });
    Ok(resolved.unwrap_or_else(|| parent.to_owned()).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_detours_is_refused_and_a_linked_parent_is_resolved() {
        for bad in ["", "relative", "/", "/a/../b", "/a/.."] {
            assert!(matches!(host_path("target_path", bad), Err(Error::Invalid(_))), "{bad}");
        }
        let dir = tempfile::tempdir().unwrap();
        let real = std::fs::canonicalize(dir.path()).unwrap();
        std::fs::create_dir(real.join("real")).unwrap();
        std::os::unix::fs::symlink(real.join("real"), real.join("link")).unwrap();
        let given = real.join("link/target");
        assert_eq!(host_path("target_path", given.to_str().unwrap()).unwrap(), real.join("real/target"));
        let deeper = real.join("link/not/yet/target");
        assert_eq!(host_path("target_path", deeper.to_str().unwrap()).unwrap(), real.join("real/not/yet/target"));
        assert_eq!(host_path("target_path", "/no/such/parent/x/").unwrap(), Path::new("/no/such/parent/x"));
    }
}
