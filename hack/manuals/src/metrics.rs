//! Which metrics the programs really have: registered here as they register them, and read back.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
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

/// Whose metrics are registered, in this order.
const SOURCES: [&str; 5] = [
    include_str!("../../../crates/cluster/src/metrics.rs"),
    include_str!("../../../crates/cluster/src/intents/metrics.rs"),
    include_str!("../../../crates/csi-client/src/metrics.rs"),
    include_str!("../../../crates/external-provisioner/src/metrics.rs"),
    include_str!("../../../crates/node-mounter/src/metrics.rs"),
];

/// By the name that `/metrics` declares.
///
/// # Errors
/// A registration that is not understood here.
pub fn registered() -> anyhow::Result<BTreeMap<String, Kind>> {
    let mut registry = Registry::default();
    cluster::Metrics::new().register(&mut registry);
    csi_client::Metrics::new().register(&mut registry);
    external_provisioner::Metrics::new().register(&mut registry);
    node_mounter::Metrics::default().register(&mut registry);
    // The library writes nothing of a metric that has not counted yet, but knows its name.
    let text = format!("{registry:?}");
    let names: Vec<&str> = text.split("Descriptor { name: \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let mut kinds = Vec::new();
    for source in SOURCES {
        kinds.extend(kinds_of(source)?);
    }
    ensure!(names.len() == kinds.len(), "{} metrics are registered, and {} were found in the sources", names.len(), kinds.len());
    let named = |(name, kind): (&str, Kind)| match kind {
        Kind::Counter => (format!("{name}_total"), kind),
        Kind::Gauge | Kind::Histogram => (name.to_owned(), kind),
    };
    let mut found: BTreeMap<String, Kind> = names.into_iter().zip(kinds).map(named).collect();
    // The process's own are there from the start, and already as they are served.
    for line in sidecar::Metrics::new().render().lines() {
        let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) else { continue };
        found.insert(name.to_owned(), if kind == "counter" { Kind::Counter } else { Kind::Gauge });
    }
    Ok(found)
}

/// Of the fields that a source registers, in order: its types say what they are.
fn kinds_of(source: &str) -> anyhow::Result<Vec<Kind>> {
    let (_, body) = source.split_once("fn register(").context("a source of metrics registers them")?;
    let body = body.split("\n    }\n").next().unwrap_or_default();
    let fields = body.split("self.").skip(1).filter_map(|rest| rest.split_once(".clone()").map(|(field, _)| field));
    let mut kinds = Vec::new();
    for field in fields.filter(|field| field.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) {
        let declared = source.lines().map(str::trim).find_map(|line| line.strip_prefix(field)?.strip_prefix(": "));
        let declared = declared.with_context(|| format!("field {field} is registered and not declared"))?;
        kinds.push(match () {
            () if declared.contains("Histogram") => Kind::Histogram,
            () if declared.contains("Counter") => Kind::Counter,
            () => Kind::Gauge,
        });
    }
    Ok(kinds)
}

/// The metric that a series in a query is of.
pub fn metric_of<'a>(series: &'a str, registered: &BTreeMap<String, Kind>) -> Option<&'a str> {
    if registered.get(series).is_some_and(|kind| *kind != Kind::Histogram) {
        return Some(series);
    }
    let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| series.strip_suffix(end))?;
    (registered.get(base) == Some(&Kind::Histogram)).then_some(base)
}
