//! Waiting for what the cluster does in its own time.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

/// How long anything may take that is not waiting for something else. Generous: two cores may be shared by many tests.
const PATIENCE: Duration = Duration::from_secs(90);

/// Asks again and again until the answer is `Ok`; after [`PATIENCE`] fails with `what` and the last answer.
pub async fn eventually<T>(what: &str, ask: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    eventually_within(PATIENCE, what, ask).await
}

/// As [`eventually`], for what is known to take longer (or must not).
pub async fn eventually_within<T>(limit: Duration, what: &str, mut ask: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(20);
    loop {
        match ask().await {
            Ok(found) => return Ok(found),
            Err(last) if began.elapsed() > limit => {
                return Err(anyhow!("waited {} s for {what}; last seen: {last:#}", limit.as_secs()));
            }
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}
