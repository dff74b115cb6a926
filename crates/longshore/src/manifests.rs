//! Manifests on disk: read, located, applied, and applied again when they change.
//!
//! One bad document never holds up another; each problem names file, line and field.

mod apply;
mod document;
mod watch;

pub(crate) use apply::{Applier, Outcome};
pub(crate) use document::Problem;
pub(crate) use watch::Changes;
