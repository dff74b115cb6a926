//! Caches to facts. Tolerant of what is missing; decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cluster::Key;
use cluster::kinds::{Attachment, CsiSource, Node, Pod, Volume};
use rt::rules::{self, Rule};

use super::plan::{AttachmentState, Facts, NodeState, View};
use super::wanted::{attachment_name, attachment_of, is_attachable, is_attachment_name, is_bound, unique_name, wants};
use super::{Attach, Subject};

/// A volume that is known to have a CSI source.
pub(super) struct Csi(Arc<Volume>);

impl std::ops::Deref for Csi {
    type Target = CsiSource;

    fn deref(&self) -> &CsiSource {
        match &self.0.csi {
            Some(csi) => csi,
            None => unreachable!("checked when it was made"),
        }
    }
}

/// What is mounted on the node, or may be. Only its mounter knows.
pub(super) fn in_use(node: &Node) -> &[Box<str>] {
    if rules::on(Rule::DetachWhenUnused) { &node.volumes_in_use } else { &[] }
}

impl Attach {
    pub(super) fn look(&self, subject: &Subject) -> View {
        match subject {
            Subject::Volume(volume) => View::Volume(self.facts(volume)),
            Subject::Node => View::Node { stray: self.is_astray() },
        }
    }

    pub(super) fn this_node(&self) -> Option<Arc<Node>> {
        self.caches().nodes.get(self.node())
    }

    pub(super) fn facts(&self, volume: &Key) -> Facts {
        let node = self.this_node();
        let attachment = self.attachment(volume);
        let csi = self.volume(volume);
        let csi = csi.as_deref();
        let name = match (csi, &attachment, &node) {
            (Some(csi), ..) => Some(unique_name(csi)),
            // The volume has vanished with its handle; the node's lists may still know it.
            (None, Some(attachment), Some(node)) => self.name_in(node, attachment.meta.key.name()),
            _ => None,
        };
        let lists = |list: fn(&Node) -> &[Box<str>]| {
            name.as_deref().is_some_and(|name| node.as_deref().is_some_and(|node| list(node).iter().any(|have| **have == *name)))
        };
        Facts {
            node: match &node {
                None => NodeState::Missing,
                Some(node) if node.attach_managed => NodeState::Managed,
                Some(_) => NodeState::Unmanaged,
            },
            wanted: !self.users(volume).is_empty(),
            failure: attachment.as_ref().and_then(|attachment| {
                let failure = self.caches().attach_failures.get(attachment.meta.key.as_str())?;
                (!attachment.attached && failure.meta.uid == attachment.meta.uid).then(|| failure.message.to_string())
            }),
            attachment: attachment.map(|attachment| self.state_of(&attachment)),
            in_use: lists(in_use),
            reported: lists(|node| &node.volumes_attached),
            waited: std::time::Duration::ZERO,
            driver: csi.map(|csi| csi.driver.to_string()).unwrap_or_default(),
            handle: csi.map(|csi| csi.volume_handle.to_string()).unwrap_or_default(),
        }
    }

    fn state_of(&self, attachment: &Attachment) -> AttachmentState {
        AttachmentState {
            attached: attachment.attached,
            deleting: attachment.meta.deleting,
            detaching: self.detaching().contains(&attachment.meta.uid),
        }
    }

    /// The volume, if it is a CSI one that is still there.
    pub(super) fn volume(&self, key: &Key) -> Option<Csi> {
        self.caches().volumes.get(key.as_str()).filter(|volume| volume.csi.is_some()).map(Csi)
    }

    /// The attachment of this volume to the node, if we would have made it.
    pub(super) fn attachment(&self, volume: &Key) -> Option<Arc<Attachment>> {
        match self.volume(volume) {
            Some(csi) => self.caches().attachments.get(&attachment_name(&csi.volume_handle, &csi.driver, self.node())),
            None => {
                let of = self.caches().attachments.indexed(volume.as_str());
                of.into_iter().find(|have| *have.node == *self.node() && is_attachment_name(have.meta.key.name()))
            }
        }
    }

    /// The pods that want it attached, also those that know it as another volume with the same handle.
    pub(super) fn users(&self, volume: &Key) -> Vec<Arc<Pod>> {
        let Some(csi) = self.volume(volume) else { return Vec::new() };
        if !is_attachable(self.caches().csi_drivers.get(&csi.driver).as_deref()) {
            return Vec::new();
        }
        let same = |other: &Arc<Volume>| other.csi.as_ref().is_some_and(|other| other.driver == csi.driver);
        let volumes = self.caches().volumes.indexed(&csi.volume_handle).into_iter().filter(same);
        let users = volumes.flat_map(|volume| {
            let reference = volume.claim.as_ref();
            let claim = reference.map(|claim| Key::namespaced(&claim.namespace, &claim.name));
            let claim = claim.and_then(|claim| self.caches().claims.get(claim.as_str()));
            let claim = claim.filter(|claim| is_bound(&volume, claim));
            let pods = claim.iter().flat_map(|claim| self.part.index.pods_of(claim.meta.key.as_str()));
            pods.filter(|pod| claim.as_ref().is_some_and(|claim| wants(pod, claim, self.node()))).collect::<Vec<_>>()
        });
        users.map(|pod| (pod.meta.key.clone(), pod)).collect::<BTreeMap<_, _>>().into_values().collect()
    }

    fn name_in(&self, node: &Node, attachment: &str) -> Option<String> {
        let names = node.volumes_in_use.iter().chain(&node.volumes_attached);
        let mut names = names.filter(|name| attachment_of(name, self.node()).as_deref() == Some(attachment));
        names.next().map(ToString::to_string)
    }

    /// What the node's list should be, in order: [`Facts::is_attached_for_good`] of every attachment here.
    pub(super) fn attached(&self, node: &Node) -> Vec<String> {
        let in_use: BTreeSet<&str> = in_use(node).iter().map(|name| &**name).collect();
        let here = self.caches().attachments.all().into_iter();
        let here = here.filter(|have| *have.node == *self.node() && self.state_of(have).stays());
        let names = here.filter_map(|attachment| {
            let volume = Key::cluster(attachment.volume()?);
            let name = match self.volume(&volume) {
                Some(csi) => unique_name(&csi),
                None => self.name_in(node, attachment.meta.key.name())?,
            };
            let ours = attachment_of(&name, self.node()).as_deref() == Some(attachment.meta.key.name());
            (ours && (in_use.contains(&*name) || !self.users(&volume).is_empty())).then_some(name)
        });
        names.collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// The list names something that no attachment of ours stands for.
    fn is_astray(&self) -> bool {
        let Some(node) = self.this_node().filter(|node| node.attach_managed) else { return false };
        let attached = |name: &str| {
            let attachment = attachment_of(name, self.node()).and_then(|name| self.caches().attachments.get(&name));
            attachment.is_some()
        };
        node.volumes_attached.iter().any(|name| !attached(name))
    }
}
