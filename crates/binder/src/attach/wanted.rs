//! What is called how, and which pods want a volume attached. Pure.

use std::collections::BTreeSet;

use cluster::kinds::{Claim, CsiDriver, CsiSource, Node, Pod, PodVolumeSource, Volume};
use sha2::{Digest, Sha256};

const CSI: &str = "kubernetes.io/csi/";

/// The name in the node's lists.
pub(super) fn unique_name(csi: &CsiSource) -> String {
    format!("{CSI}{}^{}", csi.driver, csi.volume_handle)
}

/// Driver and handle of a name in the node's lists. `None`: it is no CSI volume's.
pub(super) fn handle_of(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(CSI)?.split_once('^')
}

/// The attachment's name for a name in the node's lists.
pub(super) fn attachment_of(name: &str, node: &str) -> Option<String> {
    let (driver, handle) = handle_of(name)?;
    Some(attachment_name(handle, driver, node))
}

/// The three are joined without a separator. Upstream: `getAttachmentName`.
pub(super) fn attachment_name(handle: &str, driver: &str, node: &str) -> String {
    let hash = Sha256::new().chain_update(handle).chain_update(driver).chain_update(node).finalize();
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("csi-{hash}")
}

/// A name of that form: somebody else's are none of ours.
pub(super) fn is_attachment_name(name: &str) -> bool {
    name.strip_prefix("csi-").is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What is in one of the node's lists now and was not, or was and is not.
pub(super) fn changed_names(old: Option<&Node>, new: Option<&Node>) -> BTreeSet<String> {
    let names = |list: Option<&[Box<str>]>| -> BTreeSet<String> { list.into_iter().flatten().map(ToString::to_string).collect() };
    let in_use = |node: Option<&Node>| names(node.map(|node| &*node.volumes_in_use));
    let attached = |node: Option<&Node>| names(node.map(|node| &*node.volumes_attached));
    let (in_use, attached) = (&in_use(old) ^ &in_use(new), &attached(old) ^ &attached(new));
    &in_use | &attached
}

/// Drivers without an object need an attachment.
pub(super) fn is_attachable(driver: Option<&CsiDriver>) -> bool {
    driver.is_none_or(|driver| driver.attach_required)
}

/// The volume is this claim's, and both say so.
pub(super) fn is_bound(volume: &Volume, claim: &Claim) -> bool {
    let Some(reference) = &volume.claim else { return false };
    &*claim.phase == "Bound" && claim.volume.as_deref() == Some(volume.meta.key.name()) && reference.uid == claim.meta.uid
}

/// The pod, on this node, still needs this claim's volume.
pub(super) fn wants(pod: &Pod, claim: &Claim, node: &str) -> bool {
    let name = claim.meta.key.name();
    let mut named = pod.volumes.iter().filter(|volume| pod.claim_name(volume).as_deref() == Some(name));
    let own = |source: &PodVolumeSource| match source {
        PodVolumeSource::Ephemeral => claim.controller.as_deref() == Some(&*pod.meta.uid),
        PodVolumeSource::Claim { .. } => true,
        PodVolumeSource::Csi { .. } | PodVolumeSource::Other => false,
    };
    *pod.node == *node && !pod.is_over() && named.any(|volume| own(&volume.source))
}
