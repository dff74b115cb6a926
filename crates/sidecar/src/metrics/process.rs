//! What /proc knows about this process, under the names that every Prometheus client uses.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reads /proc whenever it is asked. What cannot be read is left out.
#[derive(Debug)]
pub(super) struct Process;

/// The kernel reports times to user space in hundredths of a second on every architecture that Linux containers run on.
const TICKS_PER_SECOND: f64 = 100.0;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let stat = Stat::parse(&read("/proc/self/stat"));
        let boot = line_value(&read("/proc/stat"), "btime");
        let status = read("/proc/self/status");
        let open = fs::read_dir("/proc/self/fd").ok().map(|fds| fds.count() as f64);
        let max = read("/proc/self/limits")
            .lines()
            .find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse::<f64>().ok());
        let start = boot.zip(stat.as_ref()).map(|(boot, stat)| boot + stat.start_ticks / TICKS_PER_SECOND);
        let bytes = |key| line_value(&status, key).map(|kib| kib * 1024.0);
        let gauges = [
            ("process_start_time_seconds", "[ALPHA] Start time of the process since unix epoch in seconds", start),
            ("process_resident_memory_bytes", "Resident memory size in bytes", bytes("VmRSS:")),
            ("process_virtual_memory_bytes", "Virtual memory size in bytes", bytes("VmSize:")),
            ("process_open_fds", "Number of open file descriptors", open),
            ("process_max_fds", "Maximum number of open file descriptors", max),
            ("process_threads", "Number of threads", line_value(&status, "Threads:")),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                let gauge = ConstGauge::new(value);
                gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
            }
        }
        if let Some(stat) = stat {
            let counter = ConstCounter::new(stat.cpu_ticks / TICKS_PER_SECOND);
            let help = "Total user and system CPU time spent in seconds";
            counter.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

struct Stat {
    cpu_ticks: f64,
    start_ticks: f64,
}

impl Stat {
    /// Fields 14, 15 and 22 of proc_pid_stat(5). Field 2, the name, may hold anything, so counting starts behind it.
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<_> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |nth: usize| fields.get(nth - 3)?.parse::<f64>().ok();
        Some(Self { cpu_ticks: field(14)? + field(15)?, start_ticks: field(22)? })
    }
}

/// The number behind a key at the start of a line.
fn line_value(text: &str, key: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let stat = Stat::parse("7 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 13 14 15 16 17 18 4711 20").unwrap();
        assert_eq!((stat.cpu_ticks, stat.start_ticks), (300.0, 4711.0));
        assert!(Stat::parse("7 (a) S 1").is_none());
        assert!(Stat::parse("").is_none());
    }
}
