//! Caches to facts. Tolerant of what is missing; decides nothing.

use cluster::Key;
use rt::Instant;

use super::plan::View;
use crate::Part;
use crate::matching::{ClassFact, default_class};
use crate::told::Told;

pub(super) fn observe(part: &Part, told: &Told, key: &Key, now: Instant) -> View {
    let caches = &part.caches;
    let Some(claim) = caches.claims.get(key.as_str()) else { return View::default() };
    let mut view = View {
        class: ClassFact::of(&claim, |name| caches.classes.get(name)),
        told: told.lately(&claim.meta, now),
        ..View::default()
    };
    match &claim.volume {
        Some(name) => view.named = caches.volumes.get(name),
        None if !claim.bind_completed => {
            view.candidates = part.index.volumes_of(key.as_str());
            // Only a volume that was given to it can be the volume of a claim that waits.
            if !view.class.waits_for_consumer() {
                view.candidates.extend(part.index.free_volumes());
            }
            if claim.class.is_none() {
                view.default_class = default_class(&caches.classes.all()).map(|class| class.meta.key.name().into());
            }
            let pods = part.index.pods_of(key.as_str());
            let waiting = pods.iter().filter(|pod| pod.node.is_empty() && !pod.is_over());
            view.unscheduled = waiting.map(|pod| pod.meta.key.name().to_owned()).collect();
        }
        None => {}
    }
    view.claim = Some(claim);
    view
}
