//! What Marathon and Mesos say of a CSI volume in the same words: access modes, and the rules that go with them.

use csi_types::CsiAccessMode;

use crate::read::At;

pub(crate) const ACCESS_MODES: [(&str, CsiAccessMode); 5] = [
    ("SINGLE_NODE_WRITER", CsiAccessMode::SingleNodeWriter),
    ("SINGLE_NODE_READER_ONLY", CsiAccessMode::SingleNodeReaderOnly),
    ("MULTI_NODE_READER_ONLY", CsiAccessMode::MultiNodeReaderOnly),
    ("MULTI_NODE_SINGLE_WRITER", CsiAccessMode::MultiNodeSingleWriter),
    ("MULTI_NODE_MULTI_WRITER", CsiAccessMode::MultiNodeMultiWriter),
];

/// CSI's name of a mode.
pub(crate) fn mode_name(mode: CsiAccessMode) -> &'static str {
    mode.as_str()
}

/// Nobody may write.
pub(crate) fn reader_only(mode: CsiAccessMode) -> bool {
    matches!(mode, CsiAccessMode::SingleNodeReaderOnly | CsiAccessMode::MultiNodeReaderOnly)
}

/// Several nodes may use it at once.
pub(crate) fn shareable(mode: CsiAccessMode) -> bool {
    matches!(
        mode,
        CsiAccessMode::MultiNodeReaderOnly | CsiAccessMode::MultiNodeSingleWriter | CsiAccessMode::MultiNodeMultiWriter
    )
}

/// Spec: CSI VolumeCapability.MountVolume, "total size of 4 KiB".
const MOST_FLAGS: usize = 4096;

/// Flags as they may be sent; an empty one would be a mistake of the plugin's command line.
pub(crate) fn mount_flags(list: &At<'_>) -> Vec<String> {
    let flags: Vec<String> = list.list().iter().filter_map(At::text).collect();
    if flags.iter().any(String::is_empty) {
        list.wrong("has an empty flag");
    }
    let size: usize = flags.iter().map(|flag| flag.len() + 1).sum();
    if size > MOST_FLAGS {
        list.wrong(format!("is {size} bytes long; CSI allows {MOST_FLAGS}"));
    }
    flags
}

/// What CSI takes as the id of a volume.
pub(crate) fn volume_id(at: &At<'_>) -> Option<String> {
    let id = at.text()?;
    match id.len() {
        0 => at.wrong("is empty; it is the id by which the plugin knows the volume"),
        // Spec: CSI, size limits.
        1..=128 => return Some(id),
        length => at.wrong(format!("is {length} bytes long; CSI allows ids of 128")),
    }
    None
}

/// A path in a task, checked: absolute or relative, without `..`.
pub(crate) fn container_path(at: &At<'_>) -> Option<String> {
    let path = at.text()?;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() {
        at.wrong("has to name a place below the sandbox or the root, not the whole of it");
        return None;
    }
    if parts.contains(&"..") {
        at.wrong("must not contain ..");
        return None;
    }
    if path.contains('\0') || path.contains(':') {
        at.wrong("has a character that no mount path may have (a colon, or NUL)");
        return None;
    }
    let plain = parts.join("/");
    Some(if path.starts_with('/') { format!("/{plain}") } else { plain })
}
