//! Objects for the tests of this crate, with only what a test is about changed.

use std::sync::Arc;

use cluster::kinds::{
    Claim, ClaimRef, Class, CsiSource, Node, Phase, Pod, PodVolume, PodVolumeSource, ReclaimPolicy, Scheduling, Volume,
};
use cluster::{Key, Meta};
use csi_types::AccessMode;

fn meta(key: Key, uid: String) -> Meta {
    Meta { key, uid: uid.into(), version: 1, deleting: false, finalizers: Box::default() }
}

pub(crate) fn reference(claim: &str, uid: &str) -> ClaimRef {
    ClaimRef { namespace: "ns".into(), name: claim.into(), uid: uid.into() }
}

/// `ns/<name>`, uid `uid-<name>`: 1Gi, ReadWriteOnce, no class said, Pending.
pub(crate) fn claim(name: &str, change: impl FnOnce(&mut Claim)) -> Arc<Claim> {
    let mut claim = Claim {
        meta: meta(Key::namespaced("ns", name), format!("uid-{name}")),
        provisioner: None,
        selected_node: None,
        migrated_to: None,
        bind_completed: false,
        bound_by_controller: false,
        controller: None,
        class: None,
        request: Some("1Gi".into()),
        access_modes: [AccessMode::ReadWriteOnce].into(),
        unknown_access_modes: Box::default(),
        volume_mode: None,
        volume: None,
        selector: None,
        source: None,
        source_ref: None,
        attributes_class: None,
        phase: "Pending".into(),
        capacity: None,
        bound_access_modes: Box::default(),
        current_attributes_class: None,
        target_attributes_class: None,
    };
    change(&mut claim);
    Arc::new(claim)
}

/// A CSI volume of 1Gi, ReadWriteOnce, Retain, without class, Available.
pub(crate) fn volume(name: &str, change: impl FnOnce(&mut Volume)) -> Arc<Volume> {
    let mut volume = Volume {
        meta: meta(Key::cluster(name), format!("uid-{name}")),
        phase: Phase::Available,
        reclaim_policy: ReclaimPolicy::Retain,
        claim: None,
        class: None,
        csi: Some(CsiSource {
            driver: "d".into(),
            volume_handle: name.into(),
            read_only: false,
            fs_type: "".into(),
            volume_attributes: Default::default(),
            controller_publish_secret_ref: None,
            node_stage_secret_ref: None,
            node_publish_secret_ref: None,
            node_expand_secret_ref: None,
        }),
        access_modes: [AccessMode::ReadWriteOnce].into(),
        unknown_access_modes: Box::default(),
        volume_mode: None,
        mount_options: Box::default(),
        capacity: "1Gi".into(),
        labels: Default::default(),
        affinity: None,
        attributes_class: None,
        bound_by_controller: false,
        pre_resize_capacity: None,
        provisioned_by: None,
        migrated_to: None,
        deletion_secret: None,
        csi_access_mode: None,
    };
    change(&mut volume);
    Arc::new(volume)
}

/// Provisioned by driver `d`, immediately.
pub(crate) fn class(name: &str, change: impl FnOnce(&mut Class)) -> Arc<Class> {
    let mut class = Class {
        meta: meta(Key::cluster(name), format!("uid-{name}")),
        provisioner: "d".into(),
        parameters: Default::default(),
        reclaim_policy: Some("Delete".into()),
        mount_options: Box::default(),
        waits_for_consumer: false,
        is_default: false,
        created: 0,
        allowed_topologies: Box::default(),
    };
    change(&mut class);
    Arc::new(class)
}

/// Ready, without labels and taints.
pub(crate) fn node(name: &str, change: impl FnOnce(&mut Node)) -> Arc<Node> {
    let text = serde_json::json!({"metadata": {"name": name, "uid": format!("uid-{name}"), "resourceVersion": "1"}});
    let wire = serde_json::from_value(text).expect("a node");
    let mut node = <Node as cluster::Kind>::compact(wire).expect("a named node");
    change(&mut node);
    Arc::new(node)
}

/// `ns/<name>` with one volume per claim, not scheduled.
pub(crate) fn pod(name: &str, claims: &[&str], change: impl FnOnce(&mut Pod)) -> Arc<Pod> {
    let volume = |claim: &&str| PodVolume {
        name: (*claim).into(),
        source: PodVolumeSource::Claim { name: (*claim).into(), read_only: false },
    };
    let text =
        serde_json::json!({"metadata": {"namespace": "ns", "name": name, "uid": format!("uid-{name}"), "resourceVersion": "1"}});
    let wire = serde_json::from_value(text).expect("a pod");
    let mut pod = <Pod as cluster::Kind>::compact(wire).expect("a named pod");
    pod.volumes = claims.iter().map(volume).collect();
    pod.scheduling = Some(Box::new(Scheduling { scheduler: "default-scheduler".into(), ..Scheduling::default() }));
    change(&mut pod);
    Arc::new(pod)
}
