//! A program under test, as a process that is killed, frozen, and started again. Each has a host name of its own, as in a pod:
//! replicas tell themselves apart by it.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// A program with its arguments and its log. Dropped, it is killed.
pub(crate) struct Process {
    pub(crate) name: String,
    command: Vec<String>,
    mark: PathBuf,
    log: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    child: Option<Child>,
    /// Since when it is not there although nobody hit it.
    ended: Option<Instant>,
    /// Hit on purpose, and not started again.
    down: bool,
}

impl Process {
    /// Starts it. `run` is the cluster's folder, by which `hack/cluster` finds what a killed run leaves.
    pub(crate) fn start(name: &str, program: &Path, arguments: Vec<String>, run: &Path, log: PathBuf) -> Result<Self> {
        // The pid stays the same through both.
        let script = r#"echo "$0" >/proc/sys/kernel/hostname && exec "$@""#;
        let mut command: Vec<String> =
            ["unshare", "--uts", "sh", "-c", script, name, &program.display().to_string()].map(str::to_owned).into();
        command.extend(arguments);
        let process = Self { name: name.to_owned(), command, mark: run.to_owned(), log, state: Mutex::default() };
        process.launch()?;
        Ok(process)
    }

    /// Starts it again, or thaws it if it is frozen.
    pub(crate) fn launch(&self) -> Result<()> {
        let mut state = self.state();
        state.down = false;
        state.ended = None;
        if let Some(child) = state.child.as_mut()
            && child.try_wait()?.is_none()
        {
            self.note("thawed");
            return signal(child, Signal::CONT);
        }
        self.note("started");
        let log = self.open_log()?;
        let child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .env("LONGSHORE_CLUSTER", &self.mark)
            .env("POD_NAMESPACE", crate::site::SYSTEM_NAMESPACE)
            .env("POD_NAME", &self.name)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", self.name))?;
        state.child = Some(child);
        Ok(())
    }

    /// Whether this is its process.
    pub(crate) fn is(&self, pid: u32) -> bool {
        self.state().child.as_ref().is_some_and(|child| child.id() == pid)
    }

    /// SIGKILL. It has done its last when this returns.
    pub(crate) fn kill(&self) {
        let mut state = self.state();
        state.down = true;
        if let Some(mut child) = state.child.take() {
            self.note("killed");
            // One that ended by itself is as dead.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGSTOP. It has stopped when this returns.
    pub(crate) fn freeze(&self) {
        let mut state = self.state();
        state.down = true;
        if let Some(child) = state.child.as_ref() {
            self.note("frozen");
            let _ = signal(child, Signal::STOP);
            let _ = waitpid(Some(Pid::from_child(child)), WaitOptions::UNTRACED);
        }
    }

    /// Starts it again, a moment after it ended by itself: a kubelet would.
    pub(crate) fn revive(&self) -> Result<()> {
        const PAUSE: Duration = Duration::from_secs(1);
        let mut state = self.state();
        if state.down {
            return Ok(());
        }
        if let Some(child) = state.child.as_mut() {
            let Some(status) = child.try_wait()? else { return Ok(()) };
            self.note(&format!("ended by itself: code {:?}, signal {:?}", status.code(), status.signal()));
            (state.child, state.ended) = (None, Some(Instant::now()));
        }
        let due = state.ended.is_some_and(|ended| ended.elapsed() >= PAUSE);
        drop(state);
        if due { self.launch() } else { Ok(()) }
    }

    fn open_log(&self) -> Result<File> {
        File::options().create(true).append(true).open(&self.log).with_context(|| self.log.display().to_string())
    }

    /// In the log, between what it said itself.
    pub(crate) fn note(&self, what: &str) {
        if let Ok(mut log) = self.open_log() {
            let _ = writeln!(log, "--- hack/torture: {} was {what}", self.name);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn signal(child: &Child, signal: Signal) -> Result<()> {
    Ok(kill_process(Pid::from_child(child), signal)?)
}
