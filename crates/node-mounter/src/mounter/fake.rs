//! Mounts in memory, for tests and simulation.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::{Files, Mounter, Remount};
use crate::fs_group::Walk;
use crate::mountinfo::{Mount, MountTable};

/// A mount table, links, empty files and groups that nobody else sees.
#[derive(Default)]
pub struct FakeMounter(Mutex<State>);

#[derive(Default)]
struct State {
    table: MountTable,
    links: BTreeMap<PathBuf, PathBuf>,
    files: Vec<PathBuf>,
    groups: BTreeMap<PathBuf, u32>,
}

impl FakeMounter {
    /// Starts with this `mountinfo`.
    pub fn new(mountinfo: &str) -> Self {
        Self(Mutex::new(State { table: MountTable::parse(mountinfo.as_bytes()), ..State::default() }))
    }

    /// The links there are, by their own path.
    pub fn links(&self) -> BTreeMap<PathBuf, PathBuf> {
        self.state().links.clone()
    }

    /// What filesystems are mounted on: devices are not among them.
    pub fn filesystems(&self) -> Vec<PathBuf> {
        let state = self.state();
        let filesystems = state.table.0.iter().filter(|mount| !matches!(&*mount.fs_type, "devtmpfs" | "none"));
        filesystems.map(|mount| mount.target.clone()).collect()
    }

    /// Which volume was given to which group.
    pub fn groups(&self) -> BTreeMap<PathBuf, u32> {
        self.state().groups.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn push(&self, device: &str, root: &Path, target: &Path, fs_type: &str, source: &Path) {
        let options = "rw".to_owned();
        let (device, fs_type) = (device.to_owned(), fs_type.to_owned());
        let (root, target, source) = (root.to_owned(), target.to_owned(), source.to_owned());
        self.state().table.0.push(Mount { device, root, target, fs_type, source, options, shared: false });
    }
}

impl Mounter for FakeMounter {
    fn mount(&self, source: &Path, target: &Path, fs_type: &str, _options: &str) -> io::Result<()> {
        self.push(&source.to_string_lossy(), Path::new("/"), target, fs_type, source);
        Ok(())
    }

    fn bind(&self, source: &Path, target: &Path) -> io::Result<()> {
        self.push("bind", source, target, "none", source);
        Ok(())
    }

    fn remount(&self, target: &Path, change: Remount) -> io::Result<()> {
        let mut state = self.state();
        let mount = state.table.0.iter_mut().rev().find(|mount| mount.target == target).ok_or(io::ErrorKind::InvalidInput)?;
        match change {
            Remount::ReadOnly => mount.options = "ro".to_owned(),
            Remount::SharedRecursively => mount.shared = true,
        }
        Ok(())
    }

    fn unmount(&self, target: &Path) -> io::Result<()> {
        let mut state = self.state();
        if let Some(at) = state.table.0.iter().rposition(|mount| mount.target == target) {
            state.table.0.remove(at);
        }
        Ok(())
    }

    fn table(&self) -> io::Result<MountTable> {
        Ok(self.state().table.clone())
    }
}

impl Files for FakeMounter {
    fn link(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.state().links.insert(link.to_owned(), target.to_owned());
        Ok(())
    }

    fn touch(&self, file: &Path) -> io::Result<()> {
        let mut state = self.state();
        if !state.files.iter().any(|known| known == file) {
            state.files.push(file.to_owned());
        }
        Ok(())
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(self.state().links.get(path).cloned().unwrap_or_else(|| path.to_owned()))
    }

    fn give_to_group(&self, root: &Path, gid: u32, only_on_mismatch: bool) -> io::Result<Walk> {
        let before = self.state().groups.insert(root.to_owned(), gid);
        Ok(if only_on_mismatch && before == Some(gid) { Walk::Skipped } else { Walk::Changed { entries: 1, failed: 0 } })
    }
}
