//! OpenMetrics, which the library writes, as Prometheus' older text format, which everybody reads and upstream answers with.

use std::fmt::Write as _;

/// Counters are declared under the name they are written with, `# UNIT` and `# EOF` go, help loses the period that the library
/// adds, bucket bounds are written as Go writes them (`le="1"`, not `le="1.0"`), exemplars go.
pub(super) fn from_open_metrics(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    let mut help: Option<(&str, &str)> = None;
    while let Some(line) = lines.next() {
        let Some(comment) = line.strip_prefix("# ") else {
            sample(&mut out, line);
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("HELP"), Some(name), text) => help = Some((name, text.unwrap_or_default())),
            (Some("TYPE"), Some(name), Some(kind)) => {
                let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
                let kind = if matches!(kind, "counter" | "gauge" | "histogram" | "summary") { kind } else { "untyped" };
                // The library writes HELP first; a family without samples so far is not worth its two lines.
                if lines.peek().is_some_and(|next| !next.starts_with('#') || next.starts_with("# UNIT")) {
                    if let Some((_, text)) = help.take() {
                        let _ = writeln!(out, "# HELP {name} {}", text.strip_suffix('.').unwrap_or(text));
                    }
                    let _ = writeln!(out, "# TYPE {name} {kind}");
                }
            }
            _ => {}
        }
    }
    out
}

fn sample(out: &mut String, line: &str) {
    let line = line.split_once(" # {").map_or(line, |(line, _)| line);
    // The library writes the bound first.
    let bucket = line.split_once("_bucket{le=\"").and_then(|(name, rest)| Some((name, rest.split_once(".0\"")?)));
    match bucket {
        Some((name, (bound, rest))) if bound.bytes().all(|b| b.is_ascii_digit()) => {
            let _ = writeln!(out, "{name}_bucket{{le=\"{bound}\"{rest}");
        }
        _ => {
            let _ = writeln!(out, "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::EncodeLabelSet;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::histogram::Histogram;

    use crate::Metrics;

    #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
    struct Labels {
        method: &'static str,
    }

    #[test]
    fn counters_gauges_and_histograms_look_as_upstreams_do() {
        let metrics = Metrics::new();
        let calls = Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new([0.25, 1.0, 50.0]));
        let (retries, depth, silent) = (Counter::<u64>::default(), Gauge::<i64>::default(), Family::<Labels, Counter>::default());
        metrics.register(|registry| {
            registry.register("csi_sidecar_operations_seconds", "[ALPHA] Duration", calls.clone());
            registry.register("workqueue_retries", "Retries", retries.clone());
            registry.register("workqueue_depth", "Depth", depth.clone());
            registry.register("nothing_yet", "Nothing", silent.clone());
        });
        calls.get_or_create(&Labels { method: "/csi.v1.Identity/Probe le=\"9.0\"" }).observe(0.5);
        retries.inc();
        depth.set(3);
        let text = metrics.render();
        for line in [
            "# HELP csi_sidecar_operations_seconds [ALPHA] Duration\n# TYPE csi_sidecar_operations_seconds histogram\n",
            "# HELP workqueue_retries_total Retries\n# TYPE workqueue_retries_total counter\nworkqueue_retries_total 1\n",
            "# HELP workqueue_depth Depth\n# TYPE workqueue_depth gauge\nworkqueue_depth 3\n",
            "le=\"0.25\"",
            "le=\"1\"",
            "le=\"50\"",
            "le=\"+Inf\"",
        ] {
            assert!(text.contains(line), "{line}\nin\n{text}");
        }
        assert!(!text.contains("EOF") && !text.contains("nothing_yet"), "{text}");
    }

    #[test]
    fn the_process_describes_itself() {
        let text = Metrics::new().render();
        for name in [
            "process_start_time_seconds",
            "process_resident_memory_bytes",
            "process_virtual_memory_bytes",
            "process_cpu_seconds_total",
            "process_open_fds",
            "process_max_fds",
            "process_threads",
        ] {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            let value: f64 = value.unwrap_or_else(|| panic!("{name} in\n{text}")).parse().unwrap();
            assert!(value >= 0.0 && (value > 0.0 || name.contains("cpu")), "{name} {value}");
        }
        assert!(text.contains("# TYPE process_cpu_seconds_total counter\n"), "{text}");
    }
}
