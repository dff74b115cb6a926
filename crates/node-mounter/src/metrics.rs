//! What a kubelet's dashboards ask for, by kubelet's names.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::plan::Action;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    volume_plugin: String,
    operation_name: &'static str,
    status: &'static str,
    migrated: &'static str,
}

/// Clones share the counters.
#[derive(Debug, Clone)]
pub struct Metrics {
    operations: Family<Labels, Histogram, fn() -> Histogram>,
    set_aside: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { operations: Family::new_with_constructor(buckets), set_aside: Counter::default() }
    }
}

impl Metrics {
    /// Puts them where `/metrics` finds them.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "storage_operation_duration_seconds",
            "How long an operation on a volume took",
            self.operations.clone(),
        );
        let help = "Journal records that could not be read and whose volumes are held";
        registry.register("longshore_journal_set_aside", help, self.set_aside.clone());
    }

    pub(crate) fn operated(&self, driver: &str, action: &Action, worked: bool, took: Duration) {
        let operation_name = match action {
            Action::NodeStageVolume(_) => "mount_device",
            Action::NodePublishVolume(_) => "volume_mount",
            Action::NodeUnpublishVolume(_) => "volume_unmount",
            Action::NodeUnstageVolume => "unmount_device",
            Action::ForgetVolume => return,
        };
        let status = if worked { "success" } else { "fail-unknown" };
        let labels = Labels { volume_plugin: format!("kubernetes.io/csi:{driver}"), operation_name, status, migrated: "false" };
        self.operations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(crate) fn held(&self, records: usize) {
        self.set_aside.inc_by(u64::try_from(records).unwrap_or(u64::MAX));
    }
}

/// Kubelet's.
fn buckets() -> Histogram {
    Histogram::new([0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 25.0, 50.0, 120.0, 300.0, 600.0])
}
