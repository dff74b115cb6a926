//! What a part has on the disk: `<dir>/<name>/csi.sock`, `<dir>/<name>.json`, `<dir>/<name>.log`.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::config::SOCKET_PATH;
use crate::plugin::PluginId;

/// The paths of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    /// Tells it from all others of this folder; a name in the folder, in cgroups, and for containers.
    pub(crate) name: String,
    /// The folder of its socket, which is the plugin's.
    pub(crate) folder: PathBuf,
    /// Where it has to listen, if we start it.
    pub(crate) socket: PathBuf,
    /// What is known of what runs.
    pub(crate) record: PathBuf,
    /// Both streams of its output.
    pub(crate) log: PathBuf,
    /// What was written before the log became too long.
    pub(crate) old_log: PathBuf,
    /// A folder for containers that want one to stage in.
    pub(crate) stage: PathBuf,
}

const SOCKET: &str = "csi.sock";

impl Files {
    pub(crate) fn of(dir: &Path, id: &PluginId, part: usize) -> Self {
        // No id has a ~ in it.
        let readable = format!("{}~{}~{part}", id.kind(), id.name());
        let socket = dir.join(&readable).join(SOCKET);
        let name = if socket.as_os_str().len() > SOCKET_PATH { hash([readable.as_str()])[..16].to_owned() } else { readable };
        let file = |ending: &str| dir.join(format!("{name}{ending}"));
        Self {
            folder: dir.join(&name),
            socket: dir.join(&name).join(SOCKET),
            record: file(".json"),
            log: file(".log"),
            old_log: file(".log.old"),
            stage: file(".stage"),
            name,
        }
    }
}

/// Lowercase hex of the SHA-256 of the parts, each with its length before it.
pub(crate) fn hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_parts_have_one_socket_and_none_is_too_long() {
        let ids = [("a", "b"), ("a.b", "default"), ("a", "b.default"), (&*"x".repeat(200), "default"), (&*"x".repeat(200), "e")];
        let dir = Path::new("/var/lib/longshore/kubelet/plugins/longshore.plugins");
        let mut sockets: Vec<PathBuf> = Vec::new();
        for (kind, name) in ids {
            let id = PluginId::new(kind, name).expect("an id");
            sockets.extend([0, 1].map(|part| Files::of(dir, &id, part).socket));
        }
        assert!(sockets.iter().all(|socket| socket.as_os_str().len() <= SOCKET_PATH), "{sockets:?}");
        sockets.sort();
        sockets.dedup();
        assert_eq!(sockets.len(), 10);
    }
}
