//! Whether a value is what its schema says. On an update, what did not change is not looked at again.
//!
//! Upstream: kube-openapi pkg/validation/validate; apiextensions-apiserver `ValidateCustomResourceUpdate` (ratcheting).

use apimachinery::FieldError;
use apimachinery::FieldErrorKind;
use serde_json::Value;

use super::formats;
use super::node::{Kind, Node};

/// What is wrong with a value. `field` is where it is; empty for the object itself.
pub(super) fn check(node: &Node, new: &Value, old: Option<&Value>, field: &str) -> Vec<FieldError> {
    let mut check = Check { errors: Vec::new(), prefix: field };
    check.value(node, new, old, "");
    check.errors
}

struct Check<'a> {
    errors: Vec<FieldError>,
    /// Where the value is: in front of every field, and not in the sentences.
    prefix: &'a str,
}

impl Check<'_> {
    fn field(&self, path: &str) -> String {
        match (self.prefix, path) {
            ("", "") => "<nil>".to_owned(),
            ("", path) => path.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}.{path}"),
        }
    }

    fn wrong(&mut self, path: &str, value: impl Into<Value>, why: &str) {
        self.errors.push(FieldError::invalid(self.field(path), value, format!("{path} in body {why}")));
    }

    /// About the whole: upstream does not say where, but in the sentence.
    fn whole(&mut self, why: String) {
        let field = if self.prefix.is_empty() { "<nil>" } else { self.prefix };
        self.errors.push(FieldError::invalid(field, "", why));
    }

    fn wrong_type(&mut self, path: &str, wanted: &str, shown: Value) {
        let detail = format!("{path} in body must be of type {wanted}: {shown}");
        self.errors.push(FieldError { field: self.field(path), kind: FieldErrorKind::TypeInvalid(shown), detail });
    }

    fn value(&mut self, node: &Node, new: &Value, old: Option<&Value>, path: &str) {
        if old == Some(new) || (new.is_null() && node.nullable) {
            return;
        }
        self.kind(node, new, path);
        self.parts(node, new, path);
        match new {
            Value::String(text) => self.text(node, text, path),
            Value::Number(number) => self.number(node, number, path),
            Value::Array(items) => self.list(node, items, old, path),
            _ => {}
        }
        self.option(node, new, path);
        if let Value::Object(map) = new {
            self.object(node, map, old, path);
        }
    }

    fn kind(&mut self, node: &Node, value: &Value, path: &str) {
        let integral = |value: &Value| value.as_f64().is_some_and(|float| float.fract() == 0.0);
        let (wanted, fits) = match node.kind {
            Kind::Any => return,
            Kind::Object => ("object", value.is_object()),
            Kind::Array => ("array", value.is_array()),
            Kind::String => ("string", value.is_string()),
            Kind::Boolean => ("boolean", value.is_boolean()),
            Kind::Number => ("number", value.is_number()),
            Kind::Integer if node.format == "int64" && value.is_number() && !value.is_i64() && integral(value) => {
                return self.wrong_type(path, "int64", "float64".into());
            }
            Kind::Integer => ("integer", integral(value)),
            Kind::IntOrString => ("integer,string", value.is_string() || integral(value)),
        };
        if !fits {
            self.wrong_type(path, wanted, name_of(value).into());
        }
    }

    /// allOf, anyOf, oneOf, not.
    fn parts(&mut self, node: &Node, value: &Value, path: &str) {
        let prefix = self.prefix;
        let tried = |part: &Node| {
            let mut check = Check { errors: Vec::new(), prefix };
            check.value(part, value, None, path);
            check.errors
        };
        if !node.any_of.is_empty() {
            let mut failed: Vec<_> = node.any_of.iter().map(tried).collect();
            if failed.iter().all(|errors| !errors.is_empty()) {
                self.whole(format!("\"{path}\" must validate at least one schema (anyOf)"));
                self.errors.append(&mut failed[0]);
            }
        }
        if !node.one_of.is_empty() {
            let mut failed: Vec<_> = node.one_of.iter().map(tried).collect();
            let valid = failed.iter().filter(|errors| errors.is_empty()).count();
            if valid != 1 {
                let found = if valid == 0 { "none valid".to_owned() } else { format!("{valid} valid alternatives") };
                self.whole(format!("\"{path}\" must validate one and only one schema (oneOf). Found {found}"));
                if valid == 0 {
                    self.errors.append(&mut failed[0]);
                }
            }
        }
        if !node.all_of.is_empty() {
            let failed: Vec<_> = node.all_of.iter().map(tried).collect();
            let valid = failed.iter().filter(|errors| errors.is_empty()).count();
            if valid < failed.len() {
                self.errors.extend(failed.into_iter().flatten());
                let none = if valid == 0 { ". None validated" } else { "" };
                self.whole(format!("\"{path}\" must validate all the schemas (allOf){none}"));
            }
        }
        if node.not.as_deref().is_some_and(|not| tried(not).is_empty()) {
            self.whole(format!("\"{path}\" must not validate the schema (not)"));
        }
    }

    fn text(&mut self, node: &Node, text: &str, path: &str) {
        self.characters(node, text, path);
        if !formats::fits(&node.format, text) {
            self.wrong_type(path, &node.format, text.into());
        }
    }

    /// The first thing that is wrong with a text; the rest is not looked at.
    fn characters(&mut self, node: &Node, text: &str, path: &str) {
        let length = text.chars().count() as u64;
        let (least, most) = node.bounds.length;
        if let Some(most) = most.filter(|most| length > *most) {
            let field = self.field(path);
            self.errors.push(FieldError::too_long(field, usize::try_from(most).unwrap_or(usize::MAX)));
        } else if let Some(least) = least.filter(|least| length < *least) {
            self.wrong(path, text, &format!("should be at least {least} chars long"));
        } else if let Some((pattern, expression)) = &node.pattern
            && !expression.as_ref().is_some_and(|expression| expression.is_match(text))
        {
            self.wrong(path, text, &format!("should match '{pattern}'"));
        }
    }

    fn number(&mut self, node: &Node, number: &serde_json::Number, path: &str) {
        let float = number.as_f64().unwrap_or_default();
        let whole = number.as_i64();
        if node.kind == Kind::Integer {
            let format = match node.format.as_str() {
                "int32" => whole.and_then(|whole| i32::try_from(whole).ok()).is_none().then_some("with format int32"),
                "int64" => whole.is_none().then_some("with format int64"),
                _ => (whole.is_none() && float.fract() != 0.0).then_some("(default format)"),
            };
            if let Some(format) = format {
                self.whole(format!("Checked value must be of type integer {format} in {path}"));
            }
        }
        let bounds = &node.bounds;
        // QUIRK: a bound of a whole number is cut to one.
        let cut = |bound: f64| if whole.is_some() { bound.trunc() } else { bound };
        let value = Value::Number(number.clone());
        if let Some(factor) = bounds.multiple_of.map(cut).filter(|factor| *factor != 0.0) {
            let multiple = match whole {
                Some(whole) => whole.checked_rem(factor as i64).unwrap_or_default() == 0,
                None => (float / factor).fract() == 0.0,
            };
            if !multiple {
                self.wrong(path, value.clone(), &format!("should be a multiple of {factor}"));
            }
        }
        if let Some(most) = bounds.maximum.map(cut) {
            match bounds.exclusive_maximum {
                true if float >= most => self.wrong(path, value.clone(), &format!("should be less than {most}")),
                false if float > most => self.wrong(path, value.clone(), &format!("should be less than or equal to {most}")),
                _ => {}
            }
        }
        if let Some(least) = bounds.minimum.map(cut) {
            match bounds.exclusive_minimum {
                true if float <= least => self.wrong(path, value, &format!("should be greater than {least}")),
                false if float < least => self.wrong(path, value, &format!("should be greater than or equal to {least}")),
                _ => {}
            }
        }
    }

    fn list(&mut self, node: &Node, items: &[Value], old: Option<&Value>, path: &str) {
        if let Some(schema) = &node.items {
            for (index, item) in items.iter().enumerate() {
                self.value(schema, item, node.former(old, item), &format!("{path}[{index}]"));
            }
        }
        if let Some(least) = node.bounds.items.0.filter(|least| (items.len() as u64) < *least) {
            self.wrong(path, items.len(), &format!("should have at least {least} items"));
        }
        self.count(items.len(), node.bounds.items.1, path);
        if node.unique && (1..items.len()).any(|at| items[..at].contains(&items[at])) {
            self.wrong(path, items.to_vec(), "shouldn't contain duplicates");
        }
    }

    fn count(&mut self, have: usize, most: Option<u64>, path: &str) {
        if let Some(most) = most.filter(|most| have as u64 > *most) {
            let field = self.field(path);
            self.errors.push(FieldError::too_many(field, have, usize::try_from(most).unwrap_or(usize::MAX)));
        }
    }

    fn option(&mut self, node: &Node, value: &Value, path: &str) {
        let same = |option: &Value| option == value || (value.is_number() && option.as_f64() == value.as_f64());
        if node.options.is_empty() || node.options.iter().any(same) {
            return;
        }
        let texts: Vec<String> =
            node.options.iter().map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let field = self.field(path);
        self.errors.push(FieldError::not_supported(field, value.clone(), &texts));
    }

    fn object(&mut self, node: &Node, map: &serde_json::Map<String, Value>, old: Option<&Value>, path: &str) {
        if let Some(least) = node.bounds.properties.0.filter(|least| (map.len() as u64) < *least) {
            self.wrong(path, map.len(), &format!("should have at least {least} properties"));
        }
        self.count(map.len(), node.bounds.properties.1, path);
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for name in node.required.iter().filter(|name| !map.contains_key(*name)) {
            let field = self.field(&below(name));
            self.errors.push(FieldError::required(field, ""));
        }
        for (name, value) in map {
            if let Some(child) = node.child(name) {
                self.value(child, value, old.and_then(|old| old.get(name)), &below(name));
            }
        }
    }
}

/// The type of a value, as messages call it.
fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_f64().is_some_and(|float| float.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
