//! Documents of other orchestrators: read from files, with what they do not say from flags, and their secrets from a store.
//!
//! ```text
//!  files ─ source.rs ─> Parsed ─ documents::kubernetes ─> objects
//!                                    ^ secrets.rs, users.rs: looked up on this host
//! ```

mod flags;
mod secrets;
mod source;
mod users;

pub(crate) use flags::{Given, What};
pub(crate) use source::{Made, Source};
