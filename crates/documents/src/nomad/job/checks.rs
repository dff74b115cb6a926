//! What Nomad refuses in a whole job. Upstream: Nomad `structs.go` and `csi.go`, their validation of volume requests.

use csi_types::CsiAccessMode;

use super::{Driver, Group, Job, JobKind, VolumeRequest};
use crate::csi::{reader_only, shareable};
use crate::nomad::reader::Report;

pub(super) fn job(job: &Job, report: &Report) {
    for group in &job.groups {
        if matches!(job.kind, JobKind::System | JobKind::Sysbatch) && group.count > 1 {
            report.problem(
                group.at,
                format!("{} > count", group.path),
                "is more than 1: a job of this type has one instance on each node",
            );
        }
        for volume in &group.volumes {
            request(job, group, volume, report);
        }
        mounts(group, report);
        tasks(group, report);
    }
}

/// Spec: other-formats 3.2.
fn request(job: &Job, group: &Group, volume: &VolumeRequest, report: &Report) {
    let problem = |field: &str, message: String| report.problem(volume.at, format!("{} > {field}", volume.path), message);
    let mode = volume.access_mode;
    if volume.per_alloc && matches!(job.kind, JobKind::System | JobKind::Sysbatch) {
        problem("per_alloc", "gives each instance a volume of its own, and instances of a system job have no numbers".to_owned());
    }
    if reader_only(mode) && !volume.read_only {
        problem("read_only", format!("has to be true, since {} allows no writing", name(mode)));
    }
    if group.count > 1 && !volume.per_alloc {
        let shared = !shareable(mode);
        let written = mode == CsiAccessMode::MultiNodeSingleWriter && !volume.read_only;
        if shared || written {
            let count = group.count;
            problem("per_alloc", format!("has to be true: {count} instances cannot share a volume that is {}", name(mode)));
        }
    }
}

fn mounts(group: &Group, report: &Report) {
    for task in &group.tasks {
        for mount in &task.mounts {
            let field = format!("{} > volume", mount.path);
            if !mount.volume.is_empty() && !group.volumes.iter().any(|volume| volume.alias == mount.volume) {
                report.problem(mount.at, field, format!("{:?} is not a volume of the group", mount.volume));
            } else if matches!(task.driver, Driver::Process { raw: true, .. }) {
                report.problem(mount.at, field, "raw_exec takes no volumes; use exec, whose processes have mounts of their own");
            }
        }
    }
    for volume in &group.volumes {
        let used = group.tasks.iter().flat_map(|task| &task.mounts).any(|mount| mount.volume == volume.alias);
        if !used {
            report.warning(volume.at, volume.path.clone(), "no task of the group mounts it");
        }
    }
}

fn tasks(group: &Group, report: &Report) {
    for task in &group.tasks {
        if task.plugin.is_some() && !task.mounts.is_empty() {
            report.problem(
                task.at,
                format!("{} > volume_mount", task.path),
                "a plugin cannot use the volumes that plugins bring",
            );
        }
        if let Some(plugin) = &task.plugin
            && plugin.node
            && matches!(&task.driver, Driver::Docker(docker) if !docker.privileged)
        {
            report.warning(
                plugin.at,
                plugin.path.clone(),
                "serves a node, which means mounting, and its container is not privileged",
            );
        }
        let different = task.restart.as_ref().is_some_and(|restart| *restart != group.restart);
        if different && task.plugin.is_none() && group.tasks.len() > 1 {
            report.problem(
                task.at,
                format!("{} > restart", task.path),
                "differs from the group's, and all tasks of a pod restart alike",
            );
        }
    }
}

/// Nomad's word for a mode.
pub(crate) fn name(mode: CsiAccessMode) -> &'static str {
    super::group::ACCESS_MODES.iter().find(|(_, known)| *known == mode).map_or("", |(name, _)| name)
}
