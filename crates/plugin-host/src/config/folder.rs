//! A folder of plugin files. Files do not know of each other: a bad one takes no other with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::place::Problem;
use super::{PluginInfo, parse};

/// One file of the folder, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// The plugin, or why there is none.
    pub plugin: Result<PluginInfo, Problem>,
}

/// All files of a folder in the order of their names. Folders in it are not entered; what begins with a dot or ends in `~` is an
/// editor's. Of two files about one plugin the first counts, and the other one is told so.
///
/// # Errors
/// The folder itself cannot be read.
pub fn read(folder: &Path) -> io::Result<Vec<File>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".") || name.as_encoded_bytes().ends_with(b"~");
        if !hidden && !entry.path().is_dir() {
            paths.push(entry.path());
        }
    }
    paths.sort();
    let mut files: Vec<File> = Vec::new();
    for path in paths {
        let shown = path.display().to_string();
        let plugin = match fs::read(&path) {
            Ok(bytes) => parse(&shown, &bytes),
            // Replaced by its editor between the two looks: the next look finds it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                Err(Problem { file: shown.clone(), line: None, field: String::new(), reason: format!("cannot be read: {error}") })
            }
        };
        let plugin = plugin.and_then(|info| match files.iter().find(|other| other.names(&info)) {
            None => Ok(info),
            Some(other) => {
                let reason = format!(
                    "names the plugin {}, which {} does already; expected another `type`, or another `name` beside it",
                    info.plugin.id,
                    other.path.display()
                );
                Err(Problem { file: shown, line: None, field: "type".to_owned(), reason })
            }
        });
        files.push(File { path, plugin });
    }
    Ok(files)
}

impl File {
    fn names(&self, info: &PluginInfo) -> bool {
        self.plugin.as_ref().is_ok_and(|mine| mine.plugin.id == info.plugin.id)
    }
}
