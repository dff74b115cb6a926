//! The backend: volumes, snapshots and who uses them. A pure state machine: a request and the node it came in at go in, an answer
//! or a refusal comes out. No clock, no socket, no randomness; ids are derived from names.
//!
//! It is strict where the specification lets a driver be strict (order of calls, capabilities that were not announced), so that a
//! caller who gets it wrong is told.

use std::{collections::BTreeMap, sync::Arc};

use csi_proto::csi::v1 as csi;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

mod controller;
mod node;
mod snapshots;
#[cfg(test)]
mod tests;
mod usage;

pub use controller::{PUBLISH_CONTEXT_DEVICE, VOLUME_CONTEXT_NAME};
pub use usage::Usage;

use crate::{
    code::{Code, Refusal},
    rpc::{Request, Response},
    settings::{ControllerCap, Expansion, GroupCap, NodeCap, Place, PluginCap, Settings},
};

type Answer<T> = Result<T, Refusal>;

/// Everything the driver knows.
#[derive(Debug, Clone)]
pub struct World {
    /// What it claims to be.
    pub settings: Arc<Settings>,
    ready: bool,
    nodes: BTreeMap<String, Place>,
    facts: Facts,
    changes: u64,
}

/// The part that survives the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    volumes: BTreeMap<String, Volume>,
    snapshots: BTreeMap<String, Snapshot>,
    groups: BTreeMap<String, Group>,
}

/// A volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// The handle.
    pub id: String,
    /// As CreateVolume said it; empty for a volume that was never created here.
    pub name: String,
    /// Size.
    pub capacity_bytes: i64,
    /// Class parameters.
    pub parameters: BTreeMap<String, String>,
    /// Parameters that ControllerModifyVolume changes.
    pub mutable_parameters: BTreeMap<String, String>,
    /// What it was promised to be usable as.
    pub capabilities: Vec<Usage>,
    /// What it was made from.
    pub source: Option<Source>,
    /// Where it can be reached; empty: everywhere.
    pub topology: Vec<BTreeMap<String, String>>,
    /// Nodes it is attached to.
    pub published: BTreeMap<String, Published>,
    /// Where it is staged: (node, path).
    pub staged: Vec<Staged>,
    /// Where pods see it: (node, path).
    pub targets: Vec<Target>,
}

/// Attached to a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// For reading only.
    pub readonly: bool,
    /// As what.
    pub usage: Usage,
}

/// Staged on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// The node.
    pub node: String,
    /// The staging path.
    pub path: String,
    /// As what.
    pub usage: Usage,
}

/// Mounted for a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The node.
    pub node: String,
    /// The target path.
    pub path: String,
    /// From which staging path; empty for drivers that do not stage.
    pub staging: String,
    /// For reading only.
    pub readonly: bool,
    /// As what.
    pub usage: Usage,
}

/// What a volume was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A snapshot, by id.
    Snapshot(String),
    /// A volume, by id.
    Volume(String),
}

/// A snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The handle.
    pub id: String,
    /// As CreateSnapshot said it.
    pub name: String,
    /// What it is a snapshot of.
    pub source_volume_id: String,
    /// Size of the source then.
    pub size_bytes: i64,
    /// Class parameters.
    pub parameters: BTreeMap<String, String>,
    /// Empty, or the group it belongs to.
    pub group: String,
}

/// A group snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The handle.
    pub id: String,
    /// As CreateVolumeGroupSnapshot said it.
    pub name: String,
    /// Its members, by id.
    pub members: Vec<String>,
}

// === impl World ===

