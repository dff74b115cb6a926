//! Access modes: CSI has five that documents use, Kubernetes can say three of them.

use csi_types::CsiAccessMode;

/// On a PersistentVolume: the CSI access mode that its plugin is told, by CSI's name, where `accessModes` cannot say it. Honoured by
/// Longshore's attacher and node-mounter.
pub const ACCESS_MODE: &str = csi_types::ACCESS_MODE_ANNOTATION;

/// How Kubernetes is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    /// `accessModes`.
    pub(super) mode: &'static str,
    /// What a plugin is told because of it.
    pub(super) means: CsiAccessMode,
}

/// The nearest that Kubernetes can say. `written`: somebody writes; `read`: somebody else only reads.
pub(super) fn said(mode: CsiAccessMode, written: bool, read: bool) -> Said {
    let once = Said { mode: "ReadWriteOnce", means: CsiAccessMode::SingleNodeWriter };
    let readers = Said { mode: "ReadOnlyMany", means: CsiAccessMode::MultiNodeReaderOnly };
    let writers = Said { mode: "ReadWriteMany", means: CsiAccessMode::MultiNodeMultiWriter };
    match mode {
        CsiAccessMode::SingleNodeWriter | CsiAccessMode::SingleNodeReaderOnly => once,
        CsiAccessMode::SingleNodeSingleWriter | CsiAccessMode::SingleNodeMultiWriter => once,
        CsiAccessMode::MultiNodeReaderOnly => readers,
        CsiAccessMode::MultiNodeMultiWriter => writers,
        // One writer, and readers anywhere: there is no word for it.
        CsiAccessMode::MultiNodeSingleWriter => match (written, read) {
            (true, true) => writers,
            (true, false) => once,
            (false, _) => readers,
        },
    }
}
