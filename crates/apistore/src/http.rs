//! The Kubernetes API over HTTP.

use crate::Store;

/// The Kubernetes API on a [`Store`]: a `tower::Service` that a `kube::Client` and the listeners share. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    #[expect(dead_code, reason = "the service reads it")]
    store: Store,
}

impl Api {
    /// The API on this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}
