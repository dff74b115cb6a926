//! Which names a definition gets: those that no other of its group has.
//!
//! Upstream: apiextensions-apiserver pkg/controller/status/naming_controller.go.

use std::collections::BTreeSet;

use api_kinds::custom::{has_condition, set_condition};
use apimachinery::object;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// What must be a definition's own, and why it is refused otherwise.
const FIELDS: [(&str, &str); 5] = [
    ("plural", "PluralConflict"),
    ("singular", "SingularConflict"),
    ("shortNames", "ShortNamesConflict"),
    ("kind", "KindConflict"),
    ("listKind", "ListKindConflict"),
];

/// The definition with the next step of its status; `None` if it stays as it is.
pub(super) fn accept<'a>(definition: &Value, others: impl Iterator<Item = &'a Value>, now: Timestamp) -> Option<Value> {
    let taken = Taken::by(others.filter(|other| group(other) == group(definition)));
    let names = |path: &[&str]| object::at(definition, path).and_then(Value::as_object).cloned().unwrap_or_default();
    let (requested, mut accepted) = (names(&["spec", "names"]), names(&["status", "acceptedNames"]));
    let mut conflict = None;
    // The last conflict that is found is told.
    for (field, reason) in FIELDS {
        let used = if matches!(field, "kind" | "listKind") { &taken.kinds } else { &taken.resources };
        let known = list(&accepted, field);
        let clash = list(&requested, field).into_iter().filter(|name| !known.contains(name) && used.contains(*name));
        let clash: Vec<String> = clash.map(|name| format!("{name:?} is already in use")).collect();
        match clash.as_slice() {
            [] => object::set(&mut accepted, field, requested.get(field).cloned()),
            [one] => conflict = Some((reason, one.clone())),
            several => conflict = Some((reason, format!("[{}]", several.join(", ")))),
        }
    }
    object::set(&mut accepted, "categories", requested.get("categories").cloned());

    let mut new = definition.clone();
    object::child(&mut new, "status").insert("acceptedNames".to_owned(), Value::Object(accepted));
    match &conflict {
        Some((reason, why)) => set_condition(&mut new, "NamesAccepted", false, reason, why, now),
        None => set_condition(&mut new, "NamesAccepted", true, "NoConflicts", "no conflicts found", now),
    }
    let told = "the initial names have been accepted";
    if !has_condition(definition, "Established") {
        match (&conflict, is_installing(definition)) {
            (None, true) => set_condition(&mut new, "Established", true, "InitialNamesAccepted", told, now),
            (None, false) => set_condition(&mut new, "Established", false, "Installing", told, now),
            (Some(_), _) => {
                set_condition(&mut new, "Established", false, "NotAccepted", "not all names are accepted", now);
            }
        }
    }
    (new != *definition).then_some(new)
}

/// The names that other definitions of the group have.
#[derive(Default)]
struct Taken {
    resources: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

impl Taken {
    fn by<'a>(others: impl Iterator<Item = &'a Value>) -> Self {
        let mut taken = Self::default();
        for other in others {
            let Some(names) = object::at(other, &["status", "acceptedNames"]).and_then(Value::as_object) else { continue };
            for (field, _) in FIELDS {
                let into = if matches!(field, "kind" | "listKind") { &mut taken.kinds } else { &mut taken.resources };
                into.extend(list(names, field).into_iter().filter(|name| !name.is_empty()).map(str::to_owned));
            }
        }
        taken
    }
}

fn group(definition: &Value) -> &str {
    object::text(definition, &["spec", "group"])
}

fn is_installing(definition: &Value) -> bool {
    let conditions = object::at(definition, &["status", "conditions"]).and_then(Value::as_array);
    let is = |condition: &Value, field: &str, wanted: &str| object::text(condition, &[field]) == wanted;
    conditions
        .into_iter()
        .flatten()
        .any(|condition| is(condition, "type", "Established") && is(condition, "reason", "Installing"))
}

/// The names in a field: one, or several.
fn list<'a>(names: &'a Map<String, Value>, field: &str) -> Vec<&'a str> {
    match names.get(field) {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name],
        _ => Vec::new(),
    }
}
