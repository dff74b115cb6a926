//! What can go wrong with the two sockets. Every one of these ends the process with 1: the restart is the retry.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{path} is not a socket, and is left alone: remove it, or change --plugin-registration-path", path = path.display())]
    NotASocket { path: PathBuf },
    #[error("cannot look at the registration socket {path}", path = path.display())]
    Look {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot remove the registration socket {path}", path = path.display())]
    Remove {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "cannot make the registration socket {path}: the directory must exist, and a socket's path has at most 107 bytes",
        path = path.display()
    )]
    Bind {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the driver's name {name:?} cannot be part of a file name")]
    Name { name: String },
    #[error("the driver at {address} was asked for its name; if it is only slow, raise --timeout")]
    Identify {
        address: csi_client::Address,
        #[source]
        source: csi_client::IdentityError,
    },
    #[error("kubelet did not register the driver {name}: {reason}")]
    Refused { name: String, reason: String },
    #[error("the registration server stopped")]
    Serve {
        #[source]
        source: tonic::transport::Error,
    },
    #[error("the registration server stopped")]
    Stopped,
}
