//! What this host's kernel has: mounts and loop devices. Asked of the kernel, never of the programs under test.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A line of the mount table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub point: PathBuf,
    /// Of the mount: `rw,noatime`.
    pub options: String,
    /// `ext4`.
    pub fs_type: String,
    /// `/dev/loop0`.
    pub source: String,
    /// Of the filesystem.
    pub super_options: String,
}

/// Mounts whose point is `beneath` or under it, oldest first.
pub fn mounts(beneath: &Path) -> Result<Vec<Mount>> {
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    let all: Vec<Mount> = table.lines().map(parse).collect::<Option<_>>().context("a line of mountinfo that is none")?;
    Ok(all.into_iter().filter(|mount| mount.point.starts_with(beneath)).collect())
}

fn parse(line: &str) -> Option<Mount> {
    let (ours, filesystem) = line.split_once(" - ")?;
    let mut ours = ours.split(' ').skip(4);
    let mut filesystem = filesystem.split(' ');
    Some(Mount {
        point: PathBuf::from(unescape(ours.next()?)),
        options: ours.next()?.to_owned(),
        fs_type: filesystem.next()?.to_owned(),
        source: unescape(filesystem.next()?),
        super_options: filesystem.next()?.to_owned(),
    })
}

/// Blanks and such are written as a backslash and three octal digits.
fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let octal = tail
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(value) if byte == b'\\' => {
                out.push(value);
                rest = &tail[3..];
            }
            _ => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Loop devices whose file is beneath this folder: device and file.
pub fn loops_beneath(folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/sys/block")? {
        let entry = entry?;
        // A device that is not attached, or was detached while we looked, has no such file.
        let Ok(backing) = fs::read_to_string(entry.path().join("loop/backing_file")) else { continue };
        let backing = PathBuf::from(backing.trim_end());
        if backing.starts_with(folder) {
            found.push((Path::new("/dev").join(entry.file_name()), backing));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_with_blanks_and_optional_fields_is_read() {
        let line = r"36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 shared:7 - ext3 /dev/root\134 rw,errors=continue";
        let mount = parse(line).unwrap();
        assert_eq!((mount.point, mount.source.as_str()), (PathBuf::from("/mnt 2"), r"/dev/root\"));
        assert_eq!((mount.options.as_str(), mount.super_options.as_str()), ("rw,noatime", "rw,errors=continue"));
    }

    #[test]
    fn this_hosts_own_table_is_read() {
        assert!(mounts(Path::new("/")).unwrap().iter().any(|mount| mount.point == Path::new("/")));
    }
}
