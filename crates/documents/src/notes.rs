//! What is wrong with a document, and what of it is left out: each with its place.

use std::fmt;

use located::Place;

use crate::model::Document;

/// One thing to say about a document. Shown as `LINE:COLUMN: FIELD: REASON`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// `None`: the document as a whole, or something outside of it.
    pub place: Option<Place>,
    /// As `container.volumes[0].mode`. Empty: the document as a whole.
    pub field: String,
    /// What was expected, or what happens instead, and who acts next. Never a secret.
    pub reason: String,
}

impl Note {
    /// About the document as a whole.
    pub fn whole(reason: impl Into<String>) -> Self {
        Self { place: None, field: String::new(), reason: reason.into() }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, "{place}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.reason)
    }
}

impl From<located::Damage> for Note {
    fn from(damage: located::Damage) -> Self {
        Self { place: Some(damage.place), field: String::new(), reason: damage.reason }
    }
}

/// What has been found so far. Reading goes on after a problem, so that people see all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// Any of these, and there is no document.
    pub problems: Vec<Note>,
    /// What is not honoured, and what was decided.
    pub warnings: Vec<Note>,
}

impl Notes {
    /// The document, unless there was a problem.
    ///
    /// # Errors
    /// All problems, in the order of the text.
    pub fn finish(mut self, document: Document) -> Result<Parsed, Problems> {
        self.sort();
        match self.problems.is_empty() {
            true => Ok(Parsed { document, warnings: self.warnings }),
            false => Err(Problems(self)),
        }
    }

    pub(crate) fn sort(&mut self) {
        for list in [&mut self.problems, &mut self.warnings] {
            list.sort_by(|a, b| (a.place, &a.field).cmp(&(b.place, &b.field)));
            list.dedup();
        }
    }
}

/// A document that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What it asks for.
    pub document: Document,
    /// In the order of the text.
    pub warnings: Vec<Note>,
}

/// Why a document cannot be used: at least one problem, and what else there was to say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.problems.iter().map(Note::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Notes);

impl From<Note> for Problems {
    fn from(note: Note) -> Self {
        Self(Notes { problems: vec![note], warnings: Vec::new() })
    }
}
