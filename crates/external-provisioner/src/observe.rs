//! Caches, memory and a key into the facts that a plan looks at. Tolerant of what is missing; decides nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use cluster::kinds;
use cluster::{Caches, Key};
use csi_types::{ControllerCapability, DriverInfo, NodeName, PluginCapability, Segments};
use rt::Instant;

use crate::memory::Memory;
use crate::placement::{NodePlace, Places, Topology};
use crate::view::{Claim, ClaimView, Class, ExistingVolume, Phase, Reclaim, Settings, Source, Volume, VolumeView};

/// One claim, and not its namesake: the uid is part of the key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClaimKey {
    pub(crate) object: Key,
    pub(crate) uid: Box<str>,
}

impl fmt::Display for ClaimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(f)
    }
}

impl From<&kinds::Claim> for ClaimKey {
    fn from(claim: &kinds::Claim) -> Self {
        Self { object: claim.meta.key.clone(), uid: claim.meta.uid.clone() }
    }
}

/// Where facts come from.
pub(crate) struct Observer {
    pub(crate) caches: Caches,
    pub(crate) memory: Arc<Memory>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) driver: Arc<DriverInfo>,
}

impl Observer {
    /// One claim and what surrounds it.
    pub(crate) fn claim(&self, key: &ClaimKey, now: Instant) -> ClaimView {
        let cached = self.caches.claims.get(key.object.as_str()).filter(|claim| claim.meta.uid == key.uid);
        let claim = cached.as_deref().map(claim);
        let class = claim.as_ref().and_then(|claim| self.caches.classes.get(&claim.class)).map(|cached| class(&cached));
        let name = self.settings.volume_name(&key.uid);
        let existing = self.caches.volumes.get(name.as_str()).map(|pv| ExistingVolume {
            claim_uid: pv.claim.as_ref().map(|claim| claim.uid.to_string()),
            handle: pv.csi.as_ref().map(|csi| csi.volume_handle.as_ref().into()),
            deleting: pv.meta.deleting,
        });
        let topology = match (&claim, &class) {
            (Some(claim), Some(class)) => self.topology(claim, class),
            _ => None,
        };
        let class_uid = class.as_ref().map_or("", |class| &class.uid);
        ClaimView {
            uid: key.uid.to_string(),
            settings: self.settings.clone(),
            driver: self.driver.clone(),
            recall: self.memory.recall(&key.uid, class_uid, now),
            claim,
            class,
            existing,
            topology,
        }
    }

    /// One PersistentVolume and what surrounds it.
    pub(crate) fn volume(&self, key: &Key) -> VolumeView {
        let volume = self.caches.volumes.get(key.as_str()).map(|cached| volume(&cached));
        let publishes = self.driver.can(ControllerCapability::PublishUnpublishVolume);
        let attachment = self.caches.attachments.indexed(key.name()).into_iter().next().filter(|_| publishes);
        let also_named_by = volume.as_ref().and_then(|volume| self.also_named_by(volume));
        VolumeView {
            driver: self.driver.clone(),
            also_named_by,
            attached_to: attachment.map(|attachment| attachment.node.as_ref().into()),
            deleted: volume.as_ref().is_some_and(|volume| self.memory.deletion(&volume.uid).is_some()),
            volume,
        }
    }

    fn also_named_by(&self, volume: &Volume) -> Option<String> {
        let others = self.caches.volumes.indexed(volume.handle.as_ref()?.as_str());
        let needs_it = |other: &kinds::Volume| {
            other.csi.as_ref().is_some_and(|csi| Some(&*csi.driver) == volume.driver.as_deref())
                && *other.meta.uid != *volume.uid
                && !other.meta.deleting
                && other.phase != kinds::Phase::Released
        };
        others.iter().find(|other| needs_it(other)).map(|other| other.meta.key.name().to_owned())
    }

    fn topology(&self, claim: &Claim, class: &Class) -> Option<Topology> {
        if !self.settings.topology || !self.driver.has(PluginCapability::VolumeAccessibilityConstraints) {
            return None;
        }
        let selected = claim.selected_node.as_ref().map(|node| (node.clone(), self.place(node)));
        let nodes = match Topology::needs_all_nodes(selected.is_some(), class.allowed.as_deref(), &self.settings) {
            true => self.places(claim.selected_node.as_ref()),
            false => Places::At(Vec::new()),
        };
        Some(Topology { selected, nodes })
    }

    fn place(&self, node: &NodeName) -> NodePlace {
        let Some(csi_node) = self.caches.csi_nodes.get(node.as_str()) else { return NodePlace::NoCsiNode };
        let Some(keys) = self.keys(&csi_node) else { return NodePlace::NoKeys };
        let Some(node) = self.caches.nodes.get(node.as_str()) else { return NodePlace::NoNode };
        match segments(&node, keys) {
            Ok(here) => NodePlace::At(here),
            Err(label) => NodePlace::NoLabel(label),
        }
    }

