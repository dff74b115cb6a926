//! Copies: shared blocks where the filesystem can, else only what is not a hole.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use super::program::Program;
use crate::error::{Result, io_error};

/// Copies an image into `to`, which must be empty and already has the size of the copy, not below the original's.
pub(crate) fn image(from: &Path, to: &File, to_path: &Path) -> Result<()> {
    let source = File::open(from).map_err(io_error("open", from))?;
    let copy = || -> io::Result<()> {
        let size = to.metadata()?.len();
        match rustix::fs::ioctl_ficlone(to, &source) {
            // A clone takes the original's length.
            Ok(()) => to.set_len(size)?,
            Err(_) => sparse(&source, to)?,
        }
        to.sync_all()
    };
    copy().map_err(io_error("copy the content to", to_path))
}

fn sparse(from: &File, to: &File) -> io::Result<()> {
    let mut buffer = vec![0u8; 1 << 20];
    let mut position = 0;
    loop {
        let start = match seek(from, SeekFrom::Data(position)) {
            Ok(start) => start,
            Err(Errno::NXIO) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let end = seek(from, SeekFrom::Hole(start))?;
        position = start;
        while position < end {
            let want = usize::try_from(end - position).unwrap_or(usize::MAX).min(buffer.len());
            let Some(chunk) = buffer.get_mut(..want) else { return Ok(()) };
            let got = from.read_at(chunk, position)?;
            if got == 0 {
                return Ok(());
            }
            let chunk = chunk.get(..got).unwrap_or_default();
            if chunk.iter().any(|byte| *byte != 0) {
                to.write_all_at(chunk, position)?;
            }
            position += got as u64;
        }
    }
}

/// Copies a directory's content, with owners, modes, times, links and extended attributes.
pub(crate) fn tree(from: &Path, to: &Path) -> Result<()> {
    let arguments =
        ["-a".as_ref(), "--reflink=auto".as_ref(), "--sparse=auto".as_ref(), "-T".as_ref(), from.as_os_str(), to.as_os_str()];
    Program { name: "cp", package: "coreutils" }.run(arguments, from)?;
    let dir = File::open(to).map_err(io_error("open", to))?;
    rustix::fs::syncfs(&dir).map_err(io_error("sync", to))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_copy_has_the_same_bytes_the_same_holes_and_its_own_size() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("a"), dir.path().join("b"));
        let original = File::create(&from).unwrap();
        original.set_len(64 << 20).unwrap();
        original.write_all_at(b"here", 32 << 20).unwrap();
        let copied = File::create(&to).unwrap();
        copied.set_len(96 << 20).unwrap();
        image(&from, &copied, &to).unwrap();
        let mut read = [0u8; 4];
        File::open(&to).unwrap().read_exact_at(&mut read, 32 << 20).unwrap();
        assert_eq!(&read, b"here");
        assert_eq!(fs::metadata(&to).unwrap().len(), 96 << 20);
        assert!(fs::metadata(&to).unwrap().blocks() < 4096);
    }

    #[test]
    fn a_copied_directory_keeps_modes_and_links() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("a"), dir.path().join("b"));
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::write(from.join("sub/file"), "x").unwrap();
        std::os::unix::fs::symlink("sub/file", from.join("link")).unwrap();
        tree(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("link")).unwrap(), "x");
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("sub/file"));
    }
}
