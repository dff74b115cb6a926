//! A job to workloads: one for each group, or one for each instance of a group whose instances differ.
//!
//! Instances differ where one of their volumes is `per_alloc` or a task is told its index: pods of a Deployment have no numbers.

mod command;
mod placement;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use csi_types::AccessType;

use super::job::{Group, Job, JobKind, Task, VolumeRequest};
use super::reader::Report;
use super::runtime::Known;
use crate::model::{Backoff, Kind, Mount, RegisteredVolume, Restart, Role, Sandbox, Source, Target, Update, Volume, Workload};
use crate::names::label;

/// The shared folder of a group, and the folder of secrets of a task. Upstream: Nomad's docker driver.
const SHARED: &str = "/alloc";
const LOCAL: &str = "/local";
const SECRETS: &str = "/secrets";

/// Everything of a job that is run as a pod.
pub(super) fn workloads(job: &Job, node: Option<&str>, report: &Report) -> Vec<Workload> {
    let mut workloads = Vec::new();
    let running: Vec<&Group> = job.groups.iter().filter(|group| group.tasks.iter().any(|task| task.plugin.is_none())).collect();
    for group in &running {
        // The name of a lone group says nothing that the job's does not.
        let base = if running.len() == 1 { job.id.clone() } else { format!("{}-{}", job.id, group.name) };
        if job.kind == JobKind::Sysbatch {
            report.warning(group.at, group.path.clone(), "runs once, not once on each node: there is no such kind of Job");
        }
        let instances = match job.kind {
            JobKind::System | JobKind::Sysbatch => 1,
            JobKind::Service | JobKind::Batch => group.count,
        };
        if instances > 1 && differs(group) {
            for index in 0..instances {
                workloads.extend(workload(job, group, &format!("{base}-{index}"), (index, 1), node, report));
            }
        } else {
            workloads.extend(workload(job, group, &base, (0, instances), node, report));
        }
    }
    workloads
}

/// Whether an instance's index is to be seen.
fn differs(group: &Group) -> bool {
    let told = |text: &str| text.contains("NOMAD_ALLOC_INDEX") || text.contains("NOMAD_ALLOC_NAME");
    let task = |task: &Task| {
        let templates = task.templates.iter().any(|template| told(&template.data) || told(&template.destination));
        templates || task.env.values().any(|value| told(value)) || command::words(task).iter().any(|word| told(word))
    };
    group.volumes.iter().any(|volume| volume.per_alloc) || group.tasks.iter().filter(|task| task.plugin.is_none()).any(task)
}

fn workload(
    job: &Job,
    group: &Group,
    id: &str,
    (index, instances): (u32, u32),
    node: Option<&str>,
    report: &Report,
) -> Option<Workload> {
    let name = label(id);
    if name.is_empty() {
        report.problem(group.at, group.path.clone(), format!("{id:?} has no letter or digit that could be a name in Kubernetes"));
        return None;
    }
    let mut volumes: Vec<Volume> = group.volumes.iter().map(|volume| registered(volume, index)).collect();
    let mut tasks = Vec::new();
    for task in group.tasks.iter().filter(|task| task.plugin.is_none()) {
        let known = Known { values: names(job, group, task, index), node: node.map(str::to_owned), pod: true };
        tasks.push(one(group, task, &known, &mut volumes, report));
    }
    // Those that run before the others first, otherwise as written.
    tasks.sort_by_key(|task: &crate::model::Task| task.role == Role::Main);
    aliases(group, &volumes, report);
    let kind = match job.kind {
        JobKind::Service => Kind::Service { instances },
        JobKind::System => Kind::System,
        JobKind::Batch | JobKind::Sysbatch => Kind::Batch { instances },
    };
    let restart = match (job.kind, group.restart.attempts) {
        (JobKind::Service | JobKind::System, _) => Restart::Always,
        (_, Some(0)) => Restart::Never,
        _ => Restart::OnFailure,
    };
    if restart == Restart::Always && group.restart.attempts == Some(0) && group.restart.fail {
        let field = format!("{} > restart > attempts", group.path);
        report.warning(group.at, field, "has no effect: a task of a service is started again whenever it ends");
    }
    let delay = group.restart.delay.map(|delay| Backoff { first: delay, factor: 1.0, longest: delay, reset: None });
    let own = group.tasks.iter().filter(|task| task.plugin.is_none());
    Some(Workload {
        id: id.to_owned(),
        name,
        field: group.path.clone(),
        kind,
        restart,
        backoff: delay.filter(|_| restart != Restart::Never),
        grace: own.clone().map(|task| task.kill_timeout).max().or(Some(Duration::from_secs(5))),
        tasks,
        volumes,
        deadline: None,
        update: update(group, instances),
        placement: placement::placement(group, report),
        unreachable: None,
        host_network: group.host_network || own.clone().any(command::host_network),
        host_ipc: false,
        labels: BTreeMap::new(),
    })
}

