//! What every call has: a deadline, a span, a log line with secrets removed, a metric, and an error with our own code.

use std::future::Future;
use std::sync::atomic::Ordering;

use csi_proto::json::{Secrets, render};
use csi_types::{Code, Rpc};
use tonic::{Request, Response, Status};
use tracing::{Instrument, Level, enabled, info_span, trace};

use crate::connect::Client;
use crate::error::CallError;

impl Client {
    /// Makes one call.
    pub(crate) async fn call<Q, A, F>(self, rpc: Rpc, message: Q, send: impl FnOnce(Request<Q>) -> F) -> Result<A, CallError>
    where
        Q: prost::Message + prost::Name,
        A: prost::Message + prost::Name,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let method = rpc.full_method();
        let span = info_span!("rpc", method, deadline_ms = self.timeout.as_millis() as u64);
        async {
            // Rendering costs an encoding; nobody pays it unless somebody reads it.
            let shown = enabled!(Level::TRACE);
            if shown {
                trace!(request = %render(&message, Secrets::Stripped), "GRPC call");
            }
            let mut request = Request::new(message);
            request.set_timeout(self.timeout);
            let started = self.ctx.now();
            let result = match self.ctx.timeout(self.timeout, send(request)).await {
                Ok(Ok(response)) => Ok(response.into_inner()),
                Ok(Err(status)) => Err(failure(&status).of(rpc)),
                Err(elapsed) => Err(CallError::expired(rpc, elapsed)),
            };
            let lost = matches!(&result, Err(error) if error.unreachable);
            self.lost.store(lost, Ordering::Relaxed);
            let took = self.ctx.now() - started;
            let code = result.as_ref().map_or_else(|error| error.code, |_| Code::Ok);
            self.metrics.observe(method, code.name(), took);
            if shown {
                let elapsed_ms = took.as_millis() as u64;
                match &result {
                    Ok(answer) => {
                        trace!(code = code.name(), elapsed_ms, response = %render(answer, Secrets::Stripped), "GRPC response");
                    }
                    Err(error) => trace!(code = code.name(), elapsed_ms, "GRPC error: {}", error.message),
                }
            }
            result
        }
        .instrument(span)
        .await
    }
}

/// What came instead of an answer.
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// Nobody answered.
    pub(crate) unreachable: bool,
}

impl Failure {
    /// Our own deadline passed; the driver may be at it still.
    pub(crate) fn expired(elapsed: rt::Elapsed) -> Self {
        Self { code: Code::DeadlineExceeded, message: format!("the driver gave {elapsed}"), unreachable: false }
    }

    fn of(self, rpc: Rpc) -> CallError {
        CallError { rpc, code: self.code, message: self.message, unreachable: self.unreachable }
    }
}

/// A failure of the way, which tonic calls Unknown or Unavailable, is always Unavailable: nobody knows what the driver did.
pub(crate) fn failure(status: &Status) -> Failure {
    let mut cause = std::error::Error::source(status);
    let transport = cause.is_some();
    if !transport {
        return Failure { code: code(status.code()), message: status.message().to_owned(), unreachable: false };
    }
    let mut message = String::new();
    let mut expired = status.code() == tonic::Code::DeadlineExceeded;
    while let Some(error) = cause {
        message = error.to_string();
        // tonic's own timer may be first, and says Cancelled.
        expired |= error.is::<tonic::TimeoutExpired>();
        cause = error.source();
    }
    let code = if expired { Code::DeadlineExceeded } else { Code::Unavailable };
    Failure { code, message, unreachable: !expired }
}

fn code(code: tonic::Code) -> Code {
    Code::ALL.get(code as usize).copied().unwrap_or(Code::Unknown)
}
