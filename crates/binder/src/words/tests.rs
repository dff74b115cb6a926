//! What people and programs read, letter for letter: a change here is a change of what upstream's users know.

use super::*;
use crate::fixtures;

fn of(say: Say) -> String {
    format!("{:?} {}: {}", say.kind, say.reason, say.message)
}

#[test]
fn every_event_reads_as_upstreams_does() {
    let pods = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let pod = fixtures::pod("p", &[], |_| ());
    for (say, golden) in [
        (no_match(), "Normal FailedBinding: no persistent volumes available for this claim and no storage class is set"),
        (waits_for_consumer(&[]), "Normal WaitForFirstConsumer: waiting for first consumer to be created before binding"),
        (waits_for_consumer(&pods(&["p"])), "Normal WaitForPodScheduled: waiting for pod p to be scheduled"),
        (waits_for_consumer(&pods(&["p", "q"])), "Normal WaitForPodScheduled: waiting for pods p,q to be scheduled"),
        (
            external_provisioning("d"),
            "Normal ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'd' or manually \
             by the system administrator. If volume creation is delayed, please verify that the provisioner is running and \
             correctly registered.",
        ),
        (class_missing("x"), "Warning ProvisioningFailed: storageclass.storage.k8s.io \"x\" not found"),
        (
            no_plugin("kubernetes.io/no-provisioner"),
            "Warning ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner",
        ),
        (cannot_save_claim("no"), "Warning ProvisioningFailed: Error saving claim: no"),
        (
            mismatch("x", Mismatch::Deleting),
            "Warning VolumeMismatch: Cannot bind to requested volume \"x\": the volume is marked for deletion \"x\"",
        ),
        (
            mismatch("x", Mismatch::Size),
            "Warning VolumeMismatch: Cannot bind to requested volume \"x\": requested PV is too small",
        ),
        (
            mismatch("x", Mismatch::Class),
            "Warning VolumeMismatch: Cannot bind to requested volume \"x\": storageClassName does not match",
        ),
        (
            mismatch("x", Mismatch::AttributesClass),
            "Warning VolumeMismatch: Cannot bind to requested volume \"x\": volumeAttributesClassName does not match",
        ),
        (mismatch("x", Mismatch::Mode), "Warning VolumeMismatch: Cannot bind to requested volume \"x\": incompatible volumeMode"),
        (
            mismatch("x", Mismatch::Access),
            "Warning VolumeMismatch: Cannot bind to requested volume \"x\": incompatible accessMode",
        ),
        (taken("x"), "Warning FailedBinding: volume \"x\" already bound to a different claim."),
        (lost_reference(), "Warning ClaimLost: Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"),
        (lost_volume(), "Warning ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!"),
        (misbound(), "Warning ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly"),
        (external_expanding(), "Normal ExternalExpanding: waiting for an external controller to expand this PVC"),
        (
            volume_mode_of_volume("c"),
            "Warning VolumeMismatch: Cannot bind PersistentVolume to requested PersistentVolumeClaim \"c\" due to incompatible \
             volumeMode.",
        ),
        (
            volume_mode_of_claim("v"),
            "Warning VolumeMismatch: Cannot bind PersistentVolume \"v\" to requested PersistentVolumeClaim due to incompatible \
             volumeMode.",
        ),
        (unknown_policy(), "Warning VolumeUnknownReclaimPolicy: Volume has unrecognized PersistentVolumeReclaimPolicy"),
        (no_recycler(), "Warning VolumeFailedRecycle: No recycler plugin found for the volume!"),
        (
            no_deleter("x"),
            "Warning VolumeFailedDelete: error getting deleter volume plugin for volume \"x\": no deletable volume plugin matched",
        ),
        (scheduled(&pod, "host"), "Normal Scheduled: Successfully assigned ns/p to host"),
        (failed_scheduling("why"), "Warning FailedScheduling: why"),
    ] {
        assert_eq!(of(say), golden);
    }
}

