//! What there is to say about a document, and where its blocks are.

use std::cell::{Cell, RefCell};

use crate::nomad::hcl::{Mistake, Place};
use crate::notes::{Note, Notes};

/// What there is to say about a document, while it is read.
#[derive(Debug, Default)]
pub(crate) struct Report {
    notes: RefCell<Notes>,
    /// Where each block is, by the words that messages have for it.
    places: RefCell<Vec<(String, located::Place)>>,
    /// Fields that nobody knows are left out, as the API does, not refused, as HCL does.
    pub(super) lenient: Cell<bool>,
}

impl Report {
    pub(crate) fn problem(&self, at: Place, field: impl Into<String>, reason: impl Into<String>) {
        self.notes.borrow_mut().problems.push(note(at, field, reason));
    }

    pub(crate) fn warning(&self, at: Place, field: impl Into<String>, reason: impl Into<String>) {
        self.notes.borrow_mut().warnings.push(note(at, field, reason));
    }

    pub(crate) fn mistake(&self, mistake: Mistake) {
        self.problem(mistake.at, "", mistake.message);
    }

    pub(crate) fn be_lenient(&self) {
        self.lenient.set(true);
    }

    /// A block of this path is here.
    pub(super) fn block(&self, path: &str, at: Place) {
        self.places.borrow_mut().extend(place(at).map(|place| (path.to_owned(), place)));
    }

    /// The notes, and where blocks are.
    pub(crate) fn finish(self) -> (Notes, located::Lines) {
        let places = self.places.into_inner();
        (self.notes.into_inner(), located::Lines::of_fields(places.iter().map(|(path, place)| (path.as_str(), *place))))
    }
}

fn place(at: Place) -> Option<located::Place> {
    (at.line > 0).then(|| located::Place { line: at.line, column: at.column.max(1) })
}

fn note(at: Place, field: impl Into<String>, reason: impl Into<String>) -> Note {
    Note { place: place(at), field: field.into(), reason: reason.into() }
}
