//! How long to wait after the n-th failure.

use std::time::Duration;

use rt::Ctx;

/// Doubles from `start` to `max`, less up to a fifth, so that a thousand claims that failed together do not retry together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub start: Duration,
    /// Never longer.
    pub max: Duration,
}

impl Backoff {
    /// The wait after this many failures in a row (1 = the first).
    pub fn delay(&self, ctx: &Ctx, key: &str, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let full = self.start.saturating_mul(1 << doublings).min(self.max);
        full.mul_f64(1.0 - 0.2 * ctx.fraction(key))
    }
}
