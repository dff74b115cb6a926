//! Tasks: what they run, and what they see.

use std::time::Duration;

use super::super::hcl::{Body, Entry, Value};
use super::super::reader::{Inner, Reader, Report};
use super::{Bind, Constraint, CsiPlugin, Docker, Driver, Resources, Task, Template, VolumeMount, group};
use crate::model::Propagation;

pub(super) fn task(inner: &Inner, path: &str, constraints: &mut Vec<Constraint>, report: &Report) -> Option<Task> {
    let name = inner.label.clone().unwrap_or_default();
    let reader = Reader::new("task", format!("{path} > task {name:?}"), inner.at, &inner.body, report);
    constraints.extend(group::constraints(&reader));
    let plugin = reader.block("csi_plugin").and_then(|inner| plugin(&inner, &reader));
    let driver = driver(&reader, plugin.is_some());
    let task = Task {
        name,
        path: reader.path.clone(),
        at: inner.at,
        env: reader.strings("env"),
        meta: reader.strings("meta"),
        templates: reader.blocks("template").iter().filter_map(|inner| template(inner, &reader)).collect(),
        mounts: reader.blocks("volume_mount").iter().filter_map(|inner| mount(inner, &reader)).collect(),
        plugin,
        resources: resources(&reader),
        user: reader.text("user").filter(|user| !user.is_empty()),
        kill_timeout: reader.duration("kill_timeout").unwrap_or(Duration::from_secs(5)),
        first: lifecycle(&reader),
        restart: group::restart(&reader),
        driver: driver?,
    };
    reader.finish();
    Some(task)
}

fn driver(reader: &Reader<'_>, plugin: bool) -> Option<Driver> {
    let driver = reader.required("driver");
    let config = Body::of_map(&reader.map("config"));
    let place = reader.place("config");
    match driver?.as_str() {
        "docker" => {
            let config = Reader::new("docker", reader.field("config"), place, &config, reader.report);
            let docker = Docker {
                image: config.required("image").unwrap_or_default(),
                command: config.text("command"),
                args: config.texts("args"),
                entrypoint: match config.node("entrypoint").map(|node| &node.value) {
                    Some(Value::String(word)) => vec![word.clone()],
                    _ => config.texts("entrypoint"),
                },
                privileged: config.bool("privileged").unwrap_or(false),
                pull: config.bool("force_pull").unwrap_or(false),
                work_dir: config.text("work_dir"),
                network: config.text("network_mode"),
                binds: binds(&config, plugin),
            };
            config.finish();
            Some(Driver::Docker(docker))
        }
        kind @ ("exec" | "raw_exec") => {
            let config = Reader::new("exec", reader.field("config"), place, &config, reader.report);
            let process = Driver::Process {
                raw: kind == "raw_exec",
                command: config.required("command").unwrap_or_default(),
                args: config.texts("args"),
                work_dir: config.text("work_dir"),
            };
            config.finish();
            Some(process)
        }
        other => {
            reader.problem("driver", format!("{other:?} is not run here; docker, exec and raw_exec are"));
            None
        }
    }
}

/// Folders of the host, which only a plugin gets: what a task keeps belongs in a volume.
fn binds(config: &Reader<'_>, plugin: bool) -> Vec<Bind> {
    let mut binds = Vec::new();
    let place = config.place("volumes");
    for volume in config.texts("volumes") {
        let words: Vec<&str> = volume.split(':').collect();
        match words.as_slice() {
            [source, target, rest @ ..] if source.starts_with('/') && target.starts_with('/') && rest.len() <= 1 => {
                let flags: Vec<&str> = rest.first().map(|flags| flags.split(',').collect()).unwrap_or_default();
                let shared = flags.iter().any(|flag| matches!(*flag, "shared" | "rshared"));
                binds.push(Bind {
                    source: (*source).to_owned(),
                    target: (*target).to_owned(),
                    read_only: flags.contains(&"ro"),
                    shared,
                });
            }
            _ => config.report.problem(place, config.field("volumes"), format!("{volume:?} is not /HOST:/TARGET[:ro|shared]")),
        }
    }
    for (field, mount) in
        ["mount", "mounts"].into_iter().flat_map(|field| config.blocks(field).into_iter().map(move |mount| (field, mount)))
    {
        let entries = mount.body.to_map();
        let get = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node.value);
        let word = |key: &str| get(key).and_then(Value::to_text).unwrap_or_default();
        if word("type") != "bind" {
            config.report.problem(
                mount.at,
                config.field(field),
                format!("is of type {:?}; only bind mounts of a plugin are", word("type")),
            );
            continue;
        }
        let options = match get("bind_options") {
            Some(Value::Map(entries)) => entries.clone(),
            Some(Value::List(items)) => items.iter().flat_map(|item| inner(&item.value)).collect(),
            _ => Vec::new(),
        };
        let shared = options.iter().any(|entry| {
            entry.key == "propagation"
                && entry.node.value.to_text().is_some_and(|mode| matches!(mode.as_str(), "shared" | "rshared"))
        });
        let read_only = get("readonly").and_then(Value::to_bool).unwrap_or(false);
        binds.push(Bind { source: word("source"), target: word("target"), read_only, shared });
    }
    if !plugin && !binds.is_empty() {
        let field = if config.has("volumes") { "volumes" } else { "mount" };
        config.problem(field, "folders of the host are for plugins; a task's data belongs in a volume of its group");
    }
    binds
}

