//! A Kubernetes API in this process, on one crash-safe file. No cluster needed: `kube::Client` and `kubectl` both work on it.
//!
//! ```text
//!  kubectl ── TLS, unix socket ─> server ─┐
//!                                         ├─> Api (tower::Service) ─ http/ ─> ReadRequest, WriteRequest
//!  kube::Client in this process ──────────┘                                          │
//!                                                                            Store ──┤
//!       watchers <── log <── objects in memory <── (durable) <── persist <── core: plan the write (pure)
//! ```
//!
//! - [`Store`]: the objects, their versions, the log that watches read, and the file. A write is answered when it is durable.
//! - [`Api`]: the Kubernetes API over HTTP, on a [`Store`].
//! - [`server`]: the listeners that `kubectl` reaches, their certificates and the kubeconfig.
//!
//! What kinds there are and what is right for them is `api-kinds`; what is true of every object is `apimachinery`.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod crds;
mod http;
mod object;
pub mod persist;
mod request;
pub mod server;
mod store;
mod write;

pub use http::{Api, Body, Caller};
pub use object::Object;
pub use request::{
    Answer, DeleteOptions, ListRequest, Patch, Preconditions, Propagation, Selection, Validation, VersionMatch, WatchRequest,
    WriteOptions, WriteRequest, WriteVerb, Written,
};
pub use store::{Event, EventType, Listing, OpenError, Store, WatchStream};
