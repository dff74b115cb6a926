//! Supervisors of containers, as processes of this host: start, find again, end, and await.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::launch::Launch;
use crate::record::Attempt;
use crate::shim;

/// The `unshare` around a shim. When it has ended, so has everything in the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Supervisor(Pid);

impl Supervisor {
    /// Starts a container. When this returns, its supervisor runs and knows what to do; whether the command does is written by it.
    pub(crate) async fn start(program: &Path, attempt: &Attempt, launch: &Launch) -> io::Result<Self> {
        fs::create_dir_all(&attempt.dir)?;
        let log = fs::OpenOptions::new().create(true).append(true).mode(0o640).open(attempt.log())?;
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "slave", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
        command.arg(program).arg(shim::COMMAND).arg(&attempt.dir);
        // A group of its own: Ctrl-C on the terminal is for Longshore, not for what it runs.
        command.process_group(0).stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        let mut child = command.spawn()?;
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let pid = pid.ok_or_else(|| io::Error::other("the container's supervisor ended at once"))?;
        let mut pipe = child.stdin.take().ok_or_else(|| io::Error::other("the container's supervisor has no pipe"))?;
        pipe.write_all(&serde_json::to_vec(launch)?).await?;
        pipe.shutdown().await?;
        Ok(Self(pid))
    }

    /// Every supervisor on this host, by the folder of its attempt. Whatever life of this program started it.
    pub(crate) fn all() -> io::Result<BTreeMap<PathBuf, Self>> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else { continue };
            // A process may end while we look.
            let Ok(line) = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())) else { continue };
            if let Some(dir) = attempt_of(&line) {
                found.insert(dir, Self(pid));
            }
        }
        Ok(found)
    }

    /// Asks the container's command to end.
    pub(crate) fn terminate(self) {
        if let Some(shim) = self.shim() {
            let _ = rustix::process::kill_process(shim, Signal::TERM);
        }
    }

    /// Ends everything in the container at once.
    pub(crate) fn kill(self) {
        // The shim first: as process 1 it takes all others with it, and its parent sees the end of that.
        let _ = rustix::process::kill_process(self.shim().unwrap_or(self.0), Signal::KILL);
    }

    fn shim(self) -> Option<Pid> {
        let pid = self.0.as_raw_nonzero();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        Pid::from_raw(children.split_whitespace().next()?.parse().ok()?)
    }

    /// Waits until it has ended. Cancel safe.
    pub(crate) async fn ended(self) {
        host::process::ended(self.0).await;
    }
}

/// `unshare … -- PROGRAM container-shim DIR`
fn attempt_of(command_line: &[u8]) -> Option<PathBuf> {
    let mut words = command_line.split(|byte| *byte == 0);
    let first = words.next()?;
    if !first.ends_with(b"unshare") {
        return None;
    }
    let rest: Vec<&[u8]> = words.collect();
    let at = rest.iter().position(|word| *word == shim::COMMAND.as_bytes())?;
    String::from_utf8(rest.get(at + 1)?.to_vec()).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_is_known_by_its_command_line() {
        let line = b"unshare\0--mount\0--\0/usr/bin/longshore\0container-shim\0/d/pods/u/c/0\0";
        assert_eq!(attempt_of(line), Some("/d/pods/u/c/0".into()));
        assert_eq!(attempt_of(b"/usr/bin/longshore\0container-shim\0/d\0"), None, "the shim itself is not it");
        assert_eq!(attempt_of(b""), None);
    }
}
