//! One job as it is written, whichever of its three spellings it came in. Plain data, defaults filled in, nothing decided yet.

mod checks;
mod group;
mod task;

pub(crate) use checks::name as mode_name;
pub(crate) use group::{ACCESS_MODES, ATTACHMENT_MODES, mount_options};

use std::collections::BTreeMap;
use std::time::Duration;

use csi_types::CsiAccessMode;

use super::hcl::{Node, Place, Value};
use super::reader::{Inner, Reader, Report};

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) at: Place,
    pub(crate) kind: JobKind,
    pub(crate) namespace: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) datacenters: Vec<String>,
    pub(crate) groups: Vec<Group>,
}

/// How a job's tasks live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// Kept up.
    Service,
    /// Kept up, one on each node.
    System,
    /// Run to its end.
    Batch,
    /// Run to its end on each node.
    Sysbatch,
}

/// A task group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) at: Place,
    pub(crate) count: u32,
    pub(crate) volumes: Vec<VolumeRequest>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) restart: Restart,
    pub(crate) max_parallel: u64,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) meta: BTreeMap<String, String>,
    /// The mode of its network is `host`.
    pub(crate) host_network: bool,
}

/// What a group asks of a volume.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VolumeRequest {
    pub(crate) alias: String,
    pub(crate) path: String,
    pub(crate) at: Place,
    pub(crate) source: String,
    pub(crate) read_only: bool,
    pub(crate) access_mode: CsiAccessMode,
    pub(crate) block: bool,
    pub(crate) per_alloc: bool,
    pub(crate) fs_type: String,
    pub(crate) mount_flags: Vec<String>,
}

/// What follows a failure.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Restart {
    pub(crate) attempts: Option<u64>,
    pub(crate) delay: Option<Duration>,
    pub(crate) fail: bool,
}

/// Where a group may run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Constraint {
    pub(crate) path: String,
    pub(crate) at: Place,
    pub(crate) attribute: String,
    pub(crate) operator: String,
    pub(crate) value: String,
}

/// A task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) at: Place,
    pub(crate) driver: Driver,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) meta: BTreeMap<String, String>,
    pub(crate) templates: Vec<Template>,
    pub(crate) mounts: Vec<VolumeMount>,
    pub(crate) plugin: Option<CsiPlugin>,
    pub(crate) resources: Resources,
    pub(crate) user: Option<String>,
    pub(crate) kill_timeout: Duration,
    /// Runs to its end before the others.
    pub(crate) first: bool,
    pub(crate) restart: Option<Restart>,
}

/// What runs a task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Driver {
    Docker(Docker),
    /// `exec`, or `raw_exec`, which sees the host as it is and takes no volumes.
    Process {
        raw: bool,
        command: String,
        args: Vec<String>,
        work_dir: Option<String>,
    },
}

/// A container of a Docker daemon.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Docker {
    pub(crate) image: String,
    pub(crate) command: Option<String>,
    pub(crate) args: Vec<String>,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) privileged: bool,
    pub(crate) pull: bool,
    pub(crate) work_dir: Option<String>,
    pub(crate) network: Option<String>,
    pub(crate) binds: Vec<Bind>,
}

/// A folder of the host in a plugin's container.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bind {
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) read_only: bool,
    pub(crate) shared: bool,
}

/// A text that a task finds when it starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template {
    pub(crate) path: String,
    pub(crate) at: Place,
    pub(crate) data: String,
    pub(crate) destination: String,
    pub(crate) env: bool,
}

/// Where a task sees a volume.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VolumeMount {
    pub(crate) path: String,
    pub(crate) at: Place,
    pub(crate) volume: String,
    pub(crate) destination: String,
    pub(crate) read_only: bool,
    pub(crate) propagation: crate::model::Propagation,
}

/// What a task offers to the cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CsiPlugin {
    pub(crate) path: String,
    pub(crate) at: Place,
    pub(crate) id: String,
    pub(crate) controller: bool,
    pub(crate) node: bool,
    pub(crate) mount_dir: String,
    pub(crate) stage_publish_base_dir: String,
    pub(crate) health_timeout: Duration,
}

/// What a task may use.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Resources {
    /// MHz.
    pub(crate) cpu: Option<u64>,
    pub(crate) cores: Option<u64>,
    /// MiB.
    pub(crate) memory: Option<u64>,
    /// MiB.
    pub(crate) memory_max: Option<u64>,
}

const KINDS: [(&str, JobKind); 4] =
    [("service", JobKind::Service), ("batch", JobKind::Batch), ("system", JobKind::System), ("sysbatch", JobKind::Sysbatch)];

/// Reads a job. `None` if there is a problem without which nothing more can be said.
pub(crate) fn job(inner: &Inner, report: &Report) -> Option<Job> {
    let label = inner.label.clone().unwrap_or_default();
    let reader = Reader::new("job", format!("job {label:?}"), inner.at, &inner.body, report);
    let id = reader.text("id").filter(|id| !id.is_empty()).unwrap_or(label);
    let kind = reader.choice("type", &KINDS).unwrap_or(JobKind::Service);
    let meta = reader.strings("meta");
    let constraints = group::constraints(&reader);
    let max_parallel = group::max_parallel(&reader);
    let restart = group::restart(&reader);
    let shared = group::Shared { meta, constraints, max_parallel, restart };
    let mut groups: Vec<Group> = Vec::new();
    for inner in reader.labelled("group") {
        groups.extend(group::group(&inner, &reader.path, &shared, report));
    }
    // A task of the job itself is a group of its own.
    for inner in reader.labelled("task") {
        groups.extend(group::lone(&inner, &reader.path, &shared, report));
    }
    if groups.is_empty() && !reader.has("group") && !reader.has("task") {
        reader.report.problem(inner.at, reader.path.clone(), "has no group: nothing would run");
    }
    let job = Job {
        name: reader.text("name").filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone()),
        id,
        at: inner.at,
        kind,
        namespace: reader.text("namespace").filter(|namespace| !namespace.is_empty()),
        region: reader.node("region").and_then(|node| node.value.to_text()),
        datacenters: reader.node("datacenters").map(words).unwrap_or_default(),
        groups,
    };
    for (field, why) in [("region", "a cluster is one region"), ("datacenters", "a cluster is one data center")] {
        if reader.has(field) && !quiet(field, &job) {
            reader.warning(field, format!("has no effect on where it runs: {why}"));
        }
    }
    if job.id.is_empty() {
        report.problem(inner.at, "job", "has no name");
    }
    reader.finish();
    checks::job(&job, report);
    Some(job)
}

/// The defaults that most jobs spell out are no news.
fn quiet(field: &str, job: &Job) -> bool {
    match field {
        "region" => job.region.as_deref() == Some("global"),
        _ => matches!(job.datacenters.as_slice(), [] | [_]),
    }
}

fn words(node: &Node) -> Vec<String> {
    match &node.value {
        Value::List(items) => items.iter().filter_map(|item| item.value.to_text()).collect(),
        _ => Vec::new(),
    }
}
