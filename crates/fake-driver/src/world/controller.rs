//! The controller service: volumes and where they are attached.

use std::collections::BTreeMap;

use csi_proto::csi::v1::{
    self as csi,
    volume_content_source::{self, SnapshotSource, VolumeSource},
};

use super::{Answer, Published, Source, Usage, Volume, World, required};
use crate::{
    code::{Code, Refusal},
    settings::{ControllerCap, DEFAULT_VOLUME_BYTES, NodeCap, PluginCap},
};

/// Handed from ControllerPublishVolume to the node, so that a test can see that it arrived.
pub const PUBLISH_CONTEXT_DEVICE: &str = "fake-driver/device";
/// Handed from CreateVolume to everyone after it.
pub const VOLUME_CONTEXT_NAME: &str = "fake-driver/name";

impl Volume {
    fn to_csi(&self) -> csi::Volume {
        let context = (!self.name.is_empty()).then(|| (VOLUME_CONTEXT_NAME.to_owned(), self.name.clone()));
        csi::Volume {
            capacity_bytes: self.capacity_bytes,
            volume_id: self.id.clone(),
            volume_context: context.into_iter().collect(),
            content_source: self.source.as_ref().map(Source::to_csi),
            accessible_topology: self.topology.iter().map(|s| csi::Topology { segments: s.clone() }).collect(),
        }
    }
}

impl Source {
    fn to_csi(&self) -> csi::VolumeContentSource {
        let source = match self.clone() {
            Self::Snapshot(snapshot_id) => volume_content_source::Type::Snapshot(SnapshotSource { snapshot_id }),
            Self::Volume(volume_id) => volume_content_source::Type::Volume(VolumeSource { volume_id }),
        };
        csi::VolumeContentSource { r#type: Some(source) }
    }
}

impl World {
    pub(super) fn create_volume(&mut self, node: &str, r: &csi::CreateVolumeRequest) -> Answer<csi::CreateVolumeResponse> {
        required("name", &r.name)?;
        if r.volume_capabilities.is_empty() {
            return Err(Refusal::new(Code::InvalidArgument, "volume_capabilities is missing"));
        }
        let modes = &self.settings.access_modes;
        let usages = r.volume_capabilities.iter().map(|c| Usage::read(Some(c), modes)).collect::<Answer<Vec<_>>>()?;
        self.mutable(&r.mutable_parameters)?;
        let range = r.capacity_range.unwrap_or_default();
        let source = self.source(r.volume_content_source.as_ref())?;
        let id = self.volume_id(&r.name);
        if let Some(known) = self.facts.volumes.get(&id) {
            let same_size = fits(&range, known.capacity_bytes);
            if !same_size || known.parameters != r.parameters || known.source != source || known.capabilities != usages {
                return Err(Refusal::new(Code::AlreadyExists, format!("volume {} exists with other arguments", r.name)));
            }
            return Ok(csi::CreateVolumeResponse { volume: Some(known.to_csi()) });
        }
        let at_least = self.size_of(source.as_ref());
        let capacity_bytes = size(&range, at_least)?;
        self.room_for(capacity_bytes)?;
        let volume = Volume {
            id: id.clone(),
            name: r.name.clone(),
            capacity_bytes,
            parameters: r.parameters.clone(),
            mutable_parameters: r.mutable_parameters.clone(),
            capabilities: usages,
            source,
            topology: self.place_for(node, r.accessibility_requirements.as_ref()),
            ..Volume::default()
        };
        let answer = volume.to_csi();
        self.facts.volumes.insert(id, volume);
        self.changes += 1;
        Ok(csi::CreateVolumeResponse { volume: Some(answer) })
    }

    fn mutable(&self, parameters: &BTreeMap<String, String>) -> Answer<()> {
        let Some(keys) = &self.settings.mutable_keys else { return Ok(()) };
        match parameters.keys().find(|k| !keys.contains(*k)) {
            None => Ok(()),
            Some(key) => Err(Refusal::new(Code::InvalidArgument, format!("{key:?} is not a mutable parameter"))),
        }
    }

    /// The first place that was preferred, else required, else where this process runs.
    fn place_for(&self, node: &str, wanted: Option<&csi::TopologyRequirement>) -> Vec<BTreeMap<String, String>> {
        if !self.settings.plugin.contains(&PluginCap::VolumeAccessibilityConstraints) {
            return Vec::new();
        }
        let asked = wanted.and_then(|w| w.preferred.iter().chain(&w.requisite).next()).map(|t| t.segments.clone());
        let here = || self.nodes.get(node).map(|p| p.topology.clone());
        asked.or_else(here).filter(|s| !s.is_empty()).into_iter().collect()
    }

