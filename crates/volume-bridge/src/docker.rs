//! Docker's volume plugin API: JSON in, JSON out. Knows the protocol and its quirks, and leaves volumes to the bridge.
//!
//! Spec: other formats, chapter 5. What changes something runs to its end although dockerd may give up waiting; a Mount whose
//! asker is gone by then is taken back, since nobody will ever unmount it.

mod words;

use std::future::Future;

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use http_body_util::Full;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tonic::body::Body;

use crate::bridge::{Bridge, Scope};
use crate::error::Error;
use words::{Activated, Capabilities, Create, Failure, ForMount, Forgot, Got, Listed, Mounted, MountsOf, Named, Nothing, Place};

const CONTENT_TYPE: &str = "application/vnd.docker.plugins.v1.2+json";

/// Why a request is none.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{method} is not how a plugin is asked: expected POST")]
    Method { method: Method },
    #[error("there is no {path} here: this is Docker's volume plugin API, and CSI over gRPC")]
    Path { path: String },
    #[error("{path} needs a JSON body such as {example}, and got none")]
    Empty { path: String, example: &'static str },
    #[error("{path}: the body is no JSON as expected, such as {example}: {source}")]
    Json { path: String, example: &'static str, source: serde_json::Error },
    #[error(transparent)]
    Bridge(#[from] Error),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Refusal::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Path { .. } => StatusCode::NOT_FOUND,
            Refusal::Empty { .. } | Refusal::Json { .. } => StatusCode::BAD_REQUEST,
            Refusal::Bridge(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Answers one request.
pub(crate) async fn answer(bridge: &Bridge, method: &Method, path: &str, body: &[u8]) -> Response<Body> {
    match dispatch(bridge, method, path, body).await {
        Ok(answer) => reply(StatusCode::OK, answer),
        Err(refusal) => {
            match &refusal {
                // dockerd asks so before each Create.
                Refusal::Bridge(Error::NoVolume(name)) => tracing::debug!(path, volume = %name, "not known"),
                _ => tracing::warn!(path, "refused: {refusal}"),
            }
            reply(refusal.status(), json(&Failure { err: refusal.to_string() }))
        }
    }
}

async fn dispatch(bridge: &Bridge, method: &Method, path: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    if method != Method::POST {
        return Err(Refusal::Method { method: method.clone() });
    }
    Ok(match path {
        // Without a body, whatever the others have.
        "/Plugin.Activate" => json(&Activated { implements: ["VolumeDriver"] }),
        "/VolumeDriver.Capabilities" => {
            let scope = if bridge.scope().await? == Scope::Global { "global" } else { "local" };
            json(&Capabilities { capabilities: Place { scope } })
        }
        "/VolumeDriver.List" => json(&Listed::new(bridge.list().await?)),
        "/VolumeDriver.Create" => {
            let Create { name, opts } = read(path, r#"{"Name":"data","Opts":{"size":"10Gi"}}"#, body)?;
            let own = bridge.clone();
            to_its_end(bridge, "docker create", async move { own.create(&name, &opts.unwrap_or_default()).await }).await?;
            json(&Nothing {})
        }
        "/VolumeDriver.Remove" => {
            let Named { name } = named(path, body)?;
            let own = bridge.clone();
            to_its_end(bridge, "docker remove", async move { own.remove(&name).await }).await?;
            json(&Nothing {})
        }
        "/VolumeDriver.Mount" => {
            let ForMount { name, id } = for_mount(path, body)?;
            json(&Mounted { mountpoint: mount(bridge, name, id).await?.display().to_string() })
        }
        "/VolumeDriver.Unmount" => {
            let ForMount { name, id } = for_mount(path, body)?;
            let own = bridge.clone();
            to_its_end(bridge, "docker unmount", async move { own.unmount(&name, &id).await }).await?;
            json(&Nothing {})
        }
        "/VolumeDriver.Path" => {
            let Named { name } = named(path, body)?;
            let mountpoint = bridge.path(&name).await?;
            json(&Mounted { mountpoint: mountpoint.map(|path| path.display().to_string()).unwrap_or_default() })
        }
        "/VolumeDriver.Get" => {
            let Named { name } = named(path, body)?;
            json(&Got::new(bridge.get(&name).await?))
        }
        // Ours, for operators.
        FORGET_MOUNT => {
            let ForMount { name, id } = for_mount(path, body)?;
            let own = bridge.clone();
            let known = to_its_end(bridge, "forget mount", async move { own.forget_mount(&name, &id).await }).await?;
            json(&Forgot { known })
        }
        MOUNTS => json(&MountsOf::new(bridge.mounts())),
        _ => return Err(Refusal::Path { path: path.to_owned() }),
    })
}

/// Forgets a mount id.
pub(crate) const FORGET_MOUNT: &str = "/Longshore.ForgetMount";
/// Tells all mount ids.
pub(crate) const MOUNTS: &str = "/Longshore.Mounts";

/// A body that is empty is none: a retry of Docker's may have lost it, and an empty name would be somebody's volume.
fn read<T: DeserializeOwned>(path: &str, example: &'static str, body: &[u8]) -> Result<T, Refusal> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::Empty { path: path.to_owned(), example });
    }
    serde_json::from_slice(body).map_err(|source| Refusal::Json { path: path.to_owned(), example, source })
}

fn named(path: &str, body: &[u8]) -> Result<Named, Refusal> {
    read(path, r#"{"Name":"data"}"#, body)
}

fn for_mount(path: &str, body: &[u8]) -> Result<ForMount, Refusal> {
    read(path, r#"{"Name":"data","ID":"b87d7442095999a92b65b3d9691e697b61713829cc0ffd1bb72e4ccd51aa4d6c"}"#, body)
}

/// Runs on although nobody waits any more.
async fn to_its_end<T: Send + 'static>(
    bridge: &Bridge,
    task: &str,
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let (told, answer) = oneshot::channel();
    bridge.ctx.spawn(task, async move {
        if let Err(Err(error)) = told.send(work.await) {
            tracing::warn!("nobody waited for this any more: {error}");
        }
    });
    answer.await.unwrap_or(Err(Error::Stopping))
}

/// As [`to_its_end`]; a mount that nobody hears of is taken back.
async fn mount(bridge: &Bridge, name: String, id: String) -> Result<std::path::PathBuf, Error> {
    let (told, answer) = oneshot::channel();
    let own = bridge.clone();
    bridge.ctx.spawn("docker mount", async move {
        let mounted = own.mount(&name, &id).await;
        match told.send(mounted) {
            Err(Ok(_)) => {
                tracing::warn!(volume = name, id, "mounted, and Docker does not wait for it any more: taken back");
                if let Err(error) = own.unmount(&name, &id).await {
                    tracing::warn!(volume = name, id, "{error}");
                }
            }
            Err(Err(error)) => tracing::warn!(volume = name, id, "nobody waited for this any more: {error}"),
            Ok(()) => {}
        }
    });
    answer.await.unwrap_or(Err(Error::Stopping))
}

/// Our answers are strings, numbers and maps with names: they have a JSON form.
fn json(answer: &impl serde::Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec(answer).unwrap_or_default();
    text.push(b'\n');
    text
}

fn reply(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(CONTENT_TYPE));
    response
}

/// For a body that cannot be taken.
pub(crate) fn unreadable(error: &dyn std::fmt::Display) -> Response<Body> {
    reply(StatusCode::BAD_REQUEST, json(&Failure { err: format!("the request's body cannot be read: {error}") }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_body_is_refused_and_never_an_empty_name() {
        for body in [&b""[..], b" \n"] {
            let refused = named("/VolumeDriver.Remove", body).expect_err("refused");
            assert!(refused.status() == StatusCode::BAD_REQUEST && refused.to_string().contains(r#"{"Name":"data"}"#));
        }
    }

    #[test]
    fn opts_may_be_null_or_missing() {
        for body in [r#"{"Name":"a","Opts":null}"#, r#"{"Name":"a"}"#, r#"{"Name":"a","Opts":{},"More":1}"#] {
            let create: Create = read("/VolumeDriver.Create", "", body.as_bytes()).expect(body);
            assert!(create.name == "a" && create.opts.unwrap_or_default().is_empty());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_body_is_answered(body in "[ -~äß€]{0,40}|[{}\\[\\]\":,a-zA-Z0-9 ]{0,60}") {
            let _ = read::<Create>("/p", "", body.as_bytes());
            let _ = for_mount("/p", body.as_bytes());
        }
    }
}
