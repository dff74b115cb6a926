//! From any JSON to an object of a kind: what Go's decoder refuses is refused with its words, what it drops is dropped.

use serde_json::{Map, Value};

use super::time::{self, Precision};
use super::{Fields, GoType, Presence, Schema, Shape, bytes, quantity};

/// Why a value is not of its kind, in the words of Go's decoder:
/// `json: cannot unmarshal number into Go struct field ConfigMap.data of type string`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(String);

impl Schema {
    /// Makes a value one of this kind, in place: types are checked, unknown fields taken out, quantities, times and base64 put
    /// into their canonical form. Of a built-in kind, nulls and empty values go as they would through Go's types; of a custom
    /// resource, types are left for validation, and a null stays where it is allowed.
    ///
    /// `kind` is the name of the object's type, for messages. Returns the paths of the unknown fields, of a subtree only the top:
    /// `foo`, `spec.containers[0].foo`.
    ///
    /// # Errors
    /// A value of the wrong type. When there are several, the first: by name, where Go goes by the order in the body.
    pub fn decode(&self, value: &mut Value, kind: &str) -> Result<Vec<String>, DecodeError> {
        let mut decoder = Decoder { structs: vec![kind], fields: Vec::new(), path: Vec::new(), unknown: Vec::new(), first: None };
        decoder.value(self, value)?;
        match decoder.first {
            Some(error) => Err(error),
            None => Ok(decoder.unknown),
        }
    }
}

struct Decoder<'a> {
    /// The Go structs that we are in.
    structs: Vec<&'a str>,
    /// The fields that we are in, as Go's messages say it: without keys and indexes.
    fields: Vec<&'a str>,
    /// Where we are, as messages about unknown fields say it.
    path: Vec<Step>,
    unknown: Vec<String>,
    /// Go goes on after a wrong type and reports the first; a text that cannot be parsed ends it at once.
    first: Option<DecodeError>,
}

enum Step {
    Field(String),
    Index(usize),
}

impl<'a> Decoder<'a> {
    fn value(&mut self, schema: &'a Schema, value: &mut Value) -> Result<(), DecodeError> {
        let typed = schema.go.is_some();
        match (&schema.shape, &mut *value) {
            (Shape::Any, _) => Ok(()),
            (Shape::Object(fields), Value::Object(map)) => self.object(schema, fields, map),
            (Shape::Map { values, .. }, Value::Object(map)) => self.map(values, map),
            (Shape::List { items, .. }, Value::Array(list)) => self.list(items, list),
            (Shape::Time, Value::String(text)) if typed => Self::time(text, Precision::Seconds),
            (Shape::MicroTime, Value::String(text)) if typed => Self::time(text, Precision::Micros),
            (Shape::Quantity, _) if typed => {
                *value = quantity::canonical(value).map_err(|words| DecodeError(words.to_owned()))?.into();
                Ok(())
            }
            (Shape::Bytes, Value::String(text)) if typed => {
                match bytes::canonical(text) {
                    Ok(canonical) => *text = canonical,
                    Err(at) => self.saved(DecodeError(format!("illegal base64 data at input byte {at}"))),
                }
                Ok(())
            }
            _ if typed => self.scalar(schema, value),
            _ => Ok(()),
        }
    }

    fn time(text: &mut String, precision: Precision) -> Result<(), DecodeError> {
        *text = time::canonical(text, precision).map_err(DecodeError)?;
        Ok(())
    }

    /// A value that has no parts, or not the parts that it should have.
    fn scalar(&mut self, schema: &Schema, value: &Value) -> Result<(), DecodeError> {
        let fits = match (&schema.shape, value) {
            (Shape::String | Shape::IntOrString, Value::String(_)) | (Shape::Boolean, Value::Bool(_)) => true,
            (Shape::Number, Value::Number(_)) => true,
            (Shape::Integer | Shape::IntOrString, Value::Number(number)) => match number.as_i64() {
                Some(number) => schema.go_name() != "int32" || i32::try_from(number).is_ok(),
                None => false,
            },
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let error = self.wrong_type(schema, value);
        match schema.shape {
            // Their own decoders fail, and with them everything.
            Shape::Time | Shape::MicroTime | Shape::IntOrString => Err(error),
            _ => {
                self.saved(error);
                Ok(())
            }
        }
    }

    fn wrong_type(&self, schema: &Schema, value: &Value) -> DecodeError {
        let got = match value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Number(number) if matches!(schema.shape, Shape::Integer | Shape::IntOrString) => format!("number {number}"),
            Value::Number(_) => "number".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Array(_) => "array".to_owned(),
            Value::Object(_) => "object".to_owned(),
        };
        let place = match self.structs.last() {
            Some(name) if !self.fields.is_empty() => format!("struct field {name}.{}", self.fields.join(".")),
            _ => "value".to_owned(),
        };
        DecodeError(format!("json: cannot unmarshal {got} into Go {place} of type {}", schema.go_name()))
    }

