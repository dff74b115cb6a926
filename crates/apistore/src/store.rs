//! The objects, their versions, and the log that watches read.
//!
//! ```text
//!  write() ─ queue ─> writer: plan each on state + what the batch staged ─> one durable commit ─> state, log ─> answers
//!  get(), list() <── state          watch() <── log of its resource, woken by a bell
//! ```

mod expiry;
mod list;
mod log;
mod registry;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod token;
mod txn;
mod watch;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api_kinds::{Registry, Resource};
use apimachinery::{Cause, Details, Status};
use rt::Ctx;

use crate::Object;
pub use crate::persist::OpenError;
use crate::persist::{self, Loaded, Persist};
use crate::request::{ListRequest, WatchRequest, WriteRequest, Written};
pub(crate) use log::{Done, Entry};
pub(crate) use registry::DEFINITIONS;
use shared::Shared;
pub(crate) use state::Change;
use state::State;
pub(crate) use txn::Txn;
pub use watch::WatchStream;
use writer::Queue;

/// How long a reader waits for a version that does not exist yet.
const FUTURE_VERSION_WAIT: Duration = Duration::from_secs(3);

/// The objects of one host. Cheap to clone; clones are the same store.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    queue: Queue,
}

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

impl Store {
    /// Opens the file at this path, made if it is absent.
    ///
    /// # Errors
    /// A file that is in use, corrupt, or not one of ours; it is not touched.
    pub async fn open(ctx: &Ctx, path: &Path) -> Result<Self, OpenError> {
        let (path, identity) = (path.to_owned(), u128::from(ctx.draw("store")) << 64 | u128::from(ctx.draw("store")));
        let (file, loaded) = ctx.blocking(move || persist::File::open(&path, identity)).await?;
        Ok(Self::on(ctx, file, loaded))
    }

    /// A store that ends with the process.
    pub fn in_memory(ctx: &Ctx) -> Self {
        Self::on(ctx, persist::Memory, Loaded::default())
    }

    /// A store that keeps its changes there.
    pub(crate) fn on(ctx: &Ctx, persist: impl Persist, loaded: Loaded) -> Self {
        let state = State::load(loaded.version, loaded.objects);
        let shared = Arc::new(Shared::new(ctx.clone(), state));
        let queue = Queue::start(shared.clone(), Box::new(persist));
        Self { shared, queue }
    }

    /// Finishes the writes that are queued and lets go of the file. Later writes are refused; reads go on.
    pub async fn close(&self) {
        self.queue.close().await;
    }

    /// Forgets how things came to be, as etcd's compaction does: watches that are behind are cut off, and continue tokens expire.
    /// Nobody has to call this; old changes are forgotten by themselves.
    pub fn compact(&self) {
        self.shared.compact();
    }

    /// Where its time and chance come from.
    pub(crate) fn ctx(&self) -> &Ctx {
        &self.shared.ctx
    }

    /// What is served now.
    pub fn registry(&self) -> Arc<Registry> {
        self.shared.read_state().registry().clone()
    }

    /// The version of the last change.
    pub fn version(&self) -> u64 {
        self.shared.read_state().version()
    }

    /// One object, as it is stored: of kinds that two groups show, in the words of one.
    pub fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Object> {
        self.shared.read_state().get(&resource.storage_key(), namespace, name).cloned()
    }

    /// Some objects.
    ///
    /// # Errors
    /// 400 for a continue token that is none, 410 for one that is too old, 504 for a version that does not exist yet.
    pub async fn list(&self, request: ListRequest) -> Result<Listing, Status> {
        let plan = list::Plan::of(&request)?;
        if let Some(version) = plan.wait_for {
            self.reach(version).await?;
        }
        plan.list(&self.shared.read_state(), &request)
    }

    /// Waits until this version exists.
    ///
    /// # Errors
    /// 504 when it does not within three seconds.
    pub async fn reach(&self, version: u64) -> Result<(), Status> {
        let reached = self.shared.ctx.timeout(FUTURE_VERSION_WAIT, self.shared.reached(version)).await;
        reached.map_err(|_| too_large(version, self.version()))
    }

    /// Changes from now on, or from some version.
    pub fn watch(&self, request: WatchRequest) -> WatchStream {
        WatchStream::new(self.shared.clone(), request)
    }

    /// Writes. Returns when it is durable. A dropped call may still be done.
    ///
    /// # Errors
    /// Whatever is wrong with it, and 507 when there is no space. Then nothing was stored.
    pub async fn write(&self, request: WriteRequest) -> Result<Written, Status> {
        self.queue.write(request).await
    }
}

/// `continue` for the page after the one that ended with `last`.
pub(crate) fn resume(version: u64, last: &Object, prefix: &str) -> String {
    let last = last.key().strip_prefix(prefix).unwrap_or(last.key());
    token::Token::after(Some(version), last).encode()
}

fn too_large(wanted: u64, current: u64) -> Status {
    let message = format!("Timeout: Too large resource version: {wanted}, current: {current}");
    let cause = Cause {
        reason: "ResourceVersionTooLarge".to_owned(),
        message: "Too large resource version".to_owned(),
        field: String::new(),
    };
    let details = Details { causes: vec![cause], retry_after_secs: Some(1), ..Details::default() };
    Status { details: Some(details), ..Status::plain(504, Some("Timeout"), message) }
}