fn inner(value: &Value) -> Vec<Entry> {
    match value {
        Value::Map(entries) => entries.clone(),
        _ => Vec::new(),
    }
}

fn plugin(inner: &Inner, task: &Reader<'_>) -> Option<CsiPlugin> {
    let reader = Reader::new("csi_plugin", task.field("csi_plugin"), inner.at, &inner.body, task.report);
    let id = reader.required("id");
    let kinds = [("node", (false, true)), ("controller", (true, false)), ("monolith", (true, true))];
    let kind = reader.choice("type", &kinds);
    if !reader.has("type") {
        reader.problem("type", "is required: node, controller or monolith");
    }
    let folder = |field: &str, default: &str| {
        let folder = reader.text(field).filter(|folder| !folder.is_empty()).unwrap_or_else(|| default.to_owned());
        let plain = folder.trim_end_matches('/').to_owned();
        if !plain.starts_with('/') || plain.split('/').any(|part| part == "..") {
            reader.problem(field, format!("{folder:?} is not an absolute path without .. and below the root"));
        }
        plain
    };
    let (mount_dir, stage) = (folder("mount_dir", "/csi"), folder("stage_publish_base_dir", "/local/csi"));
    if stage == mount_dir || stage.starts_with(&format!("{mount_dir}/")) {
        reader.problem("stage_publish_base_dir", format!("{stage} may not lie in mount_dir ({mount_dir})"));
    }
    let plugin = CsiPlugin {
        path: reader.path.clone(),
        at: inner.at,
        id: id.clone().unwrap_or_default(),
        controller: kind.unwrap_or_default().0,
        node: kind.unwrap_or_default().1,
        mount_dir,
        stage_publish_base_dir: stage,
        health_timeout: reader.duration("health_timeout").unwrap_or(Duration::from_secs(30)),
    };
    if let Err(error) = plugin_host::PluginId::only(&plugin.id)
        && id.is_some()
    {
        reader.problem("id", error.to_string());
    }
    reader.finish();
    id.and(kind).map(|_| plugin)
}

fn template(inner: &Inner, task: &Reader<'_>) -> Option<Template> {
    let reader = Reader::new("template", task.field("template"), inner.at, &inner.body, task.report);
    let (data, destination) = (reader.text("data"), reader.text("destination"));
    let env = reader.bool("env").unwrap_or(false);
    if let Some(perms) = reader.text("perms").filter(|perms| u32::from_str_radix(perms, 8).is_err()) {
        reader.problem("perms", format!("{perms:?} is no mode such as 0644"));
    }
    for (field, missing) in [("data", data.is_none() && !reader.has("source")), ("destination", destination.is_none())] {
        if missing && !reader.has(field) {
            reader.problem(field, "is required");
        }
    }
    let template = Template {
        path: reader.path.clone(),
        at: inner.at,
        data: data.unwrap_or_default(),
        destination: destination.unwrap_or_default(),
        env,
    };
    reader.finish();
    Some(template)
}

fn mount(inner: &Inner, task: &Reader<'_>) -> Option<VolumeMount> {
    let reader = Reader::new("volume_mount", task.field("volume_mount"), inner.at, &inner.body, task.report);
    let (volume, destination) = (reader.required("volume"), reader.required("destination"));
    let modes = [
        ("private", Propagation::Private),
        ("host-to-task", Propagation::HostToTask),
        ("bidirectional", Propagation::Bidirectional),
        ("", Propagation::Private),
    ];
    let mount = VolumeMount {
        path: reader.path.clone(),
        at: inner.at,
        volume: volume.unwrap_or_default(),
        destination: destination.unwrap_or_default(),
        read_only: reader.bool("read_only").unwrap_or(false),
        propagation: reader.choice("propagation_mode", &modes).unwrap_or_default(),
    };
    reader.finish();
    Some(mount)
}

fn resources(task: &Reader<'_>) -> Resources {
    let Some(inner) = task.block("resources") else { return Resources::default() };
    let reader = Reader::new("resources", task.field("resources"), inner.at, &inner.body, task.report);
    let nonzero = |field: &str| reader.count(field).filter(|amount| *amount > 0);
    let resources =
        Resources { cpu: nonzero("cpu"), cores: nonzero("cores"), memory: nonzero("memory"), memory_max: nonzero("memory_max") };
    if resources.cpu.is_some() && resources.cores.is_some() {
        reader.problem("cores", "and cpu are there: one of them");
    }
    if let (Some(memory), Some(most)) = (resources.memory, resources.memory_max)
        && most < memory
    {
        reader.problem("memory_max", format!("{most} is less than memory, {memory}"));
    }
    reader.finish();
    resources
}

/// Whether it runs before the others.
fn lifecycle(task: &Reader<'_>) -> bool {
    let Some(inner) = task.block("lifecycle") else { return false };
    let reader = Reader::new("lifecycle", task.field("lifecycle"), inner.at, &inner.body, task.report);
    let sidecar = reader.bool("sidecar").unwrap_or(false);
    let hook = reader.text("hook").unwrap_or_default();
    let first = match (hook.as_str(), sidecar) {
        ("prestart", first) => !first,
        ("poststart", true) => false,
        ("poststart" | "poststop", _) => {
            reader.problem("hook", format!("{hook} is not run: a pod has tasks before the others, and tasks beside them"));
            false
        }
        _ => {
            reader.problem("hook", format!("{hook:?} is none of prestart, poststart, poststop"));
            false
        }
    };
    reader.finish();
    first
}
