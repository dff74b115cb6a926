//! Events, in the words of either group.

use apimachinery::object::{at, name, text};
use jiff::Timestamp;
use serde_json::Value;

use super::{age, or};

/// What the fields are called.
struct Names {
    about: &'static str,
    message: &'static str,
    source: &'static str,
    first: &'static str,
    last: &'static str,
    count: &'static str,
    reporter: &'static str,
}

const CORE: Names = Names {
    about: "involvedObject",
    message: "message",
    source: "source",
    first: "firstTimestamp",
    last: "lastTimestamp",
    count: "count",
    reporter: "reportingComponent",
};

const EVENTS: Names = Names {
    about: "regarding",
    message: "note",
    source: "deprecatedSource",
    first: "deprecatedFirstTimestamp",
    last: "deprecatedLastTimestamp",
    count: "deprecatedCount",
    reporter: "reportingController",
};

pub(super) fn row(group: &str, event: &Value, now: Timestamp) -> Vec<Value> {
    let names = if group.is_empty() { CORE } else { EVENTS };
    let since = |path: &[&str]| age::since(text(event, path), now);
    let number = |path: &[&str]| at(event, path).and_then(Value::as_i64).unwrap_or_default();

    let first = since(&[if text(event, &[names.first]).is_empty() { "eventTime" } else { names.first }]);
    let last = if text(event, &[names.last]).is_empty() { first.clone() } else { since(&[names.last]) };
    let series = at(event, &["series"]).is_some_and(|series| !series.is_null());
    let (last, count) = match (series, number(&[names.count])) {
        (true, _) => (since(&["series", "lastObservedTime"]), number(&["series", "count"])),
        (false, 0) => (last, 1),
        (false, count) => (last, count),
    };
    vec![
        last.into(),
        text(event, &["type"]).into(),
        text(event, &["reason"]).into(),
        about(event, names.about).into(),
        text(event, &[names.about, "fieldPath"]).into(),
        source(event, &names).into(),
        text(event, &[names.message]).trim().into(),
        first.into(),
        count.into(),
        name(event).into(),
    ]
}

fn about(event: &Value, field: &str) -> String {
    let (kind, name) = (text(event, &[field, "kind"]).to_lowercase(), text(event, &[field, "name"]));
    if name.is_empty() { kind } else { format!("{kind}/{name}") }
}

/// Who says so: the old pair of fields first, the new one in its gaps.
fn source(event: &Value, names: &Names) -> String {
    let component = or(text(event, &[names.source, "component"]), text(event, &[names.reporter]));
    let host = or(text(event, &[names.source, "host"]), text(event, &["reportingInstance"]));
    if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") }
}
