//! RFC 7386, as the API server does it.

use serde_json::Value;

/// Merges `patch` into `target`: objects field by field, null takes a field away, anything else replaces.
///
/// Upstream: nulls in objects inside of a list that is put in place are taken away too, which the RFC does not say.
pub(super) fn into(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = without_nulls(patch);
        return;
    };
    let Value::Object(fields) = target else {
        *target = without_nulls(Value::Object(patch));
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else if let Some(field) = fields.get_mut(&name)
            && !field.is_null()
        {
            into(field, value);
        } else {
            fields.insert(name, without_nulls(value));
        }
    }
}

/// The value without the fields that are null, however deep.
pub(super) fn without_nulls(mut value: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|_, value| !value.is_null());
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut value);
    value
}
