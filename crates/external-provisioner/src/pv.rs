//! The PersistentVolume that names what the driver made.
//!
//! Spec: `spec/provisioner.md` 2.7; upstream: external-provisioner@0688604 `Provision`, and the parts that its library fills in.

use std::collections::BTreeMap;

use cluster::kinds::Volume;
use csi_types::{Bytes, DriverName, SecretRef, Segments, VolumeMode};
use k8s_openapi::api::core::v1::{
    CSIPersistentVolumeSource, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, ObjectReference, PersistentVolume,
    PersistentVolumeSpec, SecretReference, VolumeNodeAffinity,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::view::{Created, Reclaim};

/// Keeps a PersistentVolume, and with it the handle, until the driver's volume is deleted.
pub const FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";
/// The secret for ControllerModifyVolume, which external-resizer reads.
const MODIFY_SECRET_NAME: &str = "volume.kubernetes.io/controller-modify-secret-name";
const MODIFY_SECRET_NAMESPACE: &str = "volume.kubernetes.io/controller-modify-secret-namespace";
/// Among the volume's attributes: which run of which provisioner made it. A driver may overwrite it.
const IDENTITY: &str = "storage.kubernetes.io/csiProvisionerIdentity";

/// The object, complete: nothing has to be added to it later.
pub fn persistent_volume(created: &Created, driver: &DriverName, identity: &str) -> PersistentVolume {
    let Created { ask, volume } = created;
    // Zero: the driver does not say, so what was asked for holds.
    let capacity = if volume.capacity > Bytes(0) { volume.capacity } else { ask.required };
    let mut attributes = BTreeMap::from([(IDENTITY.to_owned(), identity.to_owned())]);
    attributes.extend(volume.context.clone());
    let secrets = &ask.secrets;
    let csi = CSIPersistentVolumeSource {
        driver: driver.to_string(),
        volume_handle: volume.handle.to_string(),
        fs_type: some(&ask.fs_type),
        read_only: ask.read_only.then_some(true),
        volume_attributes: Some(attributes),
        controller_publish_secret_ref: reference(&secrets.controller_publish),
        node_stage_secret_ref: reference(&secrets.node_stage),
        node_publish_secret_ref: reference(&secrets.node_publish),
        controller_expand_secret_ref: reference(&secrets.controller_expand),
        node_expand_secret_ref: reference(&secrets.node_expand),
    };
    PersistentVolume {
        metadata: ObjectMeta {
            name: Some(ask.name.to_string()),
            annotations: Some(annotations(created, driver)),
            // Also where the policy is Retain: it may be changed to Delete later.
            finalizers: Some(vec![FINALIZER.to_owned()]),
            ..ObjectMeta::default()
        },
        spec: Some(PersistentVolumeSpec {
            access_modes: Some(ask.access_modes.iter().map(|mode| mode.as_str().to_owned()).collect()),
            capacity: Some(BTreeMap::from([("storage".to_owned(), Quantity(capacity.to_string()))])),
            claim_ref: Some(ObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("PersistentVolumeClaim".to_owned()),
                namespace: Some(ask.claim_namespace.clone()),
                name: Some(ask.claim_name.clone()),
                uid: Some(ask.claim_uid.clone()),
                resource_version: (ask.claim_version > 0).then(|| ask.claim_version.to_string()),
                ..ObjectReference::default()
            }),
            csi: Some(csi),
            mount_options: (!ask.mount_options.is_empty()).then(|| ask.mount_options.clone()),
            node_affinity: if ask.placed { affinity(&volume.accessible_topology) } else { None },
            persistent_volume_reclaim_policy: ask.reclaim.map(policy),
            storage_class_name: Some(ask.class.clone()),
            volume_attributes_class_name: ask.attributes_class.clone(),
            volume_mode: ask.volume_mode.map(|mode| match mode {
                VolumeMode::Filesystem => "Filesystem".to_owned(),
                VolumeMode::Block => "Block".to_owned(),
            }),
            ..PersistentVolumeSpec::default()
        }),
        status: None,
    }
}

fn annotations(created: &Created, driver: &DriverName) -> BTreeMap<String, String> {
    let secrets = &created.ask.secrets;
    let (name, namespace) = secrets.provisioner.clone().map(|secret| (secret.name, secret.namespace)).unwrap_or_default();
    let mut annotations = BTreeMap::from([
        (Volume::PROVISIONED_BY_ANNOTATION.to_owned(), driver.to_string()),
        // Written even when there is no secret, so that what becomes of the class later is without effect.
        (Volume::DELETION_SECRET_NAME_ANNOTATION.to_owned(), name),
        (Volume::DELETION_SECRET_NAMESPACE_ANNOTATION.to_owned(), namespace),
    ]);
    if let Some(secret) = &secrets.controller_modify {
        annotations.insert(MODIFY_SECRET_NAME.to_owned(), secret.name.clone());
        annotations.insert(MODIFY_SECRET_NAMESPACE.to_owned(), secret.namespace.clone());
    }
    annotations
}

/// One term per place, of which any will do. `None`: reachable from everywhere.
fn affinity(places: &[Segments]) -> Option<VolumeNodeAffinity> {
    let is = |(key, value): (&String, &String)| NodeSelectorRequirement {
        key: key.clone(),
        operator: "In".to_owned(),
        values: Some(vec![value.clone()]),
    };
    let term = |place: &Segments| NodeSelectorTerm {
        match_expressions: Some(place.0.iter().map(is).collect()),
        ..NodeSelectorTerm::default()
    };
    let terms: Vec<_> = places.iter().filter(|place| !place.is_empty()).map(term).collect();
    if terms.is_empty() {
        return None;
    }
    Some(VolumeNodeAffinity { required: Some(NodeSelector { node_selector_terms: terms }) })
}

fn reference(secret: &Option<SecretRef>) -> Option<SecretReference> {
    let secret = secret.as_ref()?;
    Some(SecretReference { name: Some(secret.name.clone()), namespace: Some(secret.namespace.clone()) })
}

fn policy(reclaim: Reclaim) -> String {
    match reclaim {
        Reclaim::Delete => "Delete",
        Reclaim::Retain => "Retain",
        Reclaim::Recycle => "Recycle",
    }
    .to_owned()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
