//! Says that somebody else will have to fill the volume, once. Upstream: external-provisioner, data sources of other kinds.

use cluster::EventType;

use super::Act;
use crate::observe::ClaimKey;

impl Act {
    pub(super) fn announce_populator(&self, key: &ClaimKey) {
        let message = "Assuming an external populator will provision the volume".to_owned();
        self.tell_claim(key, EventType::Normal, "Provisioning", message);
        self.memory.announced(&key.uid);
    }
}
