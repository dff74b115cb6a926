//! Takes the fields of a block one by one, and says what becomes of those that nobody took.

mod duration;
mod report;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::fields::FIELDS;
use super::hcl::{Body, Content, Entry, Item, Node, Place, Value};
use crate::fields::{Fate, find, meant};

use duration::duration;
pub(crate) use report::Report;

/// A block inside of a block.
#[derive(Debug, Clone)]
pub(crate) struct Inner {
    pub(crate) label: Option<String>,
    pub(crate) at: Place,
    pub(crate) body: Body,
}

/// One block of a document.
pub(crate) struct Reader<'a> {
    /// Which fields it can have (`fields.rs`).
    kind: &'static str,
    /// Where it is, in words: `job "x" > group "y"`.
    pub(crate) path: String,
    pub(crate) at: Place,
    body: &'a Body,
    taken: RefCell<BTreeSet<String>>,
    pub(crate) report: &'a Report,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(kind: &'static str, path: impl Into<String>, at: Place, body: &'a Body, report: &'a Report) -> Self {
        let path = path.into();
        report.block(&path, at);
        Self { kind, path, at, body, taken: RefCell::default(), report }
    }

    /// The words of a field of this block.
    pub(crate) fn field(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{} > {name}", self.path) }
    }

    pub(crate) fn place(&self, name: &str) -> Place {
        self.body.items.iter().find(|item| item.name == name).map_or(self.at, |item| item.at)
    }

    pub(crate) fn problem(&self, name: &str, message: impl Into<String>) {
        self.report.problem(self.place(name), self.field(name), message);
    }

    pub(crate) fn warning(&self, name: &str, message: impl Into<String>) {
        self.report.warning(self.place(name), self.field(name), message);
    }

    fn items(&self, name: &str) -> impl Iterator<Item = &'a Item> {
        self.taken.borrow_mut().insert(name.to_owned());
        let name = name.to_owned();
        self.body.items.iter().filter(move |item| item.name == name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.body.items.iter().any(|item| item.name == name)
    }

    /// An attribute that is there and not null.
    pub(crate) fn node(&self, name: &str) -> Option<&'a Node> {
        let mut items = self.items(name);
        let item = items.next()?;
        if items.next().is_some() {
            self.problem(name, "is there twice");
        }
        match &item.content {
            Content::Attribute(node) => Some(node).filter(|node| node.value != Value::Null),
            Content::Block { .. } => {
                self.problem(name, "is a value, not a block");
                None
            }
        }
    }

    fn typed<T>(&self, name: &str, wanted: &str, convert: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let node = self.node(name)?;
        let value = convert(&node.value);
        if value.is_none() {
            self.report.problem(node.at, self.field(name), format!("expected {wanted}, not {}", node.value.kind()));
        }
        value
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.typed(name, "a string", Value::to_text)
    }

    /// A string that must be there and not empty.
    pub(crate) fn required(&self, name: &str) -> Option<String> {
        let text = self.text(name);
        match text.as_deref().map(str::is_empty) {
            Some(false) => text,
            _ => {
                if !self.has(name) || text.is_some() {
                    self.problem(name, "is required");
                }
                None
            }
        }
    }

    pub(crate) fn bool(&self, name: &str) -> Option<bool> {
        self.typed(name, "true or false", Value::to_bool)
    }

    /// A whole number that is not negative.
    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        self.typed(name, "a whole number of at least 0", |value| value.to_int().and_then(|number| u64::try_from(number).ok()))
    }

    /// `30s`, or a number of nanoseconds, as the API writes it.
    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        self.typed(name, "a duration such as \"30s\"", |value| match value {
            Value::Int(nanoseconds) => u64::try_from(*nanoseconds).ok().map(Duration::from_nanos),
            Value::String(text) => duration(text),
            _ => None,
        })
    }

    /// One of these words, as they are.
    pub(crate) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(name)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.problem(name, format!("{text:?} is none of {}", words.join(", ")));
        }
        found
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let list = self.typed(name, "a list of strings", |value| match value {
            Value::List(items) => items.iter().map(|item| item.value.to_text()).collect::<Option<Vec<_>>>(),
            _ => None,
        });
        list.unwrap_or_default()
    }

    /// A map, written as an attribute or as a block: both are met.
    pub(crate) fn map(&self, name: &str) -> Vec<Entry> {
        let mut entries = Vec::new();
        for item in self.items(name) {
            match &item.content {
                Content::Block { body, .. } => entries.extend(body.to_map()),
                Content::Attribute(node) => match &node.value {
                    Value::Map(inner) => entries.extend(inner.iter().cloned()),
                    Value::Null => {}
                    // The API and HCL1 wrote a block as a list of maps.
                    Value::List(items) => {
                        for item in items {
                            match &item.value {
                                Value::Map(inner) => entries.extend(inner.iter().cloned()),
                                other => self.report.problem(
                                    item.at,
                                    self.field(name),
                                    format!("expected a map, not {}", other.kind()),
                                ),
                            }
                        }
                    }
                    other => self.report.problem(node.at, self.field(name), format!("expected a map, not {}", other.kind())),
                },
            }
        }
        entries
    }

    /// A map of strings to strings.
    pub(crate) fn strings(&self, name: &str) -> BTreeMap<String, String> {
        let mut strings = BTreeMap::new();
        for entry in self.map(name) {
            match entry.node.value.to_text() {
                Some(text) => {
                    if strings.insert(entry.key.clone(), text).is_some() {
                        self.report.problem(entry.at, self.field(name), format!("the key {:?} is there twice", entry.key));
                    }
                }
                None if entry.node.value == Value::Null => {}
                None => {
                    let message = format!("{:?} should be a string, not {}", entry.key, entry.node.value.kind());
                    self.report.problem(entry.node.at, self.field(name), message);
                }
            }
        }
        strings
    }

    /// Blocks without a label.
    pub(crate) fn blocks(&self, name: &str) -> Vec<Inner> {
        let mut blocks = Vec::new();
        for item in self.items(name) {
            match &item.content {
                Content::Block { labels, body } => {
                    if !labels.is_empty() {
                        self.report.problem(item.at, self.field(name), "has no label");
                    }
                    blocks.push(Inner { label: None, at: item.at, body: body.clone() });
                }
                Content::Attribute(node) => self.objects(name, node, None, &mut blocks),
            }
        }
        blocks
    }

    /// The one block of this name.
    pub(crate) fn block(&self, name: &str) -> Option<Inner> {
        let mut blocks = self.blocks(name).into_iter();
        let first = blocks.next();
        if let Some(second) = blocks.next() {
            self.report.problem(second.at, self.field(name), "is there twice");
        }
        first
    }

    /// Blocks with one label; in JSON the label is a key around them.
    pub(crate) fn labelled(&self, name: &str) -> Vec<Inner> {
        let mut blocks = Vec::new();
        for item in self.items(name) {
            match &item.content {
                Content::Block { labels, body } => match labels.as_slice() {
                    [label] => blocks.push(Inner { label: Some(label.clone()), at: item.at, body: body.clone() }),
                    _ => self.report.problem(item.at, self.field(name), "has one label, its name"),
                },
                Content::Attribute(node) => match &node.value {
                    Value::Map(entries) => {
                        entries.iter().for_each(|entry| self.objects(name, &entry.node, Some(&entry.key), &mut blocks));
                    }
                    Value::List(items) => {
                        for item in items {
                            match &item.value {
                                Value::Map(entries) => {
                                    entries
                                        .iter()
                                        .for_each(|entry| self.objects(name, &entry.node, Some(&entry.key), &mut blocks));
                                }
                                other => self.report.problem(
                                    item.at,
                                    self.field(name),
                                    format!("expected an object, not {}", other.kind()),
                                ),
                            }
                        }
                    }
                    Value::Null => {}
                    other => self.report.problem(node.at, self.field(name), format!("expected an object, not {}", other.kind())),
                },
            }
        }
        let mut seen = BTreeSet::new();
        for block in &blocks {
            if !seen.insert(block.label.clone()) {
                let label = block.label.as_deref().unwrap_or_default();
                self.report.problem(block.at, self.field(name), format!("there are two with the name {label:?}"));
            }
        }
        blocks
    }

    fn objects(&self, name: &str, node: &Node, label: Option<&str>, blocks: &mut Vec<Inner>) {
        match &node.value {
            Value::Null => {}
            Value::Map(entries) => {
                blocks.push(Inner { label: label.map(str::to_owned), at: node.at, body: Body::of_map(entries) });
            }
            Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => {
                items.iter().for_each(|item| self.objects(name, item, label, blocks));
            }
            other => self.report.problem(node.at, self.field(name), format!("expected a block, not {}", other.kind())),
        }
    }

    /// Says what becomes of everything that was not taken.
    pub(crate) fn finish(self) {
        let taken = self.taken.borrow();
        let mut said = BTreeSet::new();
        for item in self.body.items.iter().filter(|item| !taken.contains(&item.name)) {
            if !said.insert(item.name.as_str()) {
                continue;
            }
            let nothing = matches!(&item.content, Content::Attribute(node) if node.value.is_zero());
            let field = find(FIELDS, self.kind, &item.name);
            match field.map(|field| (field.fate, field.becomes)) {
                Some((Fate::Warned | Fate::Refused, _)) if nothing => {}
                Some((Fate::Warned, reason)) => {
                    self.report.warning(item.at, self.field(&item.name), format!("has no effect: {reason}"))
                }
                Some((Fate::Refused, reason)) => {
                    self.report.problem(item.at, self.field(&item.name), format!("is not honoured: {reason}"))
                }
                Some((Fate::Honoured, _)) => self.report.problem(item.at, self.field(&item.name), "is not honoured here"),
                None => {
                    let hint =
                        meant(FIELDS, self.kind, &item.name).map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
                    let message = format!("{} has no such field{hint}", self.kind);
                    match self.report.lenient.get() {
                        _ if nothing => {}
                        true => self.report.warning(item.at, self.field(&item.name), format!("has no effect: {message}")),
                        false => self.report.problem(item.at, self.field(&item.name), message),
                    }
                }
            }
        }
    }
}
