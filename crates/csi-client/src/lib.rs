//! Calls a CSI driver.
//!
//! Controllers see [`Driver`]: plain types from `csi-types`, errors with our own code. Behind it, [`Client`] is the only gRPC
//! client of the suite: connection (`connect.rs`), deadline, span, metric, redaction (`call.rs`, once for every RPC), and one
//! file per CSI service. [`wire`] turns our types into the messages that are sent, and answers into ours.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod address;
mod call;
mod connect;
mod controller;
mod driver;
mod error;
mod forward;
mod identity;
mod metrics;
mod node;
mod raw;
pub mod wire;

pub use address::{Address, AddressError};
pub use connect::{Client, ConnectOptions};
pub use driver::{Call, Driver};
pub use error::CallError;
pub use identity::{IdentityError, driver_info, driver_name, wait_ready};
pub use metrics::Metrics;
pub use raw::{Headers, RawError};
