//! What is counted of intents, by the Lease that holds them.

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lease {
    lease: String,
}

/// Clones share the counters.
#[derive(Clone, Default)]
pub(crate) struct Metrics {
    open: Family<Lease, Gauge>,
    oldest: Family<Lease, Gauge>,
    begun: Family<Lease, Counter>,
    commits: Family<Lease, Counter>,
    found: Family<Lease, Counter>,
    unreadable: Family<Lease, Gauge>,
    writable: Family<Lease, Gauge>,
}

impl Metrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("longshore_intents_open", "Intents that were begun and not ended", self.open.clone());
        registry.register(
            "longshore_intents_oldest_start_seconds",
            "When the oldest open intent was begun, Unix time; 0 when there is none",
            self.oldest.clone(),
        );
        registry.register("longshore_intents_begun", "Intents that were made durable", self.begun.clone());
        registry.register("longshore_intents_commits", "Writes of a Lease that holds intents", self.commits.clone());
        registry.register("longshore_intents_found", "Intents of others, taken over", self.found.clone());
        registry.register("longshore_intents_unreadable", "Records that cannot be read", self.unreadable.clone());
        registry.register(
            "longshore_intents_writable",
            "1 while intents can be written; at 0 a crash may leave volumes behind that nothing names",
            self.writable.clone(),
        );
    }
}

/// The metrics of one Lease.
pub(super) struct Counted {
    metrics: Metrics,
    lease: Lease,
}

impl Counted {
    pub(super) fn new(metrics: &Metrics, lease: &str) -> Self {
        Self { metrics: metrics.clone(), lease: Lease { lease: lease.to_owned() } }
    }

    pub(super) fn open(&self, count: usize, oldest: Option<Timestamp>, unreadable: usize) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics.open.get_or_create(&self.lease).set(number(count));
        self.metrics.oldest.get_or_create(&self.lease).set(oldest.map_or(0, |at| at.as_second()));
        self.metrics.unreadable.get_or_create(&self.lease).set(number(unreadable));
    }

    pub(super) fn begun(&self, count: usize) {
        self.metrics.begun.get_or_create(&self.lease).inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    pub(super) fn found(&self) {
        self.metrics.found.get_or_create(&self.lease).inc();
    }

    pub(super) fn committed(&self) {
        self.metrics.commits.get_or_create(&self.lease).inc();
    }

    pub(super) fn writable(&self, writable: bool) {
        self.metrics.writable.get_or_create(&self.lease).set(i64::from(writable));
    }
}
