//! A part as a process of this host.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::Stdio;

use futures::FutureExt;
use futures::future::BoxFuture;
use host::process::{Life, leaders_with};
use rustix::process::{Pid, Signal};
use tokio::process::Command;

use super::cgroup;
use super::endpoint::{self, VARIABLE, expand, moved, url};
use super::error::Error;
use super::files::Files;
use super::output;
use crate::plugin::{self, Process};

/// How something that we started ended, in words.
pub(crate) type Ended = BoxFuture<'static, String>;

/// Starts it. What it is told is in its environment and its arguments only.
///
/// Call inside a tokio runtime.
pub(crate) fn start(process: &Process, files: &Files, node: &str, cgroups: &Path) -> Result<(Life, Ended), Error> {
    make_folder(files, process)?;
    let log = output::open(&files.log).map_err(Error::host(format!("open {}", files.log.display())))?;
    let errors = log.try_clone().map_err(Error::host(format!("open {}", files.log.display())))?;
    let words = words(process, files, cgroups)?;
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env_clear().envs(inherited()).envs(environment(process, files, node));
    command.current_dir(process.working_dir.as_deref().unwrap_or(&files.folder));
    // A group of its own: Ctrl-C on the terminal is for Longshore, and a signal to the group is for all that it starts.
    command.process_group(0).stdin(Stdio::null()).stdout(log).stderr(errors);
    let mut child = command.spawn().map_err(Error::host(format!("run {}", words[0])))?;
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let life = pid.map(Life::of).transpose().map_err(Error::host("look at the process that was started"))?.flatten();
    let Some(life) = life else {
        let ended = io::Error::other("it ended at once");
        return Err(Error::host(format!("run {}", words[0]))(ended));
    };
    let ended = async move {
        match child.wait().await {
            Ok(status) => format!("it ended with {status}"),
            Err(error) => format!("it ended, and how is not known: {error}"),
        }
    };
    Ok((life, ended.boxed()))
}

/// What an earlier life of ours started here and did not write down.
pub(crate) fn find(files: &Files) -> io::Result<Option<Life>> {
    Ok(leaders_with(VARIABLE, &url(&files.socket))?.into_iter().next())
}

/// The end of a process that an earlier life of ours started.
pub(crate) fn ended(life: Life) -> Ended {
    async move {
        life.ended().await;
        "it ended; how is not known, because an earlier start of Longshore had started it".to_owned()
    }
    .boxed()
}

/// To all of its group; one that has ended is none.
pub(crate) fn signal(life: &Life, signal: Signal) -> Result<(), Error> {
    life.signal_group(signal).map_err(Error::host("send the process a signal"))
}

/// What is left of its group after its leader has ended.
pub(crate) fn sweep(life: &Life) {
    if let Some(pid) = life.pid() {
        let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    }
}

/// The folder of its socket, which is its user's.
fn make_folder(files: &Files, process: &Process) -> Result<(), Error> {
    let folder = &files.folder;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(Error::host(format!("make {}", folder.display())))?;
    if let Some(user) = &process.user {
        let (uid, gid) = look_up(user)?;
        let given = std::os::unix::fs::chown(folder, Some(uid), Some(gid));
        given.map_err(Error::host(format!("give {} to {user}", folder.display())))?;
    }
    Ok(())
}

/// Program and arguments: `sh -c 'enter cgroup; exec' … setpriv … COMMAND`.
fn words(process: &Process, files: &Files, cgroups: &Path) -> Result<Vec<String>, Error> {
    let mut words = Vec::new();
    if process.limits != plugin::Limits::default() {
        match cgroup::make(cgroups, &files.name, process.limits) {
            // Before the program: everything that it starts is limited, too.
            Ok(procs) => words.extend([
                "/bin/sh".to_owned(),
                "-c".to_owned(),
                "echo $$ > \"$0\" && exec \"$@\"".to_owned(),
                procs.display().to_string(),
            ]),
            Err(why) => tracing::warn!(plugin = files.name, "its limits of processor and memory are not set: {why}"),
        }
    }
    if let Some(user) = &process.user {
        let (uid, gid) = look_up(user)?;
        // util-linux, as pod-runner does: std can set no further groups.
        words.extend([
            "setpriv".to_owned(),
            format!("--reuid={uid}"),
            format!("--regid={gid}"),
            "--init-groups".to_owned(),
            "--".to_owned(),
        ]);
    }
    let url = url(&files.socket);
    let told = |text: &String| told(process, files, &expand(text, &url));
    match &process.command {
        // The shell expands the variable itself.
        plugin::Command::Shell(text) => {
            words.extend(["/bin/sh".to_owned(), "-c".to_owned(), self::told(process, files, text)]);
        }
        plugin::Command::Program { program, args } => {
            words.push(told(program));
            words.extend(args.0.iter().map(told));
        }
    }
    Ok(words)
}

fn told(process: &Process, files: &Files, text: &str) -> String {
    match &process.mount_dir {
        Some(mount_dir) => moved(text, mount_dir, &files.folder),
        None => text.to_owned(),
    }
}

fn environment(process: &Process, files: &Files, node: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = process
        .environment
        .expose(node)
        .into_iter()
        .map(|(name, value)| (name, self::told(process, files, &endpoint::expand(&value, &url(&files.socket)))))
        .collect();
    all.retain(|(name, _)| name != VARIABLE);
    all.push((VARIABLE.to_owned(), url(&files.socket)));
    all
}

/// Of our own environment: what programs need to be found and to find a home.
fn inherited() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    ["PATH", "HOME", "TMPDIR", "LANG"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// User and group by a name or a number. Upstream: setpriv takes numbers for groups.
fn look_up(user: &str) -> Result<(u32, u32), Error> {
    let passwd = fs::read_to_string("/etc/passwd").map_err(Error::host("read /etc/passwd"))?;
    of_passwd(&passwd, user).ok_or_else(|| Error::NoUser { user: user.to_owned() })
}

fn of_passwd(passwd: &str, user: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, ..] = fields[..] else { return None };
        if name != user && uid != user {
            return None;
        }
        Some((uid.parse().ok()?, gid.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\nnobody:x:65534:65533::/:/bin/false\nbad\n";
        assert_eq!(of_passwd(passwd, "nobody"), Some((65534, 65533)));
        assert_eq!(of_passwd(passwd, "0"), Some((0, 0)));
        assert_eq!(of_passwd(passwd, "bad"), None);
    }
}
