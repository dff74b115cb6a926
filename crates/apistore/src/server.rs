//! The listeners that `kubectl` reaches: loopback TCP with TLS and a bearer token, and a unix socket that its mode guards.
//!
//! ```text
//!  TCP ─ TLS ─ token: the owner, a stranger, or nobody known ─┐
//!                                                             ├─> Door ─> Api
//!  unix socket, mode 0600: the owner ─────────────────────────┘
//! ```
//!
//! The authority that signs the certificate, the token and the key of service account tokens are made once and kept in one file
//! of mode 0600; the certificate itself is made at each start, for `localhost`, both loopback addresses and the address that is
//! listened on. Any address may be listened on; `0.0.0.0` and `[::]` stand for many, so the certificate then holds for the
//! loopback ones alone.

mod connection;
mod door;
mod error;
mod identity;
mod kubeconfig;
mod socket;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rt::{Ctx, Shutdown};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub use error::ServeError;

use crate::Api;
use connection::{Connections, Listener};
use door::Door;
use identity::Identity;

/// How long requests that are under way may take once the end was asked for.
const DRAIN: Duration = Duration::from_secs(5);

/// Where to serve.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the identity is kept. Made if it is absent.
    pub dir: PathBuf,
    /// The TCP address; port 0 takes any that is free. `None`: no TCP, and no kubeconfig.
    pub listen: Option<SocketAddr>,
    /// The unix socket. Its folder must exist; a socket that nobody listens on any more is replaced.
    pub socket: Option<PathBuf>,
    /// The kubeconfig that is written.
    pub kubeconfig: PathBuf,
    /// When to end: watches end, requests that are under way are answered, connections close.
    pub shutdown: Shutdown,
}

/// Listeners that run.
pub struct Server {
    address: Option<SocketAddr>,
    kubeconfig: PathBuf,
    connections: Arc<Connections>,
    ctx: Ctx,
    shutdown: Shutdown,
}

impl Server {
    /// The TCP address, with the port that was taken.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The kubeconfig that was written, if there is a TCP address.
    pub fn kubeconfig(&self) -> Option<&Path> {
        self.address.map(|_| self.kubeconfig.as_path())
    }

    /// How many clients are connected.
    pub fn connections(&self) -> usize {
        self.connections.count()
    }

    /// Waits until the end was asked for and the last connection is closed, which takes a few seconds at most. Cancel safe.
    pub async fn finished(&self) {
        self.shutdown.requested().await;
        let _ = self.ctx.timeout(DRAIN * 2, self.connections.none()).await;
    }
}

/// Starts to serve. When this returns, clients can connect and the kubeconfig is written.
///
/// # Errors
/// An address or socket that is taken, a folder that cannot be written, an identity that cannot be read. Then nothing listens.
pub async fn serve(ctx: &Ctx, api: &Api, config: Config) -> Result<Server, ServeError> {
    let identity = Identity::load(ctx, &config.dir).await?;
    api.signer().keep(identity.token_key()?);
    let connections = Arc::new(Connections::new(ctx, &config.shutdown));
    let door = |token| Door::new(api.clone(), token, config.shutdown.clone());

    let socket = match &config.socket {
        Some(path) => Some(socket::Socket::bind(path)?),
        None => None,
    };
    let mut address = None;
    if let Some(wanted) = config.listen {
        let listener = TcpListener::bind(wanted).await.map_err(|source| ServeError::listen(wanted, source))?;
        let real = listener.local_addr().map_err(|source| ServeError::listen(wanted, source))?;
        let tls = TlsAcceptor::from(identity.tls(real.ip())?);
        kubeconfig::write(ctx, &config.kubeconfig, real, &identity).await?;
        connections.accept("api tcp", Listener::Tcp(listener, tls), door(Some(identity.token())));
        address = Some(real);
        tracing::info!(address = %real, kubeconfig = %config.kubeconfig.display(), "serves the Kubernetes API");
    }
    if let Some(socket) = socket {
        connections.accept("api socket", Listener::Unix(socket), door(None));
    }
    let Config { kubeconfig, shutdown, .. } = config;
    Ok(Server { address, kubeconfig, connections, ctx: ctx.clone(), shutdown })
}
