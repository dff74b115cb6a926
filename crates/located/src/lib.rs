//! Where in a text a field is, so that whoever refuses it can say so, and what is wrong with a text that does not parse.
//!
//! ```text
//!  bytes ─ text() ─> str ─ json() ──────> Json { value, lines, twice }   or one Damage: place, likely cause
//!                        └ Lines::of() ─> lines of a YAML document
//! ```
//!
//! It knows neither files nor what the fields mean.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod encoding;
mod json;
mod lines;

use std::fmt;

pub use encoding::text;
pub use json::{Json, json};
pub use lines::Lines;

/// A place in a text. Both count from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// 1 is the first line.
    pub line: usize,
    /// 1 is the first character of the line.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why a text cannot be read at all. Shown as `LINE:COLUMN: REASON`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Damage {
    /// Where reading stopped.
    pub place: Place,
    /// What was expected, and what probably happened. Never more of the text than one word.
    pub reason: String,
}

/// From offsets to places.
pub(crate) struct Places<'a> {
    text: &'a str,
    /// Where lines begin; the first is 0.
    starts: Vec<usize>,
}

impl<'a> Places<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after).collect() }
    }

    /// The place of a byte. An offset past the end is the end.
    pub(crate) fn at(&self, offset: usize) -> Place {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Place { line, column }
    }
}
