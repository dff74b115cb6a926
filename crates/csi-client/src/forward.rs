//! Somebody else's call, passed on as it is: for whoever stands between a driver and its callers.

use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::ServiceExt as _;

use crate::connect::Client;

impl Client {
    /// Sends a gRPC request's bytes and headers to the driver, and gives its answer back, trailers included, byte for byte.
    ///
    /// The deadline is the caller's own, `grpc-timeout`; ours is not added. No metric and no span: it is not our call.
    ///
    /// # Errors
    /// The driver was not reached: `Unavailable`, or `DeadlineExceeded` where the caller's deadline passed first. What the driver
    /// answers, errors too, is an answer.
    ///
    /// Cancel safety: a dropped call is reset, which drivers may take as a cancellation.
    pub async fn forward(&self, mut request: Request<Body>) -> Result<Response<Body>, Status> {
        *request.version_mut() = http::Version::HTTP_2;
        self.channel.clone().oneshot(request).await.map_err(|error| {
            let mut message = error.to_string();
            let mut cause = std::error::Error::source(&error);
            let mut expired = false;
            while let Some(inner) = cause {
                message = inner.to_string();
                expired |= inner.is::<tonic::TimeoutExpired>();
                cause = inner.source();
            }
            if expired { Status::deadline_exceeded(message) } else { Status::unavailable(message) }
        })
    }
}
