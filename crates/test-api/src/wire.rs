//! The way of a request from what is tested to the API and back.

use bytes::Bytes;
use futures::StreamExt;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use kube::client::Body;
use serde_json::json;
use tower::{BoxError, Service};

use crate::{Fault, TestApi};

type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

pub(crate) async fn carry(mut to: TestApi, request: Request<Body>) -> Result<Answer, BoxError> {
    let spelling = spell(&request);
    let fault = to.note(&spelling);
    let watch = spelling.starts_with("WATCH ");
    if !watch {
        to.passes(&spelling).await;
    }
    if let Some(Fault::Refused(code)) = fault {
        return refusal(code);
    }
    let Ok(answer) = to.api.call(request).await;
    if fault.is_some() {
        return Err("the connection was lost before the answer came".into());
    }
    Ok(answer.map(|body| {
        let body = body.map_err(|never| match never {});
        if !watch {
            return body.boxed_unsync();
        }
        let told = BodyStream::new(body).then(move |frame| {
            let (to, spelling) = (to.clone(), spelling.clone());
            async move {
                to.passes(&spelling).await;
                frame
            }
        });
        StreamBody::new(told).boxed_unsync()
    }))
}

fn spell(request: &Request<Body>) -> String {
    let query = request.uri().query().unwrap_or_default();
    let method = match request.method() {
        &Method::GET if query.contains("watch=") => "WATCH",
        &Method::GET if query.contains("limit=") || query.contains("resourceVersion") => "LIST",
        method => method.as_str(),
    };
    format!("{method} {}", request.uri().path())
}

fn refusal(code: u16) -> Result<Answer, BoxError> {
    let reason = match code {
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        429 => "TooManyRequests",
        _ => "InternalError",
    };
    let message = format!("refused with {code}, says the test");
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
    });
    let body = Full::new(Bytes::from(status.to_string())).map_err(|never| match never {});
    Ok(Response::builder().status(code).body(body.boxed_unsync())?)
}

impl TestApi {
    fn note(&self, spelling: &str) -> Option<Fault> {
        let mut state = self.state();
        if !spelling.starts_with("WATCH ") && !spelling.starts_with("LIST ") && !spelling.contains("/events") {
            state.sent.push(spelling.to_owned());
        }
        let fault = state.faults.iter_mut().find(|(requests, _, times)| *times > 0 && spelling.contains(requests.as_str()));
        fault.map(|(_, fault, times)| {
            *times -= 1;
            *fault
        })
    }

    async fn passes(&self, spelling: &str) {
        loop {
            let changed = self.rules.changed.notified();
            if !self.state().held.iter().any(|held| spelling.contains(held.as_str())) {
                return;
            }
            changed.await;
        }
    }
}