/// `max_parallel` at a time, each ended before its successor starts.
fn update(group: &Group, instances: u32) -> Update {
    if group.max_parallel == 0 || group.max_parallel >= u64::from(instances) {
        return Update::Recreate;
    }
    #[expect(clippy::cast_precision_loss, reason = "fewer than 1,000")]
    Update::Rolling { unavailable: group.max_parallel as f64 / f64::from(instances), surplus: 0.0 }
}

fn registered(volume: &VolumeRequest, index: u32) -> Volume {
    let id = if volume.per_alloc { format!("{}[{index}]", volume.source) } else { volume.source.clone() };
    let access_type = if volume.block {
        AccessType::Block
    } else {
        AccessType::Mount {
            fs_type: volume.fs_type.clone(),
            mount_flags: volume.mount_flags.clone(),
            volume_mount_group: String::new(),
        }
    };
    let registered = RegisteredVolume { id, per_instance: false, access_mode: volume.access_mode, access_type };
    Volume {
        alias: label(&volume.alias),
        field: volume.path.clone(),
        source: Source::Registered(Box::new(registered)),
        read_only: volume.read_only,
    }
}

/// Two volumes of a group whose names become one.
fn aliases(group: &Group, volumes: &[Volume], report: &Report) {
    let mut seen = BTreeSet::new();
    for volume in volumes {
        if volume.alias.is_empty() || !seen.insert(&volume.alias) {
            let message = format!("{:?} has no name of its own in Kubernetes: rename the volume", volume.alias);
            report.problem(group.at, volume.field.clone(), message);
        }
    }
}

/// What a task of this instance would find in its environment.
fn names(job: &Job, group: &Group, task: &Task, index: u32) -> BTreeMap<String, String> {
    let text = |text: &str| text.to_owned();
    let datacenter = job.datacenters.iter().find(|name| !name.contains('*')).map_or("dc1", String::as_str);
    let mut names = BTreeMap::from([
        (text("NOMAD_ALLOC_DIR"), text(SHARED)),
        (text("NOMAD_TASK_DIR"), text(LOCAL)),
        (text("NOMAD_SECRETS_DIR"), text(SECRETS)),
        (text("NOMAD_ALLOC_INDEX"), index.to_string()),
        (text("NOMAD_ALLOC_NAME"), format!("{}.{}[{index}]", job.name, group.name)),
        (text("NOMAD_GROUP_NAME"), group.name.clone()),
        (text("NOMAD_TASK_NAME"), task.name.clone()),
        (text("NOMAD_JOB_ID"), job.id.clone()),
        (text("NOMAD_JOB_NAME"), job.name.clone()),
        (text("NOMAD_DC"), text(datacenter)),
        (text("NOMAD_REGION"), job.region.clone().unwrap_or_else(|| text("global"))),
        (text("NOMAD_NAMESPACE"), job.namespace.clone().unwrap_or_else(|| text("default"))),
        // Nomad's defaults.
        (text("NOMAD_CPU_LIMIT"), task.resources.cpu.unwrap_or(100).to_string()),
        (text("NOMAD_MEMORY_LIMIT"), task.resources.memory.unwrap_or(300).to_string()),
    ]);
    names.extend(task.resources.memory_max.map(|most| (text("NOMAD_MEMORY_MAX_LIMIT"), most.to_string())));
    for (key, value) in group.meta.iter().chain(&task.meta) {
        let plain: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        names.insert(format!("NOMAD_META_{plain}"), value.clone());
        names.insert(format!("NOMAD_META_{}", plain.to_uppercase()), value.clone());
    }
    names
}

