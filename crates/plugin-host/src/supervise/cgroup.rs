//! Limits of processes by the host's control groups, where it has version 2 and lets us.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::plugin::Limits;

/// Where a host has them.
pub(crate) const ROOT: &str = "/sys/fs/cgroup";
/// All of ours are below this one.
const OURS: &str = "longshore";

/// A group with these limits; what is written to the file that is returned becomes a member.
///
/// # Errors
/// One sentence: why there are no limits here.
pub(crate) fn make(root: &Path, name: &str, limits: Limits) -> Result<PathBuf, String> {
    let mut settings = Vec::new();
    if let Some(shares) = limits.cpu_shares {
        settings.push(("cpu", "cpu.weight", weight(shares).to_string()));
    }
    if let Some(memory) = limits.memory {
        settings.push(("memory", "memory.max", memory.0.to_string()));
    }
    let controllers = fs::read_to_string(root.join("cgroup.controllers"));
    let controllers = controllers.map_err(|_| format!("{} is not cgroup version 2", root.display()))?;
    let ours = root.join(OURS);
    let group = ours.join(name);
    for (controller, ..) in &settings {
        if !controllers.split_whitespace().any(|known| known == *controller) {
            return Err(format!("{} has no controller {controller}", root.display()));
        }
    }
    let wrote =
        |path: PathBuf, text: &str| fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()));
    let made = |path: &Path| fs::create_dir_all(path).map_err(|error| format!("cannot make {}: {error}", path.display()));
    made(&ours)?;
    for (controller, ..) in &settings {
        for parent in [root, &ours] {
            wrote(parent.join("cgroup.subtree_control"), &format!("+{controller}"))?;
        }
    }
    made(&group)?;
    for (_, file, value) in &settings {
        wrote(group.join(file), value)?;
    }
    Ok(group.join("cgroup.procs"))
}

/// After the last member has ended. That there is none is no error; one that still has members stays.
pub(crate) fn remove(root: &Path, name: &str) -> io::Result<()> {
    match fs::remove_dir(root.join(OURS).join(name)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
        removed => removed,
    }
}

/// Version 1's 2 to 262144 shares as version 2's weight of 1 to 10000. Upstream: runc, systemd.
fn weight(shares: u64) -> u64 {
    (1 + shares.clamp(2, 262_144).saturating_sub(2) * 9999 / 262_142).clamp(1, 10_000)
}

#[cfg(test)]
mod tests {
    use csi_types::Bytes;

    use super::*;

    #[test]
    fn the_limits_are_written_where_the_kernel_looks() {
        let root = tempfile::tempdir().expect("a folder");
        let limits = Limits { cpu_shares: Some(1024), memory: Some(Bytes(1 << 30)) };
        assert!(make(root.path(), "p", limits).expect_err("no cgroups").contains("not cgroup version 2"));
        fs::write(root.path().join("cgroup.controllers"), "cpu io memory pids\n").expect("written");
        let procs = make(root.path(), "p", limits).expect("a group");
        let group = root.path().join("longshore/p");
        assert_eq!(procs, group.join("cgroup.procs"));
        let read = |path: &str| fs::read_to_string(root.path().join(path)).expect(path);
        assert_eq!((read("longshore/p/cpu.weight"), read("longshore/p/memory.max")), ("39".to_owned(), (1u64 << 30).to_string()));
        assert_eq!(read("longshore/cgroup.subtree_control"), "+memory");
        fs::write(root.path().join("cgroup.controllers"), "cpu\n").expect("written");
        assert!(make(root.path(), "q", limits).expect_err("no memory controller").contains("memory"));
        remove(root.path(), "none").expect("nothing is there");
    }

    #[test]
    fn shares_become_weights() {
        assert_eq!((weight(0), weight(2), weight(1024), weight(262_144), weight(u64::MAX)), (1, 1, 39, 10_000, 10_000));
    }
}
