//! The host's own filesystem.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use futures::future::{BoxFuture, FutureExt};

use super::Disk;

/// The host's filesystem; blocking calls run on tokio's blocking threads.
pub struct HostDisk;

fn run<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> BoxFuture<'static, io::Result<T>> {
    async move {
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => Err(io::Error::other(error)),
        }
    }
    .boxed()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

/// Where `replace` writes what is to become this file.
fn temporary(path: &Path) -> io::Result<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    name.push(".new");
    Ok(path.with_file_name(name))
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Disk for HostDisk {
    fn read(&self, path: &Path) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        let path = path.to_owned();
        run(move || fs::read(path))
    }

    fn replace(&self, path: &Path, content: Vec<u8>) -> BoxFuture<'static, io::Result<()>> {
        let path = path.to_owned();
        run(move || {
            let temporary = temporary(&path)?;
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(&content)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            sync_parent(&path)
        })
    }

    fn remove(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        let path = path.to_owned();
        run(move || {
            // Left by a kill within `replace`, it would keep the folder from ever being empty.
            let unfinished = gone_is_fine(fs::remove_file(temporary(&path)?))?;
            if gone_is_fine(fs::remove_file(&path))? || unfinished { sync_parent(&path) } else { Ok(()) }
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> BoxFuture<'static, io::Result<()>> {
        let (from, to) = (from.to_owned(), to.to_owned());
        run(move || {
            fs::rename(&from, &to)?;
            sync_parent(&from)?;
            sync_parent(&to)
        })
    }

    fn make_dir(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        let path = path.to_owned();
        run(move || fs::DirBuilder::new().recursive(true).mode(0o750).create(&path))
    }

    fn remove_dir(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        let path = path.to_owned();
        run(move || gone_is_fine(fs::remove_dir(&path)).map(drop))
    }

    fn list(&self, path: &Path) -> BoxFuture<'static, io::Result<Vec<PathBuf>>> {
        let path = path.to_owned();
        run(move || {
            let mut names = fs::read_dir(path)?
                .map(|entry| entry.map(|entry| PathBuf::from(entry.file_name())))
                .collect::<io::Result<Vec<_>>>()?;
            names.sort();
            Ok(names)
        })
    }
}
