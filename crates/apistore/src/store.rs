//! The objects, their versions, and the log that watches read.

use std::path::Path;
use std::sync::Arc;

use api_kinds::{Registry, Resource};
use apimachinery::Status;
use rt::Ctx;

use crate::Object;
use crate::request::{ListRequest, WatchRequest, WriteRequest, Written};

/// The objects of one host. Cheap to clone; clones are the same store.
#[derive(Clone)]
pub struct Store(Arc<()>);

/// Why a store cannot be opened. Nothing was touched.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {}

/// A page of objects.
#[derive(Debug, Clone)]
pub struct Listing {
    /// In the order of namespace and name.
    pub items: Vec<Object>,
    /// As of when.
    pub version: u64,
    /// How to go on, if there is more.
    pub resume: Option<String>,
    /// How many more there are, when that is known.
    pub remaining: Option<u64>,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the API's")]
pub enum EventType {
    Added,
    Modified,
    Deleted,
    /// Everything up to this version was delivered. `initial_end`: everything that was there has been, too.
    Bookmark {
        initial_end: bool,
    },
    /// The watch cannot go on; the listing must be read anew. The last event.
    Expired,
}

/// One line of a watch.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened.
    pub kind: EventType,
    /// The object; for a bookmark and an expiry there is none.
    pub object: Option<Object>,
    /// The version of the change, or of the bookmark; for an expiry the oldest version that could have been asked for.
    pub version: u64,
}

/// The events of a watch, in order, until its time is over. Cancel safe.
pub struct WatchStream {}

impl Store {
    /// Opens the file at this path, made if it is absent.
    ///
    /// # Errors
    /// A file that is in use, corrupt, or not one of ours; it is not touched.
    pub async fn open(_ctx: &Ctx, _path: &Path) -> Result<Self, OpenError> {
        Ok(Self(Arc::new(())))
    }

    /// A store that ends with the process.
    pub fn in_memory(_ctx: &Ctx) -> Self {
        Self(Arc::new(()))
    }

    /// What is served now.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::default()
    }

    /// One object.
    pub fn get(&self, _resource: &Resource, _namespace: &str, _name: &str) -> Option<Object> {
        None
    }

    /// Some objects.
    ///
    /// # Errors
    /// 400 for a continue token that is none, 410 for one that is too old, 504 for a version that does not exist yet.
    pub async fn list(&self, _request: ListRequest) -> Result<Listing, Status> {
        Err(Status::internal(""))
    }

    /// Changes from now on, or from some version.
    pub fn watch(&self, _request: WatchRequest) -> WatchStream {
        WatchStream {}
    }

    /// Writes. Returns when it is durable. A dropped call may still be done.
    ///
    /// # Errors
    /// Whatever is wrong with it, and 507 when there is no space. Then nothing was stored.
    pub async fn write(&self, _request: WriteRequest) -> Result<Written, Status> {
        Err(Status::internal(""))
    }
}

impl WatchStream {
    /// The next event; `None` when the watch is over.
    pub async fn next(&mut self) -> Option<Event> {
        None
    }
}
