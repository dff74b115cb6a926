//! The entries of `metadata.managedFields`.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Manager;
use super::set::Set;
use crate::object;

/// One entry, as it is stored. Its fields are decoded when they are needed, which for most entries of most writes is never.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry(Map<String, Value>);

/// How an entry came about. Entries are ordered by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

impl Entry {
    /// A new entry, without a time.
    pub(super) fn new(manager: Manager<'_>, operation: Operation, fields: &Set) -> Self {
        let mut entry = Map::new();
        entry.insert("manager".to_owned(), name_of(manager).into());
        entry.insert("operation".to_owned(), operation.name().into());
        entry.insert("apiVersion".to_owned(), manager.api_version.into());
        entry.insert("fieldsType".to_owned(), "FieldsV1".into());
        entry.insert("fieldsV1".to_owned(), fields.encode());
        if !manager.subresource.is_empty() {
            entry.insert("subresource".to_owned(), manager.subresource.into());
        }
        Self(entry)
    }

    fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn manager(&self) -> &str {
        self.text("manager")
    }

    pub(super) fn subresource(&self) -> &str {
        self.text("subresource")
    }

    pub(super) fn api_version(&self) -> &str {
        self.text("apiVersion")
    }

    pub(super) fn operation(&self) -> Operation {
        if self.text("operation") == "Apply" { Operation::Apply } else { Operation::Update }
    }

    /// Who this is. Appliers are the same whatever the version they apply.
    pub(super) fn identity(&self) -> (&str, Operation, &str, &str) {
        let version = if self.operation() == Operation::Update { self.api_version() } else { "" };
        (self.manager(), self.operation(), version, self.subresource())
    }

    /// Whether this is who writes.
    pub(super) fn is(&self, manager: Manager<'_>, operation: Operation) -> bool {
        self.operation() == operation
            && self.manager() == name_of(manager)
            && self.subresource() == manager.subresource
            && (operation == Operation::Apply || self.api_version() == manager.api_version)
    }

    /// Whether it speaks of the fields as this group calls them. Nothing is known of what another group's entry means here.
    pub(super) fn speaks(&self, manager: Manager<'_>) -> bool {
        fn group(version: &str) -> &str {
            version.rsplit_once('/').map_or("", |(group, _)| group)
        }
        group(self.api_version()) == group(manager.api_version)
    }

    /// What is owned.
    ///
    /// # Errors
    /// It is not FieldsV1.
    pub(super) fn fields(&self) -> Result<Set, Malformed> {
        Set::decode(self.0.get("fieldsV1").unwrap_or(&Value::Null)).map_err(|_| Malformed)
    }

    pub(super) fn set_fields(&mut self, fields: &Set) {
        self.0.insert("fieldsV1".to_owned(), fields.encode());
    }

    /// Whether any of these is owned, without decoding what is.
    pub(super) fn owns_any(&self, fields: &Set) -> bool {
        self.0.get("fieldsV1").and_then(Value::as_object).is_some_and(|owned| overlap(owned, fields))
    }

    pub(super) fn set_time(&mut self, time: Timestamp) {
        self.0.insert("time".to_owned(), object::time(time));
    }

    /// The time of another entry, or none.
    pub(super) fn copy_time(&mut self, other: Option<&Self>) {
        if let Some(time) = other.and_then(|other| other.0.get("time")) {
            self.0.insert("time".to_owned(), time.clone());
        }
    }

    /// What orders entries: how, when and by whom.
    fn rank(&self) -> (Operation, &str, &str, &str, &str) {
        (self.operation(), self.text("time"), self.manager(), self.api_version(), self.subresource())
    }

    fn check(mut self) -> Result<Self, Malformed> {
        let known = |text: &str| matches!(text, "Apply" | "Update");
        let texts = ["manager", "operation", "apiVersion", "fieldsType", "subresource", "time"];
        self.0.retain(|name, value| !value.is_null() && (name == "fieldsV1" || texts.contains(&name.as_str())));
        if texts.iter().any(|field| self.0.get(*field).is_some_and(|value| !value.is_string()))
            || !known(self.text("operation"))
            || self.api_version().is_empty()
            || self.text("fieldsType") != "FieldsV1"
        {
            return Err(Malformed);
        }
        if let Some(time) = self.0.get_mut("time") {
            let parsed = time.as_str().and_then(|text| text.parse().ok()).ok_or(Malformed)?;
            *time = object::time(parsed);
        }
        let fields = self.fields()?;
        self.set_fields(&fields);
        Ok(self)
    }
}

