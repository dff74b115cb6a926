//! Resources and limits of a task.

use crate::marathon::mib;
use crate::model::Resources;
use crate::read::At;

pub(super) fn read(task: &At<'_>) -> Resources {
    let mut resources = Resources::default();
    for resource in task.list_of("resources") {
        let Some(name) = resource.required("name") else { continue };
        let scalar = resource
            .get("type")
            .is_none_or(|kind| kind.one_of(&[("SCALAR", true), ("RANGES", false), ("SET", false)], false) == Some(true));
        if !scalar {
            continue;
        }
        let Some(value) = resource.required("scalar").and_then(|scalar| scalar.required("value")) else { continue };
        let Some(amount) = value.number() else { continue };
        if !(0.0..=1e9).contains(&amount) {
            value.wrong("has to be 0 or more, and less than 1e9");
            continue;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1e9")]
        match name.text().as_deref() {
            Some("cpus") => resources.cpus = Some(amount + resources.cpus.unwrap_or(0.0)),
            Some("mem") => resources.memory = Some(mib(amount) + resources.memory.unwrap_or(0)),
            Some("disk") => resources.disk = Some(mib(amount) + resources.disk.unwrap_or(0)),
            Some("gpus") => resources.gpus = Some(amount as u64 + resources.gpus.unwrap_or(0)),
            Some(other) => name.warn(format!("{other:?} is left out: cpus, mem, disk and gpus are known here")),
            None => {}
        }
    }
    // As Mesos' cgroups: memory is a hard limit, shares of processors are not.
    resources.memory_limit = resources.memory;
    for (name, limit) in task.get("limits").map(|limits| limits.entries()).unwrap_or_default() {
        let Some(value) = limit.required("value") else { continue };
        let amount = match value.value.as_str() {
            Some("Infinity" | "inf" | "infinity") => None,
            _ => match value.number() {
                Some(amount) if (0.0..=1e9).contains(&amount) => Some(amount),
                _ => {
                    value.wrong("has to be a number, 0 or more, or \"Infinity\"");
                    continue;
                }
            },
        };
        match name.as_str() {
            "cpus" => resources.cpus_limit = amount,
            "mem" => resources.memory_limit = amount.map(mib),
            _ => limit.warn("is left out: cpus and mem are known here"),
        }
    }
    resources
}
