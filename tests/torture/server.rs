//! Stopping the API server of `hack/cluster`, and going on with it whatever happens.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// kube-apiserver's process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server(Pid);

/// It does nothing while this lives.
#[derive(Debug)]
pub(crate) struct Stopped(Server);

impl Server {
    /// As `hack/cluster` recorded it. One that an earlier run left stopped goes on.
    pub(crate) fn find(run: &Path) -> Result<Self> {
        let record = run.join("pids/kube-apiserver");
        let text = std::fs::read_to_string(&record).with_context(|| format!("{}: is the cluster up?", record.display()))?;
        let pid = text.split_whitespace().next().and_then(|pid| Pid::from_raw(pid.parse().ok()?)).context("no pid in it")?;
        let name = std::fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero()))?;
        ensure!(name.trim() == "kube-apiserver", "{} is the pid of {}", pid.as_raw_nonzero(), name.trim());
        kill_process(pid, Signal::CONT)?;
        Ok(Self(pid))
    }

    /// SIGSTOP.
    pub(crate) fn stop(self) -> Result<Stopped> {
        kill_process(self.0, Signal::STOP)?;
        Ok(Stopped(self))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // There is nobody to tell, and a run that goes on without its server says so at the next request.
        let _ = kill_process(self.0.0, Signal::CONT);
    }
}
