//! A volume is used while it is bound; the change of its phase says when it is no more.

use std::sync::Arc;

use cluster::kinds::{Phase, Volume};
use cluster::{Key, Keys, Store};

use super::Protected;
use crate::Part;

impl Protected for Volume {
    const FINALIZER: &'static str = "kubernetes.io/pv-protection";
    const QUEUE: &'static str = "pvprotection";

    fn store(part: &Part) -> &Arc<Store<Self>> {
        &part.caches.volumes
    }

    fn is_used(_: &Part, volume: &Self) -> bool {
        volume.phase == Phase::Bound
    }

    fn wake(_: &Part, _: &Arc<Keys<Key>>) {}
}
