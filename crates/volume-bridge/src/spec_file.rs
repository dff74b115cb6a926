//! The file by which Docker finds a plugin whose socket is not in /run/docker/plugins: one line, the socket's URL. The edge.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file that was written.
#[derive(Debug)]
pub struct SpecFile {
    path: PathBuf,
    content: String,
}

impl SpecFile {
    /// Writes `<folder>/<name>.spec`. One that says something else belongs to somebody else.
    ///
    /// # Errors
    /// The folder or the file cannot be written; the file names another socket.
    pub fn write(folder: &Path, name: &str, socket: &Path) -> io::Result<Self> {
        let path = folder.join(format!("{name}.spec"));
        let content = format!("unix://{}\n", socket.display());
        match fs::read_to_string(&path) {
            Ok(there) if there.trim() == content.trim() => return Ok(Self { path, content }),
            Ok(there) => {
                let there = there.lines().next().unwrap_or_default().to_owned();
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    format!("it names {there}, which is not this socket; remove it if that plugin is gone"),
                ));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        fs::create_dir_all(folder)?;
        let new = folder.join(format!(".{name}.spec.new"));
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&new)?;
        file.write_all(content.as_bytes())?;
        fs::rename(&new, &path)?;
        Ok(Self { path, content })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes it away, if it still says what was written.
    pub fn remove(&self) {
        if fs::read_to_string(&self.path).is_ok_and(|there| there == self.content)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(file = %self.path.display(), %error, "the plugin's spec file stays behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_url_and_goes_with_the_process() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("plugins");
        let spec = SpecFile::write(&folder, "longshore", Path::new("/tmp/csi.sock")).expect("written");
        assert_eq!(fs::read_to_string(folder.join("longshore.spec")).expect("there"), "unix:///tmp/csi.sock\n");
        SpecFile::write(&folder, "longshore", Path::new("/tmp/csi.sock")).expect("the same again");
        spec.remove();
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0);
    }

    #[test]
    fn somebody_elses_is_neither_replaced_nor_removed() {
        let dir = tempfile::tempdir().expect("a folder");
        let ours = SpecFile::write(dir.path(), "x", Path::new("/a.sock")).expect("written");
        let refused = SpecFile::write(dir.path(), "x", Path::new("/b.sock")).expect_err("refused").to_string();
        assert!(refused.contains("unix:///a.sock"), "{refused}");
        fs::write(ours.path(), "unix:///c.sock\n").expect("written");
        ours.remove();
        assert!(ours.path().exists());
    }
}
