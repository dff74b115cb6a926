//! Edges of a host that several parts have: processes that outlive whoever started them, and files that people change.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod changes;
pub mod process;

pub use changes::Changes;