    /// Where all nodes are. Upstream takes the keys of a random node where none is selected; the first by name is as good, and
    /// the same on every pass.
    fn places(&self, selected: Option<&NodeName>) -> Places {
        let csi_node = match selected {
            Some(node) => self.caches.csi_nodes.get(node.as_str()),
            None => self.caches.csi_nodes.all().into_iter().find(|csi_node| self.keys(csi_node).is_some()),
        };
        let Some(keys) = csi_node.as_deref().and_then(|csi_node| self.keys(csi_node)) else { return Places::NoKeys };
        let nodes = self.caches.nodes.all();
        let places: BTreeSet<Segments> = nodes.iter().filter_map(|node| segments(node, keys).ok()).collect();
        match places.is_empty() {
            true => Places::NoNodes(keys.iter().map(ToString::to_string).collect()),
            false => Places::At(places.into_iter().collect()),
        }
    }

    fn keys<'a>(&self, csi_node: &'a kinds::CsiNode) -> Option<&'a [Box<str>]> {
        csi_node.driver(self.driver.name.as_str()).map(|driver| &*driver.topology_keys).filter(|keys| !keys.is_empty())
    }
}

/// Where a node is by these keys, or the first label it lacks.
fn segments(node: &kinds::Node, keys: &[Box<str>]) -> Result<Segments, String> {
    let label = |key: &str| match node.labels.get(key) {
        Some(value) => Ok((key.to_owned(), value.to_string())),
        None => Err(key.to_owned()),
    };
    keys.iter().map(|key| label(key)).collect::<Result<_, _>>().map(Segments)
}

fn claim(cached: &kinds::Claim) -> Claim {
    let source = cached.source.as_ref().or(cached.source_ref.as_ref());
    Claim {
        namespace: cached.meta.key.namespace().unwrap_or_default().to_owned(),
        name: cached.meta.key.name().to_owned(),
        uid: cached.meta.uid.to_string(),
        version: cached.meta.version,
        volume: cached.volume.as_deref().map(Into::into),
        provisioner: cached.provisioner.as_deref().map(str::to_owned),
        class: cached.class.as_deref().unwrap_or_default().to_owned(),
        selected_node: cached.selected_node.as_deref().map(Into::into),
        request: cached.request.as_deref().unwrap_or_default().to_owned(),
        access_modes: cached.access_modes.to_vec(),
        unknown_access_modes: cached.unknown_access_modes.iter().map(ToString::to_string).collect(),
        volume_mode: cached.volume_mode,
        selector: cached.selector.is_some(),
        source: source.map(|source| Source { kind: source.kind.to_string(), name: source.name.to_string() }),
        attributes_class: cached.attributes_class.as_deref().map(str::to_owned),
    }
}

fn class(cached: &kinds::Class) -> Class {
    Class {
        name: cached.meta.key.name().to_owned(),
        uid: cached.meta.uid.to_string(),
        provisioner: cached.provisioner.to_string(),
        parameters: cached.parameters.clone(),
        mount_options: cached.mount_options.iter().map(ToString::to_string).collect(),
        reclaim: cached.reclaim_policy.as_deref().map(|policy| match policy {
            "Delete" => Reclaim::Delete,
            "Recycle" => Reclaim::Recycle,
            _ => Reclaim::Retain,
        }),
        waits_for_consumer: cached.waits_for_consumer,
        allowed: (!cached.allowed_topologies.is_empty()).then(|| cached.allowed_segments()),
    }
}

/// A PersistentVolume's facts, from the cache or from a live read.
pub(crate) fn volume(cached: &kinds::Volume) -> Volume {
    Volume {
        name: cached.meta.key.name().to_owned(),
        uid: cached.meta.uid.to_string(),
        deleting: cached.meta.deleting,
        held: cached.meta.has_finalizer(crate::pv::FINALIZER),
        provisioned_by: cached.provisioned_by.as_deref().map(str::to_owned),
        driver: cached.csi.as_ref().map(|csi| csi.driver.to_string()),
        handle: cached.csi.as_ref().map(|csi| csi.volume_handle.as_ref().into()),
        phase: match cached.phase {
            kinds::Phase::Bound => Phase::Bound,
            kinds::Phase::Released => Phase::Released,
            _ => Phase::Other,
        },
        reclaim: match cached.reclaim_policy {
            kinds::ReclaimPolicy::Delete => Reclaim::Delete,
            kinds::ReclaimPolicy::Recycle => Reclaim::Recycle,
            kinds::ReclaimPolicy::Retain | kinds::ReclaimPolicy::Unknown => Reclaim::Retain,
        },
    }
}
