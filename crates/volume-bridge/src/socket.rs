//! The socket as a file: nobody sees it before it listens, a stale one is taken over, a live one is left alone. The edge.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// The kernel takes this many bytes, the ending zero among them.
const LONGEST: usize = 108;
/// What the socket is called until it listens.
const TEMPORARY: &str = ".new";

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Somebody else's file.
    #[error("{} exists and is not a socket; remove it, or choose another CSI_ENDPOINT", path.display())]
    NotASocket {
        /// Where.
        path: PathBuf,
    },
    /// Somebody else's socket.
    #[error("{} is served by {who} already; stop it first, or choose another CSI_ENDPOINT", path.display())]
    Taken {
        /// Where.
        path: PathBuf,
        /// Who listens, as far as the kernel says.
        who: String,
    },
    /// A path that the kernel does not take.
    #[error("{} has {} bytes, and a socket's path may have {}; choose a shorter CSI_ENDPOINT", path.display(), path.as_os_str().len(), LONGEST - 1 - TEMPORARY.len())]
    TooLong {
        /// Where.
        path: PathBuf,
    },
    /// The system's refusal.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access {
    /// Of the socket's file. `None`: 0600.
    pub mode: Option<u32>,
    /// `None`: ours.
    pub user: Option<u32>,
    /// `None`: ours.
    pub group: Option<u32>,
}

/// A socket that listens.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    inode: (u64, u64),
}

impl Socket {
    /// Makes the folder if need be, and listens. The file appears with its owner and mode, listening, by one rename.
    ///
    /// # Errors
    /// Something is in the way, or the system refuses.
    pub fn bind(path: &Path, access: Access) -> Result<(Self, UnixListener), SocketError> {
        let failed = |what| {
            let path = path.to_owned();
            move |source| SocketError::Io { what, path, source }
        };
        if path.as_os_str().len() + TEMPORARY.len() >= LONGEST {
            return Err(SocketError::TooLong { path: path.to_owned() });
        }
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("look at")(error)),
            Ok(found) if !found.file_type().is_socket() => return Err(SocketError::NotASocket { path: path.to_owned() }),
            Ok(_) => {
                if let Ok(stream) = UnixStream::connect(path) {
                    return Err(SocketError::Taken { path: path.to_owned(), who: listener_of(&stream) });
                }
                tracing::info!(socket = %path.display(), "taking over the socket of a process that is gone");
            }
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(TEMPORARY);
        let new = path.with_file_name(name);
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("clear the way for")(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&new).map_err(failed("listen on"))?;
        let placed = (|| {
            std::os::unix::fs::chown(&new, access.user, access.group)?;
            fs::set_permissions(&new, fs::Permissions::from_mode(access.mode.unwrap_or(0o600)))?;
            let made = fs::symlink_metadata(&new)?;
            fs::rename(&new, path)?;
            Ok((made.dev(), made.ino()))
        })();
        match placed {
            Ok(inode) => Ok((Self { path: path.to_owned(), inode }, listener)),
            Err(error) => {
                let _ = fs::remove_file(&new);
                Err(failed("put into its place")(error))
            }
        }
    }

    /// Takes the file away, unless it is a successor's by now.
    pub fn remove(&self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.inode);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(socket = %self.path.display(), %error, "the socket stays behind");
        }
    }
}

fn listener_of(stream: &UnixStream) -> String {
    match rustix::net::sockopt::socket_peercred(stream) {
        Ok(peer) => format!("process {}", peer.pid.as_raw_nonzero()),
        Err(_) => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stale_socket_is_taken_over_and_a_live_one_is_refused_with_its_process() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("plugins/s.sock");
        let (_, first) = Socket::bind(&path, Access::default()).expect("bound");
        let refused = Socket::bind(&path, Access::default()).expect_err("live").to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        Socket::bind(&path, Access::default()).expect("taken over");
    }

    #[tokio::test]
    async fn it_has_its_mode_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("s.sock");
        let (socket, _listener) = Socket::bind(&path, Access { mode: Some(0o666), ..Access::default() }).expect("bound");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o7777, 0o666);
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1);
        socket.remove();
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0);
    }

    #[tokio::test]
    async fn a_successors_socket_is_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("s.sock");
        let (first, listener) = Socket::bind(&path, Access::default()).expect("bound");
        drop(listener);
        let (_second, _listener) = Socket::bind(&path, Access::default()).expect("bound");
        first.remove();
        assert!(path.exists());
    }

    #[tokio::test]
    async fn what_is_no_socket_is_never_removed() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("file");
        fs::write(&file, "precious").expect("written");
        assert!(matches!(Socket::bind(&file, Access::default()), Err(SocketError::NotASocket { .. })));
        assert_eq!(fs::read_to_string(&file).expect("there"), "precious");
        let long = dir.path().join("x".repeat(120));
        assert!(matches!(Socket::bind(&long, Access::default()), Err(SocketError::TooLong { .. })));
    }
}
