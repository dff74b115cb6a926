//! One gRPC message in its frame, and an answer that was collected whole.

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Response, header};
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::{Code, Status};

const HEAD: usize = 5;

/// The message of a body that holds exactly one, uncompressed. `None` for anything else, which is passed on without a look.
pub(super) fn message(body: &Bytes) -> Option<Bytes> {
    let (head, rest) = body.split_first_chunk::<HEAD>()?;
    let [compressed, length @ ..] = *head;
    let whole = compressed == 0 && u32::from_be_bytes(length) as usize == rest.len();
    whole.then(|| body.slice(HEAD..))
}

/// A message in its frame.
pub(super) fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEAD + message.len());
    frame.put_u8(0);
    // A gRPC message has less than 4 GiB.
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

/// An answer: headers, body and trailers as the driver sent them.
#[derive(Debug)]
pub(super) struct Answer {
    parts: http::response::Parts,
    body: Bytes,
    trailers: Option<HeaderMap>,
}

impl Answer {
    /// Waits for the whole of it.
    ///
    /// # Errors
    /// The driver was lost on the way.
    pub(super) async fn collect(response: Response<Body>) -> Result<Self, Status> {
        let (parts, body) = response.into_parts();
        let collected = body.collect().await?;
        let trailers = collected.trailers().cloned();
        Ok(Self { parts, body: collected.to_bytes(), trailers })
    }

    /// A success of our own.
    pub(super) fn ok(message: &[u8]) -> Self {
        let mut response = Response::new(());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        let trailers = HeaderMap::from_iter([(header::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
        Self { parts: response.into_parts().0, body: framed(message), trailers: Some(trailers) }
    }

    /// What the driver said of it: `Ok`, or its error. A missing status is one.
    pub(super) fn status(&self) -> Result<(), Status> {
        let said =
            self.trailers.as_ref().and_then(Status::from_header_map).or_else(|| Status::from_header_map(&self.parts.headers));
        match said {
            Some(status) if status.code() == Code::Ok => Ok(()),
            Some(status) => Err(status),
            None => Err(Status::unknown("the driver's answer has no grpc-status")),
        }
    }

    /// The message, if there is one that can be looked at.
    pub(super) fn message(&self) -> Option<Bytes> {
        message(&self.body)
    }

    pub(super) fn into_http(self) -> Response<Body> {
        let body = Full::new(self.body);
        let body = match self.trailers {
            Some(trailers) => Body::new(body.with_trailers(std::future::ready(Some(Ok(trailers))))),
            None => Body::new(body),
        };
        Response::from_parts(self.parts, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_compressed_cut_or_too_long_is_not_looked_at() {
        let whole = framed(b"abc");
        assert_eq!(message(&whole).as_deref(), Some(&b"abc"[..]));
        let mut compressed = whole.to_vec();
        compressed[0] = 1;
        for other in [compressed, whole[..7].to_vec(), [&whole[..], b"x"].concat(), Vec::new()] {
            assert_eq!(message(&other.into()), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_framed_message_is_read_again_and_any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let bytes = Bytes::from(bytes);
            let _ = message(&bytes);
            prop_assert_eq!(message(&framed(&bytes)), Some(bytes));
        }
    }
}
