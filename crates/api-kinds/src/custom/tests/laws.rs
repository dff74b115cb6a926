//! What holds for any JSON and any schema.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{create, definition, put, served};
use crate::custom::structural;
use crate::{Resource, Subresource};

/// A bit of everything.
fn rich() -> Resource {
    let rules = json!([
        {"rule": "!has(self.a) || self.a != oldSelf.a || size(self.b) > 1", "message": "m"},
        {"rule": "self.b.all(x, x.matches('^[a-z]*$'))"},
        {"rule": "has(self.c) && self.c.exists(k, self.c[k] / (self.c[k] - 1) > 0)"},
        {"rule": "oldSelf.orValue(self) == self", "optionalOldSelf": true},
    ]);
    let schema = json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "x-kubernetes-validations": rules, "required": ["a"], "properties": {
            "a": {"type": "integer", "default": 3, "minimum": 1, "maximum": 9, "multipleOf": 2, "format": "int32"},
            "b": {"type": "array", "x-kubernetes-list-type": "set", "maxItems": 3, "items": {"type": "string", "maxLength": 4}},
            "c": {"type": "object", "additionalProperties": {"type": "integer", "nullable": true}, "maxProperties": 2},
            "d": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}], "pattern": "^[0-9]+$"},
            "e": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-embedded-resource": true},
            "f": {"type": "object", "properties": {"a": {"type": "string", "format": "date-time"}, "b": {"type": "number"}},
                "oneOf": [{"required": ["a"]}, {"required": ["b"]}], "default": {"b": 1.5}},
            "g": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a", "b"], "items": {
                "type": "object", "required": ["a"], "properties": {
                    "a": {"type": "string"}, "b": {"type": "integer", "default": 7}, "c": {"type": "boolean", "nullable": true}}}},
        }},
        "status": {"x-kubernetes-preserve-unknown-fields": true},
    }});
    served(&definition(&schema)).remove(0)
}

/// JSON whose fields are often those of the schema.
fn json() -> impl Strategy<Value = Value> {
    let name = || prop_oneof![6 => "[a-g]", 1 => "spec|status|metadata|apiVersion|kind", 1 => ".{0,3}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2i64..12).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c0-9]{0,5}".prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn object(spec: Value) -> Value {
    json!({"apiVersion": "test.example/v1", "kind": "Wid", "metadata": {"name": "x"}, "spec": spec})
}

/// Fields of schemas with values of every type.
fn schema() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("type"),
        Just("items"),
        Just("properties"),
        Just("additionalProperties"),
        Just("pattern"),
        Just("default"),
        Just("enum"),
        Just("anyOf"),
        Just("not"),
        Just("x-kubernetes-validations"),
        Just("rule"),
        Just("message"),
        Just("x-kubernetes-list-type"),
        Just("x-kubernetes-list-map-keys"),
        Just("required"),
        Just("nullable"),
        Just("maximum"),
        Just("metadata"),
        Just("messageExpression"),
    ];
    let leaf = prop_oneof![
        Just(json!("object")),
        Just(json!("array")),
        Just(json!("string")),
        Just(json!("map")),
        Just(json!(["a", 1])),
        Just(json!(true)),
        Just(json!(-1)),
        Just(json!(0.5)),
        Just(Value::Null),
        Just(json!("(")),
        Just(json!("self.a.all(x, x > 1)")),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            4 => proptest::collection::vec((name.clone(), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_object_makes_a_write_panic(new in json(), old in json()) {
        let resource = rich();
        let _ = create(&resource, &object(new.clone()));
        let _ = put(&resource, Subresource::Main, Some(&object(old.clone())), &object(new.clone()));
        let _ = put(&resource, Subresource::Status, Some(&object(old)), &object(new.clone()));
        let _ = resource.custom.as_ref().map(|custom| custom.cells(&new, super::now()));
    }

    #[test]
    fn what_was_pruned_and_defaulted_stays_as_it_is(spec in json()) {
        let resource = rich();
        let prepared = |object: &Value| {
            let mut object = object.clone();
            let _ = resource.schema.decode(&mut object, "Wid");
            crate::write::defaults(&resource, &mut object);
            object
        };
        let once = prepared(&object(spec));
        prop_assert_eq!(&prepared(&once), &once);
    }

    #[test]
    fn what_was_accepted_is_accepted_again(spec in json()) {
        let resource = rich();
        if let Ok((stored, _)) = create(&resource, &object(spec)) {
            prop_assert!(put(&resource, Subresource::Main, Some(&stored), &stored).is_ok());
        }
    }

    #[test]
    fn no_schema_makes_a_definition_panic(schema in schema()) {
        let mut read = schema.clone();
        let _ = structural::read(&mut read, "s", "s");
        let _ = structural::wrong(&read, "s");
        let _ = structural::wrong(&schema, "s");
        for resource in served(&definition(&schema)) {
            let _ = create(&resource, &object(schema.clone()));
        }
    }

    #[test]
    fn no_expression_makes_a_definition_panic(rule in "[a-zA-Z0-9_().?:&|!<>=+*/%'\"\\[\\]{}, -]{0,40}", any in ".{0,20}") {
        for rule in [rule, any] {
            let schema = json!({"type": "object", "properties": {"spec": {"type": "object",
                "x-kubernetes-validations": [{"rule": rule}, {"rule": "true", "messageExpression": rule}]}}});
            let _ = structural::wrong(&schema, "s");
        }
    }
}
