//! Connections: accepted, spoken to in HTTP/1.1 or HTTP/2, and closed in time.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rt::{Ctx, Shutdown};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use super::DRAIN;
use super::door::Door;
use super::socket::Socket;

/// How long a client may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long it may take to send a request's head; idle connections are closed after it, too. Upstream's.
const HEAD: Duration = Duration::from_secs(32);
/// How often an idle HTTP/2 connection is asked whether it lives, and how long it may think about it.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);
/// After an accept that failed, for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Requests at a time on one connection, watches included.
const STREAMS: u32 = 1000;

pub(super) enum Listener {
    Tcp(TcpListener, TlsAcceptor),
    Unix(Socket),
}

/// The connections that are open.
pub(super) struct Connections {
    ctx: Ctx,
    shutdown: Shutdown,
    open: Arc<Open>,
}

#[derive(Default)]
struct Open {
    listeners: AtomicUsize,
    connections: AtomicUsize,
    closed: Notify,
}

/// A listener or a connection that is open.
struct Guard(Arc<Open>, fn(&Open) -> &AtomicUsize);

impl Guard {
    fn new(open: &Arc<Open>, of: fn(&Open) -> &AtomicUsize) -> Self {
        of(open).fetch_add(1, Ordering::SeqCst);
        Self(open.clone(), of)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        (self.1)(&self.0).fetch_sub(1, Ordering::SeqCst);
        self.0.closed.notify_waiters();
    }
}

/// Runs hyper's tasks where all tasks run.
#[derive(Clone)]
struct Executor(Ctx);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Executor {
    fn execute(&self, future: F) {
        self.0.spawn("api stream", future);
    }
}

impl Connections {
    pub(super) fn new(ctx: &Ctx, shutdown: &Shutdown) -> Self {
        Self { ctx: ctx.clone(), shutdown: shutdown.clone(), open: Arc::default() }
    }

    /// Waits until no listener and no connection is left.
    pub(super) async fn none(&self) {
        loop {
            let closed = self.open.closed.notified();
            if self.open.listeners.load(Ordering::SeqCst) == 0 && self.count() == 0 {
                return;
            }
            closed.await;
        }
    }

    /// How many clients are connected.
    pub(super) fn count(&self) -> usize {
        self.open.connections.load(Ordering::SeqCst)
    }

    /// Serves what connects to this listener.
    pub(super) fn accept(&self, name: &str, listener: Listener, door: Door) {
        let (ctx, shutdown, open) = (self.ctx.clone(), self.shutdown.clone(), self.open.clone());
        let guard = Guard::new(&open, |open| &open.listeners);
        self.ctx.spawn(name, async move {
            let _guard = guard;
            // Dropped before the guard: whoever waits for the end finds its address free and its socket gone.
            let listener = listener;
            loop {
                let accepted = tokio::select! {
                    biased;
                    () = shutdown.requested() => return,
                    accepted = accept_one(&listener) => accepted,
                };
                let stream = match accepted {
                    Ok(stream) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection; tries again");
                        ctx.sleep(PAUSE).await;
                        continue;
                    }
                };
                let guard = Guard::new(&open, |open| &open.connections);
                let (serve, door) = (Serve { ctx: ctx.clone(), shutdown: shutdown.clone() }, door.clone());
                ctx.spawn("api connection", async move {
                    let _guard = guard;
                    serve.stream(stream, door).await;
                });
            }
        });
    }
}

/// A client that has connected and not said anything yet.
enum Stream {
    Tcp(tokio::net::TcpStream, TlsAcceptor),
    Unix(tokio::net::UnixStream),
}

async fn accept_one(listener: &Listener) -> io::Result<Stream> {
    match listener {
        Listener::Tcp(listener, tls) => {
            let (stream, _) = listener.accept().await?;
            // A line of a watch is small, and must not wait for another.
            stream.set_nodelay(true)?;
            Ok(Stream::Tcp(stream, tls.clone()))
        }
        Listener::Unix(socket) => Ok(Stream::Unix(socket.listener.accept().await?.0)),
    }
}

struct Serve {
    ctx: Ctx,
    shutdown: Shutdown,
}

impl Serve {
    async fn stream(&self, stream: Stream, door: Door) {
        match stream {
            Stream::Unix(stream) => self.connection(self.builder(), stream, door).await,
            Stream::Tcp(stream, tls) => {
                // A client that is no TLS client, or does not trust the certificate, will know; nothing is owed to it.
                let Ok(Ok(stream)) = self.ctx.timeout(HANDSHAKE, tls.accept(stream)).await else { return };
                let builder = match stream.get_ref().1.alpn_protocol() {
                    Some(b"h2") => self.builder().http2_only(),
                    _ => self.builder().http1_only(),
                };
                self.connection(builder, stream, door).await;
            }
        }
    }

    fn builder(&self) -> Builder<Executor> {
        let mut builder = Builder::new(Executor(self.ctx.clone()));
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG);
        builder
    }

    async fn connection(
        &self,
        builder: Builder<Executor>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        door: Door,
    ) {
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), door));
        tokio::select! {
            biased;
            // How a client went is its own affair.
            _ = connection.as_mut() => return,
            () = self.shutdown.requested() => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = self.ctx.timeout(DRAIN, connection).await;
    }
}
