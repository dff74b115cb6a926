//! The registration socket as a file: made with mode 0700, and removed only while it is still ours.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::net::UnixListener;

use crate::error::Error;

const MODE: u32 = 0o700;

/// Kubelet dials once per registration, the health check once per probe.
const BACKLOG: i32 = 128;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Socket(Identity),
}

/// The file itself, whatever its name is by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

/// Looks, following links as upstream does.
pub(crate) fn look(path: &Path) -> Result<Found, Error> {
    match fs::metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => Ok(Found::Socket(Identity { device: meta.dev(), inode: meta.ino() })),
        Ok(_) => Err(Error::NotASocket { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(source) => Err(Error::Look { path: path.to_owned(), source }),
    }
}

/// A socket that listens, and the file that it listens on.
#[derive(Debug)]
pub(crate) struct Socket {
    path: PathBuf,
    identity: Identity,
}

impl Socket {
    /// Removes what an earlier run left, if it is a socket, and binds. The directory is never made: it is a mount.
    pub(crate) fn bind(path: &Path) -> Result<(Self, UnixListener), Error> {
        if let Found::Socket(_) = look(path)? {
            tracing::info!(path = %path.display(), "removing the registration socket of an earlier run");
            unlink(path)?;
        }
        let listener = listen(path).map_err(|source| Error::Bind { path: path.to_owned(), source })?;
        match look(path)? {
            Found::Socket(identity) => Ok((Self { path: path.to_owned(), identity }, listener)),
            Found::Nothing => Err(Error::Bind { path: path.to_owned(), source: io::Error::from(io::ErrorKind::NotFound) }),
        }
    }

    /// Whether this file is still the one at its path.
    #[cfg(test)]
    pub(crate) fn is_ours(&self) -> bool {
        matches!(look(&self.path), Ok(Found::Socket(found)) if found == self.identity)
    }

    /// Whether nothing at all is at its path.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(look(&self.path), Ok(Found::Nothing))
    }

    /// Takes the socket away, so that kubelet forgets the driver.
    ///
    /// Upstream unlinks by path. During a rolling update that path is the next registrar's socket, which kubelet would then
    /// forget; so ours looks at the inode first.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        match look(&self.path)? {
            Found::Socket(found) if found == self.identity => unlink(&self.path),
            Found::Socket(_) => {
                tracing::info!(path = %self.path.display(), "the registration socket is another registrar's by now, leaving it");
                Ok(())
            }
            Found::Nothing => Ok(()),
        }
    }
}

fn unlink(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::Remove { path: path.to_owned(), source: error }),
        _ => Ok(()),
    }
}

/// The mode is set before the file exists: Linux makes the file with the mode of the open socket. A umask would do the same
/// for every file that any other thread makes meanwhile.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::fs::fchmod(&socket, Mode::from_raw_mode(MODE))?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    // A kernel in between (gVisor) may not do as Linux does.
    if fs::metadata(path)?.permissions().mode() & 0o777 != MODE {
        fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
    }
    UnixListener::from_std(std::os::unix::net::UnixListener::from(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_socket_is_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d-reg.sock");
        let (socket, _listener) = Socket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o700);
        assert!(socket.is_ours());
        socket.remove().unwrap();
        assert!(!path.exists() && socket.is_gone());
        socket.remove().unwrap();
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d-reg.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(std::os::unix::net::UnixStream::connect(&path).is_err());
        let (_socket, _listener) = Socket::bind(&path).unwrap();
        std::os::unix::net::UnixStream::connect(&path).unwrap();
    }

    #[tokio::test]
    async fn what_is_no_socket_is_never_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "precious").unwrap();
        for path in [&file, &dir.path().to_owned()] {
            assert!(Socket::bind(path).unwrap_err().to_string().contains("is not a socket"));
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    }

    #[tokio::test]
    async fn the_socket_of_another_registrar_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d-reg.sock");
        let (first, _first) = Socket::bind(&path).unwrap();
        let (second, _second) = Socket::bind(&path).unwrap();
        assert!(!first.is_ours() && !first.is_gone());
        first.remove().unwrap();
        assert!(second.is_ours());
    }

    #[tokio::test]
    async fn the_directory_is_not_made_and_a_long_path_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let error = Socket::bind(&dir.path().join("missing/d-reg.sock")).unwrap_err();
        assert!(error.to_string().contains("missing/d-reg.sock"), "{error}");
        assert!(!dir.path().join("missing").exists());
        assert!(Socket::bind(&dir.path().join("x".repeat(120))).is_err());
    }
}
