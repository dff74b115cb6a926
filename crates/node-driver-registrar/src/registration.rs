//! What kubelet asks, and what it tells. Knows no file and no driver.

use std::sync::{Arc, Mutex, PoisonError};

use csi_proto::pluginregistration::registration_server::Registration;
use csi_proto::pluginregistration::{InfoRequest, PluginInfo, RegistrationStatus, RegistrationStatusResponse};
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

/// Kubelet takes any plugin that speaks 1.x. Spec: registrar.md §3.
const SUPPORTED_VERSIONS: &[&str] = &["1.0.0"];

/// One driver's side of the registration. Clones share it. Both calls may come at any time, any number of times.
#[derive(Clone)]
pub(crate) struct Registrar {
    name: String,
    endpoint: String,
    refusal: Arc<(Mutex<Option<String>>, Notify)>,
}

impl Registrar {
    pub(crate) fn new(name: String, endpoint: String) -> Self {
        Self { name, endpoint, refusal: Arc::default() }
    }

    /// Waits until kubelet says that it did not register the driver, and why. Cancel safe.
    pub(crate) async fn refused(&self) -> String {
        let (reason, told) = &*self.refusal;
        loop {
            let notified = told.notified();
            if let Some(reason) = reason.lock().unwrap_or_else(PoisonError::into_inner).clone() {
                return reason;
            }
            notified.await;
        }
    }
}

#[tonic::async_trait]
impl Registration for Registrar {
    async fn get_info(&self, _: Request<InfoRequest>) -> Result<Response<PluginInfo>, Status> {
        tracing::trace!(target: sidecar::logs::GRPC, "GetInfo called");
        Ok(Response::new(PluginInfo {
            r#type: "CSIPlugin".to_owned(),
            name: self.name.clone(),
            endpoint: self.endpoint.clone(),
            supported_versions: SUPPORTED_VERSIONS.iter().map(|version| (*version).to_owned()).collect(),
        }))
    }

    /// A refusal gets no answer: the process ends, and the socket of its next life is what makes kubelet try again at once.
    /// Kubelet's own retry may be minutes away.
    async fn notify_registration_status(
        &self,
        request: Request<RegistrationStatus>,
    ) -> Result<Response<RegistrationStatusResponse>, Status> {
        let status = request.into_inner();
        if status.plugin_registered {
            tracing::info!(driver = self.name, "kubelet registered the driver");
            return Ok(Response::new(RegistrationStatusResponse {}));
        }
        let (reason, told) = &*self.refusal;
        reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(status.error);
        told.notify_waiters();
        std::future::pending().await
    }
}
