//! Caches to facts. Tolerant of what is missing; decides nothing.

use cluster::kinds::{self, AttachmentSource};
use cluster::{Caches, Key};
use csi_types::{AccessType, CsiAccessMode, VolumeCapability, VolumeMode, controller_access_mode};

use crate::plan::{Attachment, View, Volume};

/// What facts depend on besides the caches.
pub(crate) struct Context<'a> {
    pub(crate) driver: &'a str,
    pub(crate) finalizer: &'a str,
    pub(crate) default_fs_type: &'a str,
    pub(crate) publishes: bool,
    pub(crate) single_node_multi_writer: bool,
    pub(crate) contradicted: bool,
}

pub(crate) fn observe(caches: &Caches, key: &Key, context: &Context<'_>) -> View {
    let attachment = caches.attachments.get(key.as_str());
    let (node, volume) = match &attachment {
        // Nothing more is worth looking up for what is not ours.
        Some(attachment) if *attachment.attacher == *context.driver => {
            let csi_node = caches.csi_nodes.get(&attachment.node);
            let entry = csi_node.as_ref().and_then(|node| node.driver(context.driver)).filter(|entry| !entry.node_id.is_empty());
            (entry.map(|entry| (&*entry.node_id).into()), volume(caches, attachment, context))
        }
        _ => (None, Volume::Nothing),
    };
    View {
        attachment: attachment.map(|attachment| Attachment {
            ours: *attachment.attacher == *context.driver,
            deleting: attachment.meta.deleting,
            attached: attachment.attached,
            held: attachment.meta.has_finalizer(context.finalizer),
            recorded_node: attachment.node_id_annotation.as_deref().map(Into::into),
        }),
        publishes: context.publishes,
        contradicted: context.contradicted,
        node,
        volume,
    }
}

fn volume(caches: &Caches, attachment: &kinds::Attachment, context: &Context<'_>) -> Volume {
    let name = match &attachment.source {
        AttachmentSource::Volume(name) => name,
        AttachmentSource::Inline => return Volume::Inline,
        AttachmentSource::Both => return Volume::Both,
        AttachmentSource::Nothing => return Volume::Nothing,
    };
    let Some(volume) = caches.volumes.get(name) else { return Volume::Missing(name.to_string()) };
    let Some(csi) = &volume.csi else { return Volume::NotCsi(name.to_string()) };
    if *csi.driver != *context.driver {
        return Volume::Foreign { name: name.to_string(), driver: csi.driver.to_string() };
    }
    let access_type = match volume.volume_mode.unwrap_or_default() {
        VolumeMode::Block => AccessType::Block,
        VolumeMode::Filesystem => AccessType::Mount {
            fs_type: if csi.fs_type.is_empty() { context.default_fs_type.to_owned() } else { csi.fs_type.to_string() },
            mount_flags: volume.mount_options.iter().map(ToString::to_string).collect(),
            volume_mount_group: String::new(),
        },
    };
    let access_mode = match &volume.csi_access_mode {
        Some(exact) => CsiAccessMode::of_annotation(exact),
        None => controller_access_mode(&volume.access_modes, context.single_node_multi_writer),
    };
    Volume::Found {
        handle: (&*csi.volume_handle).into(),
        held: volume.meta.has_finalizer(context.finalizer),
        deleting: volume.meta.deleting,
        capability: access_mode.map(|access_mode| VolumeCapability { access_type, access_mode }),
    }
}
