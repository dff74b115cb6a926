//! TaskInfo: one process of a pod.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{command, labels, resources, secret, volumes};
use crate::marathon::sandbox;
use crate::model::{Ask, Command, EnvValue, Image, Probe, Role, Task, Volume};
use crate::read::At;

/// What a task says of the pod that it is in.
pub(super) struct Around {
    pub(super) id: String,
    pub(super) agent: Option<String>,
    pub(super) grace: Option<Duration>,
    pub(super) deadline: Option<Duration>,
    pub(super) host_network: bool,
    pub(super) host_ipc: bool,
    pub(super) labels: BTreeMap<String, String>,
}

impl Around {
    /// A pod has one of each; that of the first task is taken.
    pub(super) fn differ(&self, first: &Self, at: &At<'_>) {
        for (same, field) in [
            (self.agent == first.agent, "agent_id"),
            (self.deadline == first.deadline, "max_completion_time"),
            (self.labels == first.labels, "labels"),
        ] {
            if !same {
                at.reader.warning(
                    &at.path_of(field),
                    "is left out: a group is one pod, and the first task says it for all".to_owned(),
                );
            }
        }
        if self.agent.is_some() && self.agent != first.agent {
            at.wrong("is for another agent than the first task of its group");
        }
    }
}

pub(super) fn read(at: &At<'_>, volumes: &mut Vec<Volume>) -> Option<(Task, Around)> {
    at.object()?;
    let value_of = |name: &str| at.get(name).and_then(|inner| inner.text_of("value")).filter(|text| !text.is_empty());
    let (name, id) = (at.text_of("name").filter(|name| !name.is_empty()), value_of("task_id"));
    let id = id.or_else(|| name.clone()).unwrap_or_else(|| "task".to_owned());
    let container = at.get("container");
    let (image, rootfs_known) = match &container {
        Some(container) => image(container),
        None => (None, true),
    };
    let info = match at.get("command") {
        Some(info) => Some(info),
        None if image.is_some() => None,
        None if at.get("executor").is_some() => return None,
        None => {
            at.required("command");
            None
        }
    };
    let run = match &info {
        Some(info) => command::read(info, image.is_some()),
        None => Some(Command::Image(Vec::new())),
    };
    let mut env = BTreeMap::from([("MESOS_TASK_ID".to_owned(), EnvValue::Text(id.clone()))]);
    env.extend(info.as_ref().map(command::environment).unwrap_or_default());
    let docker = container.as_ref().and_then(|container| container.get("docker"));
    let linux = container.as_ref().and_then(|container| container.get("linux_info"));
    let mut task = Task {
        name: name.unwrap_or_else(|| id.clone()),
        field: at.path.clone(),
        role: Role::Main,
        command: Command::Image(Vec::new()),
        image,
        env,
        mounts: Vec::new(),
        ports: Vec::new(),
        resources: resources::read(at),
        user: info.as_ref().and_then(|info| info.text_of("user")).filter(|user| !user.is_empty()),
        privileged: docker.as_ref().and_then(|docker| docker.flag_of("privileged")).unwrap_or(false),
        health: at.get("health_check").and_then(|check| health(&check)),
        ready: None,
        expand: false,
        sandbox: Some(sandbox()),
    };
    if let Some(container) = &container {
        volumes::read(container, &mut task, volumes);
    }
    task.command = run?;
    let networks = [("HOST", true), ("BRIDGE", false), ("NONE", false), ("USER", false)];
    let modes = [("PRIVATE", false), ("SHARE_PARENT", true), ("UNKNOWN", false)];
    let around = Around {
        agent: value_of("agent_id"),
        grace: nanoseconds(at, "kill_policy", Some("grace_period")),
        deadline: nanoseconds(at, "max_completion_time", None),
        host_network: docker.and_then(|docker| docker.get("network")?.one_of(&networks, false)).unwrap_or(false),
        host_ipc: linux.and_then(|linux| linux.get("ipc_mode")?.one_of(&modes, false)).unwrap_or(false),
        labels: labels(at),
        id,
    };
    rootfs_known.then_some((task, around))
}

