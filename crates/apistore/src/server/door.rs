//! Who is let in, and as whom.

use std::convert::Infallible;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use rt::Shutdown;
use sha2::{Digest, Sha256};
use tower::Service;

use crate::{Api, Body, Caller};

/// The API behind a listener. Cheap to clone.
#[derive(Clone)]
pub(super) struct Door {
    api: Api,
    /// The hash of the token; `None`: whoever gets here is the owner.
    token: Option<[u8; 32]>,
    shutdown: Shutdown,
}

impl Door {
    pub(super) fn new(api: Api, token: Option<&str>, shutdown: Shutdown) -> Self {
        Self { api, token: token.map(|token| Sha256::digest(token).into()), shutdown }
    }

    fn caller(&self, headers: &HeaderMap) -> Caller {
        let Some(expected) = &self.token else { return Caller::Owner };
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.split_once(' '));
        match shown {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
                let shown: [u8; 32] = Sha256::digest(token.trim()).into();
                if same(&shown, expected) { Caller::Owner } else { Caller::Unknown }
            }
            _ => Caller::Anonymous,
        }
    }
}

/// Takes as long whatever differs.
fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let difference = a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b));
    std::hint::black_box(difference) == 0
}

impl hyper::service::Service<Request<Incoming>> for Door {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let caller = self.caller(request.headers());
        request.extensions_mut().insert(caller);
        let shutdown = self.shutdown.clone();
        let answer = self.api.clone().call(request);
        async move {
            let response = answer.await?;
            // What has no end of its own ends with the server.
            Ok(response.map(|body| body.until(async move { shutdown.requested().await })))
        }
        .boxed()
    }
}
