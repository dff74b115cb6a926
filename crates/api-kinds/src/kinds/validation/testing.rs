//! Writes of one object, without a store around it.

use apimachinery::Status;
use apimachinery::object::{fields, metadata};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{Operation, Registry, Resource, Subresource, World, Write, write};

/// What names and keys are told.
pub(crate) const NOT_SUBDOMAIN: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
pub(crate) const NOT_KEY: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
pub(crate) const NOT_LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// The time of every write.
pub(crate) const NOW: &str = "2026-01-02T03:04:05Z";

/// Other objects, by what they are stored under.
#[derive(Default)]
pub(crate) struct Objects(pub Vec<(&'static str, Value)>);

impl World for Objects {
    fn get(&self, resource: &str, _namespace: &str, name: &str) -> Option<Value> {
        self.list(resource).into_iter().find(|object| apimachinery::object::name(object) == name)
    }

    fn list(&self, resource: &str) -> Vec<Value> {
        self.0.iter().filter(|(kind, _)| *kind == resource).map(|(_, object)| object.clone()).collect()
    }
}

/// What a write came to.
#[derive(Debug)]
pub(crate) struct Written {
    pub object: Value,
    pub warnings: Vec<String>,
}

/// Writes of one kind.
pub(crate) struct Kind {
    pub resource: Resource,
    pub world: Objects,
}

impl Kind {
    pub(crate) fn of(plural: &str) -> Self {
        let registry = Registry::builtin();
        let resource = registry.all().find(|resource| resource.plural == plural).unwrap_or_else(|| panic!("no {plural}"));
        Self { resource: resource.as_ref().clone(), world: Objects::default() }
    }

    fn run(&self, subresource: Subresource, operation: Operation<'_>, new: Value) -> Result<Written, Status> {
        let mut new = new;
        let object = fields(&mut new);
        object.insert("apiVersion".to_owned(), self.resource.api_version().into());
        object.insert("kind".to_owned(), self.resource.kind.clone().into());
        if self.resource.namespaced() {
            metadata(&mut new).entry("namespace").or_insert("ns".into());
        }
        write::defaults(&self.resource, &mut new);
        let now: Timestamp = NOW.parse().unwrap();
        let (resource, world) = (&self.resource, &self.world);
        let mut write = Write { resource, subresource, operation, new, now, world, warnings: Vec::new() };
        write::prepare(&mut write)?;
        write::validate(&mut write)?;
        Ok(Written { object: write.new, warnings: write.warnings })
    }

    /// A new object named `x`, unless it says something else.
    pub(crate) fn create(&self, mut new: Value) -> Result<Written, Status> {
        metadata(&mut new).entry("name").or_insert("x".into());
        self.run(Subresource::Main, Operation::Create, new)
    }

    /// An object as it is stored.
    pub(crate) fn stored(&self, new: Value) -> Value {
        let mut object = self.create(new).unwrap().object;
        let meta = metadata(&mut object);
        meta.insert("uid".to_owned(), "u".into());
        meta.insert("creationTimestamp".to_owned(), NOW.into());
        object
    }

    pub(crate) fn update(&self, old: &Value, new: Value) -> Result<Written, Status> {
        self.run(Subresource::Main, Operation::Update(old), new)
    }

    /// The stored object with this merged into it, put back.
    pub(crate) fn change(&self, old: &Value, change: Value) -> Result<Written, Status> {
        self.update(old, merged(old, &change))
    }

    pub(crate) fn change_status(&self, old: &Value, change: Value) -> Result<Written, Status> {
        self.run(Subresource::Status, Operation::Update(old), merged(old, &change))
    }
}

/// RFC 7386, for changes that are shorter than what they change.
pub(crate) fn merged(into: &Value, change: &Value) -> Value {
    let Value::Object(change) = change else { return change.clone() };
    let mut into = if into.is_object() { into.clone() } else { json!({}) };
    for (field, value) in change {
        if value.is_null() {
            fields(&mut into).remove(field);
        } else {
            let value = merged(into.get(field).unwrap_or(&Value::Null), value);
            fields(&mut into).insert(field.clone(), value);
        }
    }
    into
}

/// That a write is refused with exactly this, after `… is invalid: `.
#[track_caller]
pub(crate) fn invalid(rule: &str, result: Result<Written, Status>, expected: &str) {
    let status = result.map(|written| written.object).expect_err(rule);
    assert_eq!(status.code, 422, "{rule}: {status:?}");
    let (_, errors) = status.message.split_once(" is invalid: ").expect(rule);
    assert_eq!(errors, expected, "{rule}");
}

/// That a write is accepted without a word.
#[track_caller]
pub(crate) fn accepted(rule: &str, result: Result<Written, Status>) -> Value {
    let written = result.unwrap_or_else(|status| panic!("{rule}: {status}"));
    assert_eq!(written.warnings, Vec::<String>::new(), "{rule}");
    written.object
}

/// JSON that someone sends who means no good: any value anywhere, under names that mean something.
pub(crate) fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    const NAMES: [&str; 62] = [
        "metadata",
        "spec",
        "status",
        "name",
        "generateName",
        "namespace",
        "labels",
        "annotations",
        "finalizers",
        "ownerReferences",
        "uid",
        "deletionTimestamp",
        "generation",
        "accessModes",
        "resources",
        "requests",
        "storage",
        "limits",
        "selector",
        "matchLabels",
        "matchExpressions",
        "key",
        "operator",
        "values",
        "storageClassName",
        "volumeMode",
        "volumeName",
        "volumeAttributesClassName",
        "dataSource",
        "dataSourceRef",
        "kind",
        "apiGroup",
        "capacity",
        "csi",
        "driver",
        "volumeHandle",
        "controllerExpandSecretRef",
        "hostPath",
        "path",
        "type",
        "nodeAffinity",
        "required",
        "nodeSelectorTerms",
        "matchFields",
        "claimRef",
        "drivers",
        "nodeID",
        "topologyKeys",
        "allocatable",
        "count",
        "parameters",
        "provisioner",
        "driverName",
        "allowedTopologies",
        "matchLabelExpressions",
        "attacher",
        "source",
        "inlineVolumeSpec",
        "attachError",
        "tokenRequests",
        "conditions",
        "volume.beta.kubernetes.io/storage-class",
    ];
    let text = prop_oneof![
        prop::sample::select(vec!["", "a", "A b", "é-", "-", "..", "1Gi", "-1", "Bound", "In", "Exists", "ReadWriteOnce", "/"])
            .prop_map(str::to_owned),
        ".{0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let entry = (prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            prop::collection::vec(entry, 0..6).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Some value of an object replaced by another, in any depth.
pub(crate) fn damaged(object: &Value, at: &[usize], with: &Value) -> Value {
    let Some((first, rest)) = at.split_first() else { return with.clone() };
    match object {
        Value::Object(map) if !map.is_empty() => {
            let field = map.keys().nth(first % map.len()).cloned().unwrap_or_default();
            let mut map = map.clone();
            let inner = damaged(&map[&field], rest, with);
            map.insert(field, inner);
            Value::Object(map)
        }
        Value::Array(items) if !items.is_empty() => {
            let mut items = items.clone();
            let index = first % items.len();
            items[index] = damaged(&items[index], rest, with);
            Value::Array(items)
        }
        _ => with.clone(),
    }
}
