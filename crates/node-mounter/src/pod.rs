//! What a Pod says about its volumes: which it uses, and until when it holds them. Pure.

use cluster::kinds::{Pod, PodVolume, PodVolumeSource};

/// Where a pod is in its life, as far as its volumes are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodLife {
    /// Its volumes are to be there.
    Wants,
    /// It is being deleted and a container still runs: it keeps what it has and gets nothing new.
    Leaving,
    /// Nothing of it runs, and nothing will.
    Ended,
}

/// One of the pod's volumes that a container uses, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used<'a> {
    /// The entry in `spec.volumes`.
    pub volume: &'a PodVolume,
    /// A container mounts it.
    pub mounted: bool,
    /// A container takes it as a device.
    pub as_device: bool,
}

/// A kubelet asks its runtime whether containers are gone. Here nobody runs them but whoever posts their status: without a
/// status that says `running`, nothing runs.
pub(crate) fn life(pod: &Pod) -> PodLife {
    match (pod.is_terminal(), pod.meta.deleting, pod.any_container_running) {
        (true, ..) | (false, true, false) => PodLife::Ended,
        (false, true, true) => PodLife::Leaving,
        (false, false, _) => PodLife::Wants,
    }
}

/// The volumes of a CSI driver that some container uses, in the pod's order. One that no container uses is not mounted.
pub(crate) fn used(pod: &Pod) -> Vec<Used<'_>> {
    let of_csi = pod.volumes.iter().filter(|volume| volume.source != PodVolumeSource::Other);
    of_csi
        .map(|volume| Used {
            volume,
            mounted: pod.containers.iter().any(|container| container.mounts.iter().any(|mount| mount.name == volume.name)),
            as_device: pod.containers.iter().any(|container| container.devices.iter().any(|device| device.name == volume.name)),
        })
        .filter(|used| used.mounted || used.as_device)
        .collect()
}

/// The claim behind one of the pod's volumes; `None` for an inline volume.
pub(crate) fn claim_name(pod: &Pod, volume: &PodVolume) -> Option<String> {
    match &volume.source {
        PodVolumeSource::Claim { name, .. } => Some(name.to_string()),
        PodVolumeSource::Ephemeral => Some(format!("{}-{}", pod.meta.key.name(), volume.name)),
        PodVolumeSource::Csi { .. } | PodVolumeSource::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod;

    #[test]
    fn a_volume_that_no_container_uses_is_not_wanted() {
        let pod = pod(serde_json::json!({
            "spec": {
                "volumes": [
                    {"name": "a", "persistentVolumeClaim": {"claimName": "ca"}},
                    {"name": "b", "persistentVolumeClaim": {"claimName": "cb"}},
                    {"name": "c", "ephemeral": {"volumeClaimTemplate": {}}},
                    {"name": "d", "emptyDir": {}},
                ],
                "containers": [{"name": "x", "volumeMounts": [{"name": "d", "mountPath": "/d"}]}],
                "initContainers": [{"name": "y", "volumeMounts": [{"name": "a", "mountPath": "/a"}]}],
                "ephemeralContainers": [{"name": "z", "volumeDevices": [{"name": "c", "devicePath": "/dev/c"}]}],
            }
        }));
        let used = used(&pod);
        let seen: Vec<_> = used.iter().map(|used| (&*used.volume.name, used.mounted, used.as_device)).collect();
        assert_eq!(seen, vec![("a", true, false), ("c", false, true)]);
        assert_eq!(claim_name(&pod, used[0].volume).as_deref(), Some("ca"));
        assert_eq!(claim_name(&pod, used[1].volume).as_deref(), Some("pod-1-c"));
    }

    #[test]
    fn a_pod_holds_its_volumes_until_nothing_of_it_runs() {
        let life_of = |value| life(&pod(value));
        let running = serde_json::json!([{"name": "x", "state": {"running": {}}}]);
        let deleting = "2026-01-01T00:00:00Z";
        for (pod, expected) in [
            (serde_json::json!({}), PodLife::Wants),
            (serde_json::json!({"status": {"phase": "Running", "containerStatuses": running}}), PodLife::Wants),
            (serde_json::json!({"status": {"phase": "Succeeded"}}), PodLife::Ended),
            (serde_json::json!({"status": {"phase": "Failed"}}), PodLife::Ended),
            (serde_json::json!({"metadata": {"deletionTimestamp": deleting}}), PodLife::Ended),
            (
                serde_json::json!({"metadata": {"deletionTimestamp": deleting}, "status": {"containerStatuses": running}}),
                PodLife::Leaving,
            ),
        ] {
            assert_eq!(life_of(pod.clone()), expected, "{pod}");
        }
    }
}
