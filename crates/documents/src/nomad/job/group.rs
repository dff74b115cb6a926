//! Groups, and what they ask of volumes and nodes.

use std::collections::BTreeMap;

use csi_types::CsiAccessMode;

use super::super::reader::{Inner, Reader, Report};
use super::{Constraint, Group, Restart, VolumeRequest, task};

/// What a job says for all its groups.
pub(super) struct Shared {
    pub(super) meta: BTreeMap<String, String>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) max_parallel: Option<u64>,
    pub(super) restart: Option<Restart>,
}

/// Nomad's words for access modes.
pub(crate) const ACCESS_MODES: [(&str, CsiAccessMode); 5] = [
    ("single-node-reader-only", CsiAccessMode::SingleNodeReaderOnly),
    ("single-node-writer", CsiAccessMode::SingleNodeWriter),
    ("multi-node-reader-only", CsiAccessMode::MultiNodeReaderOnly),
    ("multi-node-single-writer", CsiAccessMode::MultiNodeSingleWriter),
    ("multi-node-multi-writer", CsiAccessMode::MultiNodeMultiWriter),
];

/// Nomad's words for how a volume is attached, and whether it is a device.
pub(crate) const ATTACHMENT_MODES: [(&str, bool); 2] = [("file-system", false), ("block-device", true)];

/// More instances than any group has; each with a volume of its own is an object of its own.
const MOST: u64 = 1_000;

pub(super) fn group(inner: &Inner, path: &str, shared: &Shared, report: &Report) -> Option<Group> {
    let name = inner.label.clone().unwrap_or_default();
    let reader = Reader::new("group", format!("{path} > group {name:?}"), inner.at, &inner.body, report);
    let count = reader.count("count").unwrap_or(1);
    if count > MOST {
        reader.problem("count", format!("is more than {MOST}"));
    }
    let volumes = reader.labelled("volume").iter().filter_map(|volume| request(volume, &reader.path, report)).collect();
    let mut meta = shared.meta.clone();
    meta.extend(reader.strings("meta"));
    let mut all = shared.constraints.clone();
    all.extend(constraints(&reader));
    let max_parallel = max_parallel(&reader).or(shared.max_parallel).unwrap_or(1);
    let restart = restart(&reader).or_else(|| shared.restart.clone()).unwrap_or_default();
    let host_network = network(&reader);
    let mut tasks = Vec::new();
    for inner in reader.labelled("task") {
        tasks.extend(task::task(&inner, &reader.path, &mut all, report));
    }
    if tasks.is_empty() && !reader.has("task") {
        report.problem(inner.at, reader.path.clone(), "has no task");
    }
    let group = Group {
        name,
        path: reader.path.clone(),
        at: inner.at,
        count: u32::try_from(count.min(MOST)).unwrap_or_default(),
        volumes,
        tasks,
        restart,
        max_parallel,
        constraints: all,
        meta,
        host_network,
    };
    reader.finish();
    Some(group)
}

/// The group of a task that has none.
pub(super) fn lone(inner: &Inner, path: &str, shared: &Shared, report: &Report) -> Option<Group> {
    let mut constraints = shared.constraints.clone();
    let task = task::task(inner, path, &mut constraints, report)?;
    Some(Group {
        name: task.name.clone(),
        path: path.to_owned(),
        at: inner.at,
        count: 1,
        volumes: Vec::new(),
        tasks: vec![task],
        restart: shared.restart.clone().unwrap_or_default(),
        max_parallel: shared.max_parallel.unwrap_or(1),
        constraints,
        meta: shared.meta.clone(),
        host_network: false,
    })
}

/// The mode is honoured, ports are not.
fn network(reader: &Reader<'_>) -> bool {
    let mut host = false;
    for inner in reader.blocks("network") {
        let network = Reader::new("network", reader.field("network"), inner.at, &inner.body, reader.report);
        host |= network.text("mode").as_deref() == Some("host");
        network.finish();
    }
    host
}

