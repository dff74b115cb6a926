//! `--format`: the part of Go's text/template that shows an answer.
//!
//! ```text
//!  text ─ lex.rs ─> tokens ─ parse.rs ─> Template ─ run.rs, functions.rs, printf.rs ─> text
//!                                            answer ─ value.rs ─┘
//! ```
//!
//! There are fields by Go's names or by those of csi.proto, `$` and variables, pipes, `if`, `range`, `with`, `break`, `continue`,
//! comments, trimming, and the functions of `functions.rs`. There are no templates in templates. What Go prints as an error in the
//! middle of the output (`%!d(string=a)`) is an error here, and nothing is printed.
//!
//! Of the crates that do this none is kept up: hence our own.

mod functions;
mod lex;
mod parse;
mod printf;
mod run;
mod tree;
mod value;

use tree::Node;
pub(crate) use value::Value;

/// A template that was read.
#[derive(Debug)]
pub(crate) struct Template {
    source: String,
    nodes: Vec<Node>,
}

/// What is wrong with a template, or with what it asks of an answer. `Display` names line and column, and shows the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplateError {
    line: usize,
    /// In characters, from 1.
    column: usize,
    /// The line, or what of it is near the place.
    text: String,
    /// Characters of `text` before the place.
    mark: usize,
    what: String,
}

impl std::fmt::Display for TemplateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, column, text, mark, what } = self;
        write!(f, "--format:{line}:{column}: {what}\n  {text}\n  {}^", " ".repeat(*mark))
    }
}

impl std::error::Error for TemplateError {}

/// An error at a byte of the template.
#[derive(Debug)]
struct At(usize, String);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is no template, or uses what is not there.
    pub(crate) fn parse(source: &str) -> Result<Self, TemplateError> {
        let nodes = lex::lex(source).and_then(|tokens| parse::parse(&tokens, source.len()));
        nodes.map(|nodes| Self { source: source.to_owned(), nodes }).map_err(|at| located(source, at))
    }

    /// The text for an answer. All or nothing.
    ///
    /// # Errors
    /// A field that the answer's type does not have, or a function that cannot be done with these values.
    pub(crate) fn render(&self, dot: &Value) -> Result<String, TemplateError> {
        run::run(&self.nodes, dot).map_err(|at| located(&self.source, at))
    }
}

/// How many characters before the place, and about as many after it, are shown.
const NEAR: usize = 60;

fn located(source: &str, At(at, what): At) -> TemplateError {
    // A place in the middle of a character is that character.
    let at = (0..=at.min(source.len())).rev().find(|at| source.is_char_boundary(*at)).unwrap_or(0);
    let before = &source[..at];
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let end = source[at..].find('\n').map_or(source.len(), |end| at + end);
    let column = source[start..at].chars().count();
    let left_out = column.saturating_sub(NEAR);
    TemplateError {
        line: before.matches('\n').count() + 1,
        column: column + 1,
        text: source[start..end].chars().skip(left_out).take(2 * NEAR).map(|c| if c.is_control() { ' ' } else { c }).collect(),
        mark: column - left_out,
        what,
    }
}

#[cfg(test)]
mod tests;
