//! What is on an image already. mkfs runs only where this says that there is nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use crate::error::{Result, io_error};
use crate::store::record::Filesystem;

/// What the bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing was ever written.
    Blank,
    /// One of the filesystems we make.
    Known(Filesystem),
    /// Something else; the name is for a sentence.
    Foreign(&'static str),
}

/// Signatures: offset, bytes, name.
const FOREIGN: [(u64, &[u8], &str); 12] = [
    (0, b"LUKS\xba\xbe", "a LUKS container"),
    (512, b"EFI PART", "a GPT partition table"),
    (510, b"\x55\xaa", "a boot sector (MBR, FAT or NTFS)"),
    (512, b"LABELONE", "an LVM physical volume"),
    (4086, b"SWAPSPACE2", "swap space"),
    (0x8001, b"CD001", "an ISO 9660 image"),
    (0, b"hsqs", "squashfs"),
    (1024, b"\x10\x20\xf5\xf2", "f2fs"),
    (1024, b"\xe2\xe1\xf5\xe0", "erofs"),
    (24, b"bcachefs", "bcachefs"),
    (4096, b"\xfc\x4e\x2b\xa9", "an md array"),
    (0x10000, b"ReIsEr", "reiserfs"),
];

/// Reads an image's first bytes, and where it has any.
pub(crate) fn probe(image: &Path) -> Result<Content> {
    let file = File::open(image).map_err(io_error("open", image))?;
    let read = || -> io::Result<Content> {
        if at(&file, 0x438, b"\x53\xef")? {
            return Ok(Content::Known(Filesystem::Ext4));
        }
        if at(&file, 0, b"XFSB")? {
            return Ok(Content::Known(Filesystem::Xfs));
        }
        if at(&file, 0x10040, b"_BHRfS_M")? {
            return Ok(Content::Known(Filesystem::Btrfs));
        }
        for (offset, bytes, name) in FOREIGN {
            if at(&file, offset, bytes)? {
                return Ok(Content::Foreign(name));
            }
        }
        if untouched(&file)? { Ok(Content::Blank) } else { Ok(Content::Foreign("data of no known form")) }
    };
    read().map_err(io_error("examine", image))
}

fn at(file: &File, offset: u64, expected: &[u8]) -> io::Result<bool> {
    let mut buffer = [0u8; 16];
    let buffer = &mut buffer[..expected.len()];
    match file.read_exact_at(buffer, offset) {
        Ok(()) => Ok(buffer == expected),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// No data extent at all; or, where there are some or the filesystem cannot say, zeros only.
fn untouched(file: &File) -> io::Result<bool> {
    let mut position = 0;
    let mut buffer = vec![0u8; 1 << 20];
    loop {
        let start = match seek(file, SeekFrom::Data(position)) {
            Ok(start) => start,
            // No data from here to the end.
            Err(Errno::NXIO) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        let end = seek(file, SeekFrom::Hole(start))?;
        position = start;
        while position < end {
            let want = usize::try_from(end - position).unwrap_or(usize::MAX).min(buffer.len());
            let Some(chunk) = buffer.get_mut(..want) else { return Ok(false) };
            let got = file.read_at(chunk, position)?;
            if got == 0 {
                return Ok(true);
            }
            if chunk.iter().take(got).any(|byte| *byte != 0) {
                return Ok(false);
            }
            position += got as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(writes: &[(u64, &[u8])]) -> Content {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.img");
        let file = File::create(&path).unwrap();
        file.set_len(4 << 20).unwrap();
        for (offset, bytes) in writes {
            file.write_all_at(bytes, *offset).unwrap();
        }
        probe(&path).unwrap()
    }

    #[test]
    fn only_an_image_without_a_byte_is_blank() {
        assert_eq!(image(&[]), Content::Blank);
        assert_eq!(image(&[(3 << 20, &[0; 4096])]), Content::Blank);
        assert_eq!(image(&[(3 << 20, b"x")]), Content::Foreign("data of no known form"));
    }

    #[test]
    fn filesystems_and_foreign_signatures_are_told_apart() {
        assert_eq!(image(&[(0x438, b"\x53\xef")]), Content::Known(Filesystem::Ext4));
        assert_eq!(image(&[(0, b"XFSB")]), Content::Known(Filesystem::Xfs));
        assert_eq!(image(&[(0x10040, b"_BHRfS_M")]), Content::Known(Filesystem::Btrfs));
        assert_eq!(image(&[(0, b"LUKS\xba\xbe")]), Content::Foreign("a LUKS container"));
        assert_eq!(image(&[(4086, b"SWAPSPACE2")]), Content::Foreign("swap space"));
    }

    #[test]
    fn an_image_smaller_than_its_signatures_is_read_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.img");
        File::create(&path).unwrap().set_len(10).unwrap();
        assert_eq!(probe(&path).unwrap(), Content::Blank);
    }
}
