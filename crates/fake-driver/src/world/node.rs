//! The node service: what is staged and mounted where. Only written down; `mounts.rs` does it in earnest.

use std::path::Path;

use csi_proto::csi::v1 as csi;

use super::{Answer, Staged, Target, Usage, Volume, World, required};
use crate::{
    code::{Code, Refusal},
    settings::{ControllerCap, NodeCap},
};

/// Set by the caller in volume_context for a volume that lives and dies with its pod. Upstream: kubelet, CSI inline volumes.
const EPHEMERAL: &str = "csi.storage.k8s.io/ephemeral";

impl World {
    pub(super) fn node_info(&self, node: &str) -> csi::NodeGetInfoResponse {
        let place = self.nodes.get(node).cloned().unwrap_or_default();
        let accessible_topology = (!place.topology.is_empty()).then_some(csi::Topology { segments: place.topology });
        csi::NodeGetInfoResponse { node_id: node.to_owned(), max_volumes_per_node: place.max_volumes, accessible_topology }
    }

    /// A volume must be attached to the node that uses it, if this driver attaches at all and knows.
    fn attached(&self, node: &str, volume: &str) -> Answer<()> {
        let must = self.has(ControllerCap::PublishUnpublishVolume) && !self.settings.any_volume;
        let known = self.facts.volumes.get(volume);
        if must && known.is_some_and(|v| !v.published.contains_key(node)) {
            let what = format!("volume {volume} is not published to node {node}: ControllerPublishVolume comes first");
            return Err(Refusal::new(Code::FailedPrecondition, what));
        }
        Ok(())
    }

    pub(super) fn stage(&mut self, node: &str, r: &csi::NodeStageVolumeRequest) -> Answer<csi::NodeStageVolumeResponse> {
        absolute("staging_target_path", &r.staging_target_path)?;
        let usage = Usage::read(r.volume_capability.as_ref(), &self.settings.access_modes)?;
        self.volume(&r.volume_id)?;
        self.attached(node, &r.volume_id)?;
        let volume = self.volume(&r.volume_id)?;
        match volume.staged.iter().find(|s| s.node == node && s.path == r.staging_target_path) {
            Some(known) if known.usage == usage => {}
            Some(_) => {
                let what = format!("{} holds volume {} staged in another way", r.staging_target_path, r.volume_id);
                return Err(Refusal::new(Code::AlreadyExists, what));
            }
            None => {
                volume.staged.push(Staged { node: node.to_owned(), path: r.staging_target_path.clone(), usage });
                self.changes += 1;
            }
        }
        Ok(csi::NodeStageVolumeResponse {})
    }

    pub(super) fn unstage(&mut self, node: &str, r: &csi::NodeUnstageVolumeRequest) -> Answer<csi::NodeUnstageVolumeResponse> {
        absolute("staging_target_path", &r.staging_target_path)?;
        let volume = self.volume(&r.volume_id)?;
        if let Some(user) = volume.targets.iter().find(|t| t.node == node && t.staging == r.staging_target_path) {
            let what = format!("volume {} is still mounted at {}", r.volume_id, user.path);
            return Err(Refusal::new(Code::FailedPrecondition, what));
        }
        let before = volume.staged.len();
        volume.staged.retain(|s| s.node != node || s.path != r.staging_target_path);
        self.changes += u64::from(volume.staged.len() != before);
        self.forget_if_idle(&r.volume_id);
        Ok(csi::NodeUnstageVolumeResponse {})
    }

    pub(super) fn publish(&mut self, node: &str, r: &csi::NodePublishVolumeRequest) -> Answer<csi::NodePublishVolumeResponse> {
        absolute("target_path", &r.target_path)?;
        required("volume_id", &r.volume_id)?;
        let usage = Usage::read(r.volume_capability.as_ref(), &self.settings.access_modes)?;
        let ephemeral = r.volume_context.get(EPHEMERAL).is_some_and(|v| v == "true");
        if ephemeral && !self.facts.volumes.contains_key(&r.volume_id) {
            self.add_volume(r.volume_id.clone(), 0);
        } else if !ephemeral {
            self.volume(&r.volume_id)?;
            self.attached(node, &r.volume_id)?;
        }
        let stages = self.node_has(NodeCap::StageUnstageVolume) && !ephemeral;
        let volume = self.volume(&r.volume_id)?;
        if stages && !volume.staged.iter().any(|s| s.node == node && s.path == r.staging_target_path) {
            let what = format!("volume {} is not staged at {:?}", r.volume_id, r.staging_target_path);
            return Err(Refusal::new(Code::FailedPrecondition, what));
        }
        let wanted = Target {
            node: node.to_owned(),
            path: r.target_path.clone(),
            staging: r.staging_target_path.clone(),
            readonly: r.readonly,
            usage,
        };
        match volume.targets.iter().find(|t| t.node == node && t.path == r.target_path) {
            Some(known) if *known == wanted => {}
            Some(_) => {
                let what = format!("{} holds volume {} mounted in another way", r.target_path, r.volume_id);
                return Err(Refusal::new(Code::AlreadyExists, what));
            }
            None => {
                if let Some(other) = volume.targets.first().filter(|t| t.usage.single_writer() || wanted.usage.single_writer()) {
                    let what = format!("volume {} is mounted at {} and may have one user", r.volume_id, other.path);
                    return Err(Refusal::new(Code::FailedPrecondition, what));
                }
                volume.targets.push(wanted);
                self.changes += 1;
            }
        }
        Ok(csi::NodePublishVolumeResponse {})
    }

