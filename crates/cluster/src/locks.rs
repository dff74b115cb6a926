//! One at a time per name: for volume handles, of which two objects can speak.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// A lock per name that exists only while someone holds it or waits for it. First come, first served.
#[derive(Clone, Default)]
pub struct Locks(Arc<Mutex<BTreeMap<String, Weak<AsyncMutex<()>>>>>);

impl Locks {
    /// No locks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until nobody else holds this name. Cancel safe.
    pub async fn lock(&self, name: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(|e| e.into_inner());
            match locks.get(name).and_then(Weak::upgrade) {
                Some(lock) => lock,
                None => {
                    // Swept when a new name comes, so that the table is never larger than what is in use.
                    locks.retain(|_, lock| lock.strong_count() > 0);
                    let lock = Arc::new(AsyncMutex::new(()));
                    locks.insert(name.to_owned(), Arc::downgrade(&lock));
                    lock
                }
            }
        };
        lock.lock_owned().await
    }
}