    fn saved(&mut self, error: DecodeError) {
        self.first.get_or_insert(error);
    }

    fn object(&mut self, schema: &'a Schema, fields: &'a Fields, map: &mut Map<String, Value>) -> Result<(), DecodeError> {
        if let Some(GoType { name, .. }) = &schema.go
            && !self.fields.is_empty()
        {
            self.structs.push(name.rsplit('.').next().unwrap_or(name));
        }
        let depth = self.fields.len();
        let mut gone = Vec::new();
        for (name, value) in map.iter_mut() {
            let Some((name, field)) = fields.known.get_key_value(name.as_str()) else {
                if !fields.preserve_unknown {
                    self.unknown.push(self.at(name));
                    gone.push(name.clone());
                }
                continue;
            };
            if value.is_null() && !(field.go.is_none() && field.nullable) {
                gone.push(String::from(&**name));
                continue;
            }
            if let Some(GoType { embedded, .. }) = &field.go
                && !embedded.is_empty()
            {
                self.fields.push(embedded);
            }
            self.fields.push(name);
            self.path.push(Step::Field(String::from(&**name)));
            self.value(field, value)?;
            self.path.pop();
            self.fields.truncate(depth);
            // An object that is always there is as good empty as it is.
            let whole = matches!(field.shape, Shape::Object(_));
            let may_go = field.go.as_ref().is_some_and(|go| match go.presence {
                Presence::AsSent | Presence::Nullable => false,
                Presence::NotEmpty => true,
                Presence::Always => !whole,
            });
            if may_go && is_empty(field, value) {
                gone.push(String::from(&**name));
            }
        }
        for name in &gone {
            map.remove(name);
        }
        if schema.go.is_some() {
            for (name, field) in &fields.known {
                if let Some(absent) = field.absent().filter(|_| !map.contains_key(&**name)) {
                    map.insert(String::from(&**name), absent);
                }
            }
            if !self.fields.is_empty() {
                self.structs.pop();
            }
        }
        Ok(())
    }

    fn map(&mut self, values: &'a Schema, map: &mut Map<String, Value>) -> Result<(), DecodeError> {
        for (key, value) in map.iter_mut() {
            if value.is_null() {
                Self::null(values, value);
                continue;
            }
            self.path.push(Step::Field(key.clone()));
            self.value(values, value)?;
            self.path.pop();
        }
        if values.go.is_none() && !values.nullable {
            map.retain(|_, value| !value.is_null());
        }
        Ok(())
    }

    fn list(&mut self, items: &'a Schema, list: &mut [Value]) -> Result<(), DecodeError> {
        for (index, value) in list.iter_mut().enumerate() {
            if value.is_null() {
                Self::null(items, value);
                continue;
            }
            self.path.push(Step::Index(index));
            self.value(items, value)?;
            self.path.pop();
        }
        Ok(())
    }

    /// Go reads a null as the empty value.
    fn null(schema: &Schema, value: &mut Value) {
        if schema.go.is_some() {
            *value = schema.zero();
        }
    }

    /// The path of a field of where we are.
    fn at(&self, field: &str) -> String {
        let mut path = String::new();
        for step in self.path.iter().chain([&Step::Field(field.to_owned())]) {
            match step {
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Field(name) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                }
            }
        }
        path
    }
}

/// Whether Go takes the value for none.
fn is_empty(schema: &Schema, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || (schema.shape == Shape::Quantity && text == "0"),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty() || (matches!(schema.shape, Shape::Object(_)) && *value == schema.zero()),
    }
}
