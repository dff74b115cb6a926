//! One request, as raw as a behaviour needs it.

use std::pin::Pin;

use http::{HeaderName, HeaderValue, Method, Request, Uri};
use kube::client::Body;

use crate::{Reply, World};

/// A request that is not sent yet. `.await` sends it.
pub(crate) struct Call<'w> {
    world: &'w World,
    client: kube::Client,
    request: Request<Vec<u8>>,
}

impl<'w> Call<'w> {
    pub(crate) fn new(world: &'w World, client: kube::Client, method: Method, path: &str) -> Self {
        let uri: Uri = path.parse().unwrap_or_else(|error| panic!("{path} is not a request target: {error}"));
        let mut request = Request::new(Vec::new());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let call = Self { world, client, request };
        call.header("user-agent", "conformance/1.0 (tests)")
    }

    /// With this header instead of what it had.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header's value");
        self.request.headers_mut().insert(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn accept(self, kinds: &str) -> Self {
        self.header("accept", kinds)
    }

    pub(crate) fn content_type(self, kind: &str) -> Self {
        self.header("content-type", kind)
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// Sends it and hands out the answer before its body has come.
    pub(crate) async fn open(self) -> http::Response<Body> {
        let what = format!("{} {}", self.request.method(), self.request.uri());
        self.client.send(self.request.map(Body::from)).await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }
}

impl<'w> IntoFuture for Call<'w> {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + 'w>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let world = self.world;
            let method = self.request.method().clone();
            let target = self.request.uri().to_string();
            let sent = self.request.body().clone();
            let (head, body) = self.open().await.into_parts();
            let body = body.collect_bytes().await.unwrap_or_else(|error| panic!("{method} {target}: the body: {error}"));
            let reply = Reply { what: format!("{method} {target}"), code: head.status.as_u16(), headers: head.headers, body };
            world.remember(&target, &sent, &reply);
            reply
        })
    }
}

/// A path with query parameters, escaped.
pub(crate) fn with(path: &str, query: &[(&str, &str)]) -> String {
    let mut target = path.to_owned();
    for (name, value) in query {
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(name);
        target.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => target.push(char::from(byte)),
                _ => target.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    target
}
