//! Reads a JSON document field by field: each wrong one is noted with its place, and reading goes on.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use located::Lines;
use serde_json::{Map, Value};

use crate::fields::{Fate, Field, find, meant};
use crate::notes::{Note, Notes};

/// How strictly types are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Types {
    /// As written.
    Exact,
    /// As Mesos reads JSON: numbers may be texts, and one value may stand for a list of one.
    Protobuf,
}

/// One document while it is read.
pub(crate) struct Reader<'a> {
    lines: &'a Lines,
    types: Types,
    notes: RefCell<Notes>,
    /// What paths begin with that the text does not have, because it is a part of what is read.
    outside: Cell<&'static str>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(lines: &'a Lines, types: Types, twice: &[String]) -> Self {
        let reader = Self { lines, types, notes: RefCell::default(), outside: Cell::new("") };
        for field in twice {
            reader.problem(field, "is there twice: remove one, since only the last would count".to_owned());
        }
        reader
    }

    /// Nothing is wrong so far.
    pub(crate) fn is_well(&self) -> bool {
        self.notes.borrow().problems.is_empty()
    }

    pub(crate) fn finish(self) -> Notes {
        self.notes.into_inner()
    }

    pub(crate) fn problem(&self, field: &str, reason: String) {
        let note = self.note(field, reason);
        self.notes.borrow_mut().problems.push(note);
    }

    pub(crate) fn warning(&self, field: &str, reason: String) {
        let note = self.note(field, reason);
        self.notes.borrow_mut().warnings.push(note);
    }

    /// From now on, paths that begin like this are those of a part that is all of the text.
    pub(crate) fn strip(&self, outside: &'static str) {
        self.outside.set(outside);
    }

    fn note(&self, field: &str, reason: String) -> Note {
        let field = field.strip_prefix(self.outside.get()).unwrap_or(field).trim_start_matches('.');
        Note { place: self.lines.place(field), field: field.to_owned(), reason }
    }

    /// The value at a path; the path is for messages.
    pub(crate) fn at(&'a self, path: impl Into<String>, value: &'a Value) -> At<'a> {
        At { reader: self, path: path.into(), value }
    }

    /// Says of each field below this object what its table says: what is refused or left out, and what nobody knows.
    pub(crate) fn check(&self, fields: &'static [Field], kind: &str, path: &str, value: &Value) {
        self.check_below(fields, kind, path, "", value);
    }

    fn check_below(&self, fields: &'static [Field], kind: &str, path: &str, pattern: &str, value: &Value) {
        match value {
            Value::Object(map) => {
                let element = format!("{pattern}[]");
                let lone = self.types == Types::Protobuf && fields.iter().any(|field| field.path.starts_with(&element));
                let pattern = if lone { element.as_str() } else { pattern };
                for (name, value) in map {
                    let at = join(path, name);
                    match find(fields, pattern, name) {
                        _ if value.is_null() => {}
                        // Nothing is asked for by a list, an object or a text that is empty.
                        Some(field) if field.fate != Fate::Honoured && is_empty(value) => {}
                        None => self.unknown(fields, kind, &at, pattern, name),
                        Some(field) => match field.fate {
                            Fate::Honoured => self.check_below(fields, kind, &at, field.path, value),
                            Fate::Warned => self.warning(&at, format!("is left out: {}", field.becomes)),
                            Fate::Refused => self.problem(&at, format!("cannot be honoured: {}", field.becomes)),
                        },
                    }
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    let pattern = format!("{}[]", pattern.trim_end_matches("[]"));
                    self.check_below(fields, kind, &format!("{path}[{index}]"), &pattern, value);
                }
            }
            _ => {}
        }
    }

    fn unknown(&self, fields: &'static [Field], kind: &str, at: &str, pattern: &str, name: &str) {
        let hint = meant(fields, pattern, name).map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
        self.warning(at, format!("is left out: {kind} has no such field{hint}"));
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// `a.b`, or `a["b.c"]`, as [`Lines::find`] reads it.
pub(crate) fn join(path: &str, name: &str) -> String {
    match (path.is_empty(), name.contains(['.', '[', ']']) || name.is_empty()) {
        (true, false) => name.to_owned(),
        (false, false) => format!("{path}.{name}"),
        (_, true) => format!("{path}[\"{name}\"]"),
    }
}

/// A value of a document, and where it is.
#[derive(Clone)]
pub(crate) struct At<'a> {
    pub(crate) reader: &'a Reader<'a>,
    pub(crate) path: String,
    pub(crate) value: &'a Value,
}

