//! JSON with the place of every field, and a diagnosis when it is not JSON: what is most probably missing, and where.
//!
//! The scanner only follows the structure; numbers and escapes are serde_json's business.

mod cause;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Damage, Lines, Places};

/// A JSON text that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Json {
    /// What it says. Of a field that is there twice, the last.
    pub value: Value,
    /// Where everything is.
    pub lines: Lines,
    /// Fields that are there twice, as [`Lines::find`] takes them.
    pub twice: Vec<String>,
}

/// Deeper than any document; serde_json stops there, too.
const DEEPEST: usize = 127;

/// Reads a JSON text of one value.
///
/// # Errors
/// The first place that is not JSON, with its likely cause: of `"b": 1` after `"a": {}` that a comma is missing, and after which
/// line. Nothing of a damaged text is returned.
pub fn json(text: &str) -> Result<Json, Damage> {
    let places = Places::of(text);
    let mut scan = Scan { text, at: 0, places, open: Vec::new(), found: Vec::new(), seen: BTreeSet::new(), twice: Vec::new() };
    scan.document()?;
    let Scan { places, found, twice, .. } = scan;
    let value = serde_json::from_str(text).map_err(|error| {
        let said = error.to_string();
        // Its own place is at the end of the sentence.
        let reason = said.split(" at line ").next().unwrap_or(&said).to_owned();
        Damage { place: crate::Place { line: error.line().max(1), column: error.column().max(1) }, reason }
    })?;
    let lines = Lines::of_paths(found.into_iter().map(|(path, offset)| (path, places.at(offset))));
    Ok(Json { value, lines, twice })
}

/// What a bracket or brace has inside.
struct Open {
    /// The field or element that is being read.
    step: Step,
    at: usize,
}

enum Step {
    Field(String),
    Element(usize),
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    places: Places<'a>,
    open: Vec<Open>,
    found: Vec<(Vec<String>, usize)>,
    seen: BTreeSet<Vec<String>>,
    twice: Vec<String>,
}