    fn source(&self, wanted: Option<&csi::VolumeContentSource>) -> Answer<Option<Source>> {
        let unsupported = |what: &str| Refusal::new(Code::InvalidArgument, format!("this driver does not {what}"));
        match wanted.and_then(|w| w.r#type.as_ref()) {
            None if wanted.is_some() => Err(Refusal::new(Code::InvalidArgument, "volume_content_source is empty")),
            None => Ok(None),
            Some(volume_content_source::Type::Snapshot(s)) => {
                if !self.has(ControllerCap::CreateDeleteSnapshot) {
                    return Err(unsupported("make volumes from snapshots"));
                }
                if !self.facts.snapshots.contains_key(&s.snapshot_id) {
                    return Err(Refusal::new(Code::NotFound, format!("there is no snapshot {:?}", s.snapshot_id)));
                }
                Ok(Some(Source::Snapshot(s.snapshot_id.clone())))
            }
            Some(volume_content_source::Type::Volume(v)) => {
                if !self.has(ControllerCap::CloneVolume) {
                    return Err(unsupported("clone volumes"));
                }
                if !self.facts.volumes.contains_key(&v.volume_id) {
                    return Err(Refusal::new(Code::NotFound, format!("there is no volume {:?}", v.volume_id)));
                }
                Ok(Some(Source::Volume(v.volume_id.clone())))
            }
        }
    }

    fn size_of(&self, source: Option<&Source>) -> i64 {
        match source {
            None => 0,
            Some(Source::Snapshot(id)) => self.facts.snapshots.get(id).map_or(0, |s| s.size_bytes),
            Some(Source::Volume(id)) => self.facts.volumes.get(id).map_or(0, |v| v.capacity_bytes),
        }
    }

    fn used(&self) -> i64 {
        self.facts.volumes.values().fold(0, |sum, v| sum.saturating_add(v.capacity_bytes))
    }

    fn room_for(&self, more: i64) -> Answer<()> {
        let Some(capacity) = self.settings.capacity else { return Ok(()) };
        if more > capacity {
            return Err(Refusal::new(Code::OutOfRange, format!("{more} bytes is more than the {capacity} of this backend")));
        }
        let free = capacity - self.used();
        if more > free {
            return Err(Refusal::new(Code::ResourceExhausted, format!("{more} bytes are more than the {free} that are free")));
        }
        Ok(())
    }

    pub(super) fn delete_volume(&mut self, r: &csi::DeleteVolumeRequest) -> Answer<csi::DeleteVolumeResponse> {
        required("volume_id", &r.volume_id)?;
        if let Some(volume) = self.facts.volumes.get(&r.volume_id) {
            let used_by = volume.published.keys().chain(volume.staged.iter().map(|s| &s.node));
            if let Some(node) = used_by.chain(volume.targets.iter().map(|t| &t.node)).next() {
                let what = format!("volume {} is in use on node {node}", r.volume_id);
                return Err(Refusal::new(Code::FailedPrecondition, what));
            }
            self.facts.volumes.remove(&r.volume_id);
            self.changes += 1;
        }
        Ok(csi::DeleteVolumeResponse {})
    }

