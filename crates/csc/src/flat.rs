//! csc's command lines from before 0.1 (`csc new`, `csc ls`, `csc att`), as documents of REX-Ray's time have them: one flat list of commands,
//! flags with one dash, and ids that are maps.
//!
//! ```text
//!  argv ─ argv.rs ─> today's argv and notes          old.rs: what has no form in an argv, asked of the driver
//! ```

mod argv;
mod old;

pub(crate) use argv::{Rewritten, rewrite};
pub(crate) use old::{attaches, exists, id, node_id};