impl Scan<'_> {
    fn document(&mut self) -> Result<(), Damage> {
        self.space();
        if self.peek().is_none() {
            return Err(self.damage(self.at, "there is nothing in it".to_owned()));
        }
        self.note(self.at);
        self.begin()?;
        while let Some(open) = self.open.last() {
            let in_map = matches!(open.step, Step::Field(_));
            let before = self.at;
            self.space();
            match self.peek() {
                Some(',') => {
                    let comma = self.at;
                    self.at += 1;
                    self.space();
                    if matches!(self.peek(), Some('}' | ']')) {
                        return Err(self.damage(comma, cause::trailing_comma(in_map)));
                    }
                    self.next_inside()?;
                }
                Some('}') if in_map => self.close(),
                Some(']') if !in_map => self.close(),
                _ => return Err(self.after_value(before)),
            }
        }
        self.space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.damage(self.at, cause::after_the_end(self.word()))),
        }
    }

    /// A value begins here. Of `{` and `[` the inside begins as well, unless there is none.
    fn begin(&mut self) -> Result<(), Damage> {
        match self.peek() {
            Some(bracket @ ('{' | '[')) => {
                if self.open.len() == DEEPEST {
                    return Err(self.damage(self.at, format!("it is nested deeper than {DEEPEST} levels")));
                }
                let map = bracket == '{';
                let step = if map { Step::Field(String::new()) } else { Step::Element(0) };
                self.open.push(Open { step, at: self.at });
                self.at += 1;
                self.space();
                match self.peek() {
                    Some('}') if map => self.close(),
                    Some(']') if !map => self.close(),
                    _ if map => self.field()?,
                    _ => self.element()?,
                }
                Ok(())
            }
            Some('"') => self.string().map(drop),
            Some(digit) if digit == '-' || digit.is_ascii_digit() => {
                let rest = self.rest();
                self.at += rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
                Ok(())
            }
            Some(_) if matches!(self.word(), "true" | "false" | "null") => {
                self.at += self.word().len();
                Ok(())
            }
            Some(_) => Err(self.damage(self.at, cause::no_value(self.rest(), self.open.is_empty()))),
            None => Err(self.unfinished()),
        }
    }

    fn close(&mut self) {
        self.open.pop();
        self.at += 1;
    }

    fn next_inside(&mut self) -> Result<(), Damage> {
        match self.open.last_mut().map(|open| &mut open.step) {
            Some(Step::Element(index)) => {
                *index += 1;
                self.element()
            }
            _ => self.field(),
        }
    }

    fn element(&mut self) -> Result<(), Damage> {
        if self.peek().is_some() {
            self.note(self.at);
        }
        self.begin()
    }

    fn field(&mut self) -> Result<(), Damage> {
        let start = self.at;
        match self.peek() {
            Some('"') => {}
            Some(_) => return Err(self.damage(start, cause::no_field_name(self.rest()))),
            None => return Err(self.unfinished()),
        }
        let name = self.string()?;
        if let Some(open) = self.open.last_mut() {
            open.step = Step::Field(name.clone());
        }
        let path = self.note(start);
        if !self.seen.insert(path) {
            self.twice.push(self.path_text());
        }
        self.space();
        if self.peek() != Some(':') {
            let found = self.peek().map(|_| self.word());
            return Err(self.damage(self.at, cause::no_colon(&name, found)));
        }
        self.at += 1;
        self.space();
        self.begin()
    }

    /// The text between quotes; escapes are undone as far as names need it.
    fn string(&mut self) -> Result<String, Damage> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        loop {
            match bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(b'\n' | b'\r') | None => return Err(self.damage(start, cause::UNCLOSED.to_owned())),
                Some(control) if *control < 0x20 => return Err(self.damage(self.at, cause::control(*control))),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).unwrap_or("\"\"");
        match serde_json::from_str(quoted) {
            Ok(name) => Ok(name),
            Err(error) => Err(self.damage(start, cause::bad_string(&error.to_string()))),
        }
    }

    /// What is wrong when neither a comma nor the end of what is open follows a value.
    fn after_value(&self, before: usize) -> Damage {
        let Some(found) = self.peek() else { return self.unfinished() };
        let opened = self.open.last().map_or(0, |open| open.at);
        let line = |at| self.places.at(at).line;
        let in_map = self.open.last().is_some_and(|open| matches!(open.step, Step::Field(_)));
        // The last character of the value before.
        let (ended, here) = (line(before.saturating_sub(1)), line(self.at));
        self.damage(self.at, cause::after_value(found, self.rest(), in_map, (ended, here, line(opened))))
    }

    fn unfinished(&self) -> Damage {
        let reason = match self.open.last() {
            None => "the text ends where a value was expected".to_owned(),
            Some(open) => {
                let what = if matches!(open.step, Step::Field(_)) { "}" } else { "]" };
                let from = self.places.at(open.at).line;
                format!("the text ends before the {what} that closes line {from}: the end of the file is missing, or a {what} is")
            }
        };
        self.damage(self.text.len(), reason)
    }

    fn note(&mut self, at: usize) -> Vec<String> {
        let path: Vec<String> = self
            .open
            .iter()
            .map(|open| match &open.step {
                Step::Field(name) => name.clone(),
                Step::Element(index) => index.to_string(),
            })
            .collect();
        self.found.push((path.clone(), at));
        path
    }

    fn path_text(&self) -> String {
        let mut text = String::new();
        for open in &self.open {
            match &open.step {
                Step::Element(index) => text += &format!("[{index}]"),
                Step::Field(name) if name.contains(['.', '[', ']']) => text += &format!("[\"{name}\"]"),
                Step::Field(name) if text.is_empty() => text += name,
                Step::Field(name) => text += &format!(".{name}"),
            }
        }
        text
    }

    fn damage(&self, at: usize, reason: String) -> Damage {
        Damage { place: self.places.at(at), reason }
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn word(&self) -> &str {
        cause::word(self.rest())
    }
}

#[cfg(test)]
mod tests;
