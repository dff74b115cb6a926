//! Why nothing is served.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why nothing is served, and who acts next.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum ServeError {
    #[error("{address} is taken by another process: stop it, or listen on another address (port 0 takes any that is free)")]
    Taken { address: SocketAddr },
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("another process listens on {}: stop it, or name another socket", path.display())]
    SocketTaken { path: PathBuf },
    #[error("{} is there and is no socket: move it away, or name another path", path.display())]
    NoSocket { path: PathBuf },
    #[error("cannot listen on {}", path.display())]
    Socket {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "{} is not the identity that was written there ({why}): move it away, and a new one is made, which old kubeconfigs do not trust",
        path.display()
    )]
    Identity { path: PathBuf, why: String },
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot make a certificate")]
    Certificate(#[source] rcgen::Error),
    #[error("cannot serve TLS")]
    Tls(#[source] rustls::Error),
    #[error("the system gives no random bytes")]
    Random,
}

impl ServeError {
    pub(super) fn listen(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::Taken { address },
            _ => Self::Listen { address, source },
        }
    }
}
