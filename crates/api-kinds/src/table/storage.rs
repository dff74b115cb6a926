//! Classes, drivers and attachments.

use apimachinery::object::{at, meta, name, text};
use jiff::Timestamp;
use serde_json::Value;

use super::{age, items, or};

pub(super) fn class(class: &Value, now: Timestamp) -> Vec<Value> {
    let annotation = |key: &str| at(class, &["metadata", "annotations", key]).and_then(Value::as_str);
    let default = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
        .iter()
        .any(|key| annotation(key) == Some("true"));
    vec![
        format!("{}{}", name(class), if default { " (default)" } else { "" }).into(),
        text(class, &["provisioner"]).into(),
        or(text(class, &["reclaimPolicy"]), "Delete").into(),
        or(text(class, &["volumeBindingMode"]), "Immediate").into(),
        switch(class, &["allowVolumeExpansion"], false),
        created(class, now),
    ]
}

pub(super) fn driver(driver: &Value, now: Timestamp) -> Vec<Value> {
    let audiences = at(driver, &["spec", "tokenRequests"]).and_then(Value::as_array).map(|requests| {
        let audiences: Vec<&str> = requests.iter().map(|request| text(request, &["audience"])).collect();
        audiences.join(",")
    });
    let modes: Vec<&str> = items(driver, &["spec", "volumeLifecycleModes"]).filter_map(Value::as_str).collect();
    vec![
        name(driver).into(),
        switch(driver, &["spec", "attachRequired"], true),
        switch(driver, &["spec", "podInfoOnMount"], false),
        switch(driver, &["spec", "storageCapacity"], false),
        audiences.unwrap_or_else(|| "<unset>".to_owned()).into(),
        switch(driver, &["spec", "requiresRepublish"], false),
        or(&modes.join(","), "<none>").into(),
        created(driver, now),
    ]
}

pub(super) fn attachment(attachment: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        name(attachment).into(),
        text(attachment, &["spec", "attacher"]).into(),
        text(attachment, &["spec", "source", "persistentVolumeName"]).into(),
        text(attachment, &["spec", "nodeName"]).into(),
        switch(attachment, &["status", "attached"], false),
        created(attachment, now),
    ]
}

fn switch(object: &Value, path: &[&str], absent: bool) -> Value {
    at(object, path).and_then(Value::as_bool).unwrap_or(absent).into()
}

fn created(object: &Value, now: Timestamp) -> Value {
    age::since(meta(object, "creationTimestamp"), now).into()
}