fn name_of(manager: Manager<'_>) -> &str {
    if manager.name.is_empty() { "unknown" } else { manager.name }
}

/// Whether a set, encoded, and another have a path in common.
fn overlap(owned: &Map<String, Value>, fields: &Set) -> bool {
    fields.nodes().iter().any(|node| match owned.get(&*node.step) {
        Some(Value::Object(below)) => node.member && (below.is_empty() || below.contains_key(".")) || overlap(below, &node.below),
        _ => false,
    })
}

/// This is no list of managers.
#[derive(Debug)]
pub(super) struct Malformed;

/// Whether the list says that nobody owns anything from now on: it is empty, or its one entry is.
pub(super) fn is_reset(list: &Value) -> bool {
    match list.as_array().map(Vec::as_slice) {
        Some([]) => true,
        Some([only]) => {
            only.as_object().is_some_and(|entry| entry.values().all(|value| value.is_null() || value.as_str() == Some("")))
        }
        _ => false,
    }
}

/// Reads a list that a client sent, every entry to its end.
///
/// # Errors
/// One of the entries is none.
pub(super) fn decode(list: &Value) -> Result<Vec<Entry>, Malformed> {
    let entries = list.as_array().ok_or(Malformed)?;
    let entry = |entry: &Value| Entry(entry.as_object().ok_or(Malformed)?.clone()).check();
    let mut decoded: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries.iter().map(entry) {
        let entry = entry?;
        // Of two entries of one manager, the last counts.
        decoded.retain(|other| other.identity() != entry.identity());
        decoded.push(entry);
    }
    Ok(decoded)
}

/// Reads a list that was stored here before, as far as to see that it is one.
pub(super) fn stored(list: Value) -> Vec<Entry> {
    let Value::Array(list) = list else { return Vec::new() };
    let mut entries = Vec::with_capacity(list.len());
    for entry in list {
        let Value::Object(entry) = entry else { return Vec::new() };
        let entry = Entry(entry);
        if entry.api_version().is_empty() || !matches!(entry.text("operation"), "Apply" | "Update") {
            return Vec::new();
        }
        entries.push(entry);
    }
    entries
}

/// The list, in its order: appliers first, then by time. `None` if nobody owns anything.
pub(super) fn encode(mut entries: Vec<Entry>) -> Option<Value> {
    if entries.is_empty() {
        return None;
    }
    entries.sort_by(|a, b| a.rank().cmp(&b.rank()));
    Some(entries.into_iter().map(|Entry(entry)| Value::Object(entry)).collect())
}

/// How many entries of updates are kept apart.
const MOST_UPDATERS: usize = 10;

/// Unites the oldest updaters, if there are too many, in one entry per version.
///
/// # Errors
/// Fields that cannot be read.
pub(super) fn cap(entries: &mut Vec<Entry>) -> Result<(), Malformed> {
    let is_updater = |entry: &Entry| entry.operation() == Operation::Update;
    let mut excess = entries.iter().filter(|entry| is_updater(entry)).count().saturating_sub(MOST_UPDATERS);
    if excess == 0 {
        return Ok(());
    }
    entries.sort_by(|a, b| a.rank().cmp(&b.rank()));
    let (mut updaters, mut kept): (Vec<Entry>, Vec<Entry>) = entries.drain(..).partition(is_updater);
    let mut first = 0;
    while excess > 0 && first < updaters.len() {
        // The next of the same version joins the first; it is the younger, so the time is its.
        let version = updaters[first].api_version().to_owned();
        let Some(next) = (first + 1..updaters.len()).find(|&other| updaters[other].api_version() == version) else {
            first += 1;
            continue;
        };
        let joined = updaters.remove(next);
        let fields = updaters[first].fields()?.union(&joined.fields()?);
        let ancient = Manager { name: "ancient-changes", subresource: "", api_version: &version, time: Timestamp::UNIX_EPOCH };
        updaters[first] = Entry::new(ancient, Operation::Update, &fields);
        updaters[first].copy_time(Some(&joined));
        excess -= 1;
    }
    kept.append(&mut updaters);
    *entries = kept;
    Ok(())
}

/// Whether two lists differ in nothing but their times.
pub(super) fn same_but_for_times(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_array(), b.as_array()) else { return a == b };
    let timeless = |entry: &'_ Map<String, Value>| entry.len() - usize::from(entry.contains_key("time"));
    let same = |a: &Value, b: &Value| match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            timeless(a) == timeless(b) && a.iter().all(|(name, value)| name == "time" || b.get(name) == Some(value))
        }
        (a, b) => a == b,
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}
