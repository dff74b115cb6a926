//! `csi_plugin` tasks to managed plugins.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use csi_types::{Bytes, Secret};
use plugin_host::{
    Arguments, Bind, Command, Docker, Environment, How, Limits, Part, Plugin, PluginId, Process, Propagation, Service, Targets,
};

use super::job::{CsiPlugin, Driver, Group, Job, Task};
use super::reader::Report;
use super::runtime::Known;
use super::workload::{Filling, environment, plugin_names, resources};

/// The plugins of a job. Tasks with one id are parts of one plugin: a controller and a node, or one task for both.
pub(super) fn plugins(job: &Job, node: Option<&str>, report: &Report) -> Vec<Plugin> {
    let mut plugins = Vec::new();
    for group in &job.groups {
        for task in &group.tasks {
            if let Some(offered) = &task.plugin {
                plugins.extend(plugin(job, group, task, offered, node, report));
            }
        }
    }
    let (merged, twice) = merge(plugins);
    for id in twice {
        let second = job.groups.iter().flat_map(|group| &group.tasks).filter_map(|task| task.plugin.as_ref());
        if let Some(second) = second.filter(|plugin| plugin.id == id).nth(1) {
            let message = format!("{id:?} offers the same service twice: one plugin of an id and type runs on a node");
            report.problem(second.at, format!("{} > id", second.path), message);
        }
    }
    merged
}

/// Puts plugins of one id together, in their order, and the ids whose parts offer a service twice.
///
/// A controller and a node of one plugin are often two jobs, in two files.
pub fn merge(plugins: Vec<Plugin>) -> (Vec<Plugin>, Vec<String>) {
    let mut merged: Vec<Plugin> = Vec::new();
    let mut twice = Vec::new();
    for plugin in plugins {
        match merged.iter_mut().find(|other| other.id == plugin.id) {
            None => merged.push(plugin),
            Some(other) if other.services().is_disjoint(&plugin.services()) => {
                other.health_timeout = other.health_timeout.max(plugin.health_timeout);
                other.parts.extend(plugin.parts);
            }
            Some(other) => twice.push(other.id.to_string()),
        }
    }
    (merged, twice)
}

fn plugin(job: &Job, group: &Group, task: &Task, offered: &CsiPlugin, node: Option<&str>, report: &Report) -> Option<Plugin> {
    let id = PluginId::only(&offered.id).ok()?;
    let mut services = BTreeSet::new();
    services.extend(offered.controller.then_some(Service::Controller));
    services.extend(offered.node.then_some(Service::Node));
    let mut values = plugin_names(job, group, task);
    // A process of the host has the host's folders.
    if matches!(task.driver, Driver::Process { .. }) {
        for name in ["NOMAD_ALLOC_DIR", "NOMAD_TASK_DIR", "NOMAD_SECRETS_DIR"] {
            values.remove(name);
        }
    }
    if let Driver::Docker(_) = &task.driver {
        let own = task.env.get("CSI_ENDPOINT").cloned();
        values.insert("CSI_ENDPOINT".to_owned(), own.unwrap_or_else(|| format!("unix://{}/csi.sock", offered.mount_dir)));
    }
    let known = Known { values, node: node.map(str::to_owned), pod: false };
    let mut filling = Filling::new(&known, task, report);
    for template in task.templates.iter().filter(|template| !template.env) {
        let message = "a plugin's files are not written here: use env = true, or put the file on the host and bind it";
        report.problem(template.at, format!("{} > destination", template.path), message);
    }
    if offered.node && group.count > 1 && job.kind == super::job::JobKind::Service {
        let message = format!("{} instances of one plugin: one runs on each node", group.count);
        report.warning(group.at, format!("{} > count", group.path), message);
    }
    let environment = variables(&mut filling, task);
    let how = how(&mut filling, task, offered, environment);
    Some(Plugin { id, parts: vec![Part { services, how }], health_timeout: offered.health_timeout, targets: Targets::default() })
}

fn how(filling: &mut Filling<'_>, task: &Task, offered: &CsiPlugin, environment: Environment) -> How {
    let asked = resources(task);
    let limits = Limits {
        cpu_shares: asked.cpus.map(|cpus| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number of cores, not negative")]
            let shares = (cpus * 1024.0).min(1e9) as u64;
            shares.max(2)
        }),
        memory: asked.memory_limit.map(Bytes),
    };
    match &task.driver {
        Driver::Docker(docker) => {
            let args: Vec<String> = docker.command.iter().chain(&docker.args).cloned().collect();
            How::Docker(Docker {
                image: filling.fill("config > image", &docker.image),
                entrypoint: filling.fill_all("config > entrypoint", &docker.entrypoint),
                args: Arguments(filling.fill_all("config > args", &args)),
                environment,
                user: task.user.clone(),
                working_dir: docker.work_dir.as_ref().map(PathBuf::from),
                privileged: docker.privileged,
                network: docker.network.clone(),
                hostname: None,
                binds: binds(&docker.binds),
                mount_dir: PathBuf::from(&offered.mount_dir),
                stage_dir: Some(PathBuf::from(&offered.stage_publish_base_dir)),
                limits,
                pull: docker.pull,
            })
        }
        Driver::Process { command, args, work_dir, .. } => How::Process(Process {
            command: Command::Program {
                program: filling.fill("config > command", command),
                args: Arguments(filling.fill_all("config > args", args)),
            },
            environment,
            user: task.user.clone(),
            limits,
            working_dir: work_dir.as_ref().map(PathBuf::from),
            mount_dir: Some(PathBuf::from(&offered.mount_dir)),
        }),
    }
}

/// A variable that is the node's name and nothing else is put in where the plugin runs.
fn variables(filling: &mut Filling<'_>, task: &Task) -> Environment {
    let mut plain: BTreeMap<String, String> = environment(filling, task);
    let named = |value: &String| value == "$(NOMAD_NODE_NAME)";
    let mut node_name: BTreeSet<String> = plain.iter().filter(|(_, value)| named(value)).map(|(name, _)| name.clone()).collect();
    plain.retain(|name, _| !node_name.contains(name));
    node_name.insert("NOMAD_NODE_NAME".to_owned());
    Environment { plain, secret: Secret::none(), node_name }
}

/// What the job binds, and the host's devices, which Nomad gives to every plugin: those of volumes come and go.
fn binds(asked: &[super::job::Bind]) -> Vec<Bind> {
    let dev = PathBuf::from("/dev");
    let mut binds: Vec<Bind> = asked.iter().map(bind).collect();
    if binds.iter().all(|bind| bind.target != dev) {
        binds.push(Bind { source: dev.clone(), target: dev, read_only: false, propagation: Propagation::Private });
    }
    binds
}

fn bind(bind: &super::job::Bind) -> Bind {
    Bind {
        source: PathBuf::from(&bind.source),
        target: PathBuf::from(&bind.target),
        read_only: bind.read_only,
        propagation: if bind.shared { Propagation::Bidirectional } else { Propagation::Private },
    }
}
