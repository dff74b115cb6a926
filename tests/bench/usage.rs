//! What processes and the host have used, from /proc.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// USER_HZ. Whatever the kernel's own clock, /proc counts in hundredths.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds so far, user and kernel.
pub(crate) fn cpu_secs(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid}"))?;
    // The name may hold anything; fields are counted after its closing bracket.
    let (_, fields) = stat.rsplit_once(')').context("a stat without a name")?;
    let ticks = |at: usize| fields.split_whitespace().nth(at).and_then(|field| field.parse::<u64>().ok());
    Ok((ticks(11).context("utime")? + ticks(12).context("stime")?) as f64 / TICKS_PER_SECOND)
}

/// Peak resident memory in bytes.
pub(crate) fn peak_memory(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmHWM:")
}

/// Resident memory in bytes, now.
pub(crate) fn memory(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmRSS:")
}

fn status_bytes(pid: u32, field: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).with_context(|| format!("no {field}"))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().with_context(|| format!("{field} is no number"))?;
    Ok(kibibytes * 1024)
}

/// CPU seconds that all processes of this host have used so far, and that it had to give.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Host {
    pub(crate) busy: f64,
    pub(crate) all: f64,
}

impl Host {
    pub(crate) fn now() -> Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        let line = stat.lines().next().context("/proc/stat is empty")?;
        let ticks: Vec<f64> = line.split_whitespace().skip(1).take(8).filter_map(|field| field.parse().ok()).collect();
        let [user, nice, system, idle, waiting, irq, softirq, stolen] = ticks[..] else { anyhow::bail!("/proc/stat: {line}") };
        // Stolen time is as lost to us as another process's.
        let busy = (user + nice + system + irq + softirq + stolen) / TICKS_PER_SECOND;
        Ok(Self { busy, all: busy + (idle + waiting) / TICKS_PER_SECOND })
    }
}

/// A process that hack/cluster started.
pub(crate) fn cluster_pid(run: &Path, name: &str) -> Result<u32> {
    let record = run.join("pids").join(name);
    let text = fs::read_to_string(&record).with_context(|| format!("{} (is the cluster up?)", record.display()))?;
    text.split_whitespace().next().and_then(|pid| pid.parse().ok()).with_context(|| format!("{}: no pid", record.display()))
}
