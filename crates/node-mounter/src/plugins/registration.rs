//! The registration service, as a client: kubelet's side of `pluginregistration`. The edge to gRPC.

use std::path::Path;
use std::time::Duration;

use csi_proto::pluginregistration::registration_client::RegistrationClient;
use csi_proto::pluginregistration::{InfoRequest, RegistrationStatus};
use csi_types::DriverName;
use futures::FutureExt;
use futures::future::BoxFuture;
use rt::Ctx;
use tonic::transport::{Channel, Endpoint};

use crate::paths::component;

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Announced {
    /// `CSIPlugin` for drivers.
    pub kind: String,
    /// The driver's name.
    pub name: String,
    /// The driver's own socket. Empty: this one.
    pub endpoint: String,
    /// For example `1.0.0`.
    pub versions: Vec<String>,
}

/// Why a plugin is not for us. It is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Device plugins and others.
    #[error("it is a plugin of type {0:?}; this agent takes CSIPlugin only")]
    Kind(String),
    /// The name becomes a folder.
    #[error("{0:?} cannot be the name of a driver")]
    Name(String),
    /// No version 1.
    #[error("it supports the versions {0:?}; this agent speaks 1.x only")]
    Versions(Vec<String>),
    /// Its topology contradicts the Node's labels.
    #[error("{0}")]
    Topology(String),
}

/// Talks to registration sockets. A seam: tests put their own plugins here.
pub trait Registration: Send + Sync {
    /// GetInfo.
    fn info<'a>(&'a self, socket: &'a Path) -> BoxFuture<'a, Result<Announced, String>>;
    /// NotifyRegistrationStatus.
    fn notify<'a>(&'a self, socket: &'a Path, status: Result<(), &'a Refusal>) -> BoxFuture<'a, Result<(), String>>;
}

/// Over the socket.
pub struct GrpcRegistration(pub Ctx);

/// Kubelet's.
const DIAL: Duration = Duration::from_secs(10);
/// Half a second in all.
const FIRST_PAUSE: Duration = Duration::from_millis(8);
const LAST_PAUSE: Duration = Duration::from_millis(256);
const GET_INFO: Duration = Duration::from_secs(1);
const NOTIFY: Duration = Duration::from_secs(5);

impl Registration for GrpcRegistration {
    fn info<'a>(&'a self, socket: &'a Path) -> BoxFuture<'a, Result<Announced, String>> {
        async move {
            let mut client = self.dial(socket).await?;
            let asked = self.0.timeout(GET_INFO, client.get_info(InfoRequest {})).await;
            let answer = asked.map_err(|elapsed| format!("GetInfo: {elapsed}"))?;
            let info = answer.map_err(|status| format!("GetInfo: {}", said(&status)))?.into_inner();
            Ok(Announced { kind: info.r#type, name: info.name, endpoint: info.endpoint, versions: info.supported_versions })
        }
        .boxed()
    }

    fn notify<'a>(&'a self, socket: &'a Path, status: Result<(), &'a Refusal>) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let mut client = self.dial(socket).await?;
            let error = status.err().map(ToString::to_string).unwrap_or_default();
            let message = RegistrationStatus { plugin_registered: status.is_ok(), error };
            let told = self.0.timeout(NOTIFY, client.notify_registration_status(message)).await;
            let answer = told.map_err(|elapsed| format!("NotifyRegistrationStatus: {elapsed}"))?;
            answer.map(drop).map_err(|status| format!("NotifyRegistrationStatus: {}", said(&status)))
        }
        .boxed()
    }
}

impl GrpcRegistration {
    async fn dial(&self, socket: &Path) -> Result<RegistrationClient<Channel>, String> {
        let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display())).map_err(|error| error.to_string())?;
        // Some servers refuse a socket's path as the authority.
        let endpoint = endpoint.origin(http::Uri::from_static("http://localhost"));
        // A socket is there a moment before somebody listens on it, and that moment is when we see it.
        let mut wait = FIRST_PAUSE;
        loop {
            let dialled = self.0.timeout(DIAL, endpoint.connect()).await.map_err(|elapsed| format!("connect: {elapsed}"))?;
            match dialled {
                Ok(channel) => return Ok(RegistrationClient::new(channel)),
                Err(error) if wait > LAST_PAUSE => return Err(format!("connect: {}", cluster::chain(&error))),
                Err(_) => self.0.sleep(wait).await,
            }
            wait *= 2;
        }
    }
}

fn said(status: &tonic::Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}

impl Announced {
    /// Upstream: the highest version whose major is at most 1 must have the major 1.
    pub fn check(&self) -> Result<DriverName, Refusal> {
        if self.kind != "CSIPlugin" {
            return Err(Refusal::Kind(self.kind.clone()));
        }
        let name = component(&self.name).ok_or_else(|| Refusal::Name(self.name.clone()))?;
        let majors = self.versions.iter().filter_map(|version| major(version));
        if majors.filter(|major| *major <= 1).max() != Some(1) {
            return Err(Refusal::Versions(self.versions.clone()));
        }
        Ok(DriverName::from(name))
    }
}

/// `1.0.0`, `v1.2`, `1.0.0-rc1`.
fn major(version: &str) -> Option<u64> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let (numbers, _) = version.split_once(['-', '+']).unwrap_or((version, ""));
    let mut parts = numbers.split('.').map(|part| part.parse::<u64>().ok());
    let major = parts.next()??;
    parts.all(|part| part.is_some()).then_some(major)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(kind: &str, name: &str, versions: &[&str]) -> Announced {
        let versions = versions.iter().map(|version| (*version).to_owned()).collect();
        Announced { kind: kind.into(), name: name.into(), endpoint: String::new(), versions }
    }

    #[test]
    fn a_csi_plugin_of_version_one_is_taken() {
        for versions in [&["1.0.0"][..], &["v1.2.0"], &["0.3.0", "1.0.0"], &["2.0.0", "1.0.0"], &["1"]] {
            assert_eq!(announced("CSIPlugin", "d", versions).check(), Ok("d".into()), "{versions:?}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_a_sentence() {
        for versions in [&[][..], &["0.3.0"], &["2.0.0"], &["x"], &[""], &["1.x"]] {
            assert!(matches!(announced("CSIPlugin", "d", versions).check(), Err(Refusal::Versions(_))), "{versions:?}");
        }
        assert!(matches!(announced("DevicePlugin", "d", &["1.0.0"]).check(), Err(Refusal::Kind(_))));
        for name in ["", "..", "a/b"] {
            assert!(matches!(announced("CSIPlugin", name, &["1.0.0"]).check(), Err(Refusal::Name(_))), "{name:?}");
        }
    }
}
