//! The gRPC services, generated from the list of calls: each method hands its request to the shell.

use std::sync::Arc;

use csi_proto::csi::v1::{
    self as csi, controller_server, group_controller_server, group_controller_server::GroupControllerServer, identity_server,
    node_server,
};
use tokio::net::UnixListener;
use tokio_stream::{StreamExt as _, wrappers::UnixListenerStream};
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    rpc::{self, for_each_rpc},
    shell::Shell,
    socket::{Caller, Connections},
};

#[derive(Debug, Clone)]
pub(crate) struct Services(pub(crate) Arc<Shell>);

macro_rules! serve {
    ($($module:ident :: $service:ident { $($method:ident $rpc:ident($request:ident) -> $response:ident,)+ })+) => { $(
        #[tonic::async_trait]
        impl $module::$service for Services {
            $(async fn $method(&self, request: Request<csi::$request>) -> Result<Response<csi::$response>, Status> {
                let caller = request.extensions().get::<Caller>().cloned();
                match self.0.call(caller, rpc::Request::$rpc(request.into_inner())).await? {
                    rpc::Response::$rpc(answer) => Ok(Response::new(answer)),
                    other => Err(Status::internal(format!("{} was answered with {other:?}", stringify!($rpc)))),
                }
            })+
        }
    )+ };
}
for_each_rpc!(serve);

/// Serves until the listener fails or the future is dropped.
pub(crate) async fn serve(
    shell: Arc<Shell>,
    listener: UnixListener,
    connections: Connections,
) -> Result<(), tonic::transport::Error> {
    let services = Services(shell);
    let incoming = UnixListenerStream::new(listener).map(move |stream| connections.adopt(stream?));
    Server::builder()
        .add_service(identity_server::IdentityServer::new(services.clone()))
        .add_service(controller_server::ControllerServer::new(services.clone()))
        .add_service(GroupControllerServer::new(services.clone()))
        .add_service(node_server::NodeServer::new(services))
        .serve_with_incoming(incoming)
        .await
}
