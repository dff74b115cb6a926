//! From a write request to the changes of the stored objects: pure.
//!
//! ```text
//!  body ─ identify (kind, name, namespace) ─ decode ─┐
//!  stored object ─ patch, apply ─ decode ────────────┴─> defaults ─ ownership ─ prepare ─ validate ─> settle ─> changes
//! ```
//!
//! Upstream's order, because which of two errors is reported is visible. Every write answers as if it were stored; whether it is
//! (`dryRun`, or the rest of the batch) is for the caller.

mod apply;
mod binding;
mod body;
mod collection;
mod create;
mod delete;
mod env;
mod patch;
mod settle;
mod update;

use std::sync::Arc;

use api_kinds::{Operation, Resource, Subresource, Write};
use apimachinery::managed::Manager;
use apimachinery::{Status, object};
use serde_json::Value;

pub(crate) use env::Env;

use crate::Object;
use crate::object::key;
use crate::request::{Answer, WriteOptions, WriteRequest, WriteVerb, Written};
use crate::store::{Change, Done, Entry, Txn};

/// What a write is answered with, and what it changes.
pub(crate) struct Planned {
    pub(crate) written: Written,
    pub(crate) changes: Vec<Change>,
}

/// Plans one write.
///
/// # Errors
/// Whatever is wrong with it.
pub(crate) fn plan(txn: &Txn<'_>, env: Env, request: WriteRequest) -> Result<Planned, Status> {
    let WriteRequest { resource, namespace, name, subresource, verb, options } = request;
    let dry_run = options.dry_run;
    let mut job = Job {
        txn,
        storage_key: resource.storage_key().into(),
        api_version: resource.api_version(),
        resource,
        namespace,
        name,
        subresource,
        options,
        env,
        warnings: Vec::new(),
        changes: Vec::new(),
    };
    let (code, answer) = match verb {
        WriteVerb::Create(body) if subresource == Subresource::Binding => job.bind(body)?,
        // A token is made, not stored.
        WriteVerb::Create(_) if subresource != Subresource::Main => return Err(Status::method_not_allowed()),
        WriteVerb::Create(body) => job.create(body)?,
        WriteVerb::Update(body) => job.update(body)?,
        WriteVerb::Patch(kind, body) => job.patch(kind, &body)?,
        WriteVerb::Delete(options) => job.delete(&options)?,
        WriteVerb::DeleteCollection(options, selection, limit) => job.delete_collection(&options, &selection, limit)?,
    };
    let changes = if dry_run { Vec::new() } else { job.changes };
    Ok(Planned { written: Written { code, answer, warnings: job.warnings }, changes })
}

/// What a step of a write answers.
type Reply = Result<(u16, Answer), Status>;

/// A write under way.
struct Job<'a> {
    txn: &'a Txn<'a>,
    storage_key: Arc<str>,
    api_version: String,
    resource: Arc<Resource>,
    namespace: String,
    name: String,
    subresource: Subresource,
    options: WriteOptions,
    env: Env,
    warnings: Vec<String>,
    changes: Vec<Change>,
}

impl Job<'_> {
    /// The object that is written.
    fn stored(&self) -> Option<Object> {
        self.txn.get(&self.storage_key, &key(&self.namespace, &self.name)).cloned()
    }

    /// 404 for the object that is written.
    fn not_found(&self) -> Status {
        Status::not_found(&self.resource.group_resource(), &self.name)
    }

    /// A stored object as the version that is asked for shows it.
    fn full(&self, stored: &Object) -> Value {
        let mut value = stored.value();
        if let Some(view) = self.resource.view() {
            value = view.show(value);
        }
        self.entitle(&mut value);
        value
    }

    fn manager(&self) -> Manager<'_> {
        Manager {
            name: &self.options.manager,
            subresource: self.subresource.name(),
            api_version: &self.api_version,
            time: self.env.now,
        }
    }

    /// The paths that this write cannot change, and so does not own.
    fn with_reset<T>(&self, run: impl FnOnce(&[&[&str]]) -> T) -> T {
        let paths: Vec<[&str; 1]> = match self.subresource {
            Subresource::Status => {
                let known = match &self.resource.schema.shape {
                    apimachinery::schema::Shape::Object(fields) => fields.known.keys().map(|name| &**name).collect(),
                    _ => vec!["spec"],
                };
                let mut paths = known;
                paths.retain(|name| !matches!(*name, "status" | "kind" | "apiVersion" | "metadata"));
                if body::status_keeps_metadata(&self.resource) {
                    paths.push("metadata");
                }
                paths.into_iter().map(|path| [path]).collect()
            }
            _ if self.resource.has(Subresource::Status) => vec![["status"]],
            _ => Vec::new(),
        };
        let paths: Vec<&[&str]> = paths.iter().map(|path| &path[..]).collect();
        run(&paths)
    }

    /// Restores, defaults by admission, and validates. `old`: what is stored, as [`Job::full`] shows it.
    fn check(&mut self, old: Option<&Value>, new: Value) -> Result<Value, Status> {
        let mut write = Write {
            resource: &self.resource,
            subresource: self.subresource,
            operation: old.map_or(Operation::Create, Operation::Update),
            new,
            now: self.env.now,
            world: self.txn,
            warnings: Vec::new(),
        };
        api_kinds::write::prepare(&mut write)?;
        api_kinds::write::validate(&mut write)?;
        self.warnings.append(&mut write.warnings);
        Ok(write.new)
    }

    /// Stores a state. `new` carries its name and namespace; its version is given here.
    fn put(&mut self, old: Option<&Object>, new: Value) -> Object {
        let object = self.encode(old, new);
        let done = if old.is_some() { Done::Modified } else { Done::Added };
        self.change(Entry { done, object: object.clone(), previous: old.cloned() });
        object
    }

    /// Takes an object away. Watchers are told of `last`, as of the deletion's version.
    fn remove(&mut self, old: &Object, last: Value) -> Object {
        let object = self.encode(Some(old), last);
        self.change(Entry { done: Done::Deleted, object: object.clone(), previous: Some(old.clone()) });
        object
    }

    /// Encodes a state as of the next change. What is only tried keeps the version that is there.
    fn encode(&self, old: Option<&Object>, mut value: Value) -> Object {
        let version = match old {
            Some(old) if self.options.dry_run => old.version(),
            _ => self.txn.version() + 1 + self.changes.len() as u64,
        };
        object::metadata(&mut value).insert("resourceVersion".into(), version.to_string().into());
        self.object(value, version)
    }

    /// A state as it is stored.
    fn object(&self, value: Value, version: u64) -> Object {
        let value = match self.resource.view() {
            None => value,
            Some(view) => view.store(value),
        };
        Object::encode(value, version)
    }

    fn change(&mut self, entry: Entry) {
        self.changes.push(Change { resource: self.storage_key.clone(), entry });
    }
}
