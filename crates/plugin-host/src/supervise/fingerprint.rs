//! What makes a difference to a plugin that runs, as one short text. Secrets are in the hash only.

use super::docker::Daemon;
use super::files::{Files, hash};
use crate::plugin::{Arguments, Command, Docker, Environment, How, Limits, Process, Targets};

/// Equal texts: nothing of a part has changed that its process would notice.
pub(crate) fn fingerprint(how: &How, targets: &Targets, files: &Files, node: &str, daemon: &Daemon) -> String {
    let mut parts: Vec<String> = Vec::new();
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    match how {
        How::Endpoint(socket) => parts.extend(["endpoint".to_owned(), path(socket)]),
        How::Process(Process { command, environment, user, limits, working_dir, mount_dir }) => {
            parts.push(path(&files.socket));
            match command {
                Command::Shell(text) => parts.extend(["shell".to_owned(), text.clone()]),
                Command::Program { program, args: Arguments(args) } => {
                    parts.extend(["program".to_owned(), program.clone()]);
                    parts.extend(args.iter().cloned());
                }
            }
            of_environment(environment, node, &mut parts);
            parts.extend([format!("{user:?} {} {working_dir:?} {mount_dir:?}", of_limits(limits))]);
        }
        How::Docker(docker) => {
            let Docker {
                image,
                entrypoint,
                args: Arguments(args),
                environment,
                user,
                working_dir,
                privileged,
                network,
                hostname,
                binds,
                mount_dir,
                stage_dir,
                limits,
                pull,
            } = docker;
            parts.extend(["docker".to_owned(), path(&files.socket), path(&daemon.mounts), image.clone()]);
            parts.push(entrypoint.len().to_string());
            parts.extend(entrypoint.iter().chain(args).cloned());
            of_environment(environment, node, &mut parts);
            parts.push(format!("{user:?} {working_dir:?} {privileged} {network:?} {hostname:?} {binds:?}"));
            parts.push(format!("{mount_dir:?} {stage_dir:?} {} {pull} {:?}", of_limits(limits), targets.root));
        }
    }
    hash(parts.iter().map(String::as_str))
}

fn of_environment(environment: &Environment, node: &str, parts: &mut Vec<String>) {
    for (name, value) in environment.expose(node) {
        parts.extend([name, value]);
    }
}

fn of_limits(limits: &Limits) -> String {
    format!("{:?} {:?}", limits.cpu_shares, limits.memory)
}
