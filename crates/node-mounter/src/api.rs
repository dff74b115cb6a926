//! For the local runtime, on a unix socket: where are a pod's volumes, and what does this agent hold? The edge.
//!
//! `GET /v1/pods/{uid}/volumes` answers as `volumes.json` does; `GET /v1/volumes` lists what the journal has.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::Router;
use axum::extract::Path as UrlPath;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use tokio::net::UnixListener;

use crate::agent::Agent;
use crate::journal::{Publish, Stage};
use crate::pods::volumes_file::pod_volumes;

/// One volume that is on this node, or may be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    name: String,
    driver: String,
    volume_handle: String,
    stage: Stage,
    publishes: Vec<Publish>,
    reported_in_use: bool,
    attached: bool,
}

/// Binds the socket, readable for root alone, in place of one that an earlier life left.
pub(crate) fn bind(socket: &Path) -> io::Result<UnixListener> {
    match std::fs::symlink_metadata(socket) {
        Ok(meta) if std::os::unix::fs::FileTypeExt::is_socket(&meta.file_type()) => std::fs::remove_file(socket)?,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is there and is no socket")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if let Some(folder) = socket.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves until the process ends.
pub(crate) async fn serve(agent: Agent, listener: UnixListener) {
    let by_pod = agent.clone();
    let router = Router::new()
        .route(
            "/v1/pods/{uid}/volumes",
            get(move |UrlPath(uid): UrlPath<String>| async move {
                match pod_volumes(&by_pod, &uid) {
                    Some(volumes) => json(StatusCode::OK, &volumes),
                    None => json(StatusCode::NOT_FOUND, &format!("no pod with uid {uid} is bound to this node")),
                }
            }),
        )
        .route("/v1/volumes", get(move || async move { json(StatusCode::OK, &held(&agent)) }));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!("the API socket stopped: {error}");
    }
}

fn held(agent: &Agent) -> Vec<Held> {
    let state = agent.state();
    let held = state.records.iter().map(|(key, record)| Held {
        name: key.to_string(),
        driver: record.driver.to_string(),
        volume_handle: record.handle.to_string(),
        stage: record.stage,
        publishes: record.publishes.clone(),
        reported_in_use: state.node.reported.contains(key),
        attached: state.node.attached.contains(key),
    });
    held.collect()
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_string(body).unwrap_or_default() + "\n";
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