#[test]
fn every_reason_of_an_unscheduled_pod_reads_as_upstreams_does() {
    const UNHELPFUL: &str = " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    const NO_VICTIMS: &str = " preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
    let node = |text: &str| format!("0/1 nodes are available: {text}.{UNHELPFUL}");
    let full = |text: &str| format!("0/1 nodes are available: {text}.{NO_VICTIMS}");
    for (unfit, reason, golden) in [
        (Unfit::NoNode, "Unschedulable", "no nodes available to schedule pods".to_owned()),
        (Unfit::ClaimMissing("x".into()), "Unschedulable", node("persistentvolumeclaim \"x\" not found")),
        (
            Unfit::EphemeralClaimMissing("x".into()),
            "Unschedulable",
            node("waiting for ephemeral volume controller to create the persistentvolumeclaim \"x\""),
        ),
        (
            Unfit::ClaimLost { claim: "x".into(), volume: "v".into() },
            "Unschedulable",
            node("persistentvolumeclaim \"x\" bound to non-existent persistentvolume \"v\""),
        ),
        (Unfit::ClaimDeleting("x".into()), "Unschedulable", node("persistentvolumeclaim \"x\" is being deleted")),
        (
            Unfit::ClaimNotOwned { claim: "ns/c".into(), pod: "ns/p".into() },
            "Unschedulable",
            node("PVC ns/c was not created for pod ns/p (pod is not owner)"),
        ),
        (Unfit::UnboundImmediate, "Unschedulable", node("pod has unbound immediate PersistentVolumeClaims")),
        (
            Unfit::ClassMissing("x".into()),
            "SchedulerError",
            "running \"VolumeBinding\" filter plugin: failed to find storage class \"x\"".to_owned(),
        ),
        (Unfit::Unschedulable, "Unschedulable", node("1 node(s) were unschedulable")),
        (Unfit::Taint, "Unschedulable", node("1 node(s) had untolerated taint(s)")),
        (Unfit::NodeAffinity, "Unschedulable", node("1 node(s) didn't match Pod's node affinity/selector")),
        (
            Unfit::AccessModeInUse,
            "Unschedulable",
            full(
                "1 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another \
                 pod",
            ),
        ),
        (Unfit::TooManyVolumes, "Unschedulable", full("1 node(s) exceed max volume count")),
        (
            Unfit::Volumes(vec![Conflict::VolumeMissing, Conflict::NothingToBind]),
            "Unschedulable",
            node(
                "1 node(s) didn't find available persistent volumes to bind, 1 node(s) unavailable due to one or more pvc(s) \
                 bound to non-existent pv(s)",
            ),
        ),
        (
            Unfit::Volumes(vec![Conflict::VolumeAffinity]),
            "Unschedulable",
            node("1 node(s) didn't match PersistentVolume's node affinity"),
        ),
        (Unfit::Volumes(vec![Conflict::NoSpace]), "Unschedulable", node("1 node(s) did not have enough free storage")),
        (Unfit::Zone, "Unschedulable", node("1 node(s) had no available volume zone")),
    ] {
        assert_eq!((unfit.reason(), unfit.message()), (reason, golden));
    }
}

#[test]
fn what_ends_a_wait_reads_as_upstreams_does() {
    const START: &str = "running PreBind plugin \"VolumeBinding\": binding volumes: ";
    for (aborted, golden) in [
        (Aborted::Provisioning("x".into()), "provisioning failed for PVC \"x\""),
        (Aborted::Reservation("v".into()), "ClaimRef got reset for pv \"v\""),
        (Aborted::Timeout, "context deadline exceeded"),
    ] {
        assert_eq!(aborted.message(), format!("{START}{golden}"));
    }
}

#[test]
fn a_long_reason_is_cut_where_upstream_cuts_it() {
    let long = failed_scheduling(&"x".repeat(2000)).message;
    assert_eq!(long.len(), 1024);
    assert!(long.ends_with("x ..."));
    assert_eq!(failed_scheduling(&"x".repeat(1024)).message.len(), 1024);
}
