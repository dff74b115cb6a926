//! HCL2 text to values: parsed by `hcl-edit`, which keeps places; evaluated here, with Nomad's variables.
//!
//! ```text
//!  text ─ parse.rs ─> syntax ─ variables.rs: var, local ─ tree.rs + eval/ ─> Body: attributes and blocks, each with its place
//!  JSON ─ json.rs ──────────────────────────────────────────────────────────> Body
//! ```

mod eval;
mod functions;
mod json;
mod parse;
mod place;
mod quoted;
mod tree;
mod types;
mod value;
mod variables;

pub(crate) use json::{api, hcl_json};
pub(crate) use place::{Mistake, Place};
pub(crate) use tree::{document, specification, top};
pub(crate) use value::{Body, Content, Entry, Item, Node, Value};
pub use variables::{Given, Inputs};
