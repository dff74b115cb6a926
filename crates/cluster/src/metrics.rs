//! What the shared machinery counts. Names are upstream's where upstream has one.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Name {
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kinds {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decision {
    controller: &'static str,
    next: &'static str,
    word: &'static str,
}

/// Counters of queues, caches, decisions, events and leadership. Clones share them; one per process.
#[derive(Clone)]
pub struct Metrics {
    depth: Family<Name, Gauge>,
    adds: Family<Name, Counter>,
    retries: Family<Name, Counter>,
    work: Family<Name, Histogram, fn() -> Histogram>,
    cached: Family<Kinds, Gauge>,
    decisions: Family<Decision, Counter>,
    events_dropped: Counter,
    master: Family<Name, Gauge>,
    slow_path: Family<Name, Counter>,
    last_renew: Gauge<f64, AtomicU64>,
    pub(crate) intents: crate::intents::Metrics,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        Self {
            depth: Family::default(),
            adds: Family::default(),
            retries: Family::default(),
            work: Family::new_with_constructor(work_histogram),
            cached: Family::default(),
            decisions: Family::default(),
            events_dropped: Counter::default(),
            master: Family::default(),
            slow_path: Family::default(),
            last_renew: Gauge::default(),
            intents: crate::intents::Metrics::default(),
        }
    }

    /// Puts them where `/metrics` finds them.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("workqueue_depth", "Keys that wait for a worker", self.depth.clone());
        registry.register("workqueue_adds", "Passes that were started", self.adds.clone());
        registry.register("workqueue_retries", "Passes that will be tried again", self.retries.clone());
        registry.register("workqueue_work_duration_seconds", "How long one pass took", self.work.clone());
        registry.register("longshore_cached_objects", "Objects in memory, by kind", self.cached.clone());
        registry.register("longshore_decisions", "What was decided, and why", self.decisions.clone());
        registry.register("longshore_events_dropped", "Events that found their lane full", self.events_dropped.clone());
        registry.register("leader_election_master_status", "1 while this process leads", self.master.clone());
        registry.register("leader_election_slowpath", "Renewals that had to read the lease again", self.slow_path.clone());
        registry.register(
            "longshore_lease_last_renew_seconds",
            "When the lease was last renewed, Unix time",
            self.last_renew.clone(),
        );
        self.intents.register(registry);
    }

    pub(crate) fn pass_started(&self, queue: &str, depth: usize) {
        let name = Name { name: queue.to_owned() };
        self.depth.get_or_create(&name).set(i64::try_from(depth).unwrap_or(i64::MAX));
        self.adds.get_or_create(&name).inc();
    }

    pub(crate) fn pass_ended(&self, queue: &str, took: std::time::Duration, retried: bool) {
        let name = Name { name: queue.to_owned() };
        self.work.get_or_create(&name).observe(took.as_secs_f64());
        if retried {
            self.retries.get_or_create(&name).inc();
        }
    }

    pub(crate) fn cached(&self, kind: &'static str, objects: usize) {
        self.cached.get_or_create(&Kinds { kind }).set(i64::try_from(objects).unwrap_or(i64::MAX));
    }

    pub(crate) fn decided(&self, controller: &'static str, next: &'static str, word: &'static str) {
        self.decisions.get_or_create(&Decision { controller, next, word }).inc();
    }

    pub(crate) fn event_dropped(&self) {
        self.events_dropped.inc();
    }

    /// Upstream leaves the label empty, and dashboards select on that.
    pub(crate) fn leading(&self, leading: bool) {
        self.master.get_or_create(&Name { name: String::new() }).set(i64::from(leading));
    }

    pub(crate) fn lease_slow_path(&self) {
        self.slow_path.get_or_create(&Name { name: String::new() }).inc();
    }

    pub(crate) fn lease_renewed(&self, at: jiff::Timestamp) {
        self.last_renew.set(at.as_millisecond() as f64 / 1000.0);
    }
}

/// Upstream's buckets: 10 ns to 10 s.
fn work_histogram() -> Histogram {
    Histogram::new(exponential_buckets(1e-8, 10.0, 10))
}
