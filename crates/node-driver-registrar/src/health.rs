//! `/healthz`: whether kubelet would still find the driver through the registration socket.
//!
//! It asks our own server through the file, so that a file that somebody deleted or replaced is noticed. It does not ask the
//! driver, and does not know whether kubelet registered it. Spec: registrar.md §6.

use std::path::Path;
use std::time::Duration;

use csi_proto::pluginregistration::InfoRequest;
use csi_proto::pluginregistration::registration_client::RegistrationClient;
use hyper_util::rt::TokioIo;
use sidecar::Answer;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::socket::{Found, look};

/// The whole check ends within `timeout`. Upstream may hang for 30 s at a dead socket, which no probe waits for.
pub(crate) async fn check(ctx: &rt::Ctx, path: &Path, driver: &str, timeout: Duration) -> Answer {
    match look(path) {
        Err(error) => return failed(&format!("{error}")),
        Ok(Found::Nothing) => {
            tracing::warn!(path = %path.display(), "the registration socket does not exist");
            return Answer::text(404, "registration socket does not exist");
        }
        Ok(Found::Socket(_)) => {}
    }
    let name = ctx
        .timeout(timeout, get_info(path))
        .await
        .unwrap_or_else(|late| Err(format!("error getting info from node-registrar socket: {late}")));
    match name {
        Ok(name) if name == driver => Answer::ok(),
        Ok(name) => failed(&format!("invalid driver name {name:?}, expected {driver:?}")),
        Err(text) => failed(&text),
    }
}

fn failed(text: &str) -> Answer {
    tracing::error!("health check failed: {text}");
    Answer::text(500, text)
}

/// The name that the server behind the file gives.
async fn get_info(path: &Path) -> Result<String, String> {
    let channel =
        dial(path).await.map_err(|error| format!("error connecting to node-registrar socket {}: {error}", path.display()))?;
    let info = RegistrationClient::new(channel).get_info(InfoRequest {}).await;
    let info = info.map_err(|status| format!("error getting info from node-registrar socket: {}", status.message()))?;
    Ok(info.into_inner().name)
}

/// Through a connector of our own: a path need not be a valid URI.
pub(crate) async fn dial(path: &Path) -> Result<Channel, Box<dyn std::error::Error + Send + Sync>> {
    let stream = tokio::net::UnixStream::connect(path).await?;
    let mut stream = Some(TokioIo::new(stream));
    let connect = tower::service_fn(move |_: Uri| {
        let stream = stream.take().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected));
        async { stream }
    });
    Ok(Endpoint::from_static("http://localhost").connect_with_connector(connect).await?)
}
