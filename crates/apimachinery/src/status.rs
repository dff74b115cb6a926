//! What the API server answers when it does not answer with an object.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::FieldError;

/// A group and a plural: `storageclasses` of `storage.k8s.io`. The core group is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub struct GroupResource {
    pub group: String,
    pub resource: String,
}

/// A group and a kind: `StorageClass` of `storage.k8s.io`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub struct GroupKind {
    pub group: String,
    pub kind: String,
}

impl fmt::Display for GroupResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dotted(f, &self.resource, &self.group)
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dotted(f, &self.kind, &self.group)
    }
}

fn dotted(f: &mut fmt::Formatter<'_>, name: &str, group: &str) -> fmt::Result {
    if group.is_empty() { f.write_str(name) } else { write!(f, "{name}.{group}") }
}

/// A failure, as Kubernetes' `Status` object: code, reason, message, details.
///
/// Texts are upstream's, byte for byte: people search for them, and clients branch on some.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    /// The HTTP status.
    pub code: u16,
    /// `reason`; the API server leaves it out of a 500.
    pub reason: Option<&'static str>,
    /// `message`.
    pub message: String,
    /// `details`; some answers have none.
    pub details: Option<Details>,
    /// `metadata.continue`: how to go on after a page that is too old.
    pub resume: Option<String>,
}

/// What a [`Status`] is about. Empty members are left out.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the names are the API's")]
pub struct Details {
    pub name: String,
    pub group: String,
    /// The Kind for validation errors and failed preconditions of a deletion, the plural for everything else.
    pub kind: String,
    pub uid: String,
    pub causes: Vec<Cause>,
    pub retry_after_secs: Option<u32>,
}

/// One reason among several.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are the API's")]
pub struct Cause {
    pub reason: String,
    pub message: String,
    pub field: String,
}

impl Status {
    /// A failure with these words and no details.
    pub fn plain(code: u16, reason: Option<&'static str>, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, resume: None }
    }

    /// The same with `details: {}`.
    pub fn bare(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { details: Some(Details::default()), ..Self::plain(code, Some(reason), message) }
    }

    /// The same, about one object of this resource.
    fn about(code: u16, reason: &'static str, message: String, resource: &GroupResource, name: &str) -> Self {
        let details = Details {
            name: name.to_owned(),
            group: resource.group.clone(),
            kind: resource.resource.clone(),
            ..Details::default()
        };
        Self { details: Some(details), ..Self::plain(code, Some(reason), message) }
    }

    /// 400: the request itself is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::plain(400, Some("BadRequest"), message)
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::plain(401, Some("Unauthorized"), "Unauthorized")
    }

    /// 403 `<resource> "<name>" is forbidden: <why>`.
    pub fn forbidden(resource: &GroupResource, name: &str, why: impl fmt::Display) -> Self {
        let message = if name.is_empty() {
            format!("{resource} is forbidden: {why}")
        } else {
            format!("{resource} {name:?} is forbidden: {why}")
        };
        Self::about(403, "Forbidden", message, resource, name)
    }

    /// 404 `<resource> "<name>" not found`.
    pub fn not_found(resource: &GroupResource, name: &str) -> Self {
        Self::about(404, "NotFound", format!("{resource} {name:?} not found"), resource, name)
    }

    /// 404 for a path that names nothing that is served.
    pub fn no_such_resource() -> Self {
        Self::bare(404, "NotFound", "the server could not find the requested resource")
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        Self::bare(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    /// 409 because the name is taken.
    pub fn already_exists(resource: &GroupResource, name: &str) -> Self {
        Self::about(409, "AlreadyExists", format!("{resource} {name:?} already exists"), resource, name)
    }

    /// 409 because the object is not what the writer believes.
    pub fn conflict(resource: &GroupResource, name: &str, why: impl fmt::Display) -> Self {
        let message = format!("Operation cannot be fulfilled on {resource} {name:?}: {why}");
        Self::about(409, "Conflict", message, resource, name)
    }

    /// 409 because the writer's resourceVersion is not the stored one.
    pub fn modified(resource: &GroupResource, name: &str) -> Self {
        Self::conflict(
            resource,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 410: what was asked for is forgotten.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::plain(410, Some("Expired"), message)
    }

    /// 422 `<Kind> "<name>" is invalid: <errors>`. One error stands bare, several in brackets. The message says each once,
    /// the causes have all.
    pub fn invalid(kind: &GroupKind, name: &str, errors: &[FieldError]) -> Self {
        let mut texts: Vec<String> = Vec::new();
        for text in errors.iter().map(FieldError::to_string) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let list = if texts.len() == 1 { texts[0].clone() } else { format!("[{}]", texts.join(", ")) };
        let details = Details {
            name: name.to_owned(),
            group: kind.group.clone(),
            kind: kind.kind.clone(),
            causes: errors.iter().map(FieldError::cause).collect(),
            ..Details::default()
        };
        let message = format!("{kind} {name:?} is invalid: {list}");
        Self { details: Some(details), ..Self::plain(422, Some("Invalid"), message) }
    }

    /// 422 about the request's options: `ListOptions`, `PatchOptions`, …
    pub fn invalid_options(kind: &str, errors: &[FieldError]) -> Self {
        Self::invalid(&GroupKind { group: "meta.k8s.io".to_owned(), kind: kind.to_owned() }, "", errors)
    }

    /// 500, which carries no reason.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::plain(500, None, message)
    }

    /// 507: the write is not stored, for lack of space. Reads go on, and writes as soon as there is space again.
    pub fn insufficient_storage(why: impl fmt::Display) -> Self {
        Self::plain(507, Some("InsufficientStorage"), format!("the object was not stored: {why}; free some space and try again"))
    }

    /// The `Status` object.
    pub fn to_value(&self) -> Value {
        let mut body = Map::new();
        let metadata = match &self.resume {
            Some(token) => json!({ "continue": token }),
            None => json!({}),
        };
        body.insert("kind".into(), "Status".into());
        body.insert("apiVersion".into(), "v1".into());
        body.insert("metadata".into(), metadata);
        body.insert("status".into(), "Failure".into());
        body.insert("message".into(), self.message.clone().into());
        if let Some(reason) = self.reason {
            body.insert("reason".into(), reason.into());
        }
        if let Some(details) = &self.details {
            body.insert("details".into(), details.to_value());
        }
        body.insert("code".into(), self.code.into());
        Value::Object(body)
    }
}

impl Details {
    /// The `details` object.
    pub fn to_value(&self) -> Value {
        let mut details = Map::new();
        for (name, text) in [("name", &self.name), ("group", &self.group), ("kind", &self.kind), ("uid", &self.uid)] {
            if !text.is_empty() {
                details.insert(name.into(), text.clone().into());
            }
        }
        if !self.causes.is_empty() {
            details.insert("causes".into(), self.causes.iter().map(Cause::to_value).collect());
        }
        if let Some(secs) = self.retry_after_secs {
            details.insert("retryAfterSeconds".into(), secs.into());
        }
        Value::Object(details)
    }
}

impl Cause {
    fn to_value(&self) -> Value {
        let mut cause = Map::new();
        for (name, text) in [("reason", &self.reason), ("message", &self.message), ("field", &self.field)] {
            if !text.is_empty() {
                cause.insert(name.into(), text.clone().into());
            }
        }
        Value::Object(cause)
    }
}
