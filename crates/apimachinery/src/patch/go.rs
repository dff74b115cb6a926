//! Values and types as Go prints them: they are part of messages that clients see.

use std::fmt::Write as _;

use serde_json::Value;

use crate::schema::type_of;

/// A value as Go prints it with `%v`: `map[a:1 b:[x y]]`.
pub fn shown(value: &Value) -> String {
    let mut text = String::new();
    print(value, &mut text);
    text
}

/// Several values, as a list of them is printed.
pub(super) fn shown_list(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(shown).collect();
    format!("[{}]", texts.join(" "))
}

fn print(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("<nil>"),
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Value::String(words) => text.push_str(words),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => print_float(float, text),
            _ => text.push_str(&number.to_string()),
        },
        Value::Array(items) => text.push_str(&shown_list(items)),
        Value::Object(fields) => {
            text.push_str("map[");
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            for (position, name) in names.into_iter().enumerate() {
                if position > 0 {
                    text.push(' ');
                }
                text.push_str(name);
                text.push(':');
                print(&fields[name], text);
            }
            text.push(']');
        }
    }
}

/// `%v` of a float: shortest digits, an exponent of at least two digits below 1e-4 and from 1e21 on.
fn print_float(float: f64, text: &mut String) {
    let size = float.abs();
    if size != 0.0 && !(1e-4..1e21).contains(&size) {
        let scientific = format!("{float:e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
        let _ = write!(text, "{digits}e{sign}{exponent:0>2}");
    } else {
        let _ = write!(text, "{float}");
    }
}

/// A value as Go prints it with `%s`.
pub(super) fn shown_as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "%!s(<nil>)".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("%!s({}={})", go_type(value), shown(value)),
        Value::Array(_) | Value::Object(_) => shown(value),
    }
}

/// The Go type of a value that was decoded without a schema.
pub(super) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        value => type_of(value),
    }
}
