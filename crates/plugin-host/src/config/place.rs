//! Where in a file something is, and messages that say so.

use std::fmt;

/// Why a file counts for nothing. Shown as `FILE:LINE: FIELD: REASON`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// As it was named to us.
    pub file: String,
    /// From 1. `None`: the file as a whole.
    pub line: Option<usize>,
    /// As `containers[0].command.value`. Empty: the file as a whole.
    pub field: String,
    /// What is wrong and what was expected.
    pub reason: String,
}

/// Something that a file says and that does not count. Shown as a [`Problem`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning(pub Problem);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if !self.field.is_empty() {
            write!(f, " {}:", self.field)?;
        }
        write!(f, " {}", self.reason)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A file's text, its name and where its fields are, to make messages from.
pub(super) struct Places<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) lines: located::Lines,
}

impl Places<'_> {
    /// A problem with this field, or with what is around it if the field is not there.
    pub(super) fn problem(&self, field: &str, reason: impl Into<String>) -> Problem {
        self.at(self.lines.find(field), field, reason)
    }

    pub(super) fn at(&self, line: Option<usize>, field: &str, reason: impl Into<String>) -> Problem {
        Problem { file: self.file.to_owned(), line, field: field.to_owned(), reason: reason.into() }
    }

    pub(super) fn warning(&self, field: &str, reason: impl Into<String>) -> Warning {
        Warning(self.problem(field, reason))
    }
}
