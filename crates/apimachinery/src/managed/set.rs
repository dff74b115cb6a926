//! Sets of fields: what a manager owns, what a write changed.
//!
//! Upstream: structured-merge-diff fieldpath.Set; its wire form is FieldsV1.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::Schema;
use crate::schema::Shape;

/// A set of paths, as a tree. Ordered, so that two sets are walked together.
///
/// A step is kept as FieldsV1 spells it: `f:<name>`, `k:{"name":"x"}` for an element of a keyed list, `v:"x"` for one of a
/// set, `i:0` for a position. That a step is a member says that its path is in the set; that it has steps below says nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Set(Vec<Node>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) step: Box<str>,
    pub(super) member: bool,
    pub(super) below: Set,
}

impl Set {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.0
    }

    fn find(&self, step: &str) -> Result<usize, usize> {
        // What is added in order, as most is, lands behind the last.
        match self.0.last() {
            None => Err(0),
            Some(last) if *last.step < *step => Err(self.0.len()),
            Some(_) => self.0.binary_search_by(|node| (*node.step).cmp(step)),
        }
    }

    /// What is said of this step.
    pub(super) fn get(&self, step: &str) -> Option<&Node> {
        self.find(step).ok().map(|position| &self.0[position])
    }

    /// Adds a step, if there is anything to say of it.
    pub(super) fn add(&mut self, step: &str, member: bool, below: Set) {
        if !member && below.is_empty() {
            return;
        }
        match self.find(step) {
            Ok(position) => {
                let node = &mut self.0[position];
                node.member |= member;
                node.below = if node.below.is_empty() { below } else { node.below.union(&below) };
            }
            Err(position) => self.0.insert(position, Node { step: step.into(), member, below }),
        }
    }

    /// The set of one path of fields.
    pub(super) fn of_path(path: &[&str]) -> Self {
        let mut set = Self::default();
        if let Some((first, rest)) = path.split_first() {
            set.add(&format!("f:{first}"), rest.is_empty(), Self::of_path(rest));
        }
        set
    }

    /// Walks both in order. `keep` decides on a step that is in one or in both.
    fn zip(&self, other: &Self, mut keep: impl FnMut(Option<&Node>, Option<&Node>) -> Option<Node>) -> Self {
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut result = Vec::with_capacity(self.0.len());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => return Self(result),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(ours), Some(theirs)) => ours.step.cmp(&theirs.step),
            };
            let kept = match order {
                Ordering::Less => keep(ours.next(), None),
                Ordering::Greater => keep(None, theirs.next()),
                Ordering::Equal => keep(ours.next(), theirs.next()),
            };
            result.extend(kept.filter(|node| node.member || !node.below.is_empty()));
        }
    }

    /// What is in either.
    pub(super) fn union(&self, other: &Self) -> Self {
        self.zip(other, |ours, theirs| match (ours, theirs) {
            (Some(ours), Some(theirs)) => Some(Node {
                step: ours.step.clone(),
                member: ours.member || theirs.member,
                below: ours.below.union(&theirs.below),
            }),
            (one, other) => one.or(other).cloned(),
        })
    }

    /// What is in both.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        self.zip(other, |ours, theirs| {
            let (ours, theirs) = (ours?, theirs?);
            let below = ours.below.intersection(&theirs.below);
            Some(Node { step: ours.step.clone(), member: ours.member && theirs.member, below })
        })
    }

    /// What is in this and not in the other, path by path.
    pub(super) fn difference(&self, other: &Self) -> Self {
        self.zip(other, |ours, theirs| {
            let ours = ours?;
            let Some(theirs) = theirs else { return Some(ours.clone()) };
            let below = ours.below.difference(&theirs.below);
            Some(Node { step: ours.step.clone(), member: ours.member && !theirs.member, below })
        })
    }

    /// The same, and nothing that is below a path of the other.
    pub(super) fn without(&self, other: &Self) -> Self {
        self.zip(other, |ours, theirs| {
            let ours = ours?;
            match theirs {
                None => Some(ours.clone()),
                Some(theirs) if theirs.member => None,
                Some(theirs) => Some(Node { below: ours.below.without(&theirs.below), ..ours.clone() }),
            }
        })
    }

    /// The set with every named field that has members below: taking away what is in a named field takes the field away.
    pub(super) fn with_named_fields(&self, schema: Option<&Schema>) -> Self {
        let node = |node: &Node| {
            let name = node.step.strip_prefix("f:");
            let named = match (schema.map(|schema| &schema.shape), name) {
                (Some(Shape::Object(fields)), Some(name)) => fields.known.contains_key(name),
                _ => false,
            };
            let below = match schema.map(|schema| (schema, &schema.shape)) {
                Some((_, Shape::List { items, .. })) if node.step.starts_with("k:") => Some(&**items),
                Some((schema, _)) => name.and_then(|name| schema.field(name)).map(|field| &**field),
                None => None,
            };
            Node {
                step: node.step.clone(),
                member: node.member || named && !node.below.is_empty(),
                below: node.below.with_named_fields(below),
            }
        };
        Self(self.0.iter().map(node).collect())
    }

    /// Reads FieldsV1. Steps of a type that is not known are left out.
    ///
    /// # Errors
    /// A step that is none, or something that is not an object where steps are expected.
    pub(super) fn decode(fields: &Value) -> Result<Self, NotFields> {
        match fields {
            Value::Object(steps) => decode_steps(steps).map(|(set, _)| set),
            Value::Null => Ok(Self::default()),
            _ => Err(NotFields),
        }
    }

    /// The set as FieldsV1.
    pub(super) fn encode(&self) -> Value {
        Value::Object(self.0.iter().map(|node| (String::from(&*node.step), node.encode())).collect())
    }
}

