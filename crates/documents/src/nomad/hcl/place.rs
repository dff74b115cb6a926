//! Where in a text something is.

use std::fmt;
use std::ops::Range;

/// Line and column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Place {
    /// 0 where nothing is known, which a message leaves out.
    pub(crate) line: usize,
    /// 0 where only the line is known.
    pub(crate) column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => f.write_str("the document"),
            (line, 0) => write!(f, "line {line}"),
            (line, column) => write!(f, "line {line}, column {column}"),
        }
    }
}

/// A text that is asked for places in it.
#[derive(Debug, Clone)]
pub(crate) struct Source<'t> {
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
    /// Where the text begins in its file: a JSON string is a text of its own.
    origin: Option<Place>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, lines: std::iter::once(0).chain(after).collect(), origin: None }
    }

    /// A text whose every place is this one.
    pub(crate) fn at(text: &'t str, origin: Place) -> Self {
        Self { text, lines: Vec::new(), origin: Some(origin) }
    }

    pub(crate) fn place(&self, offset: usize) -> Place {
        if let Some(origin) = self.origin {
            return origin;
        }
        let line = self.lines.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.lines.get(line).copied().unwrap_or_default();
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count() + 1);
        Place { line: line + 1, column }
    }

    pub(crate) fn start(&self, span: Option<Range<usize>>) -> Place {
        span.map_or(self.origin.unwrap_or_default(), |span| self.place(span.start))
    }

    /// The words at a span, as they were typed.
    pub(crate) fn slice(&self, span: Option<Range<usize>>) -> &'t str {
        span.and_then(|span| self.text.get(span)).unwrap_or_default()
    }
}

/// What is wrong at one place of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) at: Place,
    pub(crate) message: String,
}

impl Mistake {
    pub(crate) fn new(at: Place, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}
