//! One app: its command, environment, resources, and what becomes of its end.

use std::collections::BTreeMap;
use std::time::Duration;

use super::environment::{environment, marathon_env};
use super::ports::ports;
use super::{checks, constraints, fields, ids, volumes};
use crate::model::{
    Backoff, Command, Image, Kind, Resources, Restart, Role, Sandbox, SecretValue, Task, Unreachable, Update, Workload,
};
use crate::names::label;
use crate::read::At;

/// Where a task in an image finds its sandbox. Source: Mesos `--sandbox_directory`.
pub(crate) const SANDBOX_PATH: &str = "/mnt/mesos/sandbox";
pub(super) const MIB: u64 = 1024 * 1024;

/// What a sandboxed task of Mesos has.
pub(crate) fn sandbox() -> Sandbox {
    Sandbox { path: SANDBOX_PATH.to_owned(), variable: Some("MESOS_SANDBOX".to_owned()), working_dir: true }
}

/// An app; `None` if it has no id.
pub(super) fn read(app: &At<'_>, group: &str) -> Option<Workload> {
    app.reader.check(fields::APP, "an app of Marathon", &app.path, app.value);
    let written = app.required("id")?;
    let id = match ids::absolute(group, &written.text()?, false) {
        Ok(id) => id,
        Err(why) => {
            written.wrong(why);
            return None;
        }
    };
    let secrets = secrets(app);
    let labels = app.texts_of("labels");
    let instances = instances(app, &labels);
    let container = app.get("container");
    let docker = container.as_ref().and_then(|container| container.get("docker"));
    let image = docker.as_ref().and_then(|docker| image(docker, &secrets));
    let resources = resources(app);
    let ports = ports(app, container.as_ref());
    let mut env = marathon_env(&id, &resources, &labels, image.as_ref(), &ports);
    env.extend(environment(app, &secrets));
    let (health, ready) = (checks::health(app, &ports), checks::ready(app, &ports));
    let mut task = Task {
        name: label(id.rsplit('/').next().unwrap_or(&id)),
        field: app.path.clone(),
        role: Role::Main,
        command: command(app, image.is_some())?,
        image,
        env,
        mounts: Vec::new(),
        ports,
        resources,
        user: app.text_of("user").filter(|user| !user.is_empty()),
        privileged: docker.as_ref().and_then(|docker| docker.flag_of("privileged")).unwrap_or(false),
        health,
        ready,
        expand: false,
        sandbox: Some(sandbox()),
    };
    let volumes = volumes::read(container.as_ref(), &mut task, &secrets);
    let ipc = container.as_ref().and_then(|container| container.get("linuxInfo")?.get("ipcInfo"));
    let host_ipc = ipc.as_ref().and_then(|ipc| ipc.get("mode")?.one_of(&[("PRIVATE", false), ("SHARE_PARENT", true)], true));
    Some(Workload {
        name: label(&id),
        id,
        field: app.path.clone(),
        kind: Kind::Service { instances },
        restart: Restart::Always,
        backoff: Some(backoff(app)),
        tasks: vec![task],
        volumes,
        grace: app.number_of("taskKillGracePeriodSeconds").and_then(|secs| seconds(app, "taskKillGracePeriodSeconds", secs)),
        deadline: None,
        update: update(app),
        placement: constraints::read(app),
        unreachable: unreachable(app),
        host_network: host_network(app),
        host_ipc: host_ipc.unwrap_or(false),
        labels,
    })
}

/// alias to name in the store.
fn secrets(app: &At<'_>) -> BTreeMap<String, String> {
    let entries = app.get("secrets").map(|secrets| secrets.entries()).unwrap_or_default();
    let mut secrets = BTreeMap::new();
    for (alias, secret) in entries {
        let source = secret.required("source").and_then(|source| Some((source.text()?, source)));
        match source {
            Some((_, _)) if alias.is_empty() => secret.wrong("has no name"),
            Some((text, at)) if text.is_empty() => at.wrong("is empty; it is the name in the secret store"),
            Some((text, _)) => drop(secrets.insert(alias, text)),
            None => {}
        }
    }
    secrets
}

/// The secret that an alias means, noted if there is none.
pub(super) fn secret(alias: &At<'_>, secrets: &BTreeMap<String, String>) -> Option<SecretValue> {
    let name = alias.text()?;
    let found = secrets.get(&name);
    if found.is_none() {
        alias.wrong(format!(
            "{name:?} is not in this app's secrets: add \"secrets\": {{{name:?}: {{\"source\": \"NAME-IN-THE-STORE\"}}}}"
        ));
    }
    Some(SecretValue::named(found?))
}

fn instances(app: &At<'_>, labels: &BTreeMap<String, String>) -> u32 {
    let Some(at) = app.get("instances") else { return 1 };
    let instances = at.count().and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
    if instances > 1 && labels.get("MARATHON_SINGLE_INSTANCE_APP").is_some_and(|value| value == "true") {
        at.wrong(format!("is {instances}, but the label MARATHON_SINGLE_INSTANCE_APP allows one"));
    }
    instances
}

fn command(app: &At<'_>, image: bool) -> Option<Command> {
    let args = app.get("args").map(|args| args.list().iter().filter_map(At::text).collect::<Vec<String>>());
    match (app.get("cmd"), args) {
        (Some(cmd), Some(args)) if !args.is_empty() => {
            cmd.wrong("and args are both given: one of them says what is run");
            None
        }
        (Some(cmd), _) => {
            let text = cmd.text()?;
            if text.trim().is_empty() {
                cmd.wrong("is empty");
            }
            Some(Command::Shell(text))
        }
        (None, Some(args)) if image => Some(Command::Image(args)),
        (None, Some(args)) if !args.is_empty() => Some(Command::Argv(args)),
        (None, _) if image => Some(Command::Image(Vec::new())),
        (None, _) => {
            app.wrong("has nothing to run: cmd, args, or an image in container.docker");
            None
        }
    }
}

