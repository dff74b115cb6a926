//! The socket and the signals.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use csi_proto::csi::v1::controller_server::ControllerServer;
use csi_proto::csi::v1::identity_server::IdentityServer;
use csi_proto::csi::v1::node_server::NodeServer;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;

use crate::driver::Driver;
use crate::flags::Config;
use crate::service::Service;

/// How long calls may go on after SIGTERM. What is cut off is finished by the repeated call after the next start.
const DRAIN: Duration = Duration::from_secs(20);

/// What ends a driver early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The state cannot be opened.
    #[error(transparent)]
    Driver(#[from] crate::error::Error),
    /// Something other than a socket is in the way.
    #[error("{0} exists and is not a socket; remove it, or choose another --endpoint")]
    NotASocket(String),
    /// The socket cannot be bound.
    #[error("cannot serve on {path}: {source}")]
    Bind {
        /// The socket.
        path: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The server ended by itself.
    #[error("the gRPC server ended: {0}")]
    Server(#[from] tonic::transport::Error),
}

/// Serves until SIGTERM or SIGINT.
pub async fn run(config: Config) -> Result<(), ServeError> {
    let named = |source| ServeError::Bind { path: config.socket.display().to_string(), source };
    // Before the socket: who can connect can rely on these being handled.
    let mut term = signal(SignalKind::terminate()).map_err(named)?;
    let mut int = signal(SignalKind::interrupt()).map_err(named)?;
    let stop = async move {
        tokio::select! {
            biased;
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    };
    serve(config, stop).await
}

/// Serves until `stop` is ready, lets calls under way end, and removes the socket. For whoever runs the driver inside another process.
pub async fn serve(config: Config, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
    let path = config.socket.clone();
    let named = |source| ServeError::Bind { path: path.display().to_string(), source };
    let (controller, node) = (config.controller, config.node);
    tracing::info!(driver = config.driver_name, node = config.node_id, data = %config.data_dir.display(), controller, node, "starting");
    let driver =
        tokio::task::spawn_blocking(move || Driver::open(config)).await.map_err(|error| named(io::Error::other(error)))??;
    let service = Service::new(driver);

    clear(&path)?;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(named)?;
    }
    let listener = UnixListener::bind(&path).map_err(named)?;
    // Whoever connects has to be able to write: so its folder's group may, which sidecars have that are not root.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o660)).map_err(named)?;
    let ours = fs::metadata(&path).map_err(named)?.ino();
    let (drain, drained) = tokio::sync::oneshot::channel::<()>();
    let server = Server::builder()
        .add_service(IdentityServer::new(service.clone()))
        .add_optional_service(controller.then(|| ControllerServer::new(service.clone())))
        .add_optional_service(node.then(|| NodeServer::new(service)))
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), async {
            let _ = drained.await;
        });
    tokio::pin!(server, stop);
    tracing::info!(socket = %path.display(), "serving");
    tokio::select! {
        biased;
        () = &mut stop => {}
        ended = &mut server => return Ok(ended?),
    }
    tracing::info!("stopping: finishing calls under way");
    // Not the socket of a successor that started meanwhile.
    if fs::metadata(&path).is_ok_and(|meta| meta.ino() == ours) {
        let _ = fs::remove_file(&path);
    }
    let _ = drain.send(());
    if tokio::time::timeout(DRAIN, server).await.is_err() {
        tracing::warn!(seconds = DRAIN.as_secs(), "calls are still under way; their repetition will finish them");
    }
    Ok(())
}

/// Removes a socket that an earlier process left. Nothing else is ever removed.
fn clear(path: &Path) -> Result<(), ServeError> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => {
            fs::remove_file(path).map_err(|source| ServeError::Bind { path: path.display().to_string(), source })
        }
        Ok(_) => Err(ServeError::NotASocket(path.display().to_string())),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_socket_is_cleared_away_and_a_file_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (socket, file) = (dir.path().join("csi.sock"), dir.path().join("file"));
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        clear(&socket).unwrap();
        clear(&socket).unwrap();
        assert!(!socket.exists());
        fs::write(&file, "precious").unwrap();
        assert!(matches!(clear(&file), Err(ServeError::NotASocket(_))));
    }
}
