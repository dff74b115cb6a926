//! The kernel's mount table, as `/proc/self/mountinfo` prints it. Bytes, not text: a path is whatever the user made it.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// `major:minor` of the filesystem.
    pub device: String,
    /// Which directory or file of that filesystem is mounted. With [`Mount::device`] it tells two bind mounts of one thing.
    pub root: PathBuf,
    /// Where.
    pub target: PathBuf,
    /// For example `ext4`.
    pub fs_type: String,
    /// What the filesystem was made from, for example `/dev/loop3`.
    pub source: PathBuf,
    /// Options of this mount, then of the filesystem, joined with a comma.
    pub options: String,
    /// Whether mounts below it reach other mount namespaces.
    pub shared: bool,
}

/// The table, in the kernel's order: of two mounts on one target, the later one is seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MountTable(pub Vec<Mount>);

impl MountTable {
    /// Reads the kernel's text. Lines that are not of its form are left out: a later kernel may add some.
    pub fn parse(text: &[u8]) -> Self {
        Self(text.split(|byte| *byte == b'\n').filter_map(parse_line).collect())
    }

    /// Whether something is mounted exactly here.
    pub fn is_mount_point(&self, path: &Path) -> bool {
        self.0.iter().any(|mount| mount.target == path)
    }

    /// How many mounts lie on top of each other here.
    pub fn layers(&self, path: &Path) -> usize {
        self.0.iter().filter(|mount| mount.target == path).count()
    }

    /// Whether something is mounted here or below.
    pub fn any_below(&self, path: &Path) -> bool {
        self.0.iter().any(|mount| mount.target.starts_with(path))
    }

    /// The mount that a path lies on.
    pub fn containing(&self, path: &Path) -> Option<&Mount> {
        self.0.iter().filter(|mount| path.starts_with(&mount.target)).max_by_key(|mount| mount.target.components().count())
    }

    /// Other places where the very thing mounted at `path` is mounted too.
    pub fn references<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Path> {
        let own = self.0.iter().rev().find(|mount| mount.target == path);
        self.0.iter().filter_map(move |mount| {
            let own = own?;
            (mount.target != path && mount.device == own.device && mount.root == own.root).then_some(mount.target.as_path())
        })
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn parse_line(line: &[u8]) -> Option<Mount> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let dash = fields.iter().position(|field| *field == b"-")?;
    let (own, fs) = (fields.get(..dash)?, fields.get(dash + 1..)?);
    let [_id, _parent, device, root, target, options, tags @ ..] = own else { return None };
    let fs_type = fs.first()?;
    Some(Mount {
        device: text(device),
        root: path(root),
        target: path(target),
        fs_type: text(fs_type),
        source: path(fs.get(1).copied().unwrap_or_default()),
        options: match fs.get(2) {
            Some(fs_options) => format!("{},{}", text(options), text(fs_options)),
            None => text(options),
        },
        shared: tags.iter().any(|tag| tag.starts_with(b"shared:")),
    })
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).into_owned()
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn path(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        match tail {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] if *first == b'\\' => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> MountTable {
        MountTable::parse(text.as_bytes())
    }

    #[test]
    fn a_line_is_read_with_and_without_tags() {
        let read = table(
            "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue\n\
             37 35 0:5 / /plain rw - tmpfs none rw\n",
        );
        assert_eq!(
            read.0[0],
            Mount {
                device: "98:0".into(),
                root: "/mnt1".into(),
                target: "/mnt2".into(),
                fs_type: "ext3".into(),
                source: "/dev/root".into(),
                options: "rw,noatime,rw,errors=continue".into(),
                shared: true,
            }
        );
        assert!(!read.0[1].shared);
    }

    #[test]
    fn escapes_in_paths_are_undone_and_foreign_bytes_survive() {
        let read = MountTable::parse(b"1 0 0:1 / /a\\040b\\011c\\134d\xff rw - ext4 /dev/x rw\n");
        assert_eq!(read.0[0].target.as_os_str().as_encoded_bytes(), b"/a b\tc\\d\xff");
    }

    #[test]
    fn a_backslash_that_begins_no_escape_is_itself() {
        assert_eq!(table("1 0 0:1 / /a\\9\\04 rw - x y rw").0[0].target, PathBuf::from("/a\\9\\04"));
    }

    #[test]
    fn a_line_of_another_form_is_left_out() {
        assert_eq!(table("\n1 2 3\nrubbish - \n1 0 0:1 / /a rw shared:1\n").0, vec![]);
    }

    #[test]
    fn references_are_the_same_root_of_the_same_filesystem_elsewhere() {
        let read = table(
            "1 0 7:1 / /staging rw - ext4 /dev/loop1 rw\n2 0 7:1 / /pod/mount rw - ext4 /dev/loop1 rw\n\
             3 0 7:1 /sub /other rw - ext4 /dev/loop1 rw\n4 0 8:1 / /else rw - ext4 /dev/sda1 rw\n",
        );
        assert_eq!(read.references(Path::new("/staging")).collect::<Vec<_>>(), vec![Path::new("/pod/mount")]);
        assert_eq!(read.references(Path::new("/absent")).count(), 0);
    }

    #[test]
    fn the_containing_mount_is_the_deepest_and_among_equals_the_latest() {
        let read = table("1 0 8:1 / / rw shared:1 - ext4 a rw\n2 1 8:2 / /var rw - ext4 b rw\n3 2 8:3 / /var rw - ext4 c rw\n");
        assert_eq!(read.containing(Path::new("/var/lib")).map(|m| m.device.as_str()), Some("8:3"));
        assert_eq!(read.containing(Path::new("/vario")).map(|m| m.device.as_str()), Some("8:1"));
        assert_eq!(read.layers(Path::new("/var")), 2);
    }
}
