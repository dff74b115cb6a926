//! Mount options: the words that the kernel takes as flags, and the rest, which is the filesystem's own.

use rustix::mount::MountFlags;

/// Options as mount(2) wants them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) flags: MountFlags,
    /// Comma-separated options of the filesystem.
    pub(crate) data: String,
}

/// Splits words, each of which may itself be a comma-separated list. A later word beats an earlier one.
pub(crate) fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Options {
    let mut flags = MountFlags::empty();
    let mut data: Vec<&str> = Vec::new();
    for word in words.into_iter().flat_map(|words| words.split(',')).map(str::trim).filter(|word| !word.is_empty()) {
        match flag(word) {
            Some((flag, true)) => flags |= flag,
            Some((flag, false)) => flags -= flag,
            None => data.push(word),
        }
    }
    Options { flags, data: data.join(",") }
}

/// The flag that a word sets or clears.
fn flag(word: &str) -> Option<(MountFlags, bool)> {
    Some(match word {
        "defaults" => (MountFlags::empty(), true),
        "ro" => (MountFlags::RDONLY, true),
        "rw" => (MountFlags::RDONLY, false),
        "nosuid" => (MountFlags::NOSUID, true),
        "suid" => (MountFlags::NOSUID, false),
        "nodev" => (MountFlags::NODEV, true),
        "dev" => (MountFlags::NODEV, false),
        "noexec" => (MountFlags::NOEXEC, true),
        "exec" => (MountFlags::NOEXEC, false),
        "sync" => (MountFlags::SYNCHRONOUS, true),
        "async" => (MountFlags::SYNCHRONOUS, false),
        "dirsync" => (MountFlags::DIRSYNC, true),
        "noatime" => (MountFlags::NOATIME, true),
        "atime" => (MountFlags::NOATIME, false),
        "nodiratime" => (MountFlags::NODIRATIME, true),
        "diratime" => (MountFlags::NODIRATIME, false),
        "relatime" => (MountFlags::RELATIME, true),
        "norelatime" => (MountFlags::RELATIME, false),
        "strictatime" => (MountFlags::STRICTATIME, true),
        "nostrictatime" => (MountFlags::STRICTATIME, false),
        "lazytime" => (MountFlags::LAZYTIME, true),
        "nolazytime" => (MountFlags::LAZYTIME, false),
        "silent" => (MountFlags::SILENT, true),
        "loud" => (MountFlags::SILENT, false),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_the_kernels_and_the_rest_is_the_filesystems() {
        let read = parse(["noatime,largeio", "inode64", "ro", "rw", "nodev"]);
        assert_eq!(read.flags, MountFlags::NOATIME | MountFlags::NODEV);
        assert_eq!(read.data, "largeio,inode64");
    }

    #[test]
    fn nothing_means_nothing() {
        assert_eq!(parse(["", "defaults", " , "]), Options { flags: MountFlags::empty(), data: String::new() });
    }
}
