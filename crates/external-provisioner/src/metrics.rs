//! How many volumes were made and deleted, and how long that took. Names and labels are those of upstream's library.
//!
//! A duration runs from the first call to the driver until Kubernetes knows the result, retries included; upstream's is that of
//! the last attempt.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Provision {
    class: String,
    /// The kind of the data source; volumes are made empty.
    source: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Deletion {
    class: String,
}

/// Clones share the counters.
#[derive(Clone)]
pub struct Metrics {
    provisioned: Family<Provision, Counter>,
    provision_failed: Family<Provision, Counter>,
    provision_took: Family<Provision, Histogram, fn() -> Histogram>,
    deleted: Family<Deletion, Counter>,
    delete_failed: Family<Deletion, Counter>,
    delete_took: Family<Deletion, Histogram, fn() -> Histogram>,
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
            provisioned: Family::default(),
            provision_failed: Family::default(),
            provision_took: Family::new_with_constructor(histogram),
            deleted: Family::default(),
            delete_failed: Family::default(),
            delete_took: Family::new_with_constructor(histogram),
        }
    }

    /// Puts them where `/metrics` finds them.
    pub fn register(&self, registry: &mut Registry) {
        let (claim, volume) = ("controller_persistentvolumeclaim_provision", "controller_persistentvolume_delete");
        registry.register(claim, "Volumes that were provisioned", self.provisioned.clone());
        registry.register(format!("{claim}_failed"), "Attempts that failed or were refused", self.provision_failed.clone());
        registry.register(
            format!("{claim}_duration_seconds"),
            "From the first call to the saved volume",
            self.provision_took.clone(),
        );
        registry.register(volume, "Volumes that were deleted", self.deleted.clone());
        registry.register(format!("{volume}_failed"), "Attempts that failed or were refused", self.delete_failed.clone());
        registry.register(
            format!("{volume}_duration_seconds"),
            "From the first call to the deleted object",
            self.delete_took.clone(),
        );
    }

    pub(crate) fn provisioned(&self, class: &str, took: Option<Duration>) {
        let labels = Provision { class: class.to_owned(), source: "" };
        self.provisioned.get_or_create(&labels).inc();
        if let Some(took) = took {
            self.provision_took.get_or_create(&labels).observe(took.as_secs_f64());
        }
    }

    pub(crate) fn provision_failed(&self, class: &str) {
        self.provision_failed.get_or_create(&Provision { class: class.to_owned(), source: "" }).inc();
    }

    pub(crate) fn deleted(&self, class: &str, took: Option<Duration>) {
        let labels = Deletion { class: class.to_owned() };
        self.deleted.get_or_create(&labels).inc();
        if let Some(took) = took {
            self.delete_took.get_or_create(&labels).observe(took.as_secs_f64());
        }
    }

    pub(crate) fn delete_failed(&self, class: &str) {
        self.delete_failed.get_or_create(&Deletion { class: class.to_owned() }).inc();
    }
}

/// Prometheus' default buckets, which upstream uses.
fn histogram() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}
