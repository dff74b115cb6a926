//! The connection: one channel that comes back by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use csi_proto::csi::v1::controller_client::ControllerClient;
use csi_proto::csi::v1::identity_client::IdentityClient;
use csi_proto::csi::v1::node_client::NodeClient;
use hyper_util::rt::TokioIo;
use rt::Ctx;
use tokio::net::{TcpStream, UnixStream};
use tonic::transport::{Channel, Endpoint, Uri};
use tracing::info;

use crate::address::Address;
use crate::metrics::Metrics;

/// List answers of large backends pass gRPC's usual 4 MiB.
pub(crate) const LARGEST_ANSWER: usize = 256 << 20;

/// Upstream: an attempt, HTTP/2 preface included, has about a second; the next one comes a second later.
const ATTEMPT: Duration = Duration::from_secs(1);

/// How to reach a driver.
#[derive(Clone)]
pub struct ConnectOptions {
    /// Where it listens.
    pub address: Address,
    /// The deadline of every call.
    pub timeout: Duration,
    /// Where calls are counted.
    pub metrics: Metrics,
}

/// A driver behind a socket. Clones share the connection.
///
/// A lost connection fails the calls under way with `Unavailable`; the next call connects again.
#[derive(Clone)]
pub struct Client {
    pub(crate) ctx: Ctx,
    pub(crate) timeout: Duration,
    pub(crate) metrics: Metrics,
    /// The last call found nobody.
    pub(crate) lost: Arc<AtomicBool>,
    pub(crate) channel: Channel,
}

impl Client {
    /// A client that connects with its first call, and again with the first call after a loss.
    ///
    /// Call inside a tokio runtime. Never fails: what is wrong with the address shows when a call is made.
    pub fn lazy(ctx: &Ctx, options: ConnectOptions) -> Self {
        let ConnectOptions { address, timeout, metrics } = options;
        let connects = Arc::new(AtomicU64::new(0));
        let connector = tower::service_fn(move |_: Uri| {
            let (address, connects) = (address.clone(), connects.clone());
            async move {
                let io = dial(&address).await?;
                if connects.fetch_add(1, Ordering::Relaxed) > 0 {
                    info!(%address, "lost the connection to the CSI driver, connected again");
                }
                Ok::<_, std::io::Error>(io)
            }
        });
        // The authority is what grpc-go sends for a unix socket; the address itself goes to the connector.
        let channel = Endpoint::from_static("http://localhost").connect_timeout(ATTEMPT).connect_with_connector_lazy(connector);
        Self { ctx: ctx.clone(), timeout, metrics, lost: Arc::default(), channel }
    }

    /// Waits until somebody listens at the address, then gives a client. One line at once and one a minute tell what it waits for.
    ///
    /// Cancel safe.
    pub async fn connect(ctx: &Ctx, options: ConnectOptions) -> Self {
        let mut attempts: u32 = 0;
        while let Err(error) = Self::reach(ctx, &options.address).await {
            if attempts.is_multiple_of(60) {
                info!(address = %options.address, "waiting for the CSI driver: {error}");
            }
            attempts += 1;
            ctx.sleep(ATTEMPT).await;
        }
        Self::lazy(ctx, options)
    }

    /// Whether somebody listens at the address now.
    ///
    /// # Errors
    /// What the connect said.
    pub async fn reach(ctx: &Ctx, address: &Address) -> std::io::Result<()> {
        match ctx.timeout(ATTEMPT, dial(address)).await {
            Ok(result) => result.map(drop),
            Err(elapsed) => Err(std::io::Error::new(std::io::ErrorKind::TimedOut, elapsed.to_string())),
        }
    }

    /// Whether the last call reached somebody, or none was made yet.
    pub fn is_reached(&self) -> bool {
        !self.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(crate) fn identity(&self) -> IdentityClient<Channel> {
        IdentityClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_ANSWER)
    }

    pub(crate) fn controller(&self) -> ControllerClient<Channel> {
        ControllerClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_ANSWER)
    }

    pub(crate) fn node(&self) -> NodeClient<Channel> {
        NodeClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_ANSWER)
    }
}

/// Either kind of stream.
pub(crate) trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}

async fn dial(address: &Address) -> std::io::Result<TokioIo<Box<dyn Stream>>> {
    let stream: Box<dyn Stream> = match address {
        Address::Unix(path) => Box::new(
            UnixStream::connect(path)
                .await
                .map_err(|error| std::io::Error::new(error.kind(), format!("cannot connect to {}: {error}", path.display())))?,
        ),
        Address::Tcp(host) => Box::new(TcpStream::connect(host).await?),
    };
    Ok(TokioIo::new(stream))
}
