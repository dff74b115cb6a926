//! What a driver, or the way to it, answered instead of a result.

use csi_types::{Code, Rpc, Verdict};
use rt::Elapsed;

/// A call that did not succeed. `Display` is one sentence with the RPC, the code and the driver's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} failed with {}: {message}", rpc.name(), code.name())]
pub struct CallError {
    /// Which call.
    pub rpc: Rpc,
    /// gRPC's code. Failures of the way are `Unavailable`, our own deadline is `DeadlineExceeded`.
    pub code: Code,
    /// What the driver said, or what is wrong with the way to it.
    pub message: String,
    /// The request never reached a driver that answered: no socket, refused, connection lost.
    pub unreachable: bool,
}

impl CallError {
    /// What it means for what we do next.
    pub fn verdict(&self) -> Verdict {
        self.rpc.verdict(self.code)
    }

    /// Our own deadline passed; the driver may be at it still.
    pub fn expired(rpc: Rpc, elapsed: Elapsed) -> Self {
        Self { rpc, code: Code::DeadlineExceeded, message: format!("the driver gave {elapsed}"), unreachable: false }
    }

    /// The driver answered, and the answer breaks the specification.
    pub fn malformed(rpc: Rpc, what: &str) -> Self {
        Self {
            rpc,
            code: Code::Internal,
            message: format!("the driver's answer breaks the CSI specification: {what}"),
            unreachable: false,
        }
    }
}