    pub(super) fn unpublish(
        &mut self,
        node: &str,
        r: &csi::NodeUnpublishVolumeRequest,
    ) -> Answer<csi::NodeUnpublishVolumeResponse> {
        absolute("target_path", &r.target_path)?;
        required("volume_id", &r.volume_id)?;
        let volume = match self.volume(&r.volume_id) {
            Ok(volume) => volume,
            // An inline volume is gone with its mount, so a repeated call finds none.
            Err(_) if is_inline(&r.volume_id) => return Ok(csi::NodeUnpublishVolumeResponse {}),
            Err(refusal) => return Err(refusal),
        };
        let before = volume.targets.len();
        volume.targets.retain(|t| t.node != node || t.path != r.target_path);
        self.changes += u64::from(volume.targets.len() != before);
        self.forget_if_idle(&r.volume_id);
        Ok(csi::NodeUnpublishVolumeResponse {})
    }

    /// Inline volumes, and those believed in without having been created, leave nothing behind.
    pub(super) fn forget_if_idle(&mut self, id: &str) {
        let idle = |v: &Volume| v.published.is_empty() && v.staged.is_empty() && v.targets.is_empty();
        let guest = self.settings.any_volume || is_inline(id);
        if guest && self.facts.volumes.get(id).is_some_and(|v| idle(v) && v.name.is_empty() && v.capacity_bytes == 0) {
            self.facts.volumes.remove(id);
            self.changes += 1;
        }
    }

    pub(super) fn stats(&mut self, node: &str, r: &csi::NodeGetVolumeStatsRequest) -> Answer<csi::NodeGetVolumeStatsResponse> {
        required("volume_path", &r.volume_path)?;
        let volume = self.volume(&r.volume_id)?;
        let staged = volume.staged.iter().any(|s| s.node == node && s.path == r.volume_path);
        if !staged && !volume.targets.iter().any(|t| t.node == node && t.path == r.volume_path) {
            return Err(Refusal::new(Code::NotFound, format!("volume {} is not at {}", r.volume_id, r.volume_path)));
        }
        let total = volume.capacity_bytes;
        let unit = csi::volume_usage::Unit::Bytes.into();
        Ok(csi::NodeGetVolumeStatsResponse { usage: vec![csi::VolumeUsage { available: total, total, used: 0, unit }] })
    }

    pub(super) fn node_volume_health(&mut self, r: &csi::NodeGetVolumeHealthRequest) -> Answer<csi::NodeGetVolumeHealthResponse> {
        self.volume(&r.volume_id)?;
        let health = csi::VolumeHealth { volume_id: r.volume_id.clone(), health_statuses: Vec::new() };
        Ok(csi::NodeGetVolumeHealthResponse { volume_health: Some(health) })
    }

    pub(super) fn node_expand(&mut self, r: &csi::NodeExpandVolumeRequest) -> Answer<csi::NodeExpandVolumeResponse> {
        required("volume_path", &r.volume_path)?;
        Ok(csi::NodeExpandVolumeResponse { capacity_bytes: self.volume(&r.volume_id)?.capacity_bytes })
    }
}

/// Upstream: kubelet names inline volumes `csi-` and 64 hex digits.
fn is_inline(id: &str) -> bool {
    id.strip_prefix("csi-").is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn absolute(field: &str, path: &str) -> Answer<()> {
    required(field, path)?;
    if Path::new(path).is_absolute() {
        return Ok(());
    }
    Err(Refusal::new(Code::InvalidArgument, format!("{field} {path:?} is not absolute")))
}