impl World {
    /// A backend with nothing in it.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings), ready: true, nodes: BTreeMap::new(), facts: Facts::default(), changes: 0 }
    }

    /// A node that this driver runs on.
    pub fn add_node(&mut self, id: impl Into<String>, place: Place) {
        self.nodes.insert(id.into(), place);
    }

    /// What Probe answers.
    pub fn set_ready(&mut self, ready: bool) {
        self.ready = ready;
    }

    /// All volumes, by id.
    pub fn volumes(&self) -> impl Iterator<Item = &Volume> {
        self.facts.volumes.values()
    }

    /// All snapshots, by id.
    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.facts.snapshots.values()
    }

    /// What must survive the process.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Starts from what an earlier process left.
    pub fn restore(&mut self, facts: Facts) {
        self.facts = facts;
        self.changes += 1;
    }

    /// A volume that exists without CreateVolume: pre-provisioned. One that is there stays as it is.
    pub fn add_volume(&mut self, id: impl Into<String>, capacity_bytes: i64) {
        let id = id.into();
        let fresh = || Volume { id: id.clone(), capacity_bytes, ..Volume::default() };
        self.facts.volumes.entry(id.clone()).or_insert_with(fresh);
        self.changes += 1;
    }

    /// A node was switched off: nothing is staged or mounted there any more. What is attached to it stays attached.
    pub fn forget_mounts(&mut self, node: &str) {
        let mut changed = Vec::new();
        for volume in self.facts.volumes.values_mut() {
            let before = volume.staged.len() + volume.targets.len();
            volume.staged.retain(|staged| staged.node != node);
            volume.targets.retain(|target| target.node != node);
            if volume.staged.len() + volume.targets.len() != before {
                changed.push(volume.id.clone());
            }
        }
        for id in changed {
            self.changes += 1;
            self.forget_if_idle(&id);
        }
    }

    /// Goes up with every change of the facts.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The handle of a volume of this name: always the same.
    #[must_use]
    pub fn volume_id(&self, name: &str) -> String {
        self.id("volume", name)
    }

    /// The handle of the volume that a call changes; CreateVolume's is known before the volume exists.
    #[must_use]
    pub fn volume_of(&self, request: &Request) -> Option<String> {
        let id = match request {
            Request::CreateVolume(r) => return Some(self.volume_id(&r.name)),
            Request::DeleteVolume(r) => &r.volume_id,
            Request::ControllerPublishVolume(r) => &r.volume_id,
            Request::ControllerUnpublishVolume(r) => &r.volume_id,
            Request::ControllerExpandVolume(r) => &r.volume_id,
            Request::ControllerModifyVolume(r) => &r.volume_id,
            Request::NodeStageVolume(r) => &r.volume_id,
            Request::NodeUnstageVolume(r) => &r.volume_id,
            Request::NodePublishVolume(r) => &r.volume_id,
            Request::NodeUnpublishVolume(r) => &r.volume_id,
            Request::NodeExpandVolume(r) => &r.volume_id,
            _ => return None,
        };
        Some(id.clone())
    }

    fn id(&self, kind: &str, name: &str) -> String {
        let text = format!("{}/{kind}/{name}", self.settings.name);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
    }

    /// Answers one call that came in at `node`.
    ///
    /// # Errors
    /// What a driver would answer with a gRPC code. Nothing has changed then, except that with `any_volume` the volume is now
    /// known.
    pub fn apply(&mut self, node: &str, request: &Request) -> Answer<Response> {
        self.served(request)?;
        match request {
            Request::GetPluginInfo(_) => Ok(Response::GetPluginInfo(csi::GetPluginInfoResponse {
                name: self.settings.name.clone(),
                vendor_version: self.settings.version.clone(),
                manifest: BTreeMap::new(),
            })),
            Request::GetPluginCapabilities(_) => Ok(Response::GetPluginCapabilities(self.plugin_capabilities())),
            Request::Probe(_) => Ok(Response::Probe(csi::ProbeResponse { ready: Some(self.ready) })),
            Request::CreateVolume(r) => self.create_volume(node, r).map(Response::CreateVolume),
            Request::DeleteVolume(r) => self.delete_volume(r).map(Response::DeleteVolume),
            Request::ControllerPublishVolume(r) => self.controller_publish(r).map(Response::ControllerPublishVolume),
            Request::ControllerUnpublishVolume(r) => self.controller_unpublish(r).map(Response::ControllerUnpublishVolume),
            Request::ValidateVolumeCapabilities(r) => self.validate(r).map(Response::ValidateVolumeCapabilities),
            Request::ListVolumes(r) => self.list_volumes(r).map(Response::ListVolumes),
            Request::ControllerListVolumeHealth(_) => Ok(Response::ControllerListVolumeHealth(Default::default())),
            Request::ControllerGetVolumeHealth(r) => self.volume_health(r).map(Response::ControllerGetVolumeHealth),
            Request::GetCapacity(r) => Ok(Response::GetCapacity(self.get_capacity(r))),
            Request::ControllerGetCapabilities(_) => {
                Ok(Response::ControllerGetCapabilities(csi::ControllerGetCapabilitiesResponse {
                    capabilities: self.settings.controller.iter().map(|c| controller_capability(*c)).collect(),
                }))
            }
            Request::CreateSnapshot(r) => self.create_snapshot(r).map(Response::CreateSnapshot),
            Request::DeleteSnapshot(r) => self.delete_snapshot(r).map(Response::DeleteSnapshot),
            Request::ListSnapshots(r) => self.list_snapshots(r).map(Response::ListSnapshots),
            Request::GetSnapshot(r) => self.get_snapshot(r).map(Response::GetSnapshot),
            Request::ControllerExpandVolume(r) => self.controller_expand(r).map(Response::ControllerExpandVolume),
            Request::ControllerGetVolume(r) => self.get_volume(r).map(Response::ControllerGetVolume),
            Request::ControllerModifyVolume(r) => self.modify_volume(r).map(Response::ControllerModifyVolume),
            Request::GroupControllerGetCapabilities(_) => {
                Ok(Response::GroupControllerGetCapabilities(csi::GroupControllerGetCapabilitiesResponse {
                    capabilities: self.settings.group.iter().map(|c| group_capability(*c)).collect(),
                }))
            }
            Request::CreateVolumeGroupSnapshot(r) => self.create_group(r).map(Response::CreateVolumeGroupSnapshot),
            Request::DeleteVolumeGroupSnapshot(r) => self.delete_group(r).map(Response::DeleteVolumeGroupSnapshot),
            Request::GetVolumeGroupSnapshot(r) => self.get_group(r).map(Response::GetVolumeGroupSnapshot),
            Request::NodeStageVolume(r) => self.stage(node, r).map(Response::NodeStageVolume),
            Request::NodeUnstageVolume(r) => self.unstage(node, r).map(Response::NodeUnstageVolume),
            Request::NodePublishVolume(r) => self.publish(node, r).map(Response::NodePublishVolume),
            Request::NodeUnpublishVolume(r) => self.unpublish(node, r).map(Response::NodeUnpublishVolume),
            Request::NodeGetVolumeStats(r) => self.stats(node, r).map(Response::NodeGetVolumeStats),
            Request::NodeGetVolumeHealth(r) => self.node_volume_health(r).map(Response::NodeGetVolumeHealth),
            Request::NodeGetStorageHealth(_) => Ok(Response::NodeGetStorageHealth(Default::default())),
            Request::NodeExpandVolume(r) => self.node_expand(r).map(Response::NodeExpandVolume),
            Request::NodeGetCapabilities(_) => Ok(Response::NodeGetCapabilities(csi::NodeGetCapabilitiesResponse {
                capabilities: self.settings.node.iter().map(|c| node_capability(*c)).collect(),
            })),
            Request::NodeGetInfo(_) => Ok(Response::NodeGetInfo(self.node_info(node))),
        }
    }

    /// Calls of capabilities that were not announced are Unimplemented.
    fn served(&self, request: &Request) -> Answer<()> {
        use ControllerCap as C;
        use NodeCap as N;
        let s = &self.settings;
        let any = |caps: &[C]| caps.iter().any(|c| s.controller.contains(c));
        let by_capability = match request {
            Request::CreateVolume(_) | Request::DeleteVolume(_) => any(&[C::CreateDeleteVolume]),
            Request::ControllerPublishVolume(_) | Request::ControllerUnpublishVolume(_) => any(&[C::PublishUnpublishVolume]),
            Request::ListVolumes(_) => any(&[C::ListVolumes]),
            Request::GetCapacity(_) => any(&[C::GetCapacity]),
            Request::CreateSnapshot(_) | Request::DeleteSnapshot(_) => any(&[C::CreateDeleteSnapshot]),
            Request::ListSnapshots(_) => any(&[C::ListSnapshots]),
            Request::GetSnapshot(_) => any(&[C::GetSnapshot]),
            Request::ControllerExpandVolume(_) => any(&[C::ExpandVolume]),
            Request::ControllerGetVolume(_) => any(&[C::GetVolume]),
            Request::ControllerModifyVolume(_) => any(&[C::ModifyVolume]),
            Request::ControllerGetVolumeHealth(_) => any(&[C::GetVolumeHealth]),
            Request::ControllerListVolumeHealth(_) => any(&[C::ListVolumeHealth]),
            Request::CreateVolumeGroupSnapshot(_)
            | Request::DeleteVolumeGroupSnapshot(_)
            | Request::GetVolumeGroupSnapshot(_) => s.group.contains(&GroupCap::CreateDeleteGetVolumeGroupSnapshot),
            Request::NodeStageVolume(_) | Request::NodeUnstageVolume(_) => s.node.contains(&N::StageUnstageVolume),
            Request::NodeGetVolumeStats(_) => s.node.contains(&N::GetVolumeStats),
            Request::NodeExpandVolume(_) => s.node.contains(&N::ExpandVolume),
            Request::NodeGetVolumeHealth(_) => s.node.contains(&N::GetVolumeHealth),
            Request::NodeGetStorageHealth(_) => s.node.contains(&N::GetStorageHealth),
            _ => true,
        };
        let rpc = request.rpc();
        let by_service = match rpc.service() {
            "Controller" => s.plugin.contains(&PluginCap::ControllerService),
            "GroupController" => s.plugin.contains(&PluginCap::GroupControllerService),
            _ => true,
        };
        if by_capability && by_service {
            return Ok(());
        }
        Err(Refusal::new(Code::Unimplemented, format!("{} is not among the capabilities of this driver", rpc.name())))
    }

    fn plugin_capabilities(&self) -> csi::GetPluginCapabilitiesResponse {
        use csi::plugin_capability::{Service, Type, VolumeExpansion};
        let services = self.settings.plugin.iter().map(|c| Type::Service(Service { r#type: (*c).into() }));
        let expansion = self.settings.expansion.iter();
        let expansion = expansion.map(|e: &Expansion| Type::VolumeExpansion(VolumeExpansion { r#type: (*e).into() }));
        let capabilities = services.chain(expansion).map(|t| csi::PluginCapability { r#type: Some(t) }).collect();
        csi::GetPluginCapabilitiesResponse { capabilities }
    }

    /// A volume that is here, or that this process is told to believe in.
    fn volume(&mut self, id: &str) -> Answer<&mut Volume> {
        required("volume_id", id)?;
        if self.settings.any_volume && !self.facts.volumes.contains_key(id) {
            let believed = Volume { id: id.to_owned(), ..Volume::default() };
            self.facts.volumes.insert(id.to_owned(), believed);
        }
        let known = self.facts.volumes.get_mut(id);
        known.ok_or_else(|| Refusal::new(Code::NotFound, format!("there is no volume {id:?}")))
    }

    fn has(&self, cap: ControllerCap) -> bool {
        self.settings.controller.contains(&cap)
    }

    fn node_has(&self, cap: NodeCap) -> bool {
        self.settings.node.contains(&cap)
    }
}

fn required(field: &str, value: &str) -> Answer<()> {
    if value.is_empty() { Err(Refusal::new(Code::InvalidArgument, format!("{field} is missing"))) } else { Ok(()) }
}

fn controller_capability(cap: ControllerCap) -> csi::ControllerServiceCapability {
    use csi::controller_service_capability::{Rpc, Type};
    csi::ControllerServiceCapability { r#type: Some(Type::Rpc(Rpc { r#type: cap.into() })) }
}

fn group_capability(cap: GroupCap) -> csi::GroupControllerServiceCapability {
    use csi::group_controller_service_capability::{Rpc, Type};
    csi::GroupControllerServiceCapability { r#type: Some(Type::Rpc(Rpc { r#type: cap.into() })) }
}

fn node_capability(cap: NodeCap) -> csi::NodeServiceCapability {
    use csi::node_service_capability::{Rpc, Type};
    csi::NodeServiceCapability { r#type: Some(Type::Rpc(Rpc { r#type: cap.into() })) }
}