/// The same names for a plugin's task.
pub(super) fn plugin_names(job: &Job, group: &Group, task: &Task) -> BTreeMap<String, String> {
    names(job, group, task, 0)
}

pub(super) use command::{Filling, environment, resources};

fn one(group: &Group, task: &Task, known: &Known, volumes: &mut Vec<Volume>, report: &Report) -> crate::model::Task {
    let mut filling = command::Filling::new(known, task, report);
    let env = command::variables(&mut filling, task);
    let command = command::command(&mut filling, task);
    let mut mounts = Vec::new();
    for mount in &task.mounts {
        let target = filling.fill("volume_mount > destination", &mount.destination);
        let wanted = group.volumes.iter().find(|volume| volume.alias == mount.volume);
        mounts.push(Mount {
            volume: label(&mount.volume),
            field: mount.path.clone(),
            target: target_of(&target, mount, report),
            sub_path: None,
            read_only: mount.read_only || wanted.is_some_and(|volume| volume.read_only),
            propagation: mount.propagation,
        });
    }
    mounts.extend(template::mounts(&mut filling, task, volumes));
    mounts.extend(folders(task, volumes));
    crate::model::Task {
        name: label(&task.name),
        field: task.path.clone(),
        role: if task.first { Role::First } else { Role::Main },
        command,
        image: command::image(&mut filling, task),
        env: filling.with_fields(env),
        mounts,
        expand: true,
        ports: Vec::new(),
        resources: resources(task),
        user: task.user.clone(),
        privileged: command::privileged(task),
        health: None,
        ready: None,
        sandbox: Some(Sandbox { path: LOCAL.to_owned(), variable: None, working_dir: false }),
    }
}

fn target_of(target: &str, mount: &super::job::VolumeMount, report: &Report) -> Target {
    let parts: Vec<&str> = target.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() || parts.contains(&"..") || target.contains([':', '\0']) {
        let field = format!("{} > destination", mount.path);
        report.problem(mount.at, field, format!("{target:?} is no place in the task: a path without .. and below the root"));
    }
    // A relative one is below the task's root, which is that of the image.
    Target::Made(format!("/{}", parts.join("/")))
}

/// The folders that every task of Nomad has besides its own: `/alloc`, shared by the group, and `/secrets`, in memory.
fn folders(task: &Task, volumes: &mut Vec<Volume>) -> Vec<Mount> {
    let secrets = format!("{}-secrets", label(&task.name));
    let wanted = [(SHARED, "nomad-alloc".to_owned(), None), (SECRETS, secrets, Some(1 << 20))];
    let mut mounts = Vec::new();
    for (path, alias, memory) in wanted {
        if !volumes.iter().any(|volume| volume.alias == alias) {
            let source = Source::Empty { memory };
            volumes.push(Volume { alias: alias.clone(), field: task.path.clone(), source, read_only: false });
        }
        mounts.push(Mount {
            volume: alias,
            field: task.path.clone(),
            target: Target::Made(path.to_owned()),
            sub_path: None,
            read_only: false,
            propagation: crate::model::Propagation::Private,
        });
    }
    mounts
}
