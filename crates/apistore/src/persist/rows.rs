//! What is in the file: one row for each object, and a few numbers about all of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use redb::{ReadableDatabase, ReadableTable, TableDefinition, TableError, WriteTransaction};
use serde::Deserialize;

use super::Loaded;
use crate::Object;
use crate::store::{Change, Done};

/// `resource/namespace/name`, or `resource/name`, to the object's JSON.
const OBJECTS: TableDefinition<&str, &[u8]> = TableDefinition::new("objects");
/// [`FORMAT`], [`VERSION`], [`IDENTITY`].
const META: TableDefinition<&str, u128> = TableDefinition::new("meta");

const FORMAT: &str = "format";
/// The version of the last change.
const VERSION: &str = "resourceVersion";
/// Tells this store from every other.
const IDENTITY: &str = "identity";

/// The format that is written and read here.
pub(super) const KNOWN_FORMAT: u128 = 1;

/// Why rows cannot be read.
pub(super) enum Unreadable {
    Foreign(String),
    Format(u128),
    Corrupt(String),
}

impl<E: Into<redb::Error>> From<E> for Unreadable {
    fn from(error: E) -> Self {
        Self::Corrupt(error.into().to_string())
    }
}

/// Makes an empty database a store.
pub(super) fn found(db: &redb::Database, identity: u128, version: u64) -> Result<(), redb::Error> {
    let txn = db.begin_write()?;
    {
        txn.open_table(OBJECTS)?;
        let mut meta = txn.open_table(META)?;
        for (key, value) in [(FORMAT, KNOWN_FORMAT), (VERSION, version.into()), (IDENTITY, identity)] {
            meta.insert(key, value)?;
        }
    }
    txn.commit()?;
    Ok(())
}

/// Everything that is stored.
pub(super) fn load(db: &redb::Database) -> Result<Loaded, Unreadable> {
    let txn = db.begin_read()?;
    let meta = match txn.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Err(Unreadable::Foreign("it is a redb database, but of another program".to_owned())),
    };
    let number = |key| meta.get(key).map(|value| value.map(|value| value.value()));
    match number(FORMAT)? {
        Some(KNOWN_FORMAT) => {}
        Some(other) => return Err(Unreadable::Format(other)),
        None => return Err(Unreadable::Foreign("it does not say its format".to_owned())),
    }
    let version = number(VERSION)?.and_then(|version| u64::try_from(version).ok());
    let version = version.ok_or_else(|| Unreadable::Corrupt("it does not say its resourceVersion".to_owned()))?;
    let mut objects = Vec::new();
    let mut resource: Arc<str> = "".into();
    for row in txn.open_table(OBJECTS)?.iter()? {
        let (key, json) = row?;
        let object = decode(key.value(), json.value(), version)
            .map_err(|why| Unreadable::Corrupt(format!("what is stored for {:?} {why}", key.value())))?;
        let name = key.value().split('/').next().unwrap_or_default();
        if *name != *resource {
            resource = name.into();
        }
        objects.push((resource.clone(), object));
    }
    Ok(Loaded { version, objects })
}

/// What a row must say of itself.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    namespace: Cow<'a, str>,
    #[serde(borrow)]
    resource_version: Cow<'a, str>,
}

fn decode(key: &str, json: &[u8], newest: u64) -> Result<Object, String> {
    let row: Row<'_> = serde_json::from_slice(json).map_err(|error| format!("is not an object: {error}"))?;
    let Metadata { name, namespace, resource_version } = row.metadata;
    let version = resource_version.parse().ok().filter(|version| *version <= newest);
    let version = version.ok_or_else(|| format!("has the resourceVersion {resource_version:?}, and the newest is {newest}"))?;
    let object = Object::new(&namespace, &name, version, Bytes::copy_from_slice(json));
    if key.split_once('/').is_none_or(|(_, rest)| rest != object.key()) {
        return Err(format!("is the object {:?}", object.key()));
    }
    Ok(object)
}

/// Puts the file back to before `undo`, then does `changes`.
pub(super) fn write(txn: &WriteTransaction, undo: &[Change], changes: &[Change]) -> Result<(), redb::Error> {
    let mut rows: BTreeMap<String, Option<&Object>> = BTreeMap::new();
    for change in undo.iter().rev() {
        rows.insert(row(change), change.entry.previous.as_ref());
    }
    for change in changes {
        rows.insert(row(change), (change.entry.done != Done::Deleted).then_some(&change.entry.object));
    }
    let mut objects = txn.open_table(OBJECTS)?;
    for (key, object) in &rows {
        match object {
            Some(object) => objects.insert(key.as_str(), &object.json()[..])?,
            None => objects.remove(key.as_str())?,
        };
    }
    if let Some(last) = changes.last() {
        txn.open_table(META)?.insert(VERSION, u128::from(last.entry.version()))?;
    }
    Ok(())
}

fn row(change: &Change) -> String {
    format!("{}/{}", change.resource, change.entry.object.key())
}
