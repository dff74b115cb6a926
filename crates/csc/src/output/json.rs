//! An answer as JSON: names of csi.proto, numbers as numbers, and every field, so that zero is not the same as absent. What a driver may
//! leave out (a message) is absent when it does.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, ReflectMessage};
use serde_json::{Map, Value as Json};

use crate::template::Value;

/// One object; fields of the answer come before what was asked for.
pub(super) fn object(answer: &Value, about: &[(&str, &str)]) -> Json {
    let mut json = answer.json();
    if let (Json::Object(object), Value::Message(message)) = (&mut json, answer) {
        fill(object, &message.descriptor());
        for (key, value) in about {
            object.entry(*key).or_insert_with(|| Json::from(*value));
        }
    }
    json
}

fn fill(object: &mut Map<String, Json>, descriptor: &MessageDescriptor) {
    for field in descriptor.fields() {
        match (object.get_mut(field.name()), field.kind()) {
            (Some(_), _) if field.is_map() => {}
            (Some(Json::Array(items)), Kind::Message(of)) => {
                items.iter_mut().filter_map(Json::as_object_mut).for_each(|item| fill(item, &of));
            }
            (Some(Json::Object(part)), Kind::Message(of)) => fill(part, &of),
            (Some(_), _) => {}
            (None, _) if field.supports_presence() => {}
            (None, kind) => drop(object.insert(field.name().to_owned(), zero(&field, &kind))),
        }
    }
}

fn zero(field: &FieldDescriptor, kind: &Kind) -> Json {
    if field.is_map() {
        return Json::Object(Map::new());
    }
    if field.is_list() {
        return Json::Array(Vec::new());
    }
    match kind {
        Kind::Bool => false.into(),
        Kind::String | Kind::Bytes => "".into(),
        Kind::Enum(of) => of.get_value(0).map_or(Json::from(0), |value| value.name().into()),
        _ => 0.into(),
    }
}
