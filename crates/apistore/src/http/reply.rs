//! What is sent back: its body, and the ways to make one.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use apimachinery::Status;
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, Stream, StreamExt};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use hyper::body::{Frame, SizeHint};
use jiff::Timestamp;

use super::accept::Format;
use super::encode;
use crate::Object;

/// How much of a list is sent at a time.
const CHUNK: usize = 64 * 1024;

/// The body of an answer. Nothing runs for it unless it is read; dropping it ends a watch.
pub struct Body(Kind);

enum Kind {
    Whole(Bytes),
    Items(Items),
    Lines(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

/// A list that is put together while it is sent, from objects as they are stored.
pub(super) struct Items {
    pub(super) head: Bytes,
    /// What stands in front of each object's own fields.
    pub(super) each: Bytes,
    pub(super) objects: std::vec::IntoIter<Object>,
    pub(super) tail: Bytes,
    pub(super) started: bool,
}

impl Items {
    fn remaining(&self) -> usize {
        let objects = self.objects.as_slice();
        let items: usize = objects.iter().map(|object| self.each.len() + object.json().len()).sum();
        let commas = if self.started { objects.len() } else { objects.len().saturating_sub(1) };
        self.head.len() + items + commas + self.tail.len()
    }

    fn next(&mut self) -> Option<Bytes> {
        let mut chunk = BytesMut::with_capacity(CHUNK.min(self.remaining()));
        chunk.extend_from_slice(&std::mem::take(&mut self.head));
        while chunk.len() < CHUNK {
            let Some(object) = self.objects.next() else {
                chunk.extend_from_slice(&std::mem::take(&mut self.tail));
                break;
            };
            if std::mem::replace(&mut self.started, true) {
                chunk.extend_from_slice(b",");
            }
            encode::splice(&mut chunk, &self.each, object.json());
        }
        (!chunk.is_empty()).then(|| chunk.freeze())
    }

    /// All of it, for what must be seen whole.
    pub(super) fn whole(mut self) -> Bytes {
        let mut whole = BytesMut::with_capacity(self.remaining());
        while let Some(chunk) = self.next() {
            whole.extend_from_slice(&chunk);
        }
        whole.freeze()
    }
}

impl Body {
    /// A watch ends when this future does; everything else is sent to its end.
    pub(crate) fn until(self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        match self.0 {
            Kind::Lines(lines) => Self(Kind::Lines(Box::pin(lines.take_until(end.boxed())))),
            other => Self(other),
        }
    }

    /// These bytes.
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Whole(bytes.into()))
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.0 {
            Kind::Whole(bytes) => Poll::Ready((!bytes.is_empty()).then(|| std::mem::take(bytes))),
            Kind::Items(items) => Poll::Ready(items.next()),
            Kind::Lines(lines) => lines.as_mut().poll_next(cx),
        };
        next.map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, Kind::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Items(items) => SizeHint::with_exact(items.remaining() as u64),
            Kind::Lines(_) => SizeHint::default(),
        }
    }
}

/// An answer on its way out.
pub(super) struct Reply {
    code: u16,
    headers: HeaderMap,
    body: Body,
}

impl Reply {
    fn new(code: u16, content_type: &'static str, body: Body) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { code, headers, body }
    }

    /// Compact JSON, shown in the format that was asked for.
    pub(super) fn json(code: u16, json: Bytes, format: Format) -> Self {
        Self::new(code, format.content_type(), Body::whole(encode::formatted(json, format)))
    }

    /// A list of objects as they are stored.
    pub(super) fn items(items: Items, format: Format) -> Self {
        match format {
            Format::Json => Self::new(200, format.content_type(), Body(Kind::Items(items))),
            Format::Pretty | Format::Yaml => Self::json(200, items.whole(), format),
        }
    }

    /// JSON lines, as they come.
    pub(super) fn lines(lines: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self::new(200, "application/json", Body(Kind::Lines(Box::pin(lines))))
    }

    /// Text.
    pub(super) fn text(code: u16, text: impl Into<Bytes>) -> Self {
        Self::new(code, "text/plain; charset=utf-8", Body::whole(text))
            .with(HeaderName::from_static("x-content-type-options"), "nosniff")
    }

    /// Nothing but a code.
    pub(super) fn empty(code: u16) -> Self {
        Self { code, headers: HeaderMap::new(), body: Body::whole(Bytes::new()) }
    }

    /// A failure.
    pub(super) fn status(status: &Status, format: Format) -> Self {
        let reply = Self::json(status.code, encode::status(status), format);
        match status.details.as_ref().and_then(|details| details.retry_after_secs) {
            Some(secs) => reply.with(http::header::RETRY_AFTER, &secs.to_string()),
            None => reply,
        }
    }

    /// With this header, in the place of one with its name. A value that no header can have is left out.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// With a `Warning` header for each of these.
    pub(super) fn warn(mut self, warnings: &[String]) -> Self {
        for warning in warnings {
            let text: String = warning.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
            let text = format!("299 - \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
                self.headers.append(http::header::WARNING, value);
            }
        }
        self
    }

    /// The response, with what every answer carries.
    pub(super) fn into_response(mut self, audit_id: HeaderValue, now: Timestamp) -> Response<Body> {
        self.headers.insert(HeaderName::from_static("audit-id"), audit_id);
        self = self.with(http::header::DATE, &now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        self.headers.entry(http::header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache, private"));
        let mut response = Response::new(self.body);
        *response.status_mut() = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = self.headers;
        response
    }
}

/// Why there is no ordinary answer.
pub(super) enum Refusal {
    /// A failure, in the format that was asked for.
    Status(Box<Status>),
    /// The text that stands for paths that lead nowhere.
    NoPage,
    /// Nothing that was asked for can be served: told in this format, whatever else was asked for.
    NotAcceptable(Box<Status>, Format),
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

impl Refusal {
    /// The answer.
    pub(super) fn reply(self, format: Format) -> Reply {
        match self {
            Self::Status(status) => Reply::status(&status, format),
            Self::NoPage => Reply::text(404, "404 page not found\n"),
            Self::NotAcceptable(status, format) => Reply::status(&status, format),
        }
    }
}
