//! Manifests on disk: read, located, applied, and applied again when they change.
//!
//! One bad document never holds up another; each problem names file, line and field.

mod apply;
mod document;

pub(crate) use apply::{Applier, Outcome};
pub(crate) use document::{Document, Problem};
