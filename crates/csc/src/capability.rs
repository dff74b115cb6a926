//! A volume capability as csc writes it: `SINGLE_NODE_WRITER,mount,ext4,noatime`, `5,block`.

use std::str::FromStr;

use csi::volume_capability::access_mode::Mode;
use csi::volume_capability::{AccessMode, AccessType, BlockVolume, MountVolume};
use csi_proto::csi::v1 as csi;

/// `ACCESS_MODE,ACCESS_TYPE[,FS_TYPE[,MOUNT_FLAG…]]`. Modes and types by name, in any case, or by number.
///
/// Upstream: gocsi `csc`, which leaves the mode out for a number it does not know, and forgets what follows `block`; both are
/// refused here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Capability(pub(crate) csi::VolumeCapability);

/// What 0.x's commands ask for when nothing is said.
pub(crate) const USUAL: &str = "SINGLE_NODE_WRITER,mount,";

impl FromStr for Capability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = |why: &str| Err(format!("invalid volume capability: {text}: {why}"));
        let mut fields = text.splitn(4, ',');
        let (mode, kind) = (fields.next().unwrap_or_default(), fields.next());
        let Some(kind) = kind else {
            return refused("expected ACCESS_MODE,ACCESS_TYPE[,FS_TYPE[,MOUNT_FLAG…]], as in SINGLE_NODE_WRITER,mount,ext4");
        };
        let Some(mode) = access_mode(mode) else {
            return refused(&format!("{mode:?} is no access mode: expected {}", modes()));
        };
        let (fs_type, flags) = (fields.next(), fields.next());
        let kind = match (kind.to_ascii_lowercase().as_str(), fs_type) {
            ("block" | "1", None) => AccessType::Block(BlockVolume {}),
            ("block" | "1", Some(_)) => return refused("a block volume has neither a filesystem nor mount flags"),
            ("mount" | "2", Some(fs_type)) => AccessType::Mount(MountVolume {
                fs_type: fs_type.to_owned(),
                mount_flags: flags.map(|flags| flags.split(',').map(str::to_owned).collect()).unwrap_or_default(),
                volume_mount_group: String::new(),
            }),
            ("mount" | "2", None) => {
                return refused(
                    "expected a filesystem type after mount; with nothing after a comma (\"mount,\") the driver chooses it",
                );
            }
            (other, _) => return refused(&format!("{other:?} is no access type: expected block (1) or mount (2)")),
        };
        Ok(Self(csi::VolumeCapability { access_mode: Some(AccessMode { mode: mode.into() }), access_type: Some(kind) }))
    }
}

impl Capability {
    /// The group that the volume's files are to belong to, for drivers with VOLUME_MOUNT_GROUP.
    pub(crate) fn with_mount_group(mut self, group: Option<&str>) -> Self {
        if let (Some(AccessType::Mount(mount)), Some(group)) = (&mut self.0.access_type, group) {
            group.clone_into(&mut mount.volume_mount_group);
        }
        self
    }
}

fn access_mode(text: &str) -> Option<Mode> {
    match text.parse::<i32>() {
        Ok(number) => Mode::try_from(number).ok(),
        Err(_) => Mode::from_str_name(&text.to_ascii_uppercase()),
    }
}

fn modes() -> String {
    let names = (0..).map_while(|n| Mode::try_from(n).ok()).map(|mode| format!("{} ({})", mode.as_str_name(), mode as i32));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<csi::VolumeCapability, String> {
        text.parse::<Capability>().map(|capability| capability.0)
    }

    fn mount(mode: Mode, fs_type: &str, flags: &[&str]) -> csi::VolumeCapability {
        csi::VolumeCapability {
            access_mode: Some(AccessMode { mode: mode.into() }),
            access_type: Some(AccessType::Mount(MountVolume {
                fs_type: fs_type.into(),
                mount_flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
                volume_mount_group: String::new(),
            })),
        }
    }

    #[test]
    fn modes_and_types_are_names_or_numbers() {
        let ext4 = mount(Mode::SingleNodeWriter, "ext4", &[]);
        for text in ["SINGLE_NODE_WRITER,mount,ext4", "1,2,ext4", "single_node_writer,MOUNT,ext4"] {
            assert_eq!(read(text), Ok(ext4.clone()), "{text}");
        }
        let block = read("MULTI_NODE_MULTI_WRITER,block").unwrap();
        assert_eq!(Ok(block.clone()), read("5,1"));
        assert!(matches!(block.access_type, Some(AccessType::Block(_))));
        assert_eq!(read("7,mount,"), Ok(mount(Mode::SingleNodeMultiWriter, "", &[])));
    }

    #[test]
    fn everything_after_the_third_comma_is_mount_flags() {
        assert_eq!(
            read("MULTI_NODE_MULTI_WRITER,mount,xfs,uid=500,gid=500"),
            Ok(mount(Mode::MultiNodeMultiWriter, "xfs", &["uid=500", "gid=500"]))
        );
    }

    #[test]
    fn a_bad_capability_says_what_was_expected() {
        for (text, expected) in [
            ("", "ACCESS_MODE,ACCESS_TYPE"),
            ("SINGLE_NODE_WRITER", "ACCESS_MODE,ACCESS_TYPE"),
            ("99,mount,", "SINGLE_NODE_WRITER (1)"),
            ("ReadWriteOnce,mount,", "SINGLE_NODE_WRITER (1)"),
            ("1,file,", "block (1) or mount (2)"),
            ("1,mount", "\"mount,\""),
            ("1,block,ext4", "neither a filesystem"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.starts_with("invalid volume capability: ") && said.contains(expected), "{text}: {said}");
        }
        assert!(read(USUAL).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_text_is_a_capability_or_an_error(text in proptest::string::string_regex("([0-9]{0,2}|[A-Z_]{0,20}|\\PC{0,4}),?(mount|block|[0-9]|\\PC{0,4})?(,\\PC{0,8}){0,3}").expect("a pattern")) {
            if let Err(said) = read(&text) {
                prop_assert!(said.starts_with("invalid volume capability: "));
            }
        }
    }
}