impl<'a> At<'a> {
    /// This value is wrong.
    pub(crate) fn wrong(&self, reason: impl Into<String>) {
        self.reader.problem(&self.path, reason.into());
    }

    /// Something to know about this value.
    pub(crate) fn warn(&self, reason: impl Into<String>) {
        self.reader.warning(&self.path, reason.into());
    }

    /// A field of it, unless it is absent or null. Of what is no object there are none.
    pub(crate) fn get(&self, name: &str) -> Option<At<'a>> {
        let value = self.value.as_object()?.get(name).filter(|value| !value.is_null())?;
        Some(self.reader.at(join(&self.path, name), value))
    }

    /// As [`At::get`], and noted if it is not there.
    pub(crate) fn required(&self, name: &str) -> Option<At<'a>> {
        let found = self.get(name);
        if found.is_none() && self.object().is_some() {
            self.reader.problem(&join(&self.path, name), "is required, and missing".to_owned());
        }
        found
    }

    /// The path of a field of it, there or not.
    pub(crate) fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }

    fn kind(&self, expected: &str) {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.wrong(format!("has to be {expected}, not {found}"));
    }

    pub(crate) fn object(&self) -> Option<&'a Map<String, Value>> {
        let object = self.value.as_object();
        if object.is_none() {
            self.kind("an object");
        }
        object
    }

    pub(crate) fn text(&self) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) if self.reader.types == Types::Protobuf => Some(number.to_string()),
            _ => {
                self.kind("a text");
                None
            }
        }
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        match self.value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if self.reader.types == Types::Protobuf && matches!(text.as_str(), "true" | "false") => {
                Some(text == "true")
            }
            _ => {
                self.kind("true or false");
                None
            }
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        let number = match self.value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if self.reader.types == Types::Protobuf => text.trim().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.kind("a number");
        }
        number.filter(|number| number.is_finite())
    }

    /// A whole number from 0 on.
    pub(crate) fn count(&self) -> Option<u64> {
        let number = self.number()?;
        if number < 0.0 || number.fract() != 0.0 || number > 9e15 {
            self.wrong("has to be a whole number, 0 or more");
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just now")]
        Some(number as u64)
    }

    pub(crate) fn list(&self) -> Vec<At<'a>> {
        match self.value {
            Value::Array(list) => {
                let at = |(index, value): (usize, &'a Value)| self.reader.at(format!("{}[{index}]", self.path), value);
                list.iter().enumerate().map(at).collect()
            }
            // Its table may know it as a list; a message names it as it is written.
            _ if self.reader.types == Types::Protobuf => vec![self.clone()],
            _ => {
                self.kind("a list");
                Vec::new()
            }
        }
    }

    /// The fields of an object whose names are data.
    pub(crate) fn entries(&self) -> Vec<(String, At<'a>)> {
        let entries = self.object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        entries.map(|(name, value)| (name.clone(), self.reader.at(join(&self.path, name), value))).collect()
    }

    /// An object of texts.
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        self.entries().into_iter().filter_map(|(name, value)| Some((name, value.text()?))).collect()
    }

    // Of a field, in one step; absent is `None`.

    pub(crate) fn text_of(&self, name: &str) -> Option<String> {
        self.get(name)?.text()
    }

    pub(crate) fn flag_of(&self, name: &str) -> Option<bool> {
        self.get(name)?.flag()
    }

    pub(crate) fn number_of(&self, name: &str) -> Option<f64> {
        self.get(name)?.number()
    }

    pub(crate) fn count_of(&self, name: &str) -> Option<u64> {
        self.get(name)?.count()
    }

    pub(crate) fn list_of(&self, name: &str) -> Vec<At<'a>> {
        self.get(name).map(|list| list.list()).unwrap_or_default()
    }

    pub(crate) fn texts_of(&self, name: &str) -> BTreeMap<String, String> {
        self.get(name).map(|map| map.texts()).unwrap_or_default()
    }

    pub(crate) fn words_of(&self, name: &str) -> Vec<String> {
        self.list_of(name).iter().filter_map(At::text).collect()
    }

    /// One of these words. With `fold`, in any case.
    pub(crate) fn one_of<T: Copy>(&self, words: &[(&str, T)], fold: bool) -> Option<T> {
        let text = self.text()?;
        let same = |word: &str| if fold { word.eq_ignore_ascii_case(&text) } else { word == text };
        let found = words.iter().find(|(word, _)| same(word)).map(|(_, value)| *value);
        if found.is_none() {
            let near = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
            let hint = near.map(|(word, _)| format!(" (it is written {word} here)")).unwrap_or_default();
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.wrong(format!("has to be one of {}, not {text:?}{hint}", words.join(", ")));
        }
        found
    }
}
