//! One registry per process, and its text for Prometheus.

mod process;
mod text;

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::registry::Registry;

/// What the process says in `Content-Type`: the format every Prometheus reads and upstream's sidecars answer with.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The metrics of this process. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Mutex<Registry>>);

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// With the metrics of the process itself: its start, memory, CPU time, descriptors and threads.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::Process));
        Self(Arc::new(Mutex::new(registry)))
    }

    /// Adds metrics: `metrics.register(|registry| driver.metrics().register(registry))`.
    pub fn register<T>(&self, add: impl FnOnce(&mut Registry) -> T) -> T {
        add(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All metrics in Prometheus' text format 0.0.4.
    pub fn render(&self) -> String {
        let mut open_metrics = String::new();
        let registry = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = prometheus_client::encoding::text::encode(&mut open_metrics, &registry) {
            tracing::error!(%error, "cannot write the metrics");
        }
        text::from_open_metrics(&open_metrics)
    }
}
