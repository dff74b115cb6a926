//! One health check: connect, Probe, forget. Spec: livenessprobe.md §4.
//!
//! Each check has a connection of its own. With a lasting one a driver whose socket file is gone looks healthy, although
//! kubelet cannot reach it any more.

use std::time::Duration;

use csi_client::{Address, Client, ConnectOptions, Driver, Metrics};
use rt::Ctx;
use sidecar::Answer;

/// A driver that is not there is asked again this often, as long as the check's time lasts.
const RETRY: Duration = Duration::from_millis(500);

/// 200 `ok`, or 500 and why. Takes `budget` at most; connecting and Probe share it. Cancel safe: the connection is closed.
pub(crate) async fn check(ctx: &Ctx, address: &Address, metrics: &Metrics, budget: Duration) -> Answer {
    let end = ctx.now() + budget;
    let result = match reach(ctx, address, budget).await {
        Ok(()) => {
            let options = ConnectOptions { address: address.clone(), timeout: end - ctx.now(), metrics: metrics.clone() };
            match Client::lazy(ctx, options).probe().await {
                Ok(true) => Ok(()),
                Ok(false) => Err("driver responded but is not ready".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        }
        Err(reason) => Err(reason),
    };
    match result {
        Ok(()) => {
            tracing::trace!(target: sidecar::logs::GRPC, "health check succeeded");
            Answer::ok()
        }
        Err(reason) => {
            tracing::error!("health check failed: {reason}");
            Answer::text(500, reason)
        }
    }
}

/// Waits until somebody listens, for `budget` at most. No call is made, so none is counted.
async fn reach(ctx: &Ctx, address: &Address, budget: Duration) -> Result<(), String> {
    let mut last = None;
    let dialing = async {
        while let Err(error) = Client::reach(ctx, address).await {
            last = Some(error);
            ctx.sleep(RETRY).await;
        }
    };
    match ctx.timeout(budget, dialing).await {
        Ok(()) => Ok(()),
        Err(_) => Err(last.map_or_else(|| format!("cannot connect to {address} within {budget:?}"), |error| error.to_string())),
    }
}
