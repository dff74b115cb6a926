//! A claim, a class, a driver and what surrounds them, for the tests of this crate: everything fits, until a test changes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use csi_types::{
    AccessMode, Bytes, ControllerCapability, CreatedVolume, DriverInfo, Next, PluginCapability, Segments, VolumeHandle,
};

use crate::ask::Ask;
use crate::placement::{NodePlace, Places, Topology};
use crate::plan::claim::{Action, plan};
use crate::view::{Claim, ClaimView, Class, Created, Phase, Recall, Reclaim, Settings, Volume, VolumeView};

pub(crate) const DRIVER: &str = "csi.example.com";
pub(crate) const UID: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const PV: &str = "pvc-11111111-2222-3333-4444-555555555555";

pub(crate) fn settings() -> Settings {
    Settings {
        name_prefix: "pvc".to_owned(),
        uuid_length: None,
        default_fs_type: String::new(),
        topology: true,
        strict_topology: false,
        immediate_topology: true,
        extra_create_metadata: false,
        publish_readonly: false,
        attributes_classes: true,
    }
}

pub(crate) fn driver() -> DriverInfo {
    DriverInfo {
        name: DRIVER.into(),
        plugin: [PluginCapability::ControllerService].into(),
        controller: [ControllerCapability::CreateDeleteVolume, ControllerCapability::PublishUnpublishVolume].into(),
    }
}

pub(crate) fn claim() -> Claim {
    Claim {
        namespace: "team-a".to_owned(),
        name: "data".to_owned(),
        uid: UID.to_owned(),
        version: 7,
        volume: None,
        provisioner: Some(DRIVER.to_owned()),
        class: "fast".to_owned(),
        selected_node: None,
        request: "1Gi".to_owned(),
        access_modes: vec![AccessMode::ReadWriteOnce],
        unknown_access_modes: Vec::new(),
        volume_mode: None,
        selector: false,
        source: None,
        attributes_class: None,
    }
}

pub(crate) fn class(parameters: &[(&str, &str)]) -> Class {
    Class {
        name: "fast".to_owned(),
        uid: "class-uid".to_owned(),
        provisioner: DRIVER.to_owned(),
        parameters: parameters.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        reclaim: Some(Reclaim::Delete),
        ..Class::default()
    }
}

pub(crate) fn view() -> ClaimView {
    ClaimView {
        uid: UID.to_owned(),
        settings: Arc::new(settings()),
        driver: Arc::new(driver()),
        claim: Some(claim()),
        class: Some(class(&[("type", "ssd")])),
        existing: None,
        topology: None,
        recall: Recall::default(),
    }
}

pub(crate) fn place(pairs: &[(&str, &str)]) -> Segments {
    pairs.iter().copied().collect()
}

/// A claim that waits for a pod on node `n1` in zone `b`, of zones `a`, `b` and `c`.
pub(crate) fn placed_view() -> ClaimView {
    let mut v = view();
    let zones = ["c", "a", "b"].map(|zone| place(&[("zone", zone)]));
    v.topology =
        Some(Topology { selected: Some(("n1".into(), NodePlace::At(zones[2].clone()))), nodes: Places::At(zones.to_vec()) });
    v.claim.as_mut().unwrap().selected_node = Some("n1".into());
    v.class.as_mut().unwrap().waits_for_consumer = true;
    v
}

/// What the plan asks for, which must be a volume.
pub(crate) fn ask(v: &ClaimView) -> Arc<Ask> {
    match plan(v) {
        Next::Do(Action::CreateVolume(ask)) => ask,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn created(v: &ClaimView, capacity: Bytes) -> Arc<Created> {
    let volume = CreatedVolume {
        handle: VolumeHandle::from("vol-1"),
        capacity,
        context: BTreeMap::new(),
        accessible_topology: Vec::new(),
        source: None,
    };
    Arc::new(Created { ask: ask(v), volume })
}

pub(crate) fn volume() -> Volume {
    Volume {
        name: PV.to_owned(),
        uid: "pv-uid".to_owned(),
        deleting: false,
        held: true,
        provisioned_by: Some(DRIVER.to_owned()),
        driver: Some(DRIVER.to_owned()),
        handle: Some("vol-1".into()),
        phase: Phase::Released,
        reclaim: Reclaim::Delete,
    }
}

pub(crate) fn volume_view(volume: Volume) -> VolumeView {
    VolumeView { driver: Arc::new(driver()), volume: Some(volume), attached_to: None, also_named_by: None, deleted: false }
}
