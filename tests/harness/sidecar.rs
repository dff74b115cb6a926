//! One of our programs as a process that can be killed at any moment and started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

/// A program with its arguments and its log. Dropped, it is killed.
pub struct Sidecar {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Sidecar {
    /// Starts it; its output is appended to `log`, which outlives restarts.
    pub fn start(program: PathBuf, arguments: Vec<String>, environment: Vec<(String, String)>, log: PathBuf) -> Result<Self> {
        let mut sidecar = Self { program, arguments, environment, log, child: None };
        sidecar.restart()?;
        Ok(sidecar)
    }

    /// Kills it if it runs, and starts it again.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", self.program.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// SIGTERM, and waits for the exit code; `None` if it ended by a signal.
    pub async fn terminate(&mut self) -> Result<Option<i32>> {
        let Some(mut child) = self.child.take() else { return Ok(None) };
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = tokio::task::spawn_blocking(move || child.wait()).await??;
        Ok(status.code())
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Everything it has said so far.
    pub fn log(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&std::fs::read(&self.log)?).into_owned())
    }

    /// Where it says it.
    pub fn log_path(&self) -> &Path {
        &self.log
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        // A process that is gone already is what we want.
        let _ = self.kill();
    }
}
