//! Documents of other orchestrators, and what becomes of them.
//!
//! ```text
//!  Marathon app, Mesos task, Nomad job ─ marathon.rs, mesos.rs, nomad.rs ─> model::Document ─ kubernetes.rs ─> objects
//!            └ fields.rs: each field is honoured, warned of, or refused ┘         └ secrets: asked for here, read by the caller
//! ```
//!
//! Everything here is pure: a text in, and either a whole [`model::Document`] with warnings, or [`Problems`], all of them at once, each
//! with its line and field. Who reads files, looks up secrets and runs things is somebody else.
//!
//! A document never holds a secret that it only names; values that it spells out are [`model::Hidden`], which no `Debug` shows.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod csi;
pub mod fields;
pub mod kubernetes;
pub mod marathon;
pub mod mesos;
pub mod model;
pub mod names;
pub mod nomad;
mod notes;
pub mod plugin;
mod read;
pub mod yaml;

pub use notes::{Note, Notes, Parsed, Problems};
