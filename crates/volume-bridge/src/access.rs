//! CSI's access modes by CSI's names.

use csi_types::CsiAccessMode;

const MODES: [(&str, CsiAccessMode); 7] = [
    ("SINGLE_NODE_WRITER", CsiAccessMode::SingleNodeWriter),
    ("SINGLE_NODE_READER_ONLY", CsiAccessMode::SingleNodeReaderOnly),
    ("MULTI_NODE_READER_ONLY", CsiAccessMode::MultiNodeReaderOnly),
    ("MULTI_NODE_SINGLE_WRITER", CsiAccessMode::MultiNodeSingleWriter),
    ("MULTI_NODE_MULTI_WRITER", CsiAccessMode::MultiNodeMultiWriter),
    ("SINGLE_NODE_SINGLE_WRITER", CsiAccessMode::SingleNodeSingleWriter),
    ("SINGLE_NODE_MULTI_WRITER", CsiAccessMode::SingleNodeMultiWriter),
];

/// The mode with this name, in any case, with `-` for `_` as Nomad writes it.
pub(crate) fn parse_mode(text: &str) -> Option<CsiAccessMode> {
    let name = text.replace('-', "_");
    MODES.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)).map(|(_, mode)| *mode)
}

/// CSI's name.
pub(crate) fn mode_name(mode: CsiAccessMode) -> &'static str {
    MODES.iter().find(|(_, known)| *known == mode).map_or("UNKNOWN", |(name, _)| name)
}

/// All names, for messages.
pub(crate) fn mode_names() -> String {
    MODES.map(|(name, _)| name).join(", ")
}
