//! How long calls took and how they ended. Name, labels and buckets are csi-lib-utils'.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    driver_name: String,
    method_name: &'static str,
    grpc_status_code: &'static str,
}

/// `csi_sidecar_operations_seconds`. Clones share it.
#[derive(Clone)]
pub struct Metrics {
    calls: Family<Labels, Histogram, fn() -> Histogram>,
    driver: Arc<Mutex<String>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Nothing counted yet, the driver not known.
    pub fn new() -> Self {
        Self { calls: Family::new_with_constructor(histogram), driver: Arc::new(Mutex::new("unknown-driver".into())) }
    }

    /// Puts them where `/metrics` finds them.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "csi_sidecar_operations_seconds",
            "[ALPHA] Container Storage Interface operation duration with gRPC error code status total",
            self.calls.clone(),
        );
    }

    /// Calls from now on are counted under this driver.
    pub fn set_driver(&self, name: &str) {
        *self.driver.lock().unwrap_or_else(|e| e.into_inner()) = name.to_owned();
    }

    pub(crate) fn observe(&self, method_name: &'static str, code: &'static str, took: Duration) {
        let driver_name = self.driver.lock().unwrap_or_else(|e| e.into_inner()).clone();
        let labels = Labels { driver_name, method_name, grpc_status_code: code };
        self.calls.get_or_create(&labels).observe(took.as_secs_f64());
    }
}

fn histogram() -> Histogram {
    Histogram::new([0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 25.0, 50.0, 120.0, 300.0, 600.0])
}
