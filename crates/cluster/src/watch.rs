//! Feeds one store from one watch, for as long as the process lives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use kube::Api;
use kube::runtime::watcher::{self, Event, watcher};
use rt::Ctx;
use tracing::{debug, warn};

use crate::backoff::Backoff;
use crate::key::Meta;
use crate::metrics::Metrics;
use crate::store::{Kind, Store};

/// What is wrong with the watches, for `/readyz`.
#[derive(Clone, Default)]
pub(crate) struct Troubles(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Troubles {
    fn note(&self, kind: &'static str, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, text);
    }

    fn over(&self, kind: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(kind);
    }

    pub(crate) fn first(&self) -> Option<String> {
        let troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.iter().next().map(|(kind, text)| format!("cannot watch {kind}: {text}"))
    }
}

/// kube's own is not seeded; without any, a failing watch spins.
const RETRY: Backoff = Backoff { start: Duration::from_millis(800), max: Duration::from_secs(30) };

/// Keeps `store` in step with the API server. Never returns: an error is logged, waited out, and tried again.
pub(crate) async fn feed<K: Kind>(
    ctx: Ctx,
    api: Api<K::Wire>,
    config: watcher::Config,
    store: Arc<Store<K>>,
    troubles: Troubles,
    metrics: Metrics,
) {
    let mut events = std::pin::pin!(watcher(api.clone(), config.clone()));
    let mut listed: Vec<K> = Vec::new();
    let mut failures = 0;
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                // That a list is about to be asked for, which is all that Init says, is no success.
                if failures > 0 && !matches!(event, Event::Init) {
                    failures = 0;
                    troubles.over(K::PLURAL);
                }
                take_in(&store, &mut listed, event);
                metrics.cached(K::PLURAL, store.len());
            }
            Err(error) => {
                failures += 1;
                let delay = RETRY.delay(&ctx, K::PLURAL, failures);
                // A watch that ends is everyday; one that cannot be opened again is not.
                if failures > 1 {
                    troubles.note(K::PLURAL, crate::client::chain(&error));
                    warn!(kind = K::PLURAL, failures, "cannot watch, next try in {delay:?}: {}", crate::client::chain(&error));
                } else {
                    debug!(kind = K::PLURAL, "watch ended: {}", crate::client::chain(&error));
                }
                ctx.sleep(delay).await;
                if is_gone(&error) {
                    events.set(watcher(api.clone(), config.clone()));
                }
            }
        }
    }
}

/// The watch cannot start where the list ended, and kube would ask for that same version for ever (kube-rs issue 1042).
fn is_gone(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 410)
}

fn take_in<K: Kind>(store: &Store<K>, listed: &mut Vec<K>, event: Event<K::Wire>) {
    match event {
        Event::Init => listed.clear(),
        Event::InitApply(wire) => listed.extend(K::compact(wire)),
        Event::InitDone => {
            store.replace(std::mem::take(listed));
            debug!(kind = K::PLURAL, objects = store.len(), "listed");
        }
        Event::Apply(wire) => {
            let meta = Meta::of(kube::Resource::meta(&wire));
            match (K::compact(wire), meta) {
                (Some(object), _) => store.apply(object),
                // No longer of interest: as good as gone.
                (None, Some(meta)) => store.delete(&meta),
                (None, None) => {}
            }
        }
        Event::Delete(wire) => {
            if let Some(meta) = Meta::of(kube::Resource::meta(&wire)) {
                store.delete(&meta);
            }
        }
    }
}

#[cfg(test)]
mod tests;
