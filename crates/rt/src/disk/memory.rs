//! A disk in memory for tests and simulation. What it acknowledged survives a kill of the process that wrote it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use futures::future::{BoxFuture, FutureExt};

use super::Disk;

/// Files and folders in memory. Share it between a killed process and the next one.
#[derive(Default)]
pub struct MemoryDisk(Mutex<Tree>);

#[derive(Default)]
struct Tree {
    files: BTreeMap<PathBuf, Vec<u8>>,
    dirs: BTreeSet<PathBuf>,
    full: bool,
    dead: BTreeSet<PathBuf>,
}

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file there as an earlier process, or a fault, left it.
    pub fn put(&self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) {
        let path = path.into();
        let mut tree = self.tree();
        if let Some(parent) = path.parent() {
            make_dirs(&mut tree, parent);
        }
        tree.files.insert(path, content.into());
    }

    /// Takes a file away, as a fault does.
    pub fn take(&self, path: &Path) {
        self.tree().files.remove(path);
    }

    /// From now on (not) a byte more fits on it: files can be removed, and not written.
    pub fn set_full(&self, full: bool) {
        self.tree().full = full;
    }

    /// From now on nothing at or below this path can be looked at, like a mount point whose filesystem is dead.
    pub fn kill(&self, path: &Path) {
        self.tree().dead.insert(path.to_owned());
    }

    /// Takes that back; whether there was anything to take back.
    pub fn revive(&self, path: &Path) -> bool {
        self.tree().dead.remove(path)
    }

    /// Every file with its content, in the order of the paths.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.tree().files.iter().map(|(path, content)| (path.clone(), content.clone())).collect()
    }

    fn tree(&self) -> std::sync::MutexGuard<'_, Tree> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The effect happens at once, between two yields: before it a kill loses it, after it a kill keeps it.
    fn now<T: Send + 'static>(
        &self,
        path: &Path,
        work: impl FnOnce(&mut Tree) -> io::Result<T>,
    ) -> BoxFuture<'static, io::Result<T>> {
        let mut tree = self.tree();
        let dead = tree.dead.iter().any(|dead| path.starts_with(dead));
        let result = if dead { Err(io::ErrorKind::NotConnected.into()) } else { work(&mut tree) };
        drop(tree);
        async move {
            tokio::task::yield_now().await;
            result
        }
        .boxed()
    }
}

fn make_dirs(tree: &mut Tree, path: &Path) {
    for dir in path.ancestors() {
        tree.dirs.insert(dir.to_owned());
    }
}

fn missing<T>() -> io::Result<T> {
    Err(io::ErrorKind::NotFound.into())
}

impl Disk for MemoryDisk {
    fn read(&self, path: &Path) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        self.now(path, |tree| tree.files.get(path).cloned().map_or_else(missing, Ok))
    }

    fn replace(&self, path: &Path, content: Vec<u8>) -> BoxFuture<'static, io::Result<()>> {
        self.now(path, |tree| {
            if !path.parent().is_some_and(|parent| tree.dirs.contains(parent)) {
                return missing();
            }
            if tree.full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            tree.files.insert(path.to_owned(), content);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        self.now(path, |tree| {
            tree.files.remove(path);
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> BoxFuture<'static, io::Result<()>> {
        self.now(from, |tree| match tree.files.remove(from) {
            Some(content) => {
                tree.files.insert(to.to_owned(), content);
                Ok(())
            }
            None => missing(),
        })
    }

    fn make_dir(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        self.now(path, |tree| {
            make_dirs(tree, path);
            Ok(())
        })
    }

    fn remove_dir(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        self.now(path, |tree| {
            let inside = |other: &PathBuf| other != path && other.starts_with(path);
            if tree.files.keys().any(inside) || tree.dirs.iter().any(inside) {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            tree.dirs.remove(path);
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> BoxFuture<'static, io::Result<Vec<PathBuf>>> {
        self.now(path, |tree| {
            if !tree.dirs.contains(path) {
                return missing();
            }
            let child = |other: &PathBuf| (other.parent() == Some(path)).then(|| other.file_name().map(PathBuf::from)).flatten();
            let names: BTreeSet<_> = tree.files.keys().filter_map(child).chain(tree.dirs.iter().filter_map(child)).collect();
            Ok(names.into_iter().collect())
        })
    }
}
