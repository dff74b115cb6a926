//! CSINode: which drivers this node has, and how many of their volumes it takes.

use std::collections::BTreeMap;

use cluster::live;
use csi_types::{DriverName, NodeInfo};
use k8s_openapi::api::storage::v1::CSINode;
use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::core::{ApiResource, DynamicObject};
use kube::{Api, Resource};
use serde_json::{Value, json};

use crate::agent::Agent;
use crate::error::Error;

const MIGRATED: &str = "storage.alpha.kubernetes.io/migrated-plugins";
/// In-tree plugins whose volumes are CSI's by now, sorted. The scheduler and the attach/detach controller look here.
const MIGRATED_PLUGINS: &str = "kubernetes.io/aws-ebs,kubernetes.io/azure-disk,kubernetes.io/azure-file,kubernetes.io/cinder,\
                                kubernetes.io/gce-pd,kubernetes.io/portworx-volume,kubernetes.io/vsphere-volume";
const TRIES: usize = 4;

/// Brings the CSINode to what is registered here. Entries that others made stay. `node_uid`: whose it must be.
pub(super) async fn reconcile(agent: &Agent, node_uid: &str) -> Result<(), Error> {
    let mut tried = 0;
    loop {
        match step(agent, node_uid).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) if tried < TRIES && error.is_race() => tried += 1,
            Err(error) => return Err(error),
        }
    }
}

/// One write; whether none was needed.
async fn step(agent: &Agent, node_uid: &str) -> Result<bool, Error> {
    let name = agent.config.node.as_str();
    let doing = |what: &str| Error::api(format!("{what} CSINode {name}"));
    let api: Api<CSINode> = Api::all(agent.client.clone());
    let Some(have) = api.get_opt(name).await.map_err(doing("read"))? else {
        let made = json!({
            "metadata": {
                "name": name,
                "annotations": {MIGRATED: MIGRATED_PLUGINS},
                "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": node_uid}],
            },
            "spec": {"drivers": []},
        });
        let made: CSINode = serde_json::from_value(made).map_err(|error| doing("create")(kube::Error::SerdeError(error)))?;
        api.create(&PostParams::default(), &made).await.map_err(doing("create"))?;
        return Ok(false);
    };
    let uid = have.metadata.uid.clone().unwrap_or_default();
    let ours = |owner: &k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference| {
        owner.kind == "Node" && owner.name == name && owner.uid == node_uid
    };
    if !have.metadata.owner_references.iter().flatten().any(ours) {
        // Of a Node of this name that is gone; its garbage collection would take ours along.
        let preconditions = Some(Preconditions { uid: Some(uid), resource_version: None });
        api.delete(name, &DeleteParams { preconditions, ..DeleteParams::default() }).await.map_err(doing("delete"))?;
        return Ok(false);
    }
    let (dropped, registered) = {
        let state = agent.state();
        let registered: BTreeMap<DriverName, NodeInfo> =
            state.drivers.iter().map(|(driver, registered)| (driver.clone(), registered.info.clone())).collect();
        (state.dropped.clone(), registered)
    };
    let entries = serde_json::to_value(&have.spec.drivers).unwrap_or_default();
    let Some(next) = next_entries(entries.as_array().map(Vec::as_slice).unwrap_or_default(), &registered, |driver| {
        dropped.iter().any(|dropped| dropped.as_str() == driver)
    }) else {
        agent.state().dropped.retain(|driver| !dropped.contains(driver));
        return Ok(true);
    };
    let dynamic: Api<DynamicObject> = Api::all_with(agent.client.clone(), &resource());
    live::change(&dynamic, name, &uid, |object| {
        object.data["spec"]["drivers"] = Value::Array(next);
        true
    })
    .await
    .map_err(doing("update"))?;
    Ok(false)
}

