//! Reading, comparing and showing values that are JSON.

use csi_types::Quantity;
use serde_json::Value;

/// The elements of a list; none if it is absent.
pub(crate) fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The value of a field, if it is there and not null.
pub(crate) fn get<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    value.get(field).filter(|value| !value.is_null())
}

/// The text of a field, if it is there.
pub(crate) fn optional<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

/// The text of a field; empty if it is not there.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    optional(value, field).unwrap_or_default()
}

/// The keys and texts of a map. A value that is no text counts as empty.
pub(crate) fn texts(map: Option<&Value>) -> impl Iterator<Item = (&str, &str)> {
    map.and_then(Value::as_object).into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
}

/// An amount, written as a text or as a number.
pub(crate) fn quantity(value: Option<&Value>) -> Option<Quantity> {
    match value? {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// The text of an amount.
pub(crate) fn quantity_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An amount that is no whole number of bytes.
pub(crate) fn fractional(amount: Quantity) -> bool {
    amount.bytes().is_ok_and(|bytes| Quantity::from(bytes) != amount)
}

/// Whether two values mean the same: nothing, null, and empty texts, lists and objects are one, and so is every spelling of
/// an amount that was decoded as one.
///
/// Upstream: `equality.Semantic.DeepEqual`, which tells an empty text from none only where the field is a pointer. The
/// fields of these kinds where that matters (class names) are compared by their own rules.
pub(crate) fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    let blank = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(Value::is_null),
        _ => false,
    };
    match (a.filter(|a| !blank(a)), b.filter(|b| !blank(b))) {
        (None, None) => true,
        (Some(Value::Object(a)), Some(Value::Object(b))) => a.keys().chain(b.keys()).all(|key| {
            let same = if DATA.contains(&key.as_str()) { same_map } else { same };
            same(a.get(key), b.get(key))
        }),
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(Some(a), Some(b)))
        }
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// Fields that are maps: their keys are data, and an empty text is a value.
const DATA: [&str; 4] = ["parameters", "matchLabels", "volumeAttributes", "options"];

/// Whether two maps have the same keys with the same values. Nothing is a map without keys.
pub(crate) fn same_map(a: Option<&Value>, b: Option<&Value>) -> bool {
    let empty = |value: &&Value| value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
    a.filter(|a| !empty(a)) == b.filter(|b| !empty(b))
}

/// An object with its members in this order, as Go writes a struct.
pub(crate) fn ordered<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let members: Vec<String> = members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// A list of what was shown already.
pub(crate) fn listed(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

/// The members of this object that are set, in this order.
pub(crate) fn members(value: &Value, order: &[&str]) -> String {
    ordered(order.iter().filter_map(|name| Some((*name, get(value, name)?.to_string()))))
}
