//! The process between Longshore and a container: builds what the container sees, starts it, and writes down how it ends.
//!
//! ```text
//!  longshore ─ unshare (new mount and process namespace) ─ shim (process 1 there) ─ the container's command
//! ```
//!
//! It does not need Longshore once it has read its [`Launch`]: containers survive a restart. As process 1 it takes everything with
//! it when it ends, and reaps what the command leaves.

mod root;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use jiff::Timestamp;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use tokio::signal::unix::{SignalKind, signal};

use crate::launch::Launch;
use crate::record::{Attempt, Exit};

/// The first argument that makes the program a shim; the second is the attempt's folder, by which the process is found again.
pub const COMMAND: &str = "container-shim";

/// The whole life of the process. `arguments`: what follows [`COMMAND`].
pub fn main(arguments: &[OsString]) -> ExitCode {
    let Some(dir) = arguments.first() else {
        let _ = writeln!(io::stderr(), "this command is for Longshore's own use");
        return ExitCode::from(2);
    };
    let attempt = Attempt { dir: dir.into(), number: 0 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let lived = match runtime {
        Ok(runtime) => runtime.block_on(live(&attempt)),
        Err(error) => Err(format!("cannot start a runtime: {error}")),
    };
    let exit = lived.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "longshore: the container cannot be started: {error}");
        // What a shell says of a command that it cannot run.
        Exit { code: 128, signal: None, at: Timestamp::now(), error }
    });
    match attempt.write_exit(&exit) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "longshore: cannot write how the container ended: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn live(attempt: &Attempt) -> Result<Exit, String> {
    let mut told = Vec::new();
    io::stdin().read_to_end(&mut told).map_err(|error| format!("cannot read what to start: {error}"))?;
    let launch: Launch = serde_json::from_slice(&told).map_err(|error| format!("what to start is malformed: {error}"))?;
    root::build(&launch)?;
    // Before the command: a signal that comes at once must not be lost.
    let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
    let (mut term, mut child) = (listen(SignalKind::terminate())?, listen(SignalKind::child())?);
    let pid = start(&launch)?;
    attempt.write_started(Timestamp::now()).map_err(|error| format!("cannot write {}: {error}", attempt.dir.display()))?;
    loop {
        if let Some(status) = reap(pid) {
            return Ok(exit(status));
        }
        tokio::select! {
            biased;
            _ = child.recv() => {}
            // The command leads its own group, so its children hear of it too.
            _ = term.recv() => drop(rustix::process::kill_process_group(pid, Signal::TERM)),
        }
    }
}

fn start(launch: &Launch) -> Result<Pid, String> {
    let (program, arguments) = launch.command.split_first().ok_or("there is no command")?;
    let mut words: Vec<String> = Vec::new();
    if launch.user.is_some() || launch.group.is_some() || !launch.groups.is_empty() {
        // util-linux, as unshare; std can set user and group, but no further groups.
        words.push("setpriv".to_owned());
        words.extend(launch.user.map(|user| format!("--reuid={user}")));
        words.extend(launch.group.or(launch.user).map(|group| format!("--regid={group}")));
        match launch.groups.as_slice() {
            [] => words.push("--clear-groups".to_owned()),
            groups => words.push(format!("--groups={}", groups.iter().map(u32::to_string).collect::<Vec<_>>().join(","))),
        }
        words.push("--".to_owned());
    }
    words.push(program.clone());
    words.extend_from_slice(arguments);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env_clear().envs(launch.env.iter().map(|(name, value)| (name, value)));
    command.current_dir(launch.working_dir.as_deref().unwrap_or(Path::new("/")));
    command.stdin(Stdio::null()).process_group(0);
    let child = command.spawn().map_err(|error| format!("cannot run {program}: {error}"))?;
    Pid::from_raw(child.id().cast_signed()).ok_or_else(|| "the kernel gave the process no number".to_owned())
}

/// Reaps whoever has ended; how the command ended, if it has.
fn reap(command: Pid) -> Option<WaitStatus> {
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if pid == command {
            return Some(status);
        }
    }
    None
}

fn exit(status: WaitStatus) -> Exit {
    let signal = status.terminating_signal();
    let code = status.exit_status().or(signal.map(|signal| 128 + signal)).unwrap_or(255);
    Exit { code, signal, at: Timestamp::now(), error: String::new() }
}
