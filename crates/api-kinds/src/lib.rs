//! The kinds that are served: what their objects look like, what is filled in, what is refused, how they are shown.
//!
//! ```text
//!  write ─> Schema::decode ─> defaults ─> (ownership) ─> prepare ─> validate ─> stored
//!                                                       │
//!                               World: other objects, as admission and immutability rules need them
//! ```
//!
//! - [`Registry`]: every [`Resource`], built in or from a CustomResourceDefinition, by group, version and plural.
//! - [`write`]: the steps above, dispatched to one file per kind under `kinds/`.
//! - [`table`]: the columns that `kubectl get` shows.
//! - [`fields`]: what a field selector can ask for.
//! - [`custom`]: what a CustomResourceDefinition means.
//!
//! Pure: the clock, other objects and chance are arguments.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod custom;
pub mod fields;
mod kinds;
mod registry;
mod resource;
mod schemas;
pub mod table;
mod view;
pub mod write;

pub use kinds::event::expiry;
pub use registry::Registry;
pub use resource::{Resource, Scope, Subresource};
pub use schemas::schema;
pub use view::View;
pub use write::{Operation, World, Write};
