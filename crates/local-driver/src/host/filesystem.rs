//! The filesystems this driver makes, mounts and grows.

use std::path::Path;

use super::program::Program;
use crate::error::{Error, Result};
use crate::store::record::Filesystem;

const E2FSPROGS: &str = "e2fsprogs";
const XFSPROGS: &str = "xfsprogs";
const BTRFS_PROGS: &str = "btrfs-progs";

impl Filesystem {
    /// What a loop volume gets when nobody says.
    pub(crate) const DEFAULT: Filesystem = Filesystem::Ext4;

    /// Reads an fs_type; empty leaves the choice to us.
    pub(crate) fn of(fs_type: &str) -> Result<Option<Filesystem>> {
        match fs_type {
            "" => Ok(None),
            "ext4" => Ok(Some(Filesystem::Ext4)),
            "xfs" => Ok(Some(Filesystem::Xfs)),
            "btrfs" => Ok(Some(Filesystem::Btrfs)),
            other => Err(Error::Invalid(format!(
                "fs_type {other:?} is unknown; known are ext4, xfs, btrfs; correct the class or the volume"
            ))),
        }
    }

    /// The kernel's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Filesystem::Ext4 => "ext4",
            Filesystem::Xfs => "xfs",
            Filesystem::Btrfs => "btrfs",
        }
    }

    /// The smallest size that its mkfs accepts with a journal: ext4 needs 2048 blocks of 1 KiB, xfs refuses less than
    /// 300 MiB, btrfs less than 109 MiB.
    pub(crate) fn minimum(self) -> u64 {
        match self {
            Filesystem::Ext4 => 2 << 20,
            Filesystem::Xfs => 300 << 20,
            Filesystem::Btrfs => 128 << 20,
        }
    }

    /// Makes it on a device whose content nobody needs.
    pub(crate) fn make(self, device: &Path) -> Result<()> {
        let device = device.as_os_str();
        let (name, package, arguments): (_, _, &[&str]) = match self {
            // No blocks kept back for root: the volume's size is the user's. No discard: it would give back allocated blocks.
            Filesystem::Ext4 => ("mkfs.ext4", E2FSPROGS, &["-q", "-F", "-m", "0", "-E", "nodiscard"]),
            Filesystem::Xfs => ("mkfs.xfs", XFSPROGS, &["-q", "-f", "-K"]),
            Filesystem::Btrfs => ("mkfs.btrfs", BTRFS_PROGS, &["-q", "-f", "-K"]),
        };
        let arguments = arguments.iter().map(AsRef::as_ref).chain([device]);
        Program { name, package }.run(arguments, Path::new(device))
    }

    /// Grows it to its device's size before it is mounted, where it can be: true for ext4, which on a mounted filesystem would
    /// need CAP_SYS_RESOURCE. The others grow only while mounted.
    pub(crate) fn grow_unmounted(self, device: &Path) -> Result<bool> {
        match self {
            Filesystem::Ext4 => {
                // resize2fs insists on a check; 1 and 2 say that something was repaired.
                Program { name: "e2fsck", package: E2FSPROGS }.run_to(
                    [0, 1, 2],
                    ["-f".as_ref(), "-p".as_ref(), device.as_os_str()],
                    device,
                )?;
                Program { name: "resize2fs", package: E2FSPROGS }.run([device], device)?;
                Ok(true)
            }
            Filesystem::Xfs | Filesystem::Btrfs => Ok(false),
        }
    }

    /// Grows it to its device's size, while it is mounted at `mounted`.
    pub(crate) fn grow(self, device: &Path, mounted: &Path) -> Result<()> {
        match self {
            Filesystem::Ext4 => Program { name: "resize2fs", package: E2FSPROGS }.run([device], device),
            Filesystem::Xfs => Program { name: "xfs_growfs", package: XFSPROGS }.run([Path::new("-d"), mounted], mounted),
            Filesystem::Btrfs => {
                let arguments = ["filesystem".as_ref(), "resize".as_ref(), "max".as_ref(), mounted.as_os_str()];
                Program { name: "btrfs", package: BTRFS_PROGS }.run(arguments, mounted)
            }
        }
    }

    /// Gives the unmounted copy of a filesystem an identity of its own. A btrfs is known to the kernel by its UUID: mounting two
    /// of one UUID would mix them up, or fail. ext4 does not mind, and xfs has a mount option (below).
    pub(crate) fn renew_identity(self, device: &Path) -> Result<()> {
        match self {
            Filesystem::Ext4 | Filesystem::Xfs => Ok(()),
            Filesystem::Btrfs => {
                let arguments = ["-f".as_ref(), "-m".as_ref(), device.as_os_str()];
                Program { name: "btrfstune", package: BTRFS_PROGS }.run(arguments, device)
            }
        }
    }

    /// Options that a mount needs besides the user's. A clone has its origin's UUID, and xfs refuses to mount both.
    pub(crate) fn extra_options(self) -> &'static str {
        match self {
            Filesystem::Xfs => "nouuid",
            Filesystem::Ext4 | Filesystem::Btrfs => "",
        }
    }
}