fn image(docker: &At<'_>, secrets: &BTreeMap<String, String>) -> Option<Image> {
    let name = docker.required("image")?;
    let text = name.text()?;
    if text.trim().is_empty() {
        name.wrong("is empty");
        return None;
    }
    Some(Image {
        name: text,
        pull_always: docker.flag_of("forcePullImage").unwrap_or(false),
        pull_secret: docker.get("pullConfig").and_then(|pull| secret(&pull.required("secret")?, secrets)),
    })
}

fn resources(app: &At<'_>) -> Resources {
    let amount = |name: &str, default: f64| {
        let number = app.number_of(name).unwrap_or(default);
        if !(0.0..=1e9).contains(&number) {
            app.reader.problem(&app.path_of(name), "has to be 0 or more, and less than 1e9".to_owned());
            return default;
        }
        number
    };
    let limits = app.get("resourceLimits");
    let limit = |name: &str, request: f64| -> Option<f64> {
        let Some(at) = limits.as_ref().and_then(|limits| limits.get(name)) else { return Some(request) };
        if at.value.as_str() == Some("unlimited") {
            return None;
        }
        let limit = at.number().unwrap_or(request);
        if limit < request || limit > 1e9 {
            at.wrong(format!("has to be \"unlimited\", or {request} or more, which is what {name} asks for"));
        }
        Some(limit)
    };
    let (cpus, mem) = (amount("cpus", 1.0), amount("mem", 128.0));
    let (disk, gpus) = (amount("disk", 0.0), app.count_of("gpus").unwrap_or(0));
    Resources {
        cpus: Some(cpus),
        memory: Some(mib(mem)),
        disk: Some(mib(disk)).filter(|bytes| *bytes > 0),
        gpus: Some(gpus).filter(|count| *count > 0),
        cpus_limit: limit("cpus", cpus).filter(|cpus| *cpus > 0.0),
        memory_limit: limit("mem", mem).map(mib).filter(|bytes| *bytes > 0),
    }
}

/// Marathon's MB are 1024 * 1024 bytes each.
pub(crate) fn mib(number: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an amount below 1e9 Mi"
    )]
    let bytes = (number.clamp(0.0, 1e9) * MIB as f64).round() as u64;
    bytes
}

/// A time that a field gives in seconds; noted if it is none.
pub(super) fn seconds(at: &At<'_>, name: &str, secs: f64) -> Option<Duration> {
    match secs {
        secs if (0.0..=1e9).contains(&secs) => Some(Duration::from_secs_f64(secs)),
        _ => {
            at.reader.problem(&at.path_of(name), "has to be a number of seconds, 0 or more".to_owned());
            None
        }
    }
}

/// As [`seconds`], of a field that may be absent.
pub(super) fn seconds_of(at: &At<'_>, name: &str, default: u64) -> Duration {
    at.number_of(name).and_then(|secs| seconds(at, name, secs)).unwrap_or(Duration::from_secs(default))
}

fn backoff(app: &At<'_>) -> Backoff {
    let factor = app.number_of("backoffFactor").unwrap_or(1.15);
    if factor < 1.0 {
        app.reader.problem(&app.path_of("backoffFactor"), "has to be 1 or more".to_owned());
    }
    Backoff {
        first: seconds_of(app, "backoffSeconds", 1),
        factor,
        longest: seconds_of(app, "maxLaunchDelaySeconds", 300),
        // Marathon counts every end of a task, however long it ran.
        reset: None,
    }
}

fn update(app: &At<'_>) -> Update {
    let strategy = app.get("upgradeStrategy");
    let external = app
        .get("container")
        .is_some_and(|container| container.list_of("volumes").iter().any(|volume| volume.get("external").is_some()));
    let share = |name: &str, default: f64| {
        let Some(at) = strategy.as_ref().and_then(|strategy| strategy.get(name)) else { return default };
        match at.number() {
            Some(share) if (0.0..=1.0).contains(&share) => share,
            Some(_) => {
                at.wrong("has to be from 0 to 1");
                default
            }
            None => default,
        }
    };
    let (healthy, over) = if external { (0.5, 0.0) } else { (1.0, 1.0) };
    let (healthy, surplus) = (share("minimumHealthCapacity", healthy), share("maximumOverCapacity", over));
    match healthy == 0.0 && surplus == 0.0 {
        true => Update::Recreate,
        false => Update::Rolling { unavailable: 1.0 - healthy, surplus },
    }
}

fn unreachable(app: &At<'_>) -> Option<Unreachable> {
    let strategy = app.get("unreachableStrategy")?;
    if strategy.value.is_string() {
        return strategy.one_of(&[("disabled", Unreachable::Never)], true);
    }
    strategy.object()?;
    Some(Unreachable::After(seconds_of(&strategy, "inactiveAfterSeconds", 0)))
}

fn host_network(app: &At<'_>) -> bool {
    let modes = [("host", true), ("container", false), ("container/bridge", false)];
    let networks = app.list_of("networks");
    networks.iter().filter_map(|network| network.get("mode")?.one_of(&modes, true)).any(|host| host)
}
