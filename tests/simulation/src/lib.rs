//! The whole engine (provisioner, attacher, binder, mounter) in one thread, on a paused clock, against the API store in memory and a
//! driver without sockets, with faults drawn from a seed. The same plan gives the same run, byte for byte.
//!
//! ```text
//!  seed ─ generate ─> Plan ─ run ─> World: user ─┐                                     ┌─> Trace ─ laws ─> Violations
//!                                   processes ───┼─ wire (faults) ─> API in memory ────┤
//!                                   (killed,     └─ driver (faults) ─> backend, kernel ┘
//!                                    frozen)
//!  Violations ─ shrink ─> the smallest plan that breaks the same law ─> trace for people, seeds/*.json
//! ```
//!
//! - [`Plan`]: what the user does and when, how often things go wrong, or exactly which faults: everything a run depends on.
//! - [`run`]: one run. [`World`] is what outlives processes: the API's objects, the backend, each node's kernel and disk.
//! - `wire.rs` and `driver.rs`: the only two ways from a process to the world, and where faults happen.
//! - `laws/`: what must be true, of each step and at rest. Pure functions over what was seen.
#![forbid(unsafe_code)]

mod deaths;
mod draw;
pub mod driver;
mod fault;
mod laws;
mod objects;
mod plan;
mod process;
mod run;
mod shrink;
mod trace;
mod user;
mod wire;
mod world;

pub use deaths::{Deaths, deaths};
pub use fault::{ApiFault, Deadly, Fault, FaultKind, Rates};
pub use laws::{Law, Violation};
pub use plan::{Act, Damage, Plan, Shape, Step};
pub use run::{Outcome, run};
pub use shrink::shrink;
pub use trace::{Entry, Trace, What};
