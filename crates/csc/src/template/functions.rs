//! The functions a template has: Go's, and `json`, `join`, `lower`, `upper` as other tools have them.

use std::cmp::Ordering;

use super::printf::printf;
use super::value::Value;

/// All of them.
pub(super) const NAMES: &[&str] = &[
    "and", "eq", "ge", "gt", "index", "join", "json", "le", "len", "lower", "lt", "ne", "not", "or", "print", "printf",
    "println", "upper",
];

pub(super) fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Does one.
pub(super) fn call(name: &str, arguments: Vec<Value>) -> Result<Value, String> {
    let wrong = |expected: &str| Err(format!("{name} takes {expected}"));
    match (name, arguments.as_slice()) {
        // The runner looks at them one by one; the last one decides.
        ("and" | "or", [.., _]) => Ok(decide(name, arguments)),
        ("and" | "or", []) => wrong("one value or more"),
        ("not", [value]) => Ok(Value::Bool(!value.is_true())),
        ("not" | "json" | "lower" | "upper", _) if arguments.len() != 1 => wrong("one value"),
        ("len", [value]) => match value {
            Value::Text(text) => Ok(Value::Int(text.len() as i64)),
            Value::List(items) => Ok(Value::Int(items.len() as i64)),
            Value::Map(map) => Ok(Value::Int(map.len() as i64)),
            Value::Nil => Ok(Value::Int(0)),
            other => Err(format!("{} has no length", other.kind())),
        },
        ("len", _) => wrong("a text, a list or a map"),
        ("index", [value, keys @ ..]) => keys.iter().try_fold(value.clone(), index),
        ("index", []) => wrong("a list or a map, and where to look in it"),
        ("eq", [first, others @ ..]) if !others.is_empty() => {
            let mut found = false;
            for other in others {
                found |= compare(first, other)? == Ordering::Equal;
            }
            Ok(Value::Bool(found))
        }
        ("ne", [a, b]) => Ok(Value::Bool(compare(a, b)? != Ordering::Equal)),
        ("lt", [a, b]) => Ok(Value::Bool(order(a, b)?.is_lt())),
        ("le", [a, b]) => Ok(Value::Bool(order(a, b)?.is_le())),
        ("gt", [a, b]) => Ok(Value::Bool(order(a, b)?.is_gt())),
        ("ge", [a, b]) => Ok(Value::Bool(order(a, b)?.is_ge())),
        ("eq" | "ne" | "lt" | "le" | "gt" | "ge", _) => wrong("two values"),
        ("print", values) => Ok(Value::Text(print(values))),
        ("println", values) => {
            let words: Vec<String> = values.iter().map(Value::to_string).collect();
            Ok(Value::Text(words.join(" ") + "\n"))
        }
        ("printf", [Value::Text(format), values @ ..]) => printf(format, values).map(Value::Text),
        ("printf", _) => wrong("a format, and what its verbs show"),
        ("json", [value]) => Ok(Value::Text(value.json().to_string())),
        ("lower", [value]) => Ok(Value::Text(value.to_string().to_lowercase())),
        ("upper", [value]) => Ok(Value::Text(value.to_string().to_uppercase())),
        ("join", [Value::List(items), Value::Text(between)]) => {
            let words: Vec<String> = items.iter().map(Value::to_string).collect();
            Ok(Value::Text(words.join(between)))
        }
        ("join", _) => wrong("a list and a text"),
        (other, _) => Err(format!("there is no function {other}")),
    }
}

fn decide(name: &str, mut values: Vec<Value>) -> Value {
    let at = values.iter().position(|value| value.is_true() == (name == "or")).unwrap_or(values.len() - 1);
    values.swap_remove(at)
}

fn index(value: Value, key: &Value) -> Result<Value, String> {
    match (value, key) {
        (Value::List(items), Value::Int(at)) => {
            let found = usize::try_from(*at).ok().and_then(|at| items.get(at)).cloned();
            found.ok_or_else(|| format!("index {at} of a list of {}", items.len()))
        }
        (Value::Map(map), Value::Text(key)) => Ok(map.get(key).cloned().unwrap_or(Value::Nil)),
        (Value::Nil, _) => Ok(Value::Nil),
        (value, key) => Err(format!("{} cannot be looked up in {}", key.kind(), value.kind())),
    }
}

/// An enumeration is compared as its name with texts, as its number with numbers.
fn compare(a: &Value, b: &Value) -> Result<Ordering, String> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
        (Value::Nil, Value::Nil) => Ok(Ordering::Equal),
        (Value::Nil, _) | (_, Value::Nil) => Ok(Ordering::Less),
        _ => order(a, b),
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering, String> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (Value::Text(a), Value::Enum { name: b, .. }) | (Value::Enum { name: a, .. }, Value::Text(b)) => Ok(a.cmp(b)),
        (Value::Int(a) | Value::Enum { number: a, .. }, Value::Int(b) | Value::Enum { number: b, .. }) => Ok(a.cmp(b)),
        _ => Err(format!("{} and {} cannot be compared", a.kind(), b.kind())),
    }
}

/// Go's `Sprint`: a space between two values of which neither is a text.
fn print(values: &[Value]) -> String {
    let mut out = String::new();
    for (i, value) in values.iter().enumerate() {
        if i > 0 && !matches!(value, Value::Text(_)) && !matches!(values[i - 1], Value::Text(_)) {
            out.push(' ');
        }
        out.push_str(&value.to_string());
    }
    out
}
