//! What the default class can be made of on this host.

use std::ffi::OsStr;
use std::path::Path;

/// What volumes of the default class are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Medium {
    /// Files as loop devices with ext4, of an enforced size.
    Loop,
    /// Directories; why nothing better.
    Directory(&'static str),
}

impl Medium {
    /// What there is here.
    pub(crate) fn of_host() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self::of(crate::rootless::inside(), Path::new("/dev/loop-control").exists(), on(&path, "mkfs.ext4"))
    }

    fn of(rootless: bool, loop_devices: bool, mkfs: bool) -> Self {
        match (rootless, loop_devices, mkfs) {
            (true, ..) => Self::Directory("in a user namespace, since this is not root"),
            (_, false, _) => Self::Directory("since this host has no loop devices (/dev/loop-control)"),
            (_, _, false) => Self::Directory("since mkfs.ext4 is not installed here (package e2fsprogs)"),
            (false, true, true) => Self::Loop,
        }
    }
}

/// Whether a program is on this PATH, or where root's programs are.
fn on(path: &OsStr, program: &str) -> bool {
    let usual = ["/usr/sbin", "/sbin"].map(std::path::PathBuf::from);
    std::env::split_paths(path).chain(usual).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_loop_devices_or_mkfs_gets_directories_and_is_told_why() {
        assert_eq!(Medium::of(false, true, true), Medium::Loop);
        for (rootless, devices, mkfs, word) in
            [(true, true, true, "not root"), (false, false, true, "loop-control"), (false, true, false, "e2fsprogs")]
        {
            assert!(matches!(Medium::of(rootless, devices, mkfs), Medium::Directory(why) if why.contains(word)), "{word}");
        }
    }

    #[test]
    fn a_program_is_looked_for_where_the_path_says() {
        assert!(on(OsStr::new("/usr/bin:/bin"), "sh") && !on(OsStr::new(""), "no-such-program"));
    }
}
