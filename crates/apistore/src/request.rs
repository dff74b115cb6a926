//! What a client asks for, after HTTP and before storage: everything parsed, nothing decided.

use std::sync::Arc;
use std::time::Duration;

use api_kinds::{Resource, Subresource};
use apimachinery::json;
use apimachinery::object::at;
use apimachinery::selector::{FieldSelector, LabelSelector};
use bytes::Bytes;
use serde_json::Value;

use crate::Object;

/// Which objects of a collection.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// `labelSelector`.
    pub labels: LabelSelector,
    /// `fieldSelector`, checked against what the kind offers.
    pub fields: FieldSelector,
}

impl Selection {
    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether this object is selected. Reads no more of it than it must.
    pub fn matches(&self, resource: &Resource, object: &Object) -> bool {
        let field = |field: &str| match field {
            "metadata.name" => object.name().to_owned(),
            "metadata.namespace" => object.namespace().to_owned(),
            _ => api_kinds::fields::value(resource, field, &|path| json::pick(object.json(), path)),
        };
        self.fields.matches(field)
            && (self.labels.is_empty()
                || self.labels.matches(&json::pick(object.json(), &["metadata", "labels"]).unwrap_or_default()))
    }

    /// Whether an object that is not stored is selected.
    pub fn matches_value(&self, resource: &Resource, object: &Value) -> bool {
        let field = |field: &str| api_kinds::fields::value(resource, field, &|path| at(object, path).cloned());
        self.fields.matches(field) && self.labels.matches(at(object, &["metadata", "labels"]).unwrap_or(&Value::Null))
    }
}

/// How a requested resourceVersion is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the API's")]
pub enum VersionMatch {
    /// The newest. No resourceVersion, or "0".
    Any,
    NotOlderThan(u64),
    Exact(u64),
}

/// A list.
#[derive(Debug, Clone)]
pub struct ListRequest {
    /// Of what.
    pub resource: Arc<Resource>,
    /// `None`: of all namespaces, or cluster-scoped.
    pub namespace: Option<String>,
    /// Which.
    pub selection: Selection,
    /// How many at most. `None`: all.
    pub limit: Option<usize>,
    /// `continue`.
    pub resume: Option<String>,
    /// As of when.
    pub version: VersionMatch,
}

/// A watch.
#[derive(Debug, Clone)]
pub struct WatchRequest {
    /// Of what.
    pub resource: Arc<Resource>,
    /// `None`: of all namespaces, or cluster-scoped.
    pub namespace: Option<String>,
    /// Which.
    pub selection: Selection,
    /// Changes after this version only. `None`: first everything that is there.
    pub since: Option<u64>,
    /// `allowWatchBookmarks`.
    pub bookmarks: bool,
    /// Ends cleanly after this long. `None`: no limit.
    pub timeout: Option<Duration>,
}

/// A write.
#[derive(Debug, Clone)]
pub struct WriteRequest {
    /// Of what.
    pub resource: Arc<Resource>,
    /// Empty for cluster-scoped kinds.
    pub namespace: String,
    /// As in the URL. Empty for a create and for a deletion of a collection.
    pub name: String,
    /// Through which door.
    pub subresource: Subresource,
    /// What to do.
    pub verb: WriteVerb,
    /// How.
    pub options: WriteOptions,
}

/// What to do with an object.
#[derive(Debug, Clone)]
pub enum WriteVerb {
    /// POST: the body, already JSON, not decoded against its schema yet.
    Create(Value),
    /// PUT.
    Update(Value),
    /// PATCH.
    Patch(Patch, Bytes),
    /// DELETE of one object.
    Delete(DeleteOptions),
    /// DELETE of a collection.
    DeleteCollection(DeleteOptions, Box<Selection>, Option<usize>),
}

/// The four kinds of patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the API's")]
pub enum Patch {
    Json,
    Merge,
    Strategic,
    /// Server-side apply; the body is YAML or JSON.
    Apply {
        force: bool,
    },
}

/// What a DELETE says.
#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    /// `gracePeriodSeconds`.
    pub grace: Option<i64>,
    /// `propagationPolicy`, or what `orphanDependents` means. `None`: the finalizers that are there decide.
    pub propagation: Option<Propagation>,
    /// What the object must be.
    pub preconditions: Preconditions,
    /// The old `orphanDependents=false` was said: 202 then, if the object is not gone yet.
    pub cascades: bool,
}

/// What a deletion expects.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are the API's")]
pub struct Preconditions {
    pub uid: Option<String>,
    pub resource_version: Option<String>,
}

/// What becomes of dependents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the API's")]
pub enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// What becomes of unknown and duplicate fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names are the API's")]
pub enum Validation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

/// How a write is done.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// Everything but storing it.
    pub dry_run: bool,
    /// `fieldManager`, or the first part of the user agent, or "unknown".
    pub manager: String,
    /// `fieldValidation`.
    pub validation: Validation,
    /// `duplicate field "…"`, `unknown field "…"` found while the body was read, before its schema was known.
    pub duplicates: Vec<String>,
}

/// What a write was answered with.
#[derive(Debug, Clone)]
pub struct Written {
    /// 200, 201 or 202.
    pub code: u16,
    /// What to answer with.
    pub answer: Answer,
    /// `Warning` headers.
    pub warnings: Vec<String>,
}

/// The body of an answer to a write.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The object.
    Object(Object),
    /// `Status: Success`, with these details.
    Success(apimachinery::Details),
    /// The objects of a collection that are deleted.
    List(crate::Listing),
}
