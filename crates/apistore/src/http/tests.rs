use std::sync::Arc;

use api_kinds::{Resource, Scope};
use apimachinery::Schema;
use apimachinery::schema::Shape;

/// A resource that looks like ConfigMaps, for what needs no more.
pub(crate) fn config_maps() -> Resource {
    Resource {
        group: String::new(),
        version: "v1".into(),
        kind: "ConfigMap".into(),
        list_kind: "ConfigMapList".into(),
        plural: "configmaps".into(),
        singular: "configmap".into(),
        short_names: vec!["cm".into()],
        categories: Vec::new(),
        scope: Scope::Namespaced,
        subresources: Vec::new(),
        schema: Arc::new(Schema::of(Shape::Any)),
        needs_version: false,
        creates_on_update: false,
        delete_returns_object: false,
        strategic: true,
        custom: None,
    }
}