fn request(inner: &Inner, path: &str, report: &Report) -> Option<VolumeRequest> {
    let alias = inner.label.clone().unwrap_or_default();
    let reader = Reader::new("volume", format!("{path} > volume {alias:?}"), inner.at, &inner.body, report);
    if reader.choice("type", &[("csi", true), ("host", false)]) == Some(false) {
        reader.problem(
            "type",
            "is host: volumes of the host are not CSI volumes; register one with the driver of the host's folders",
        );
    } else if !reader.has("type") {
        reader.problem("type", "is required: csi");
    }
    let source = reader.required("source");
    if let Some(source) = source.as_deref().filter(|source| source.contains("${")) {
        let message = format!("{source:?} would be known only where the task runs; per_alloc = true appends the index");
        reader.problem("source", message);
    }
    let access_mode = reader.choice("access_mode", &ACCESS_MODES);
    let block = reader.choice("attachment_mode", &ATTACHMENT_MODES);
    for field in ["access_mode", "attachment_mode"] {
        if !reader.has(field) {
            reader.problem(field, "is required for a volume of type csi");
        }
    }
    let (fs_type, mount_flags) = mount_options(&reader).unwrap_or_default();
    let request = VolumeRequest {
        alias,
        path: reader.path.clone(),
        at: inner.at,
        source: source.unwrap_or_default(),
        read_only: reader.bool("read_only").unwrap_or(false),
        access_mode: access_mode.unwrap_or(CsiAccessMode::SingleNodeWriter),
        block: block.unwrap_or(false),
        per_alloc: reader.bool("per_alloc").unwrap_or(false),
        fs_type,
        mount_flags,
    };
    if request.block && reader.has("mount_options") {
        reader.problem("mount_options", "belongs to a file system; the attachment mode is block-device");
    }
    reader.finish();
    Some(request)
}

/// File system and flags. `None` if there is no such block.
pub(crate) fn mount_options(reader: &Reader<'_>) -> Option<(String, Vec<String>)> {
    let inner = reader.blocks("mount_options").into_iter().next()?;
    let options = Reader::new("mount_options", reader.field("mount_options"), inner.at, &inner.body, reader.report);
    let read = (options.text("fs_type").unwrap_or_default(), options.texts("mount_flags"));
    // Spec: CSI VolumeCapability.MountVolume, "total size of 4 KiB".
    if read.1.iter().map(|flag| flag.len() + 1).sum::<usize>() > 4096 {
        options.problem("mount_flags", "is longer than the 4096 bytes that CSI allows");
    }
    options.finish();
    Some(read)
}

pub(super) fn max_parallel(reader: &Reader<'_>) -> Option<u64> {
    let inner = reader.block("update")?;
    let update = Reader::new("update", reader.field("update"), inner.at, &inner.body, reader.report);
    let most = update.count("max_parallel");
    update.finish();
    most
}

pub(super) fn restart(reader: &Reader<'_>) -> Option<Restart> {
    let inner = reader.block("restart")?;
    let restart = Reader::new("restart", reader.field("restart"), inner.at, &inner.body, reader.report);
    let read = Restart {
        attempts: restart.count("attempts"),
        delay: restart.duration("delay"),
        fail: restart.choice("mode", &[("fail", true), ("delay", false)]).unwrap_or(true),
    };
    restart.finish();
    Some(read)
}

pub(super) fn constraints(reader: &Reader<'_>) -> Vec<Constraint> {
    let mut constraints = Vec::new();
    for inner in reader.blocks("constraint") {
        let constraint = Reader::new("constraint", reader.field("constraint"), inner.at, &inner.body, reader.report);
        let distinct = constraint.bool("distinct_hosts").unwrap_or(false);
        let operator = constraint.text("operator");
        constraints.push(Constraint {
            path: constraint.path.clone(),
            at: inner.at,
            attribute: constraint.text("attribute").unwrap_or_default(),
            operator: if distinct { "distinct_hosts".to_owned() } else { operator.unwrap_or_else(|| "=".to_owned()) },
            value: constraint.text("value").unwrap_or_default(),
        });
        constraint.finish();
    }
    constraints
}
