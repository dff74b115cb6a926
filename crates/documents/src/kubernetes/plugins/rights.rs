//! What provisioner and attacher may do: the same as in charts/longshore.

use super::super::Making;
use crate::yaml::{Map, Node};

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Node {
    let list = |words: &[&str]| words.iter().map(|word| Node::from(*word)).collect::<Vec<_>>();
    Map::new().with("apiGroups", vec![group]).with("resources", list(resources)).with("verbs", list(verbs)).into()
}

/// The account and its roles, all of one name.
pub(super) fn make(making: &mut Making<'_>, name: &str, origin: &str, secrets: bool) {
    let storage = "storage.k8s.io";
    let everywhere = vec![
        rule("", &["persistentvolumes"], &["get", "list", "watch", "create", "patch", "delete"]),
        rule("", &["persistentvolumeclaims"], &["get", "list", "watch", "update"]),
        rule(storage, &["storageclasses"], &["list", "watch"]),
        rule(storage, &["volumeattributesclasses"], &["get"]),
        rule(storage, &["csinodes"], &["list", "watch"]),
        rule("", &["nodes"], &["list", "watch"]),
        rule(storage, &["volumeattachments"], &["list", "watch", "patch"]),
        rule(storage, &["volumeattachments/status"], &["patch"]),
        rule("", &["events"], &["create", "patch"]),
    ];
    let mut here = vec![rule("coordination.k8s.io", &["leases"], &["get", "create", "update"])];
    if secrets {
        here.push(rule("", &["secrets"], &["get"]));
    }
    let namespace = making.options.namespace.clone();
    let account = Map::new().with("apiVersion", "v1").with("kind", "ServiceAccount").with("metadata", making.metadata(name));
    making.add(origin, account);
    for (kind, metadata, rules) in
        [("ClusterRole", Map::new().with("name", name), everywhere), ("Role", making.metadata(name), here)]
    {
        let version = "rbac.authorization.k8s.io/v1";
        let role =
            Map::new().with("apiVersion", version).with("kind", kind).with("metadata", metadata.clone()).with("rules", rules);
        let subject = Map::new().with("kind", "ServiceAccount").with("name", name).with("namespace", &namespace);
        let reference = Map::new().with("apiGroup", "rbac.authorization.k8s.io").with("kind", kind).with("name", name);
        let binding = Map::new()
            .with("apiVersion", version)
            .with("kind", format!("{kind}Binding"))
            .with("metadata", metadata)
            .with("subjects", vec![subject])
            .with("roleRef", reference);
        making.add(origin, role);
        making.add(origin, binding);
    }
}
