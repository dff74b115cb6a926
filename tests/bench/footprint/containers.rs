//! The containers of a namespace, and what the kernel says each has: found by their cgroups, asked of /proc.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use harness::{Cluster, Kind, objects};
use serde_json::{Value, json};

use crate::usage;

/// One container, now.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) pod: String,
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) pids: Vec<u32>,
    pub(crate) resident: u64,
    pub(crate) peak: u64,
    pub(crate) cgroup: u64,
}

impl Container {
    pub(crate) fn to_json(&self) -> Value {
        let Self { pod, name, image, resident, peak, cgroup, .. } = self;
        json!({
            "pod": pod, "container": name, "image": image,
            "resident_bytes": resident, "peak_resident_bytes": peak, "cgroup_bytes": cgroup,
        })
    }
}

/// Every running container of the namespace.
pub(crate) async fn all(cluster: &Cluster, namespace: &str) -> Result<Vec<Container>> {
    let mut found = Vec::new();
    for pod in cluster.api.list(Kind::Pod, namespace).await? {
        for status in pod["status"]["containerStatuses"].as_array().into_iter().flatten() {
            let id = status["containerID"].as_str().unwrap_or_default();
            let id = id.strip_prefix("containerd://").with_context(|| format!("container {id:?} of {}", objects::name(&pod)))?;
            found.push(one(&pod, status, &cgroup_of(id)?)?);
        }
    }
    ensure!(!found.is_empty(), "no container runs in {namespace}");
    found.sort_by(|a, b| (&a.pod, &a.name).cmp(&(&b.pod, &b.name)));
    Ok(found)
}

fn one(pod: &Value, status: &Value, cgroup: &Path) -> Result<Container> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pids = fs::read_to_string(cgroup.join("cgroup.procs"))?;
    let pids: Vec<u32> = pids.lines().map(str::parse).collect::<Result<_, _>>()?;
    let sum = |of: fn(u32) -> Result<u64>| pids.iter().map(|pid| of(*pid)).sum::<Result<u64>>();
    // The name of cgroup v2, and v1's.
    let used = fs::read_to_string(cgroup.join("memory.current"));
    let used = used.or_else(|_| fs::read_to_string(cgroup.join("memory.usage_in_bytes")))?;
    Ok(Container {
        pod: objects::name(pod).to_owned(),
        name: text(&status["name"]),
        image: text(&status["image"]),
        resident: sum(usage::memory)?,
        peak: sum(usage::peak_memory)?,
        cgroup: used.trim().parse()?,
        pids,
    })
}

/// The folder of the memory controller that is called as the container is, however kubelet nests them.
fn cgroup_of(id: &str) -> Result<PathBuf> {
    for hierarchy in ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"] {
        if let Some(folder) = beneath(Path::new(hierarchy), id) {
            return Ok(folder);
        }
    }
    anyhow::bail!("no cgroup is called {id}")
}

fn beneath(folder: &Path, name: &str) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if entry.file_name() == name {
            return Some(path);
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir())
            && let Some(found) = beneath(&path, name)
        {
            return Some(found);
        }
    }
    None
}
