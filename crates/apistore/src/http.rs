//! The Kubernetes API over HTTP: paths, verbs, options and formats in, objects, lists and streams out.
//!
//! ```text
//!  Request ─ route ─> Route ─ accept, options, body ─> ReadRequest, WriteRequest ─> Store ─ encode, views, watch ─> Response
//!                       └─ discovery, openapi, reviews: answered here, from the registry
//! ```
//!
//! Knows nothing of connections, and of kinds only what their [`Resource`] says. Differences from upstream: answers are never
//! compressed, and are JSON or YAML where upstream also has protobuf.

mod accept;
mod authorize;
mod body;
mod discovery;
mod encode;
mod objects;
mod openapi;
mod options;
mod protobuf;
mod query;
mod reply;
mod reviews;
mod route;
#[cfg(test)]
pub(crate) mod tests;
mod token;
mod views;
mod watch;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use api_kinds::{Registry, Subresource};
use apimachinery::Status;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::{HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Request, Response};
use rt::Ctx;

pub use authorize::Caller;
pub use reply::Body;

use crate::Store;
use accept::Of;
use query::Query;
use reply::{Refusal, Reply};
use route::Route;
use token::Signer;

/// The Kubernetes API on a [`Store`]: a `tower::Service` that a `kube::Client` and the listeners share. Cheap to clone.
///
/// Who calls is an extension of the request ([`Caller`]); without one it is the one user there is.
#[derive(Clone)]
pub struct Api {
    ctx: Ctx,
    store: Store,
    signer: Arc<Signer>,
}

/// A request, taken apart.
struct Call {
    method: Method,
    path: String,
    query: Query,
    headers: HeaderMap,
    caller: Caller,
    /// What is served while this request lasts.
    registry: Arc<Registry>,
}

impl Api {
    /// The API on this store.
    pub fn new(store: Store) -> Self {
        Self { ctx: store.ctx().clone(), store, signer: Arc::default() }
    }

    /// A client in this process: no sockets, no TLS, no token. Call inside a tokio runtime.
    pub fn client(&self, default_namespace: &str) -> kube::Client {
        let agent = HeaderValue::from_static(concat!("longshore/", env!("CARGO_PKG_VERSION")));
        let service =
            tower::ServiceExt::<Request<kube::client::Body>>::map_request(self.clone(), move |mut request: Request<_>| {
                request.headers_mut().entry(USER_AGENT).or_insert_with(|| agent.clone());
                request
            });
        kube::Client::new(service, default_namespace)
    }

    /// What tokens of service accounts are signed with.
    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    async fn answer<B: hyper::body::Body>(&self, request: Request<B>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let call = Call {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: Query::parse(parts.uri.query().unwrap_or_default()),
            headers: parts.headers,
            caller: parts.extensions.get().copied().unwrap_or_default(),
            registry: self.store.registry(),
        };
        let reply = match self.dispatch(&call, body).await {
            Ok(reply) => reply,
            Err(refusal) => {
                let accepted = accept::negotiate(&call.headers, &call.query, Of::Document);
                refusal.reply(accepted.map_or_else(|_| accept::json(&call.headers, &call.query), |accepted| accepted.format))
            }
        };
        reply.into_response(self.audit_id(&call.headers), self.ctx.timestamp())
    }

    fn audit_id(&self, headers: &HeaderMap) -> HeaderValue {
        let given = headers.get(HeaderName::from_static("audit-id")).cloned();
        given.or_else(|| HeaderValue::from_str(&self.uuid("audit id")).ok()).unwrap_or(HeaderValue::from_static(""))
    }

    /// A random uuid, version 4.
    fn uuid(&self, purpose: &str) -> String {
        let bits = u128::from(self.ctx.draw(purpose)) << 64 | u128::from(self.ctx.draw(purpose));
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
    }

    async fn dispatch<B: hyper::body::Body>(&self, call: &Call, body: B) -> Result<Reply, Refusal> {
        authorize::check(call)?;
        let route = self.route(call)?;
        let warnings: Vec<String> = route.deprecation().map(str::to_owned).into_iter().collect();
        self.follow(call, route, body).await.map(|reply| reply.warn(&warnings))
    }

    async fn follow<B: hyper::body::Body>(&self, call: &Call, route: Route, body: B) -> Result<Reply, Refusal> {
        match route {
            Route::Collection { resource, namespace, watch } => {
                objects::collection(self, call, resource, namespace, watch, body).await
            }
            Route::Object { resource, namespace, name, subresource: Subresource::Token, .. } => {
                token::create(self, call, &resource, &namespace, &name, body).await
            }
            Route::Object { resource, namespace, name, watch: true, .. } => {
                objects::watch_one(self, call, resource, namespace, &name).await
            }
            Route::Object { resource, namespace, name, subresource, watch: false } => {
                objects::one(self, call, objects::Target { resource, namespace, name, subresource }, body).await
            }
            Route::Review(review) => reviews::create(self, call, review, body).await,
            Route::OpenApi => openapi::index(call),
            Route::OpenApiV2 => openapi::v2(call),
            Route::OpenApiGroup(path) => openapi::group(self, call, &path),
            route => discovery::document(self, call, &route),
        }
    }

    /// Where the path leads; only there, methods matter.
    fn route(&self, call: &Call) -> Result<Route, Refusal> {
        let route = route::find(&call.path, &call.registry)?;
        options::check_timeout(&call.query).map(|()| route).map_err(Refusal::from)
    }
}

/// 405.
fn wrong_method() -> Refusal {
    Status::method_not_allowed().into()
}

impl<B> tower::Service<Request<B>> for Api
where
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let api = self.clone();
        async move { Ok(api.answer(request).await) }.boxed()
    }
}