fn nanoseconds(at: &At<'_>, name: &str, inner: Option<&str>) -> Option<Duration> {
    let found = at.get(name)?;
    let found = match inner {
        Some(inner) => found.get(inner)?,
        None => found,
    };
    let value = found.required("nanoseconds")?;
    Some(Duration::from_nanos(value.count()?))
}

/// The root filesystem, if it has one of its own; false if there is one that cannot be had.
fn image(container: &At<'_>) -> (Option<Image>, bool) {
    let mesos = container.required("type").and_then(|kind| kind.one_of(&[("MESOS", true), ("DOCKER", false)], false));
    let text = |at: Option<At<'_>>| at.and_then(|at| at.text());
    match mesos {
        None => (None, false),
        Some(false) => {
            let Some(docker) = container.required("docker") else { return (None, false) };
            let name = text(docker.required("image"));
            let pull_always = docker.flag_of("force_pull_image").unwrap_or(false);
            let known = name.is_some();
            (name.map(|name| Image { name, pull_always, pull_secret: None }), known)
        }
        Some(true) => {
            let Some(image) = container.get("mesos").and_then(|mesos| mesos.get("image")) else { return (None, true) };
            match image.required("type").and_then(|kind| kind.one_of(&[("DOCKER", true), ("APPC", false)], false)) {
                None => return (None, false),
                Some(false) => {
                    image.wrong("is an Appc image, which Kubernetes does not run");
                    return (None, false);
                }
                Some(true) => {}
            }
            let Some(docker) = image.required("docker") else { return (None, false) };
            let pull_secret = docker.get("config").and_then(|config| secret::read(&config));
            let pull_always = image.flag_of("cached") == Some(false);
            let name = text(docker.required("name"));
            let known = name.is_some();
            (name.map(|name| Image { name, pull_always, pull_secret }), known)
        }
    }
}

#[derive(Clone, Copy)]
enum Question {
    Command,
    Http,
    Tcp,
}

fn health(check: &At<'_>) -> Option<Probe> {
    let kinds = [("COMMAND", Question::Command), ("HTTP", Question::Http), ("TCP", Question::Tcp)];
    let kind = match check.get("type") {
        Some(kind) => kind.one_of(&kinds, false)?,
        None if check.get("http").is_some() => Question::Http,
        None if check.get("tcp").is_some() => Question::Tcp,
        None => Question::Command,
    };
    let port = |of: &At<'_>| {
        let at = of.required("port")?;
        let port = at.count().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        if port.is_none() {
            at.wrong("is no port: it has to be from 1 to 65535");
        }
        port
    };
    let ask = match kind {
        Question::Command => match command::read(&check.required("command")?, false)? {
            Command::Shell(text) => Ask::Command(vec!["/bin/sh".to_owned(), "-c".to_owned(), text]),
            Command::Argv(argv) | Command::Image(argv) => Ask::Command(argv),
        },
        Question::Http => {
            let http = check.required("http")?;
            let tls = match http.get("scheme") {
                Some(scheme) => scheme.one_of(&[("http", false), ("https", true)], false)?,
                None => false,
            };
            Ask::Http { port: port(&http)?, path: http.text_of("path").unwrap_or_else(|| "/".to_owned()), tls }
        }
        Question::Tcp => Ask::Tcp { port: port(&check.required("tcp")?)? },
    };
    let secs = |name: &str, default: u64| {
        let secs = check.number_of(name);
        match secs {
            None => Duration::from_secs(default),
            Some(secs) if (0.0..=1e9).contains(&secs) => Duration::from_secs_f64(secs),
            Some(_) => {
                check.reader.problem(&check.path_of(name), "has to be a number of seconds, 0 or more".to_owned());
                Duration::from_secs(default)
            }
        }
    };
    Some(Probe {
        ask,
        delay: secs("delay_seconds", 15),
        interval: secs("interval_seconds", 10),
        timeout: secs("timeout_seconds", 20),
        failures: check.count_of("consecutive_failures").and_then(|count| u32::try_from(count).ok()).unwrap_or(3),
        grace: secs("grace_period_seconds", 10),
    })
}
