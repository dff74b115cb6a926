//! What came back, and what a behaviour may expect of it. Everything here panics where the behaviour stands.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) what: String,
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// 200, and the body.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        self.is(200)
    }

    /// 201, and the body.
    #[track_caller]
    pub(crate) fn made(&self) -> Value {
        self.is(201)
    }

    /// This code, and the body as JSON.
    #[track_caller]
    pub(crate) fn is(&self, code: u16) -> Value {
        assert_eq!(self.code, code, "{} was answered {}", self.what, self.text());
        self.json()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error} in {}", self.what, self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The texts of the `Warning` headers.
    #[track_caller]
    pub(crate) fn warnings(&self) -> Vec<String> {
        let texts = self.headers.get_all("warning").iter();
        texts
            .map(|value| {
                let value = value.to_str().expect("a warning's text");
                let quoted = value.strip_prefix("299 - \"").and_then(|rest| rest.strip_suffix('"'));
                quoted.unwrap_or_else(|| panic!("the warning {value}")).replace("\\\"", "\"").replace("\\\\", "\\")
            })
            .collect()
    }

    /// A failure Status with exactly this code, reason (empty: none) and message, in HTTP too. Returns its details.
    #[track_caller]
    pub(crate) fn refused(&self, code: u16, reason: &str, message: &str) -> Value {
        let mut found = self.json();
        let details = found.as_object_mut().and_then(|status| status.remove("details")).unwrap_or(Value::Null);
        let mut expected = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code,
        });
        if !reason.is_empty() {
            expected["reason"] = reason.into();
        }
        assert_eq!(found, expected, "{} (left: found, right: expected)", self.what);
        assert_eq!(self.code, code, "{}: HTTP's code is the Status' code", self.what);
        details
    }

    /// As [`Reply::refused`], for messages with parts that nobody can know beforehand: the message has all of these.
    #[track_caller]
    pub(crate) fn refused_with(&self, code: u16, reason: &str, parts: &[&str]) -> Value {
        let message = self.json()["message"].as_str().unwrap_or_default().to_owned();
        for part in parts {
            assert!(message.contains(part), "{} was answered {:?}, without {part:?}", self.what, message);
        }
        self.refused(code, reason, &message)
    }

    /// 404 for an object: `resource` is its plural, with its group if it has one.
    #[track_caller]
    pub(crate) fn missing(&self, resource: &str, name: &str) {
        let details = self.refused(404, "NotFound", &format!("{resource} \"{name}\" not found"));
        assert_eq!(details, about(resource, name), "{}", self.what);
    }

    /// 404 for a path that leads nowhere.
    #[track_caller]
    pub(crate) fn no_such_resource(&self) {
        let details = self.refused(404, "NotFound", "the server could not find the requested resource");
        assert_eq!(details, json!({}), "{}", self.what);
    }

    #[track_caller]
    pub(crate) fn method_not_allowed(&self) {
        let message = "the server does not allow this method on the requested resource";
        let details = self.refused(405, "MethodNotAllowed", message);
        assert_eq!(details, json!({}), "{}", self.what);
    }

    #[track_caller]
    pub(crate) fn already_exists(&self, resource: &str, name: &str) {
        let details = self.refused(409, "AlreadyExists", &format!("{resource} \"{name}\" already exists"));
        assert_eq!(details, about(resource, name), "{}", self.what);
    }

    /// 409 because the resourceVersion is another.
    #[track_caller]
    pub(crate) fn modified_meanwhile(&self, resource: &str, name: &str) {
        let message = format!(
            "Operation cannot be fulfilled on {resource} \"{name}\": the object has been modified; please apply your changes to the latest version and try again"
        );
        let details = self.refused(409, "Conflict", &message);
        assert_eq!(details, about(resource, name), "{}", self.what);
    }

    #[track_caller]
    pub(crate) fn bad_request(&self, message: &str) {
        let details = self.refused(400, "BadRequest", message);
        assert_eq!(details, Value::Null, "{}", self.what);
    }

    /// 422 with exactly these errors: (field, reason without `FieldValue`, message). `kind` has its group, as `StorageClass.storage.k8s.io`.
    #[track_caller]
    pub(crate) fn invalid(&self, kind: &str, name: &str, errors: &[(&str, &str, &str)]) {
        let texts: Vec<_> = errors.iter().map(|(field, _, message)| format!("{field}: {message}")).collect();
        let listed = if texts.len() == 1 { texts[0].clone() } else { format!("[{}]", texts.join(", ")) };
        let details = self.refused(422, "Invalid", &format!("{kind} \"{name}\" is invalid: {listed}"));
        let mut expected = about(kind, name);
        expected["causes"] = errors
            .iter()
            .map(|(field, reason, message)| json!({"reason": format!("FieldValue{reason}"), "message": message, "field": field}))
            .collect();
        assert_eq!(details, expected, "{} (left: found, right: expected)", self.what);
    }

    /// 422 with this error among others, whose rest nobody can know beforehand.
    #[track_caller]
    pub(crate) fn invalid_with(&self, field: &str, reason: &str, message: &str) {
        let details = self.refused_with(422, "Invalid", &[&format!("{field}: {message}")]);
        let causes = details["causes"].as_array().cloned().unwrap_or_default();
        let found = causes.iter().any(|cause| {
            cause["field"] == field
                && cause["reason"] == format!("FieldValue{reason}")
                && cause["message"].as_str().unwrap_or_default().contains(message)
        });
        assert!(found, "{}: no cause ({field}, {reason}, {message}) in {details}", self.what);
    }

    /// 404 that is not a Status, for paths outside of every group.
    #[track_caller]
    pub(crate) fn nowhere(&self) {
        assert_eq!((self.code, self.text().as_str()), (404, "404 page not found\n"), "{}", self.what);
        assert!(self.header("content-type").starts_with("text/plain"), "{}: {}", self.what, self.header("content-type"));
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{}", self.what);
    }
}

/// A Status' details for a kind or resource, written with its group behind it.
pub(crate) fn about(kind: &str, name: &str) -> Value {
    let mut details = json!({});
    let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
    if !name.is_empty() {
        details["name"] = name.into();
    }
    if !group.is_empty() {
        details["group"] = group.into();
    }
    details["kind"] = kind.into();
    details
}

/// Everything that stands in `expected` stands in `found` with the same value. Lists are compared whole.
#[track_caller]
pub(crate) fn includes(found: &Value, expected: &Value) {
    if let Some(difference) = lacks(found, expected, "") {
        panic!("{difference}\nin {found}");
    }
}

fn lacks(found: &Value, expected: &Value, path: &str) -> Option<String> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => expected.iter().find_map(|(key, value)| match found.get(key) {
            Some(found) => lacks(found, value, &format!("{path}.{key}")),
            None => Some(format!("no {path}.{key}, expected {value}")),
        }),
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => found
            .iter()
            .zip(expected)
            .enumerate()
            .find_map(|(index, (found, value))| lacks(found, value, &format!("{path}[{index}]"))),
        _ if found == expected => None,
        _ => Some(format!("{path} is {found}, expected {expected}")),
    }
}
