//! The kernel's mount table: `/proc/self/mountinfo`, read as bytes because a path need not be UTF-8.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::error::{Result, io_error};

const TABLE: &str = "/proc/self/mountinfo";

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// What of the filesystem is mounted: `/`, or the bound part of it.
    pub(crate) root: PathBuf,
    /// Where it is.
    pub(crate) point: PathBuf,
    /// Options of this mount, such as `ro` or `noexec`.
    pub(crate) options: Vec<String>,
    pub(crate) fs_type: String,
    /// The device, or whatever the filesystem calls its source.
    pub(crate) source: PathBuf,
}

impl Mount {
    /// Whether this mount refuses writes, whatever its filesystem would do.
    pub(crate) fn readonly(&self) -> bool {
        self.options.iter().any(|option| option == "ro")
    }
}

/// Every mount this process can see, in the order they were made visible.
pub(crate) fn read() -> Result<Vec<Mount>> {
    Ok(parse(&fs::read(TABLE).map_err(io_error("read", TABLE))?))
}

/// The mount that a path shows: the topmost one at exactly that point.
pub(crate) fn at<'a>(table: &'a [Mount], point: &Path) -> Option<&'a Mount> {
    table.iter().rev().find(|mount| mount.point == point)
}

/// Reads the table. A line that is not one is skipped: newer kernels may add fields, not take them away.
pub(crate) fn parse(table: &[u8]) -> Vec<Mount> {
    table.split(|byte| *byte == b'\n').filter_map(line).collect()
}

fn line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    // Mount id, parent id, major:minor, root, mount point, options, then optional fields up to a lone dash.
    let root = fields.nth(3)?;
    let point = fields.next()?;
    let options = fields.next()?;
    fields.by_ref().find(|field| *field == b"-")?;
    let fs_type = fields.next()?;
    let source = fields.next()?;
    Some(Mount {
        root: path(root),
        point: path(point),
        options: String::from_utf8_lossy(options).split(',').map(str::to_owned).collect(),
        fs_type: String::from_utf8_lossy(fs_type).into_owned(),
        source: path(source),
    })
}

/// Undoes the kernel's escapes: `\040` is a space; tab, newline, backslash and `#` are written the same way.
fn path(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail.get(..3).filter(|_| *first == b'\\').and_then(octal);
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { tail.get(3..).unwrap_or_default() } else { tail };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

fn octal(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0u8, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(digit - b'0'),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_read_with_its_optional_fields_or_without() {
        let table = b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext4 /dev/loop3 rw,errors=continue\n\
                      42 27 7:0 / /tmp/x ro,relatime - xfs /dev/loop0 rw\n\nnonsense\n";
        let mounts = parse(table);
        assert_eq!(mounts.len(), 2);
        assert_eq!(mounts[0].root, Path::new("/mnt1"));
        assert_eq!(mounts[0].source, Path::new("/dev/loop3"));
        assert_eq!(mounts[0].options, ["rw", "noatime"]);
        assert!(!mounts[0].readonly() && mounts[1].readonly());
        assert_eq!(mounts[1].fs_type, "xfs");
    }

    #[test]
    fn spaces_tabs_and_backslashes_in_paths_are_decoded() {
        let mounts = parse(b"1 2 0:1 / /a\\040b\\011c\\134d rw - tmpfs none rw");
        assert_eq!(mounts[0].point, Path::new("/a b\tc\\d"));
        assert_eq!(path(b"/odd\\9\\04"), Path::new("/odd\\9\\04"));
        assert_eq!(path(b"\\777"), Path::new("\\777"));
    }

    #[test]
    fn the_topmost_mount_at_a_point_is_the_one_that_shows() {
        let table = parse(b"1 2 0:1 / /a rw - tmpfs lower rw\n3 1 0:2 / /a rw - tmpfs upper rw\n4 3 0:3 / /a/b rw - tmpfs in rw");
        assert_eq!(at(&table, Path::new("/a")).unwrap().source, Path::new("upper"));
        assert_eq!(at(&table, Path::new("/c")), None);
    }

    #[test]
    fn the_running_kernels_table_is_understood() {
        assert!(read().unwrap().iter().any(|mount| mount.point == Path::new("/")));
    }
}
