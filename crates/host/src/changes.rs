//! When files that people write may have changed.

use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rt::Ctx;
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use tokio::io::unix::AsyncFd;

/// Editors write a file in several steps; one look after all of them is enough.
const SETTLE: Duration = Duration::from_millis(100);
/// How long a change that inotify did not tell of stays unseen: on filesystems of other hosts it tells nothing.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);

/// Changes of some files and folders.
pub struct Changes {
    ctx: Ctx,
    /// `None`: the kernel gave none (its limit was reached); looking has to do.
    inotify: Option<AsyncFd<OwnedFd>>,
    paths: Vec<PathBuf>,
    /// As it was when something last changed.
    seen: Vec<Mark>,
}

/// What tells a file from another, and from itself as it was.
type Mark = (PathBuf, u64, u64, i64, i64);

impl Changes {
    /// Of a file, its folder is watched: editors replace files rather than write them.
    pub fn new(ctx: &Ctx, paths: &[PathBuf]) -> Self {
        let open = || -> std::io::Result<AsyncFd<OwnedFd>> {
            let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
            for path in paths {
                let folder = if path.is_dir() { path.as_path() } else { parent(path) };
                let events = WatchFlags::CLOSE_WRITE | WatchFlags::DELETE | WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
                inotify::add_watch(&fd, folder, events)?;
            }
            #[expect(
                deprecated,
                reason = "its successor is unsafe to call; an OwnedFd that is never taken out is what it asks for"
            )]
            AsyncFd::new(fd)
        };
        let inotify = open();
        if let Err(error) = &inotify {
            tracing::warn!("changes of files are noticed only every {LOOK_ANYWAY:?}: inotify: {error}");
        }
        Self { ctx: ctx.clone(), inotify: inotify.ok(), seen: marks(paths), paths: paths.to_vec() }
    }

    /// Waits until something has changed; with `anyway`, no longer than a while. Cancel safe.
    pub async fn next(&mut self, anyway: bool) {
        loop {
            let told = async {
                match &self.inotify {
                    Some(fd) => readable(fd).await,
                    None => std::future::pending().await,
                }
            };
            if self.ctx.timeout(LOOK_ANYWAY, told).await.is_ok() {
                self.ctx.sleep(SETTLE).await;
            }
            let now = marks(&self.paths);
            let changed = now != self.seen;
            self.seen = now;
            if changed || anyway {
                return;
            }
        }
    }
}

/// Of each file, and of what is in each folder. What cannot be read has none.
fn marks(paths: &[PathBuf]) -> Vec<Mark> {
    let entries = |path: &PathBuf| -> Vec<PathBuf> {
        let inside = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        std::iter::once(path.clone()).chain(inside).collect()
    };
    let mut marks: Vec<Mark> = paths
        .iter()
        .flat_map(entries)
        .filter_map(|path| {
            let meta = std::fs::metadata(&path).ok().filter(|meta| meta.is_file())?;
            Some((path, meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))
        })
        .collect();
    marks.sort();
    marks
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Waits for events and reads them away.
async fn readable(fd: &AsyncFd<OwnedFd>) {
    let Ok(mut guard) = fd.readable().await else { return std::future::pending().await };
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(guard.get_inner(), &mut buffer);
    while reader.next().is_ok() {}
    guard.clear_ready();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_replaced_or_removed_is_not_what_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, paths) = (folder.path().join("a.yaml"), [folder.path().to_owned()]);
        let mut last = marks(&paths);
        let mut differs = || {
            let now = marks(&paths);
            let differs = now != last;
            last = now;
            differs
        };
        assert!(!differs(), "nothing happened");
        std::fs::write(&file, "a").expect("written");
        assert!(differs());
        std::fs::write(&file, "ab").expect("written");
        assert!(differs());
        std::fs::write(folder.path().join("b"), "ab").expect("written");
        std::fs::rename(folder.path().join("b"), &file).expect("replaced");
        assert!(differs());
        std::fs::remove_file(&file).expect("removed");
        assert!(differs() && !differs());
    }
}
