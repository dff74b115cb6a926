//! fsGroup: when a volume is given to a group, and the walk that does it.
//!
//! The order of the walk is part of the contract: the root is changed last, so that a walk that was interrupted is seen to
//! be unfinished (`OnRootMismatch` looks at the root alone).
//! Upstream: kubelet `pkg/volume/volume_linux.go`.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use cluster::kinds::FsGroupPolicy;
use csi_types::{AccessMode, VolumeMode};

use crate::spec::Spec;

/// What a walk did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// The root already is as it should be, and that was enough.
    Skipped,
    /// Everything was visited.
    Changed {
        /// How many entries.
        entries: u64,
        /// How many of them would not take the group or the mode; a read-only entry is not worth a pod's life.
        failed: u64,
    },
}

/// The group to give the volume to; `None` for no walk. `policy`: of the CSIDriver; the default without one.
pub fn group_to_apply(spec: &Spec, fs_group: Option<i64>, driver_applies_it: bool, policy: FsGroupPolicy) -> Option<u32> {
    let gid = u32::try_from(fs_group?).ok()?;
    let single_writer = |mode: &AccessMode| matches!(mode, AccessMode::ReadWriteOnce | AccessMode::ReadWriteOncePod);
    let policy_allows = match policy {
        FsGroupPolicy::None => false,
        FsGroupPolicy::File => true,
        FsGroupPolicy::ReadWriteOnceWithFSType => {
            !spec.fs_type.is_empty() && (spec.inline || spec.access_modes.iter().any(single_writer))
        }
    };
    let applies = policy_allows && !driver_applies_it && !spec.read_only && spec.mode == VolumeMode::Filesystem;
    applies.then_some(gid)
}

const FILE_BITS: u32 = 0o660;
const DIRECTORY_BITS: u32 = 0o2110;

/// Gives everything below `root`, and `root` last, to the group. Blocks.
///
/// # Errors
/// A folder that cannot be read. What was changed stays changed; a repeated walk carries on.
pub fn give(root: &Path, gid: u32, only_on_mismatch: bool) -> io::Result<Walk> {
    if only_on_mismatch && is_given(&fs::symlink_metadata(root)?, gid) {
        return Ok(Walk::Skipped);
    }
    let mut entries = 0;
    let mut failed = 0;
    // Depth first without recursion: a volume's owner chooses how deep it is. `true`: its children have been visited.
    let mut stack: Vec<(PathBuf, bool)> = vec![(root.to_owned(), false)];
    while let Some((path, visited)) = stack.pop() {
        let meta = match fs::symlink_metadata(&path) {
            Ok(meta) => meta,
            // Deleted meanwhile by a pod that shares the volume.
            Err(error) if error.kind() == io::ErrorKind::NotFound && path != root => continue,
            Err(error) => return Err(error),
        };
        if meta.is_dir() && !visited {
            stack.push((path.clone(), true));
            for entry in fs::read_dir(&path)? {
                stack.push((entry?.path(), false));
            }
            continue;
        }
        entries += 1;
        if change(&path, &meta, gid).is_err() {
            failed += 1;
        }
    }
    Ok(Walk::Changed { entries, failed })
}

fn is_given(meta: &fs::Metadata, gid: u32) -> bool {
    let wanted = FILE_BITS | DIRECTORY_BITS;
    meta.gid() == gid && meta.mode() & wanted == wanted
}

fn change(path: &Path, meta: &fs::Metadata, gid: u32) -> io::Result<()> {
    std::os::unix::fs::lchown(path, None, Some(gid))?;
    if meta.is_symlink() {
        return Ok(());
    }
    let bits = if meta.is_dir() { FILE_BITS | DIRECTORY_BITS } else { FILE_BITS };
    fs::set_permissions(path, fs::Permissions::from_mode((meta.mode() & 0o7777) | bits))
}

#[cfg(test)]
mod tests;
