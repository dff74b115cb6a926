//! A unix socket whose connections can be cut from our side, in the middle of a call.

use std::{
    io,
    net::Shutdown,
    os::unix::fs::FileTypeExt as _,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{UnixListener, UnixStream},
};
use tonic::transport::server::Connected;

/// Listens at a path, after clearing away a socket that an earlier process left.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path)?,
        Ok(_) => {
            let what = format!("{} exists and is not a socket", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    UnixListener::bind(path)
}

/// The other end of a connection: who it is, and a way to cut it off.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    stream: Arc<std::os::unix::net::UnixStream>,
    /// Its process, as the kernel has it.
    pub(crate) pid: Option<u32>,
}

impl Caller {
    pub(crate) fn cut(&self) {
        cut(&self.stream);
    }
}

fn cut(stream: &std::os::unix::net::UnixStream) {
    // It may be closed already; then it is as cut as it can be.
    let _ = stream.shutdown(Shutdown::Both);
}

/// All connections that are open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connections(Arc<Mutex<Vec<Weak<std::os::unix::net::UnixStream>>>>);

impl Connections {
    pub(crate) fn adopt(&self, stream: UnixStream) -> io::Result<Connection> {
        use std::os::fd::AsFd as _;
        let pid = stream.peer_cred().ok().and_then(|peer| u32::try_from(peer.pid()?).ok());
        let twin = stream.as_fd().try_clone_to_owned()?;
        let twin = Arc::new(std::os::unix::net::UnixStream::from(twin));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|c| c.strong_count() > 0);
        all.push(Arc::downgrade(&twin));
        Ok(Connection { stream, caller: Caller { stream: twin, pid } })
    }

    pub(crate) fn cut_all(&self) {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        all.iter().filter_map(Weak::upgrade).for_each(|stream| cut(&stream));
    }
}

/// An accepted connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    caller: Caller,
}

impl Connected for Connection {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
