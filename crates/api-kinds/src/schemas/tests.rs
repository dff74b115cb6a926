use apimachinery::schema::{ListType, Shape};
use serde_json::json;

mod decode;

use super::*;

fn at(kind: &str, path: &[&str]) -> Arc<Schema> {
    path.iter().fold(schema(kind).expect(kind), |schema, step| match &schema.shape {
        Shape::List { items, .. } => items.field(step).expect(step).clone(),
        _ => schema.field(step).unwrap_or_else(|| panic!("{kind} has no {step}")).clone(),
    })
}

#[test]
fn every_built_in_kind_has_a_schema_with_metadata() {
    for resource in crate::kinds::resources() {
        for field in ["apiVersion", "kind", "metadata"] {
            assert!(resource.schema.field(field).is_some(), "{} {field}", resource.kind);
        }
        let metadata = resource.schema.field("metadata").expect("metadata");
        assert!(metadata.field("managedFields").is_some(), "{}", resource.kind);
        assert_eq!(
            metadata.field("labels").and_then(|labels| labels.field("app")).map(|label| &label.shape),
            Some(&Shape::String)
        );
    }
}

#[test]
fn every_definition_can_be_read() {
    let mut builder = Builder { definitions: definitions(), made: BTreeMap::new() };
    let names: Vec<&str> = builder.definitions.keys().copied().collect();
    for name in names {
        builder.object(name, &Attributes::default());
    }
}

#[test]
fn lists_are_merged_as_the_facts_say() {
    let containers = at("Pod", &["spec", "containers"]);
    assert_eq!(containers.strategy.merge_key.as_deref(), Some("name"));
    let name = ListKey { name: "name".into(), default: Some("".into()) };
    assert!(matches!(&containers.shape, Shape::List { list: ListType::Map { keys }, .. } if *keys == [name]));

    let ports = at("Pod", &["spec", "containers", "ports"]);
    let keys = [
        ListKey { name: "containerPort".into(), default: Some(json!(0)) },
        ListKey { name: "protocol".into(), default: Some(json!("TCP")) },
    ];
    assert!(matches!(&ports.shape, Shape::List { list: ListType::Map { keys: are }, .. } if *are == keys));
    assert_eq!(ports.strategy.merge_key.as_deref(), Some("containerPort"));

    assert!(at("Pod", &["spec", "volumes"]).strategy.retain_keys);
    assert_eq!(at("ConfigMap", &["metadata", "finalizers"]).strategy.merge_key.as_deref(), Some(""));
    assert_eq!(at("Pod", &["spec", "tolerations"]).strategy.merge_key, None);
    assert!(matches!(&at("PersistentVolume", &["spec", "accessModes"]).shape, Shape::List { list: ListType::Atomic, .. }));
    assert!(
        matches!(&at("ServiceAccount", &["secrets"]).shape, Shape::List { list: ListType::Map { keys }, .. } if keys[0].default.is_none())
    );
}

#[test]
fn objects_and_maps_are_atomic_where_the_facts_say_so() {
    let atomic = |schema: Arc<Schema>| match &schema.shape {
        Shape::Object(fields) => fields.atomic,
        Shape::Map { granular, .. } => !granular,
        other => panic!("{other:?}"),
    };
    assert!(atomic(at("Pod", &["spec", "nodeSelector"])));
    assert!(!atomic(at("ConfigMap", &["data"])));
    assert!(atomic(at("Event", &["involvedObject"])));
    assert!(!atomic(at("PersistentVolume", &["spec", "claimRef"])), "the field overrides the definition");
    assert!(atomic(at("PersistentVolumeClaim", &["spec", "selector"])));
}

#[test]
fn equal_definitions_are_shared() {
    assert!(Arc::ptr_eq(&at("Pod", &["metadata"]), &at("StorageClass", &["metadata"])));
    assert!(Arc::ptr_eq(&at("Pod", &["metadata", "labels"]), &at("ConfigMap", &["data"])));
}
