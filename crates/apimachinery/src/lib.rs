//! What every Kubernetes API server does to any object, whatever its kind: statuses, schemas, patches, apply, field ownership.
//!
//! ```text
//!  body ─ json ─> Value ─ Schema::decode ─> typed Value ─ patch / managed ─> Value
//!                              │                               │
//!                          Unknown fields                 Status, FieldErrors
//! ```
//!
//! Objects are `serde_json::Value`s: a server must keep what it does not understand. Nothing here waits, reads a clock, draws
//! randomness or knows a kind by name; kinds are `api-kinds`, storage and HTTP are `apistore`.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod field;
pub mod json;
pub mod managed;
pub mod object;
pub mod patch;
pub mod schema;
pub mod selector;
mod status;

pub use field::{FieldError, FieldErrorKind};
pub use schema::Schema;
pub use status::{Cause, Details, GroupKind, GroupResource, Status};