    pub(super) fn controller_publish(
        &mut self,
        r: &csi::ControllerPublishVolumeRequest,
    ) -> Answer<csi::ControllerPublishVolumeResponse> {
        required("volume_id", &r.volume_id)?;
        required("node_id", &r.node_id)?;
        let usage = Usage::read(r.volume_capability.as_ref(), &self.settings.access_modes)?;
        if r.readonly && !self.has(ControllerCap::PublishReadonly) {
            return Err(Refusal::new(Code::InvalidArgument, "readonly needs the capability PUBLISH_READONLY"));
        }
        let known = &self.settings.known_nodes;
        if !known.is_empty() && !known.contains(&r.node_id) {
            return Err(Refusal::new(Code::NotFound, format!("there is no node {:?}", r.node_id)));
        }
        let elsewhere = |v: &Volume| v.id != r.volume_id && v.published.contains_key(&r.node_id);
        let load = self.volumes().filter(|v| elsewhere(v)).count();
        let limit = self.nodes.get(&r.node_id).map_or(0, |p| p.max_volumes);
        let volume = self.volume(&r.volume_id)?;
        let wanted = Published { readonly: r.readonly, usage };
        match volume.published.get(&r.node_id) {
            Some(known) if *known == wanted => {}
            Some(_) => {
                let what = format!("volume {} is published on {} in another way", r.volume_id, r.node_id);
                return Err(Refusal::new(Code::AlreadyExists, what));
            }
            None => {
                let single = wanted.usage.single_node() || volume.published.values().any(|p| p.usage.single_node());
                if let Some(other) = volume.published.keys().next().filter(|_| single) {
                    let what = format!("volume {} is published on {other}", r.volume_id);
                    return Err(Refusal::new(Code::FailedPrecondition, what));
                }
                if limit > 0 && i64::try_from(load).unwrap_or(i64::MAX) >= limit {
                    let what = format!("node {} has its {limit} volumes", r.node_id);
                    return Err(Refusal::new(Code::ResourceExhausted, what));
                }
                volume.published.insert(r.node_id.clone(), wanted);
                self.changes += 1;
            }
        }
        let context = [(PUBLISH_CONTEXT_DEVICE.to_owned(), format!("/dev/fake/{}", r.volume_id))];
        Ok(csi::ControllerPublishVolumeResponse { publish_context: context.into() })
    }

    pub(super) fn controller_unpublish(
        &mut self,
        r: &csi::ControllerUnpublishVolumeRequest,
    ) -> Answer<csi::ControllerUnpublishVolumeResponse> {
        required("volume_id", &r.volume_id)?;
        let Some(volume) = self.facts.volumes.get_mut(&r.volume_id) else { return Ok(Default::default()) };
        let concerns = |node: &String| r.node_id.is_empty() || *node == r.node_id;
        let mut users = volume.staged.iter().map(|s| &s.node).chain(volume.targets.iter().map(|t| &t.node));
        if let Some(node) = users.find(|n| concerns(n)) {
            let what = format!("volume {} is still staged or mounted on node {node}", r.volume_id);
            return Err(Refusal::new(Code::FailedPrecondition, what));
        }
        let before = volume.published.len();
        volume.published.retain(|node, _| !concerns(node));
        self.changes += u64::from(volume.published.len() != before);
        self.forget_if_idle(&r.volume_id);
        Ok(Default::default())
    }

    pub(super) fn validate(
        &mut self,
        r: &csi::ValidateVolumeCapabilitiesRequest,
    ) -> Answer<csi::ValidateVolumeCapabilitiesResponse> {
        self.volume(&r.volume_id)?;
        if r.volume_capabilities.is_empty() {
            return Err(Refusal::new(Code::InvalidArgument, "volume_capabilities is missing"));
        }
        for capability in &r.volume_capabilities {
            if let Err(refusal) = Usage::read(Some(capability), &self.settings.access_modes) {
                return Ok(csi::ValidateVolumeCapabilitiesResponse { confirmed: None, message: refusal.message });
            }
        }
        let confirmed = csi::validate_volume_capabilities_response::Confirmed {
            volume_context: r.volume_context.clone(),
            volume_capabilities: r.volume_capabilities.clone(),
            parameters: r.parameters.clone(),
            mutable_parameters: r.mutable_parameters.clone(),
        };
        Ok(csi::ValidateVolumeCapabilitiesResponse { confirmed: Some(confirmed), message: String::new() })
    }

    pub(super) fn list_volumes(&self, r: &csi::ListVolumesRequest) -> Answer<csi::ListVolumesResponse> {
        use csi::list_volumes_response::{Entry, VolumeStatus};
        let all: Vec<&Volume> = self.facts.volumes.values().collect();
        let (page, next_token) = page(&all, r.max_entries, &r.starting_token, |v| &v.id)?;
        let entry = |v: &&Volume| {
            let published_node_ids = v.published.keys().cloned().collect();
            let status = self.has(ControllerCap::ListVolumesPublishedNodes).then_some(VolumeStatus { published_node_ids });
            Entry { volume: Some(v.to_csi()), status }
        };
        Ok(csi::ListVolumesResponse { entries: page.iter().map(entry).collect(), next_token })
    }

    pub(super) fn get_volume(&mut self, r: &csi::ControllerGetVolumeRequest) -> Answer<csi::ControllerGetVolumeResponse> {
        let volume = self.volume(&r.volume_id)?;
        let published_node_ids = volume.published.keys().cloned().collect();
        let status = csi::controller_get_volume_response::VolumeStatus { published_node_ids };
        Ok(csi::ControllerGetVolumeResponse { volume: Some(volume.to_csi()), status: Some(status) })
    }

