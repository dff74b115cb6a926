//! Holds the registration socket for one driver until asked to stop, refused, or broken.

use std::sync::Arc;
use std::time::Duration;

use csi_proto::pluginregistration::registration_server::RegistrationServer;
use futures::TryStreamExt;
use sidecar::{Http, Shell};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;

use crate::authority::Localhost;
use crate::error::Error;
use crate::flags::Config;
use crate::health;
use crate::registration::Registrar;
use crate::socket::Socket;
use crate::watch::Watch;

/// How long a deleted socket stays away before we make it again. During a rolling update the next registrar deletes ours and
/// makes its own within microseconds; both must not take turns at that.
const PAUSE: Duration = Duration::from_secs(2);

/// Registers `driver`. Returns when asked to stop, with the socket removed: kubelet must see it go before the next pod's comes.
pub(crate) async fn serve(config: Config, driver: String, shell: Shell) -> anyhow::Result<()> {
    // The name comes from the driver; it must stay in the directory, visible to kubelet.
    if driver.contains(['/', '\0']) || driver.starts_with('.') {
        return Err(Error::Name { name: driver }.into());
    }
    let path = Arc::new(config.directory.join(format!("{driver}-reg.sock")));
    match &config.http {
        Some((flag, address)) => {
            let (ctx, path, driver) = (shell.ctx.clone(), path.clone(), driver.clone());
            let http = Http::new().route("/healthz", move |_| {
                let (ctx, path, driver) = (ctx.clone(), path.clone(), driver.clone());
                async move { health::check(&ctx, &path, &driver, config.timeout).await }
            });
            http.serve(&shell.ctx, flag, address).await?;
        }
        None => tracing::info!("no health server: neither --http-endpoint nor --health-port is set"),
    }
    let registrar = Registrar::new(driver.clone(), config.endpoint.clone());
    loop {
        let watch = Watch::new(&config.directory)
            .inspect_err(|error| tracing::warn!(%error, "cannot watch the directory, a deleted registration socket stays away"))
            .ok();
        let (socket, listener) = Socket::bind(&path)?;
        tracing::info!(path = %path.display(), driver, endpoint = config.endpoint, "waiting for kubelet to register the driver");
        let server = Server::builder()
            .add_service(RegistrationServer::new(registrar.clone()))
            .serve_with_incoming(UnixListenerStream::new(listener).map_ok(Localhost::new));
        tokio::select! {
            biased;
            () = shell.shutdown.requested() => {
                socket.remove()?;
                return Ok(());
            }
            reason = registrar.refused() => return Err(Error::Refused { name: driver, reason }.into()),
            ended = server => {
                return Err(match ended {
                    Ok(()) => Error::Stopped,
                    Err(source) => Error::Serve { source },
                }
                .into());
            }
            () = gone(&shell.ctx, watch, &socket) => {
                tracing::warn!(path = %path.display(), "the registration socket was deleted, making it again");
            }
        }
    }
}

/// Waits until nothing is left at the socket's path, and nothing came in its place for [`PAUSE`].
async fn gone(ctx: &rt::Ctx, watch: Option<Watch>, socket: &Socket) {
    let Some(mut watch) = watch else { return std::future::pending().await };
    loop {
        if let Err(error) = watch.changed().await {
            tracing::warn!(%error, "cannot watch the directory any more, a deleted registration socket stays away");
            return std::future::pending().await;
        }
        if socket.is_gone() {
            ctx.sleep(PAUSE).await;
            if socket.is_gone() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
