//! Any unary call by its path, with the messages themselves: for programs that show the wire to people, such as `longshore csi`.
//! Controllers use [`crate::Driver`].

use std::sync::atomic::Ordering;

use csi_proto::json::{Secrets, render};
use csi_types::Code;
use http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataKey, MetadataMap, MetadataValue};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;
use tracing::{Instrument, Level, enabled, info_span, trace};

use crate::call::{Failure, failure};
use crate::connect::{Client, LARGEST_ANSWER};

/// A call that did not succeed. `Display` is one sentence with the RPC, the code and the driver's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method} failed with {}: {message}", code.name())]
pub struct RawError {
    /// The path of the call: `/csi.v1.Controller/CreateVolume`.
    pub method: &'static str,
    /// gRPC's code. Failures of the way are `Unavailable`, our own deadline is `DeadlineExceeded`.
    pub code: Code,
    /// What the driver said, or what is wrong with the way to it.
    pub message: String,
    /// The request never reached a driver that answered: no socket, refused, connection lost.
    pub unreachable: bool,
}

/// gRPC metadata to send with a call. Values may be tokens: there is no way to print them.
#[derive(Clone, Default)]
pub struct Headers(MetadataMap);

impl Headers {
    /// From keys and values, in order; a repeated key is sent as often as it stands here.
    ///
    /// # Errors
    /// The first key that is none, or whose value is no visible ASCII. Never tells the value.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut map = MetadataMap::new();
        for (name, value) in pairs {
            let key: MetadataKey<Ascii> = name.to_ascii_lowercase().parse().map_err(|_| {
                format!("{name:?} is no metadata key: expected letters, digits, '-', '_' and '.', and no key that ends in -bin")
            })?;
            let value: MetadataValue<Ascii> =
                value.parse().map_err(|_| format!("the value of metadata key {name:?} is not visible ASCII"))?;
            map.append(key, value);
        }
        Ok(Self(map))
    }
}

impl Client {
    /// Makes one unary call. `method` is its path, `/package.Service/Method`.
    ///
    /// Cancel safety: a dropped call ends our waiting, not what the driver is doing.
    ///
    /// # Errors
    /// What the driver, or the way to it, answered instead of a result.
    pub async fn unary<Q, A>(&self, method: &'static str, message: Q, headers: &Headers) -> Result<A, RawError>
    where
        Q: prost::Message + prost::Name + 'static,
        A: prost::Message + prost::Name + Default + 'static,
    {
        let span = info_span!("rpc", method, deadline_ms = self.timeout.as_millis() as u64);
        async {
            let shown = enabled!(Level::TRACE);
            if shown {
                trace!(request = %render(&message, Secrets::Stripped), "GRPC call");
            }
            let mut request = Request::new(message);
            *request.metadata_mut() = headers.0.clone();
            request.set_timeout(self.timeout);
            let started = self.ctx.now();
            let result = match self.ctx.timeout(self.timeout, self.send(method, request)).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(status)) => Err(failure(&status)),
                Err(elapsed) => Err(Failure::expired(elapsed)),
            };
            self.lost.store(matches!(&result, Err(failure) if failure.unreachable), Ordering::Relaxed);
            let code = result.as_ref().map_or_else(|failure| failure.code, |_| Code::Ok);
            self.metrics.observe(method, code.name(), self.ctx.now() - started);
            if shown {
                match &result {
                    Ok(answer) => trace!(code = code.name(), response = %render(answer, Secrets::Stripped), "GRPC response"),
                    Err(failure) => trace!(code = code.name(), "GRPC error: {}", failure.message),
                }
            }
            result.map_err(|Failure { code, message, unreachable }| RawError { method, code, message, unreachable })
        }
        .instrument(span)
        .await
    }

    async fn send<Q, A>(&self, method: &'static str, request: Request<Q>) -> Result<A, Status>
    where
        Q: prost::Message + 'static,
        A: prost::Message + Default + 'static,
    {
        let mut service = tonic::client::Grpc::new(self.channel()).max_decoding_message_size(LARGEST_ANSWER);
        service.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let path = PathAndQuery::from_static(method);
        service.unary(request, path, ProstCodec::<Q, A>::default()).await.map(tonic::Response::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_cannot_be_sent_is_told_by_its_key_and_never_by_its_value() {
        assert!(Headers::new([("Tenant", "a"), ("tenant", "b"), ("x-1._", "")]).is_ok());
        for (key, value) in [("", "hunter2"), ("a b", "hunter2"), ("key-bin", "hunter2"), ("k", "hunter2\n")] {
            let said = Headers::new([(key, value)]).err().expect("refused");
            assert!(said.contains(&format!("{key:?}")) && !said.contains("hunter2"), "{said}");
        }
    }
}
