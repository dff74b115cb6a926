//! The documents of tests/documents/nomad, the rules, and what damaged input is told.

mod expressions;
mod fuzz;
mod golden;
mod rules;
mod seeds;
mod volumes;

use super::{Inputs, parse};
use crate::notes::{Note, Parsed};

pub(super) fn file(name: &str) -> String {
    let path = format!("{}/../../tests/documents/nomad/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(super) fn read(text: &str) -> Parsed {
    parse(text, &Inputs::default(), None).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

/// The problems of a text, as people see them.
pub(super) fn problems(text: &str) -> Vec<String> {
    match parse(text, &Inputs::default(), None) {
        Ok(parsed) => panic!("nothing is wrong with {text}: {parsed:?}"),
        Err(problems) => problems.0.problems.iter().map(Note::to_string).collect(),
    }
}

pub(super) fn warnings(text: &str) -> Vec<String> {
    read(text).warnings.iter().map(Note::to_string).collect()
}

/// A job of one group with this in it, and one task with that in it.
pub(super) fn job(group: &str, task: &str) -> String {
    format!(
        "job \"j\" {{\n  group \"g\" {{\n{group}\n    task \"t\" {{\n      driver = \"exec\"\n      config {{\n        command = \"/bin/true\"\n      }}\n{task}\n    }}\n  }}\n}}\n"
    )
}