    pub(super) fn volume_health(
        &mut self,
        r: &csi::ControllerGetVolumeHealthRequest,
    ) -> Answer<csi::ControllerGetVolumeHealthResponse> {
        self.volume(&r.volume_id)?;
        let health = csi::VolumeHealth { volume_id: r.volume_id.clone(), health_statuses: Vec::new() };
        Ok(csi::ControllerGetVolumeHealthResponse { volume_health: Some(health) })
    }

    pub(super) fn get_capacity(&self, r: &csi::GetCapacityRequest) -> csi::GetCapacityResponse {
        // Somewhere we have no node, we have no room.
        let wanted = r.accessible_topology.as_ref().map(|t| &t.segments);
        let here = wanted.is_none_or(|w| {
            let inside = |place: &BTreeMap<String, String>| w.iter().all(|(k, v)| place.get(k) == Some(v));
            self.nodes.is_empty() || self.nodes.values().any(|p| inside(&p.topology))
        });
        let free = self.settings.capacity.map_or(i64::MAX, |c| c.saturating_sub(self.used()).max(0));
        let available_capacity = if here { free } else { 0 };
        csi::GetCapacityResponse {
            available_capacity,
            maximum_volume_size: self.settings.capacity.map(|_| available_capacity),
            minimum_volume_size: None,
        }
    }

    pub(super) fn controller_expand(
        &mut self,
        r: &csi::ControllerExpandVolumeRequest,
    ) -> Answer<csi::ControllerExpandVolumeResponse> {
        let node_expansion_required = self.node_has(NodeCap::ExpandVolume);
        let before = self.volume(&r.volume_id)?.capacity_bytes;
        let range = r.capacity_range.ok_or_else(|| Refusal::new(Code::InvalidArgument, "capacity_range is missing"))?;
        let capacity_bytes = size(&range, before)?;
        self.room_for(capacity_bytes - before)?;
        if capacity_bytes > before {
            self.volume(&r.volume_id)?.capacity_bytes = capacity_bytes;
            self.changes += 1;
        }
        Ok(csi::ControllerExpandVolumeResponse { capacity_bytes, node_expansion_required })
    }

    pub(super) fn modify_volume(
        &mut self,
        r: &csi::ControllerModifyVolumeRequest,
    ) -> Answer<csi::ControllerModifyVolumeResponse> {
        self.volume(&r.volume_id)?;
        self.mutable(&r.mutable_parameters)?;
        self.volume(&r.volume_id)?.mutable_parameters.extend(r.mutable_parameters.clone());
        self.changes += 1;
        Ok(csi::ControllerModifyVolumeResponse {})
    }
}

fn fits(range: &csi::CapacityRange, size: i64) -> bool {
    size >= range.required_bytes && (range.limit_bytes == 0 || size <= range.limit_bytes)
}

/// The smallest size that is in the range and at least so big; what nobody asked a size for gets the default.
fn size(range: &csi::CapacityRange, at_least: i64) -> Answer<i64> {
    if range.required_bytes < 0 || range.limit_bytes < 0 {
        return Err(Refusal::new(Code::InvalidArgument, "capacity_range is negative"));
    }
    let wanted = match (range.required_bytes, range.limit_bytes) {
        (0, 0) => DEFAULT_VOLUME_BYTES,
        (0, limit) => DEFAULT_VOLUME_BYTES.min(limit),
        (required, _) => required,
    };
    let size = wanted.max(at_least);
    if fits(range, size) {
        return Ok(size);
    }
    Err(Refusal::new(Code::OutOfRange, format!("{size} bytes are needed, and at most {} allowed", range.limit_bytes)))
}

/// One page of an ordered list; the token is the id of the first entry of the next page.
pub(super) fn page<'a, T>(all: &'a [T], max: i32, token: &str, id: impl Fn(&T) -> &String) -> Answer<(&'a [T], String)> {
    let max = usize::try_from(max).map_err(|_| Refusal::new(Code::InvalidArgument, "max_entries is negative"))?;
    let start = if token.is_empty() { Some(0) } else { all.iter().position(|t| id(t) == token) };
    let start = start.ok_or_else(|| Refusal::new(Code::Aborted, format!("{token:?} is no starting_token; start again")))?;
    let end = if max == 0 { all.len() } else { all.len().min(start + max) };
    Ok((&all[start..end], all.get(end).map(|t| id(t).clone()).unwrap_or_default()))
}
