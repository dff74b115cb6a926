//! Which metrics the programs really have: registered here as they register them, and read back.

use std::collections::BTreeMap;

use prometheus_client::registry::Registry;

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its name ends in `_total`.
    Counter,
    /// One number.
    Gauge,
    /// Three series: `_bucket`, `_sum`, `_count`.
    Histogram,
}

/// By the name that `/metrics` declares.
///
/// # Errors
/// What the library writes cannot be read.
pub fn registered() -> anyhow::Result<BTreeMap<String, Kind>> {
    let mut registry = Registry::default();
    cluster::Metrics::new().register(&mut registry);
    csi_client::Metrics::new().register(&mut registry);
    external_provisioner::Metrics::new().register(&mut registry);
    node_mounter::Metrics::default().register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) else { continue };
        if kind == "counter" {
            found.insert(format!("{name}_total"), Kind::Counter);
        } else {
            found.insert(name.to_owned(), if kind == "histogram" { Kind::Histogram } else { Kind::Gauge });
        }
    }
    // The process's own are there from the start, and already as they are served.
    for line in sidecar::Metrics::new().render().lines() {
        let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) else { continue };
        found.insert(name.to_owned(), if kind == "counter" { Kind::Counter } else { Kind::Gauge });
    }
    Ok(found)
}

/// The metric that a series in a query is of.
pub fn metric_of<'a>(series: &'a str, registered: &BTreeMap<String, Kind>) -> Option<&'a str> {
    if registered.get(series).is_some_and(|kind| *kind != Kind::Histogram) {
        return Some(series);
    }
    let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| series.strip_suffix(end))?;
    (registered.get(base) == Some(&Kind::Histogram)).then_some(base)
}
