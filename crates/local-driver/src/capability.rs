//! What a request wants to do with a volume, checked and in our own words.

use csi_proto::csi::v1::volume_capability::access_mode::Mode;
use csi_proto::csi::v1::volume_capability::{AccessType, MountVolume};
use csi_proto::csi::v1::{VolumeCapability, volume_capability};

use crate::error::{Error, Result};
use crate::store::record::{Filesystem, Kind};

/// One capability that this driver can give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) access: Access,
    /// Only one path may have the volume at a time.
    pub(crate) single_writer: bool,
    /// The mode forbids writing, whatever else the request says.
    pub(crate) reader: bool,
    /// Several nodes may have the volume at a time.
    pub(crate) shared: bool,
}

/// How the volume is to be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Block,
    Mount {
        /// `None`: the request leaves the choice to us.
        filesystem: Option<Filesystem>,
        flags: Vec<String>,
    },
}

impl Wanted {
    /// Reads one capability; an absent one is an error in every call that has the field. `multi_node`: the flag of that name.
    pub(crate) fn of(capability: Option<&VolumeCapability>, multi_node: bool) -> Result<Wanted> {
        let capability = capability.ok_or_else(|| Error::Invalid("volume_capability is missing".to_owned()))?;
        let access = match &capability.access_type {
            Some(AccessType::Block(_)) => Access::Block,
            Some(AccessType::Mount(MountVolume { fs_type, mount_flags, volume_mount_group })) => {
                if !volume_mount_group.is_empty() {
                    return Err(Error::Invalid(
                        "volume_mount_group is set, but this driver does not claim VOLUME_MOUNT_GROUP".to_owned(),
                    ));
                }
                Access::Mount { filesystem: Filesystem::of(fs_type)?, flags: mount_flags.clone() }
            }
            None => return Err(Error::Invalid("volume_capability says neither mount nor block".to_owned())),
        };
        let mode = capability.access_mode.as_ref().map_or(Mode::Unknown, volume_capability::AccessMode::mode);
        let (single_writer, reader, shared) = match mode {
            Mode::SingleNodeWriter | Mode::SingleNodeMultiWriter => (false, false, false),
            Mode::SingleNodeSingleWriter => (true, false, false),
            Mode::SingleNodeReaderOnly => (false, true, false),
            Mode::MultiNodeReaderOnly if multi_node => (false, true, true),
            Mode::MultiNodeSingleWriter | Mode::MultiNodeMultiWriter if multi_node => (false, false, true),
            Mode::Unknown => return Err(Error::Invalid("volume_capability.access_mode is missing".to_owned())),
            Mode::MultiNodeReaderOnly | Mode::MultiNodeSingleWriter | Mode::MultiNodeMultiWriter => {
                return Err(Error::Invalid(format!(
                    "access mode {} is not possible: a volume of this driver is on one host; use a SINGLE_NODE mode, or see --multi-node",
                    mode.as_str_name()
                )));
            }
        };
        Ok(Wanted { access, single_writer, reader, shared })
    }

    /// Whether a volume kept this way can be used so.
    pub(crate) fn fits(&self, kind: Kind) -> Result<()> {
        match (&self.access, kind) {
            (Access::Block, Kind::Directory) => {
                Err(Error::Invalid("a volume of type directory has no block device; use type: loop".to_owned()))
            }
            (Access::Mount { filesystem: Some(filesystem), .. }, Kind::Directory) => Err(Error::Invalid(format!(
                "a volume of type directory has the host's filesystem, not {}; leave fsType out, or use type: loop",
                filesystem.name()
            ))),
            _ => Ok(()),
        }
    }
}

