//! Connections: accepted, told apart request by request, and closed in time.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rt::{Ctx, Shutdown};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Notify;
use tonic::body::Body;

use crate::bridge::Bridge;
use crate::csi::Gateway;
use crate::docker;

/// What dockerd sends is small.
const LARGEST: usize = 1 << 20;
/// How long a client may take to send a request's head.
const HEAD: Duration = Duration::from_secs(32);
/// How often an idle HTTP/2 connection is asked whether it lives, and how long it may think about it.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);
/// After an accept that failed, for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// How long answers may take to get out once the end has begun.
const DRAIN: Duration = Duration::from_secs(5);

/// What listens.
pub(crate) enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Who answers.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) ctx: Ctx,
    pub(crate) shutdown: Shutdown,
    pub(crate) bridge: Bridge,
    pub(crate) gateway: Gateway,
    /// Whether Docker is served.
    pub(crate) docker: bool,
}

/// Connections that are open.
#[derive(Default)]
struct Open {
    count: AtomicUsize,
    closed: Notify,
}

struct Guard(Arc<Open>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
        self.0.closed.notify_waiters();
    }
}

/// Runs hyper's tasks where all tasks run.
#[derive(Clone)]
struct Executor(Ctx);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Executor {
    fn execute(&self, future: F) {
        self.0.spawn("http stream", future);
    }
}

impl Server {
    /// Accepts until the shutdown, then waits for the answers that are under way.
    pub(crate) async fn run(&self, listener: Listener) {
        let open = Arc::new(Open::default());
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.shutdown.requested() => break,
                accepted = self.accept(&listener, &open) => accepted,
            };
            if let Err(error) = accepted {
                tracing::warn!(%error, "cannot accept a connection; tries again");
                self.ctx.sleep(PAUSE).await;
            }
        }
        drop(listener);
        // First the work, which has its own deadlines; then its answers.
        self.bridge.rested().await;
        let closed = async {
            loop {
                let closed = open.closed.notified();
                tokio::pin!(closed);
                closed.as_mut().enable();
                if open.count.load(Ordering::SeqCst) == 0 {
                    return;
                }
                closed.await;
            }
        };
        if self.ctx.timeout(DRAIN, closed).await.is_err() {
            tracing::info!("clients that do not hang up are hung up on");
        }
    }

    async fn accept(&self, listener: &Listener, open: &Arc<Open>) -> io::Result<()> {
        match listener {
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                self.serve(stream, open);
            }
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                self.serve(stream, open);
            }
        }
        Ok(())
    }

    fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, open: &Arc<Open>) {
        open.count.fetch_add(1, Ordering::SeqCst);
        let (server, guard) = (self.clone(), Guard(open.clone()));
        self.ctx.spawn("connection", async move {
            let _guard = guard;
            server.connection(stream).await;
        });
    }

    async fn connection(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let mut builder = Builder::new(Executor(self.ctx.clone()));
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PONG);
        let server = self.clone();
        let service = service_fn(move |request| {
            let server = server.clone();
            async move { server.answer(request).await }
        });
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            biased;
            // How a client went is its own affair, but an old gRPC client should find out why.
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!("a connection ended: {error}");
                }
                return;
            }
            () = self.shutdown.requested() => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        if is_grpc(&request) {
            return Ok(self.gateway.answer(request).await);
        }
        if !self.docker {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_FOUND;
            return Ok(response);
        }
        let (parts, body) = request.into_parts();
        Ok(match Limited::new(body, LARGEST).collect().await {
            Ok(body) => docker::answer(&self.bridge, &parts.method, parts.uri.path(), &body.to_bytes()).await,
            Err(error) => docker::unreadable(&error),
        })
    }
}

/// Spec: gRPC over HTTP/2: content-type `application/grpc` and what may follow it.
fn is_grpc<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    request.version() == http::Version::HTTP_2 && kind.starts_with("application/grpc")
}
