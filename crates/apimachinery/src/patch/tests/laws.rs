//! What holds for every patch.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::managed::samples;
use crate::patch::{json as json_patch, merge, strategic};

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab]",
        Just("metadata".to_owned()),
        Just("finalizers".to_owned()),
        Just("ownerReferences".to_owned()),
        Just("uid".to_owned()),
        Just("data".to_owned()),
        Just("$patch".to_owned()),
        Just("$retainKeys".to_owned()),
        Just("$setElementOrder/finalizers".to_owned()),
        Just("$setElementOrder/ownerReferences".to_owned()),
        Just("$deleteFromPrimitiveList/finalizers".to_owned()),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3i64).prop_map(Value::from),
        "[ab]?".prop_map(Value::from),
        Just(Value::from("delete")),
        Just(Value::from("replace")),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// RFC 7386, section 2, as it stands there.
fn by_the_rfc(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut result = target.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if value.is_null() {
            result.remove(name);
        } else {
            let field = result.remove(name).unwrap_or_default();
            result.insert(name.clone(), by_the_rfc(&field, value));
        }
    }
    Value::Object(result)
}

fn without_lists(value: Value) -> Value {
    match value {
        Value::Array(_) => json!("list"),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, without_lists(value))).collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn steps() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![names(), Just("0".to_owned()), Just("-".to_owned()), Just("-1".to_owned())], 0..4)
        .prop_map(|steps| steps.iter().map(|step| format!("/{}", step.replace('/', "~1"))).collect())
}

fn operations() -> impl Strategy<Value = Value> {
    let op = prop::sample::select(vec!["add", "remove", "replace", "move", "copy", "test"]);
    let operation = (op, steps(), steps(), values())
        .prop_map(|(op, path, from, value)| json!({"op": op, "path": path, "from": from, "value": value}));
    prop::collection::vec(operation, 0..6).prop_map(Value::from)
}

proptest! {
    #[test]
    fn a_merge_patch_does_what_the_rfc_says(old in values(), patch in values()) {
        prop_assume!(patch.is_object());
        let patch = without_lists(patch);
        prop_assert_eq!(merge(&old, patch.to_string().as_bytes()).unwrap(), by_the_rfc(&old, &patch));
    }

    #[test]
    fn a_merge_patch_twice_is_a_merge_patch_once(old in values(), patch in values()) {
        prop_assume!(patch.is_object());
        let patch = patch.to_string();
        let once = merge(&old, patch.as_bytes()).unwrap();
        prop_assert_eq!(merge(&once, patch.as_bytes()).unwrap(), once);
    }

    #[test]
    fn any_patch_gets_an_answer(old in values(), patch in values(), operations in operations()) {
        let schema = samples::config_map();
        let _ = strategic(&old, patch.to_string().as_bytes(), &schema);
        let _ = merge(&old, patch.to_string().as_bytes());
        let _ = json_patch(&old, operations.to_string().as_bytes());
        let _ = json_patch(&old, patch.to_string().as_bytes());
    }
}
