//! The unix socket: it appears with its mode, and goes when the server goes.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use super::ServeError;

/// A socket that is listened on. Removed when it is dropped.
pub(super) struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens there. The file is of mode 0600 from the first moment on.
    pub(super) fn bind(path: &Path) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Socket { path: path.to_owned(), source };
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(found) if !found.file_type().is_socket() => return Err(ServeError::NoSocket { path: path.to_owned() }),
            Ok(_) if UnixStream::connect(path).is_ok() => return Err(ServeError::SocketTaken { path: path.to_owned() }),
            // Left behind by a process that is gone; replaced below.
            Ok(_) => {}
        }
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?);
        name.push(".new");
        let new = path.with_file_name(name);
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&new).map_err(failed)?;
        let only_ours = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&new, only_ours).and_then(|()| std::fs::rename(&new, path)).map_err(|source| {
            let _ = std::fs::remove_file(&new);
            failed(source)
        })?;
        Ok(Self { listener, path: path.to_owned() })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
