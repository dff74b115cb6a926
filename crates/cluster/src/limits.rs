//! Limits on every request: a time to the first byte of the answer, an optional rate, and patience when the server asks for it.
//!
//! kube has no time limit on a list or on opening a watch: one lost reply, and a controller is deaf for good.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, StatusCode};
use rt::{Ctx, Elapsed, Instant};
use tower::{BoxError, Layer, Service};

/// Requests per second and how many may come at once before that counts, as `--kube-api-qps` and `--kube-api-burst`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests per second.
    pub qps: f64,
    /// Tokens in the bucket.
    pub burst: u32,
}

impl Rate {
    /// What the two flags mean. Zero or less, or no number at all, is no limit, as in client-go.
    pub fn new(qps: Option<f64>, burst: i32) -> Option<Self> {
        let qps = qps.filter(|qps| qps.is_finite() && *qps > 0.0)?;
        Some(Self { qps, burst: u32::try_from(burst).unwrap_or(0).max(1) })
    }
}

/// Wraps the HTTP service below `kube::Client`.
#[derive(Clone)]
pub struct Limits {
    ctx: Ctx,
    answer_within: Duration,
    gate: Arc<Mutex<Gate>>,
}

struct Gate {
    rate: Option<Rate>,
    /// When the next request would go out if there were no burst.
    next: Instant,
    /// The server asked us to wait until then.
    closed_until: Instant,
}

impl Limits {
    /// `answer_within` is the time to the response's head; a body, and so an open watch, may take as long as it likes.
    pub fn new(ctx: Ctx, answer_within: Duration, rate: Option<Rate>) -> Self {
        let gate = Gate { rate, next: Instant::default(), closed_until: Instant::default() };
        Self { ctx, answer_within, gate: Arc::new(Mutex::new(gate)) }
    }

    /// When this request may go out. Takes a token.
    fn turn(&self) -> Instant {
        let mut gate = self.gate.lock().unwrap_or_else(|e| e.into_inner());
        let now = self.ctx.now();
        let mut turn = now.max(gate.closed_until);
        if let Some(Rate { qps, burst }) = gate.rate {
            let gap = Duration::from_secs_f64(1.0 / qps.max(0.001));
            let saved = gap.saturating_mul(burst.max(1) - 1);
            let full_price = gate.next.max(now);
            gate.next = full_price + gap;
            turn = turn.max(Instant(full_price.0.saturating_sub(saved)));
        }
        turn
    }

    /// 429 with Retry-After: everybody of this client waits that long. Upstream: API priority and fairness.
    fn obey(&self, status: StatusCode, headers: &HeaderMap) {
        if status != StatusCode::TOO_MANY_REQUESTS {
            return;
        }
        let Some(secs) = headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok()) else {
            return;
        };
        let until = self.ctx.now() + Duration::from_secs(secs.min(60));
        let mut gate = self.gate.lock().unwrap_or_else(|e| e.into_inner());
        gate.closed_until = gate.closed_until.max(until);
    }
}

impl<S> Layer<S> for Limits {
    type Service = Limited<S>;
    fn layer(&self, inner: S) -> Limited<S> {
        Limited { inner, limits: self.clone() }
    }
}

/// A service with [`Limits`].
#[derive(Clone)]
pub struct Limited<S> {
    inner: S,
    limits: Limits,
}

impl<S, B, R> Service<Request<B>> for Limited<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<R>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Nothing is sent before this future is polled.
        let answer = self.inner.call(request);
        let limits = self.limits.clone();
        Box::pin(async move {
            let turn = limits.turn();
            if turn > limits.ctx.now() {
                limits.ctx.sleep_until(turn).await;
            }
            match limits.ctx.timeout(limits.answer_within, answer).await {
                Ok(Ok(response)) => {
                    limits.obey(response.status(), response.headers());
                    Ok(response)
                }
                Ok(Err(error)) => Err(error.into()),
                Err(Elapsed(time)) => Err(format!("the API server did not answer within {time:?}").into()),
            }
        })
    }
}

#[cfg(test)]
mod tests;
