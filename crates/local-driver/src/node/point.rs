//! The places where volumes are shown: made before a mount, removed after it, and never with anything in them.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use crate::error::{Error, Result, io_error};

/// Makes a directory to mount on, if there is none.
pub(crate) fn make_directory(point: &Path) -> Result<()> {
    refuse_link(point)?;
    fs::create_dir_all(point).map_err(io_error("create", point))
}

/// Makes an empty file to bind a device to, if there is none.
pub(crate) fn make_file(point: &Path) -> Result<()> {
    refuse_link(point)?;
    if let Some(parent) = point.parent() {
        fs::create_dir_all(parent).map_err(io_error("create", parent))?;
    }
    if fs::symlink_metadata(point).is_ok_and(|meta| meta.is_dir()) {
        return Err(Error::Precondition(format!(
            "{} is a directory, but a block volume is published as a file; whoever made it must remove it",
            point.display()
        )));
    }
    OpenOptions::new().append(true).create(true).open(point).map(drop).map_err(io_error("create", point))
}

/// Removes an unmounted point. What somebody put there is theirs and stays.
pub(crate) fn remove(point: &Path) -> Result<()> {
    let meta = match fs::symlink_metadata(point) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(io_error("stat", point))?,
    };
    let kept = |what: &str| {
        Err(Error::Precondition(format!("{} is unmounted but {what}; move that away, then repeat the call", point.display())))
    };
    if meta.is_dir() {
        return match fs::remove_dir(point) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => kept("holds files that are not the volume's"),
            other => other.map_err(io_error("remove", point)),
        };
    }
    if !meta.is_file() || meta.len() != 0 {
        return kept("is not an empty file as this driver makes them");
    }
    fs::remove_file(point).map_err(io_error("remove", point))
}

fn refuse_link(point: &Path) -> Result<()> {
    if fs::symlink_metadata(point).is_ok_and(|meta| meta.is_symlink()) {
        return Err(Error::Precondition(format!(
            "{} is a symbolic link; a volume is not mounted where a link leads; remove it",
            point.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_point_is_removed_and_a_missing_one_is_fine() {
        let dir = tempfile::tempdir().unwrap();
        let (directory, file) = (dir.path().join("a/b"), dir.path().join("c/d"));
        make_directory(&directory).unwrap();
        make_file(&file).unwrap();
        make_file(&file).unwrap();
        for point in [&directory, &file, &file] {
            remove(point).unwrap();
            assert!(!point.exists());
        }
    }

    #[test]
    fn what_is_not_ours_is_never_removed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "precious").unwrap();
        assert!(matches!(remove(dir.path()), Err(Error::Precondition(_))));
        assert!(matches!(remove(&dir.path().join("file")), Err(Error::Precondition(_))));
        assert_eq!(fs::read_to_string(dir.path().join("file")).unwrap(), "precious");
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/etc", &link).unwrap();
        assert!(make_directory(&link).is_err() && make_file(&link).is_err() && remove(&link).is_err());
    }
}