/// The entries after one write; `None`: they are as they should be. An entry's id and keys cannot change in place: such an
/// entry is taken out first.
fn next_entries(
    have: &[Value],
    registered: &BTreeMap<DriverName, NodeInfo>,
    dropped: impl Fn(&str) -> bool,
) -> Option<Vec<Value>> {
    let mut next: Vec<Value> = Vec::new();
    let mut changed = false;
    let mut wait = false;
    for entry in have {
        let name = entry["name"].as_str().unwrap_or_default();
        match registered.get(&DriverName::from(name)).map(|info| self::entry(name, info)) {
            None if dropped(name) => changed = true,
            None => next.push(entry.clone()),
            Some(want) if same(entry, &want) => next.push(entry.clone()),
            Some(want) if entry["nodeID"] == want["nodeID"] && list(&entry["topologyKeys"]) == list(&want["topologyKeys"]) => {
                changed = true;
                next.push(want);
            }
            Some(_) => {
                changed = true;
                wait = true;
            }
        }
    }
    let missing = registered.iter().filter(|(driver, _)| !have.iter().any(|entry| entry["name"] == driver.as_str()));
    for (driver, info) in missing.filter(|_| !wait) {
        changed = true;
        next.push(entry(driver.as_str(), info));
    }
    changed.then_some(next)
}

fn entry(name: &str, info: &NodeInfo) -> Value {
    let keys: Vec<&String> = info.accessible_topology.0.keys().collect();
    let mut entry = json!({"name": name, "nodeID": info.node_id, "topologyKeys": keys});
    // Zero: no limit. Less than that: nonsense, and no limit either.
    if info.max_volumes_per_node > 0 {
        let count = i32::try_from(info.max_volumes_per_node).unwrap_or(i32::MAX);
        entry["allocatable"] = json!({ "count": count });
    }
    entry
}

fn same(a: &Value, b: &Value) -> bool {
    a["nodeID"] == b["nodeID"]
        && list(&a["topologyKeys"]) == list(&b["topologyKeys"])
        && a["allocatable"]["count"] == b["allocatable"]["count"]
}

fn list(keys: &Value) -> Vec<&str> {
    keys.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn resource() -> ApiResource {
    ApiResource {
        group: CSINode::group(&()).into(),
        version: CSINode::version(&()).into(),
        api_version: CSINode::api_version(&()).into(),
        kind: CSINode::kind(&()).into(),
        plural: CSINode::plural(&()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(id: &str, keys: &[&str], limit: i64) -> NodeInfo {
        let segments = keys.iter().map(|key| ((*key).to_owned(), "v".to_owned())).collect();
        NodeInfo { node_id: id.into(), max_volumes_per_node: limit, accessible_topology: csi_types::Segments(segments) }
    }

    fn registered(info: NodeInfo) -> BTreeMap<DriverName, NodeInfo> {
        BTreeMap::from([("d".into(), info)])
    }

    const NEVER: fn(&str) -> bool = |_| false;

    #[test]
    fn a_driver_is_added_beside_those_of_others() {
        let other = json!({"name": "other", "nodeID": "x"});
        let next = next_entries(std::slice::from_ref(&other), &registered(info("id", &["b", "a"], 7)), NEVER).expect("a change");
        let ours = json!({"name": "d", "nodeID": "id", "topologyKeys": ["a", "b"], "allocatable": {"count": 7}});
        assert_eq!(next, vec![other, ours.clone()]);
        assert_eq!(next_entries(&[ours], &registered(info("id", &["b", "a"], 7)), NEVER), None);
    }

    #[test]
    fn no_limit_is_no_field() {
        assert!(entry("d", &info("id", &[], 0)).get("allocatable").is_none());
        assert!(entry("d", &info("id", &[], -1)).get("allocatable").is_none());
        assert_eq!(entry("d", &info("id", &[], i64::MAX))["allocatable"]["count"], json!(i32::MAX));
    }

    #[test]
    fn an_entry_with_another_id_is_taken_out_first() {
        let old = entry("d", &info("old", &[], 0));
        let next = next_entries(&[old], &registered(info("new", &[], 0)), NEVER).expect("a change");
        assert!(next.is_empty());
        let next = next_entries(&next, &registered(info("new", &[], 0)), NEVER).expect("a change");
        assert_eq!(next[0]["nodeID"], "new");
    }

    #[test]
    fn a_changed_limit_is_changed_in_place() {
        let old = entry("d", &info("id", &["a"], 3));
        let next = next_entries(&[old], &registered(info("id", &["a"], 4)), NEVER).expect("a change");
        assert_eq!(next[0]["allocatable"]["count"], 4);
    }

    #[test]
    fn a_deregistered_driver_is_taken_out() {
        let ours = entry("d", &info("id", &[], 0));
        assert_eq!(next_entries(&[ours], &BTreeMap::new(), |driver| driver == "d"), Some(vec![]));
    }
}
