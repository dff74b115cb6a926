//! An object as it is stored and served: its JSON, ready to be sent.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::sync::Arc;

use api_kinds::Resource;
use apimachinery::object;
use bytes::Bytes;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// A stored object. A clone costs a counter.
///
/// `json` is compact, without `kind` and `apiVersion`: those depend on the version that is asked for, and items of a list of a
/// built-in kind go without. It does carry `metadata.resourceVersion`.
///
/// Beside its JSON an object costs some 210 bytes of memory, and 30 more once it was sent (measured, allocator included, by the
/// test `how_much_memory_an_object_costs`): 96 here, 32 for the key, the rest for its place in the collection.
#[derive(Debug, Clone)]
pub struct Object(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// `namespace/name`, or `name`: the order of lists, and what the file has behind the resource.
    key: Box<str>,
    /// How long the namespace is; 0 for cluster-scoped kinds.
    namespace: u32,
    version: u64,
    json: Bytes,
}

/// A map with these fields in front, the way people are used to see them; the order of the others is that of their names.
struct Ordered<'a>(&'a Value, &'a [&'a str]);

const METADATA: [&str; 8] =
    ["name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"];

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(Value::Object(map), first) = self else { return self.0.serialize(serializer) };
        let mut fields = serializer.serialize_map(Some(map.len()))?;
        for &name in *first {
            match map.get(name) {
                Some(value) if name == "metadata" => fields.serialize_entry(name, &Ordered(value, &METADATA))?,
                Some(value) => fields.serialize_entry(name, value)?,
                None => {}
            }
        }
        for (name, value) in map.iter().filter(|(name, _)| !first.contains(&name.as_str())) {
            fields.serialize_entry(name, value)?;
        }
        fields.end()
    }
}

impl Object {
    /// An object whose JSON is this.
    pub(crate) fn new(namespace: &str, name: &str, version: u64, json: Bytes) -> Self {
        let length = u32::try_from(namespace.len()).unwrap_or_default();
        Self(Arc::new(Inner { key: key(namespace, name).into(), namespace: length, version, json }))
    }

    /// Encodes a value that carries its name, namespace and resourceVersion. `kind` and `apiVersion` are left out.
    pub(crate) fn encode(mut value: Value, version: u64) -> Self {
        let fields = object::fields(&mut value);
        fields.remove("kind");
        fields.remove("apiVersion");
        // A value that is a tree of maps with text keys always encodes.
        let json = serde_json::to_vec(&Ordered(&value, &["metadata"])).unwrap_or_default().into_boxed_slice();
        Self::new(object::namespace(&value), object::name(&value), version, json.into())
    }

    /// Empty for cluster-scoped kinds.
    pub fn namespace(&self) -> &str {
        self.0.key.get(..self.0.namespace as usize).unwrap_or_default()
    }

    /// The name.
    pub fn name(&self) -> &str {
        let start = if self.0.namespace == 0 { 0 } else { self.0.namespace as usize + 1 };
        self.0.key.get(start..).unwrap_or_default()
    }

    /// `namespace/name`, or `name`.
    pub(crate) fn key(&self) -> &str {
        &self.0.key
    }

    /// `metadata.resourceVersion`.
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// Compact JSON, without `kind` and `apiVersion`.
    pub fn json(&self) -> &Bytes {
        &self.0.json
    }

    /// The object, decoded.
    pub fn value(&self) -> Value {
        // What is stored was encoded here, so it decodes; a file that was tampered with is refused when it is opened.
        serde_json::from_slice(&self.0.json).unwrap_or(Value::Null)
    }

    /// The object as this resource shows it.
    pub(crate) fn shown(&self, resource: &Resource) -> Cow<'_, Self> {
        match resource.view() {
            None => Cow::Borrowed(self),
            Some(view) => Cow::Owned(Self::encode(view.show(self.value()), self.version())),
        }
    }

    /// The same object as of another version: what a watcher is told of an object that left its selection.
    pub(crate) fn at_version(&self, version: u64) -> Self {
        let mut value = self.value();
        object::metadata(&mut value).insert("resourceVersion".into(), version.to_string().into());
        Self::encode(value, version)
    }
}

/// What an object is found by in its collection.
pub(crate) fn key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// An object in the order of its key, which is the order of lists: byte by byte over `namespace/name`, as in etcd.
#[derive(Debug, Clone)]
pub(crate) struct Keyed(pub(crate) Object);

impl Borrow<str> for Keyed {
    fn borrow(&self) -> &str {
        self.0.key()
    }
}

impl Ord for Keyed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.key().cmp(other.0.key())
    }
}

impl PartialOrd for Keyed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Keyed {
    fn eq(&self, other: &Self) -> bool {
        self.0.key() == other.0.key()
    }
}

impl Eq for Keyed {}
