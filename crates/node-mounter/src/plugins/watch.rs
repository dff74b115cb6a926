//! The edge: what sockets are in a folder, and when that may have changed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use futures::FutureExt;
use futures::future::BoxFuture;
use rt::Ctx;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::io::unix::AsyncFd;

use super::SocketId;

/// A folder of sockets. A seam: tests put their own here.
pub trait Sockets: Send + Sync {
    /// All sockets now.
    fn scan(&self) -> BoxFuture<'_, BTreeMap<PathBuf, SocketId>>;
    /// Waits until something may have changed. May also wait for ever: there is a timer beside it.
    fn changed(&self) -> BoxFuture<'_, ()>;
}

/// A folder of this host, with all below it.
pub struct FolderWatch {
    ctx: Ctx,
    folder: PathBuf,
    /// `None`: the kernel gave none (its limit was reached); the timer has to do.
    inotify: Option<AsyncFd<OwnedFd>>,
}

impl FolderWatch {
    /// The folder must exist.
    pub fn new(ctx: Ctx, folder: PathBuf) -> Self {
        let open = || -> io::Result<AsyncFd<OwnedFd>> {
            let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
            watch(&fd, &folder)?;
            #[expect(
                deprecated,
                reason = "its successor is unsafe to call; an OwnedFd that is never taken out is what it asks for"
            )]
            AsyncFd::new(fd)
        };
        let inotify = open()
            .inspect_err(
                |error| tracing::warn!(folder = %folder.display(), "no inotify, so new drivers are found by looking: {error}"),
            )
            .ok();
        Self { ctx, folder, inotify }
    }
}

fn watch(fd: &OwnedFd, folder: &Path) -> io::Result<()> {
    let events =
        WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO | WatchFlags::DELETE_SELF;
    inotify::add_watch(fd, folder, events)?;
    Ok(())
}

impl Sockets for FolderWatch {
    fn scan(&self) -> BoxFuture<'_, BTreeMap<PathBuf, SocketId>> {
        async move {
            let folder = self.folder.clone();
            let (sockets, folders) = self.ctx.blocking(move || scan(&folder)).await;
            if let Some(inotify) = &self.inotify {
                // Watching twice is the same watch.
                for folder in folders {
                    if let Err(error) = watch(inotify.get_ref(), &folder) {
                        tracing::debug!(folder = %folder.display(), "not watched: {error}");
                    }
                }
            }
            sockets
        }
        .boxed()
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        async move {
            let Some(inotify) = &self.inotify else { return futures::future::pending().await };
            let Ok(mut ready) = inotify.readable().await else { return futures::future::pending().await };
            let mut buffer = [0; 4096];
            // What exactly happened is of no interest: the folder is read again.
            while rustix::io::read(inotify.get_ref(), &mut buffer).is_ok_and(|read| read > 0) {}
            ready.clear_ready();
        }
        .boxed()
    }
}

/// Sockets and folders, by their paths. Names that begin with a dot are somebody's temporary files.
fn scan(folder: &Path) -> (BTreeMap<PathBuf, SocketId>, Vec<PathBuf>) {
    let mut sockets = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(folder) = folders.get(next).cloned() {
        next += 1;
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(meta) = fs::symlink_metadata(entry.path()) else { continue };
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if meta.is_dir() {
                folders.push(entry.path());
            } else if meta.file_type().is_socket() {
                let made = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
                sockets.insert(entry.path(), SocketId { inode: meta.ino(), made });
            }
        }
    }
    (sockets, folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_found_in_folders_below_and_nothing_else_is() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("sub")).expect("a folder");
        let sockets = ["a.sock", "sub/b.sock", ".hidden.sock"];
        let _bound = sockets.map(|name| std::os::unix::net::UnixListener::bind(folder.path().join(name)).expect("bound"));
        fs::write(folder.path().join("file"), "x").expect("written");
        let (found, _) = scan(folder.path());
        let names: Vec<_> = found.keys().map(|path| path.strip_prefix(folder.path()).expect("below").to_owned()).collect();
        assert_eq!(names, [PathBuf::from("a.sock"), PathBuf::from("sub/b.sock")]);
    }

    #[test]
    fn a_socket_that_was_made_again_is_another_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.sock");
        let first = std::os::unix::net::UnixListener::bind(&path).expect("bound");
        let before = scan(folder.path()).0;
        fs::remove_file(&path).expect("removed");
        drop(first);
        let _second = std::os::unix::net::UnixListener::bind(&path).expect("bound");
        assert_ne!(scan(folder.path()).0, before);
    }

    #[tokio::test]
    async fn a_new_socket_wakes_the_watch() {
        let folder = tempfile::tempdir().expect("a folder");
        let watch = FolderWatch::new(Ctx::real(), folder.path().to_owned());
        assert!(watch.scan().await.is_empty());
        let _bound = std::os::unix::net::UnixListener::bind(folder.path().join("a.sock")).expect("bound");
        watch.changed().await;
        assert_eq!(watch.scan().await.len(), 1);
    }
}