impl Node {
    fn encode(&self) -> Value {
        let mut below = self.below.encode();
        if self.member
            && !self.below.is_empty()
            && let Value::Object(steps) = &mut below
        {
            steps.insert(".".to_owned(), Value::Object(Map::new()));
        }
        below
    }
}

/// This is not FieldsV1.
#[derive(Debug)]
pub(super) struct NotFields;

/// The steps, and whether what they are below of is a member: it says so, or there are none.
fn decode_steps(steps: &Map<String, Value>) -> Result<(Set, bool), NotFields> {
    let mut set = Set::default();
    let mut member = false;
    for (step, below) in steps {
        if step == "." {
            member = true;
        } else if let Some(step) = canonical(step)? {
            let (below, member) = match below {
                Value::Object(steps) => decode_steps(steps)?,
                Value::Null => (Set::default(), true),
                _ => return Err(NotFields),
            };
            set.add(&step, member, below);
        }
    }
    let member = member || set.is_empty();
    Ok((set, member))
}

/// The step as it is written here, whatever the spaces and numbers that a client wrote. `None` for a type that is not known.
fn canonical(step: &str) -> Result<Option<Box<str>>, NotFields> {
    let (kind, rest) = step.split_once(':').filter(|(kind, _)| kind.len() == 1).ok_or(NotFields)?;
    match kind {
        "f" => Ok(Some(step.into())),
        "v" => serde_json::from_str(rest).map(|value| Some(value_step(&value))).map_err(|_| NotFields),
        "k" => match serde_json::from_str(rest) {
            Ok(Value::Object(fields)) => Ok(Some(key_step(fields.iter().map(|(name, value)| (name.as_str(), value))))),
            _ => Err(NotFields),
        },
        "i" => rest.parse::<i64>().map(|index| Some(format!("i:{index}").into())).map_err(|_| NotFields),
        _ => Ok(None),
    }
}

/// The step to an element of a set.
pub(super) fn value_step(value: &Value) -> Box<str> {
    let mut step = String::from("v:");
    write_scalar(&mut step, value);
    step.into()
}

/// The step to an element of a keyed list. The fields of the key are put in order.
pub(super) fn key_step<'a>(fields: impl Iterator<Item = (&'a str, &'a Value)>) -> Box<str> {
    let mut fields: Vec<(&str, &Value)> = fields.collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    let mut step = String::from("k:{");
    for (position, (name, value)) in fields.into_iter().enumerate() {
        if position > 0 {
            step.push(',');
        }
        write_text(&mut step, name);
        step.push(':');
        write_scalar(&mut step, value);
    }
    step.push('}');
    step.into()
}

/// Whole numbers are written without a fraction, however they came.
fn write_scalar(step: &mut String, value: &Value) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::String(text) => write_text(step, text),
        Value::Number(number) => match number.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
                step.push_str(&(float as i64).to_string());
            }
            _ => step.push_str(&number.to_string()),
        },
        other => step.push_str(&other.to_string()),
    }
}

fn write_text(step: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        step.push_str(&Value::from(text).to_string());
    } else {
        step.push('"');
        step.push_str(text);
        step.push('"');
    }
}
