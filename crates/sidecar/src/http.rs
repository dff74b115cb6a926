//! The HTTP server for metrics and health. Knows paths and answers; what is healthy, others decide and hand in as closures.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::metrics::{CONTENT_TYPE, Metrics};
use crate::{Exit, listen};

const TEXT: &str = "text/plain; charset=utf-8";

type Handler = Arc<dyn Fn(Uri) -> BoxFuture<'static, Answer> + Send + Sync>;
type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What a path answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    content_type: &'static str,
}

impl Answer {
    /// Plain text.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), content_type: TEXT }
    }

    /// 200 and `ok`.
    pub fn ok() -> Self {
        Self::text(200, "ok")
    }
}

/// Exact paths and their answers; any method, everything else is 404. The first route of a path wins.
#[derive(Default)]
pub struct Http {
    routes: Vec<(String, Handler)>,
    ready: Vec<(String, Check)>,
}

impl Http {
    /// Without any path.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers `path` by `handler`. A client that goes away drops the future.
    pub fn route<F, Fut>(mut self, path: impl Into<String>, handler: F) -> Self
    where
        F: Fn(Uri) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        self.routes.push((path.into(), Arc::new(move |uri| handler(uri).boxed())));
        self
    }

    /// The metrics.
    pub fn metrics(self, path: impl Into<String>, metrics: &Metrics) -> Self {
        let metrics = metrics.clone();
        self.route(path, move |_| {
            let answer = Answer { status: 200, body: metrics.render(), content_type: CONTENT_TYPE };
            async { answer }
        })
    }

    /// `/healthz/leader-election`: 500 only while `check` fails, which it does for a leader that could not renew for too long.
    /// Spec: common.md §9.
    pub fn leader_health(self, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.route("/healthz/leader-election", move |_| {
            let answer = match check() {
                Ok(()) => Answer::ok(),
                Err(reason) => Answer::text(500, format!("internal server error: {reason}\n")),
            };
            async { answer }
        })
    }

    /// Adds a line to `/readyz`, which is there once anybody does: what pauses us, if anything. All checks pass: 200 `ok`; else 503 and the reasons.
    pub fn ready(mut self, name: impl Into<String>, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.ready.push((name.into(), Box::new(check)));
        self
    }

    /// `/debug/why?object=…`: why nothing happens with an object; without `object`, whatever the closure has to say about all.
    /// `None` is 404.
    pub fn why(self, why: impl Fn(Option<&str>) -> Option<String> + Send + Sync + 'static) -> Self {
        self.route("/debug/why", move |uri| {
            let object = uri.query().and_then(|query| query_value(query, "object"));
            let answer = match (why(object.as_deref()), object) {
                (Some(text), _) => Answer::text(200, text),
                (None, Some(object)) => Answer::text(404, format!("nothing is known about {object:?}\n")),
                (None, None) => Answer::text(404, "add ?object=namespace/name or ?object=name\n"),
            };
            async { answer }
        })
    }

    /// Binds, and serves in the background until the process ends. `flag` names where the address came from.
    ///
    /// # Errors
    /// The address cannot be bound: the program ends with 1.
    pub async fn serve(self, ctx: &rt::Ctx, flag: &str, address: &str) -> Result<SocketAddr, Exit> {
        let listener = listen::bind(flag, address).await?;
        let local = listener.local_addr().map_err(|error| Exit::failed(format!("{flag}: {address:?}: {error}")))?;
        tracing::info!(address = %local, "serving HTTP");
        let router = self.router();
        ctx.spawn("http", async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the HTTP server stopped");
            }
        });
        Ok(local)
    }

    fn router(mut self) -> Router {
        let checks = std::mem::take(&mut self.ready);
        if !checks.is_empty() {
            self = self.route("/readyz", move |_| {
                let answer = readiness(&checks);
                async { answer }
            });
        }
        let routes = Arc::new(self.routes);
        Router::new().fallback(move |uri: Uri| {
            let handler = routes.iter().find(|(path, _)| path == uri.path()).map(|(_, handler)| handler.clone());
            async move {
                let answer = match handler {
                    Some(handler) => handler(uri).await,
                    None => Answer::text(404, "404 page not found\n"),
                };
                response(answer)
            }
        })
    }
}

fn readiness(checks: &[(String, Check)]) -> Answer {
    let paused: String =
        checks.iter().filter_map(|(name, check)| check().err().map(|reason| format!("paused by {name}: {reason}\n"))).collect();
    if paused.is_empty() { Answer::ok() } else { Answer::text(503, paused) }
}

fn response(answer: Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    response
}

/// The first value of `key` in a query, percent-decoded.
fn query_value(query: &str, key: &str) -> Option<String> {
    let value =
        query.split('&').find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == key).map(|(_, value)| value))?;
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = |b: u8| (b as char).to_digit(16).map(|digit| digit as u8);
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or(0) * 16 + hex(*low).unwrap_or(0));
                rest = after;
            }
            (first, tail) => {
                bytes.push(if first == b'+' { b' ' } else { first });
                rest = tail;
            }
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