/// All capabilities of a request, which must have one, and the one filesystem that they name.
pub(crate) fn all(capabilities: &[VolumeCapability], multi_node: bool) -> Result<(Vec<Wanted>, Option<Filesystem>)> {
    if capabilities.is_empty() {
        return Err(Error::Invalid("volume_capabilities is empty; name at least one".to_owned()));
    }
    let wanted = capabilities.iter().map(|one| Wanted::of(Some(one), multi_node)).collect::<Result<Vec<_>>>()?;
    let mut named = None;
    for filesystem in wanted.iter().filter_map(|one| match one.access {
        Access::Mount { filesystem, .. } => filesystem,
        Access::Block => None,
    }) {
        match named {
            Some(earlier) if earlier != filesystem => {
                return Err(Error::Invalid(format!(
                    "volume_capabilities name two filesystems, {} and {}; a volume has one",
                    Filesystem::name(earlier),
                    filesystem.name()
                )));
            }
            _ => named = Some(filesystem),
        }
    }
    Ok((wanted, named))
}

#[cfg(test)]
mod tests {
    use super::*;
    use csi_proto::csi::v1::volume_capability::{AccessMode, BlockVolume};

    fn capability(access: AccessType, mode: Mode) -> VolumeCapability {
        VolumeCapability { access_mode: Some(AccessMode { mode: mode.into() }), access_type: Some(access) }
    }

    fn mount(fs_type: &str) -> AccessType {
        AccessType::Mount(MountVolume { fs_type: fs_type.to_owned(), ..MountVolume::default() })
    }

    #[test]
    fn a_mode_of_several_nodes_is_possible_where_the_flag_says_so() {
        let modes =
            [(Mode::MultiNodeReaderOnly, true), (Mode::MultiNodeSingleWriter, false), (Mode::MultiNodeMultiWriter, false)];
        for (mode, reader) in modes {
            let wanted = Wanted::of(Some(&capability(mount("ext4"), mode)), true).unwrap();
            assert_eq!((wanted.shared, wanted.reader, wanted.single_writer), (true, reader, false), "{}", mode.as_str_name());
        }
        assert!(!Wanted::of(Some(&capability(mount(""), Mode::SingleNodeWriter)), true).unwrap().shared);
    }

    #[test]
    fn a_mode_of_several_nodes_is_refused_by_name() {
        for mode in [Mode::MultiNodeReaderOnly, Mode::MultiNodeSingleWriter, Mode::MultiNodeMultiWriter] {
            let error = Wanted::of(Some(&capability(mount(""), mode)), false).unwrap_err();
            assert!(matches!(&error, Error::Invalid(said) if said.contains(mode.as_str_name())), "{error}");
        }
    }

    #[test]
    fn a_half_capability_is_invalid() {
        assert!(Wanted::of(None, true).is_err());
        assert!(Wanted::of(Some(&capability(mount(""), Mode::Unknown)), true).is_err());
        assert!(
            Wanted::of(Some(&VolumeCapability { access_type: None, ..capability(mount(""), Mode::SingleNodeWriter) }), true)
                .is_err()
        );
        assert!(all(&[], false).is_err());
    }

    #[test]
    fn an_unknown_filesystem_is_refused_with_the_known_ones() {
        let error = Wanted::of(Some(&capability(mount("zfs"), Mode::SingleNodeWriter)), false).unwrap_err().to_string();
        assert!(error.contains("zfs") && error.contains("btrfs"), "{error}");
    }

    #[test]
    fn two_filesystems_in_one_request_are_refused() {
        let both = [capability(mount("ext4"), Mode::SingleNodeWriter), capability(mount("xfs"), Mode::SingleNodeWriter)];
        assert!(all(&both, false).is_err());
        assert_eq!(all(&both[1..], false).unwrap().1, Some(Filesystem::Xfs));
    }

    #[test]
    fn a_directory_is_neither_a_block_device_nor_another_filesystem() {
        let block = Wanted::of(Some(&capability(AccessType::Block(BlockVolume {}), Mode::SingleNodeWriter)), false).unwrap();
        assert!(block.fits(Kind::Directory).is_err() && block.fits(Kind::Loop).is_ok());
        let xfs = Wanted::of(Some(&capability(mount("xfs"), Mode::SingleNodeWriter)), false).unwrap();
        assert!(xfs.fits(Kind::Directory).is_err() && xfs.fits(Kind::Loop).is_ok());
    }
}
