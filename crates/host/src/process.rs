//! Processes by their numbers, with what tells a process from a later one of the same number.

use std::fs;
use std::io;

use rustix::process::{Pid, PidfdFlags, Signal};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;

/// One process of this host, for as long as it lives; it can be written down and recognised by a later life of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// Its number.
    pid: i32,
    /// When it began, in the kernel's ticks since the boot.
    started: u64,
    /// Which boot.
    boot: String,
}

impl Life {
    /// The process that has this number now. `None`: none has, or it has ended and is only not reaped.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn of(pid: Pid) -> io::Result<Option<Self>> {
        let pid = pid.as_raw_nonzero().get();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
        match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => Ok(started(&stat).map(|started| Self { pid, started, boot })),
            Err(error) if gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether it still lives.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn is_alive(&self) -> io::Result<bool> {
        match self.pid() {
            Some(pid) => Ok(Self::of(pid)?.as_ref() == Some(self)),
            None => Ok(false),
        }
    }

    /// Its number. `None`: what was written down is no number of a process.
    pub fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.pid).filter(|_| self.pid > 1)
    }

    /// Sends a signal to the process group that it leads. That there is none any more is no error.
    ///
    /// Race, judged: between the look and the signal it may end and its number be taken by another group's leader. The kernel
    /// hands out all other numbers first, so that takes thousands of new processes in a microsecond.
    ///
    /// # Errors
    /// It may not be signalled.
    pub fn signal_group(&self, signal: Signal) -> io::Result<()> {
        let (Some(pid), true) = (self.pid(), self.is_alive()?) else { return Ok(()) };
        match rustix::process::kill_process_group(pid, signal) {
            Err(rustix::io::Errno::SRCH) => Ok(()),
            sent => Ok(sent?),
        }
    }

    /// Waits until it has ended. Cancel safe.
    pub async fn ended(&self) {
        let Some(pid) = self.pid() else { return };
        if self.is_alive().is_ok_and(|alive| !alive) {
            return;
        }
        ended(pid).await;
    }
}

/// Waits until the process that has this number now has ended, whoever's child it is. Cancel safe.
pub async fn ended(pid: Pid) {
    // No such process: it has.
    let Ok(fd) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return };
    #[expect(deprecated, reason = "its successor is unsafe to call; an OwnedFd that is never taken out is what it asks for")]
    if let Ok(fd) = AsyncFd::new(fd) {
        let _ = fd.readable().await;
    }
}

/// Leaders of process groups in whose first environment this variable has this value.
///
/// # Errors
/// `/proc` cannot be read.
pub fn leaders_with(variable: &str, value: &str) -> io::Result<Vec<Life>> {
    let wanted = format!("{variable}={value}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else { continue };
        // A process may end while we look, and of others' we may not read everything.
        let Ok(environment) = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())) else { continue };
        let has = environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes());
        if has && rustix::process::getpgid(Some(pid)).is_ok_and(|group| group == pid) {
            found.extend(Life::of(pid)?);
        }
    }
    Ok(found)
}

fn gone(error: &io::Error) -> bool {
    // ESRCH: it went between opening and reading.
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

/// Field 22 of `/proc/PID/stat`. The name before it may hold anything, brackets and blanks included.
fn started(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "starts processes to look at")]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;

    fn sleeper(variable: &str) -> std::process::Child {
        Command::new("sleep").arg("600").env("HOST_TEST", variable).process_group(0).spawn().expect("it starts")
    }

    #[test]
    fn a_name_with_brackets_hides_nothing() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(started(&format!("12 (a) b (c)) {rest}")), Some(4711));
        assert_eq!(started(&format!("12 (a) {}", rest.replacen('S', "Z", 1))), None, "only its number is left");
        assert_eq!((started(""), started("12 (a) S")), (None, None));
    }

    #[tokio::test]
    async fn a_process_is_the_same_until_it_ends_and_no_other_one_is() {
        let mut child = sleeper("same");
        let pid = Pid::from_child(&child);
        let life = Life::of(pid).expect("proc").expect("it runs");
        assert!(life.is_alive().expect("proc"));
        let other = Life { started: life.started + 1, ..life.clone() };
        assert!(!other.is_alive().expect("proc"), "a later process with its number is not it");
        let rebooted = Life { boot: "another".to_owned(), ..life.clone() };
        assert!(!rebooted.is_alive().expect("proc"));
        other.signal_group(Signal::KILL).expect("nobody is there");
        assert!(life.is_alive().expect("proc"), "and is not hurt for it");
        life.signal_group(Signal::KILL).expect("it may be killed");
        life.ended().await;
        assert!(!life.is_alive().expect("proc"), "also before it is reaped");
        child.wait().expect("it ended");
        life.ended().await;
    }

    #[test]
    fn a_process_is_found_by_what_it_was_started_with() {
        let (mut child, value) = (sleeper("found-a"), "found-a");
        let life = Life::of(Pid::from_child(&child)).expect("proc").expect("it runs");
        // Between fork and exec it has our environment.
        while !leaders_with("HOST_TEST", value).expect("proc").contains(&life) {
            std::thread::yield_now();
        }
        assert_eq!(leaders_with("HOST_TEST", "found").expect("proc"), []);
        child.kill().expect("it runs");
        child.wait().expect("it ended");
    }
}
