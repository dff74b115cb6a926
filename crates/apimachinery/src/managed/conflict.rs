//! Fields that somebody else owns with another value.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::entries::{Entry, Operation};
use super::set::{Node, Set};
use crate::{Cause, Details, Status};

/// What one manager owns of what a configuration would change.
#[derive(Debug)]
pub(super) struct Conflict {
    /// Who, as it is said in messages.
    who: String,
    /// For the order: who, as a key.
    key: String,
    fields: Set,
}

impl Conflict {
    pub(super) fn new(entry: &Entry, fields: Set) -> Self {
        let mut who = format!("{:?}", entry.manager());
        if !entry.subresource().is_empty() {
            who.push_str(&format!(" with subresource {:?}", entry.subresource()));
        }
        if entry.operation() == Operation::Update {
            who.push_str(&format!(" using {}", entry.api_version()));
        }
        let (manager, operation, version, subresource) = entry.identity();
        Self { who, key: format!("{manager}\0{operation:?}\0{version}\0{subresource}"), fields }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// What is left of it when these may be taken.
    pub(super) fn without(self, allowed: &Set) -> Self {
        Self { fields: self.fields.difference(allowed), ..self }
    }
}

/// 409 that names every field and who owns it.
pub(super) fn refusal(mut conflicts: Vec<Conflict>) -> Status {
    conflicts.sort_by(|a, b| a.key.cmp(&b.key));
    let mut causes = Vec::new();
    let mut lines = Vec::new();
    for Conflict { who, fields, .. } in &conflicts {
        let mut paths = Vec::new();
        list(fields, "", &mut paths);
        lines.push(format!("conflicts with {who}:"));
        for field in paths {
            lines.push(format!("- {field}"));
            causes.push(Cause { reason: "FieldManagerConflict".to_owned(), message: format!("conflict with {who}"), field });
        }
    }
    let message = match causes.as_slice() {
        [Cause { message, field, .. }] => format!("Apply failed with 1 conflict: {message}: {field}"),
        _ => format!("Apply failed with {} conflicts: {}", causes.len(), lines.join("\n")),
    };
    let details = Details { causes, ..Details::default() };
    Status { details: Some(details), ..Status::plain(409, Some("Conflict"), message) }
}

/// The paths of the set, as people read them: first the members, then what is below of them.
fn list(set: &Set, prefix: &str, paths: &mut Vec<String>) {
    let mut nodes: Vec<(Step, &Node)> = set.nodes().iter().map(|node| (Step::of(&node.step), node)).collect();
    nodes.sort_by(|(a, _), (b, _)| a.order(b));
    paths.extend(nodes.iter().filter(|(_, node)| node.member).map(|(step, _)| format!("{prefix}{}", step.shown())));
    for (step, node) in nodes {
        list(&node.below, &format!("{prefix}{}", step.shown()), paths);
    }
}

/// A step, taken apart.
enum Step<'a> {
    Field(&'a str),
    Key(Map<String, Value>),
    Value(Value),
    Index(&'a str),
}

impl<'a> Step<'a> {
    fn of(step: &'a str) -> Self {
        let (kind, rest) = step.split_once(':').unwrap_or(("f", step));
        match kind {
            "k" => Self::Key(serde_json::from_str(rest).unwrap_or_default()),
            "v" => Self::Value(serde_json::from_str(rest).unwrap_or_default()),
            "i" => Self::Index(rest),
            _ => Self::Field(rest),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Field(name) => format!(".{name}"),
            Self::Key(fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("[{}]", fields.join(","))
            }
            Self::Value(value) => format!("[={value}]"),
            Self::Index(index) => format!("[{index}]"),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) => a.cmp(b),
            (Self::Key(a), Self::Key(b)) => {
                let fields = a.iter().zip(b).map(|((a, x), (b, y))| a.cmp(b).then_with(|| order(x, y)));
                fields.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
            }
            (Self::Value(a), Self::Value(b)) => order(a, b),
            (Self::Index(a), Self::Index(b)) => a.parse::<i64>().ok().cmp(&b.parse::<i64>().ok()),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// Numbers by size, then texts, then the rest.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x.as_f64().partial_cmp(&y.as_f64()).unwrap_or(Ordering::Equal),
        (Value::Number(_), _) => Ordering::Less,
        (_, Value::Number(_)) => Ordering::Greater,
        (Value::String(x), Value::String(y)) => x.cmp(y),
        (Value::String(_), _) => Ordering::Less,
        (_, Value::String(_)) => Ordering::Greater,
        _ => a.to_string().cmp(&b.to_string()),
    }
}
