//! The only crate that holds a `kube::Client`: what controllers see of Kubernetes, and how they write to it.
//!
//! ```text
//!  watch ─> wire struct ─> compact value ─> Store ──changes──> Keys ─> drive: observe → plan → act
//!                                             ^                                          │
//!                                             └────── the object the API returned ───────┘
//! ```
//!
//! - [`Store`]s hold compact values that name only what decisions read, ordered, with one index ([`Caches`] holds one per kind).
//! - [`Keys`] is a queue in which a key waits once and is worked on by one worker at a time.
//! - [`drive`] loops a controller until it rests, keeps backoff, asks the [`Leadership`] before it acts, and writes down why
//!   nothing happens ([`Ledger`]).
//! - [`Intents`] are written down durably before what they announce is done, so that no crash can leave it behind unnoticed.
//! - Writes are creates, JSON patches with a `test`, status patches ([`patch`]), or a live read changed and put back ([`live`]):
//!   a compact value is never written.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod backoff;
mod caches;
mod client;
pub mod drive;
mod events;
pub mod intents;
mod key;
mod keys;
pub mod kinds;
mod leadership;
mod lease;
mod ledger;
pub mod limits;
pub mod live;
mod locks;
mod metrics;
pub mod patch;
mod store;
mod watch;

pub use backoff::Backoff;
pub use caches::{Caches, Watch};
pub use client::{ClientError, ClientOptions, chain, connect, on};
pub use events::{Event, EventType, Events, Regarding};
pub use intents::Intents;
pub use key::{Key, Meta};
pub use keys::Keys;
pub use leadership::Leadership;
pub use lease::{Elector, LeaseConfig};
pub use ledger::{Entry, Ledger};
pub use locks::Locks;
pub use metrics::Metrics;
pub use store::{Change, Kind, Store};
