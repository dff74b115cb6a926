//! Which change of which object makes us look at which key. Notes keys and nothing else: it runs where the change is made.

use std::sync::Arc;

use cluster::{Caches, Change, Key, Keys, kinds};

use crate::memory::Memory;
use crate::observe::ClaimKey;

/// The two queues, and what is needed to know whose a change is.
pub(crate) struct Wake {
    pub(crate) driver: String,
    pub(crate) memory: Arc<Memory>,
    pub(crate) claims: Arc<Keys<ClaimKey>>,
    pub(crate) volumes: Arc<Keys<Key>>,
}

impl Wake {
    /// From here on every change is noted, and everything there is has been noted once.
    pub(crate) fn subscribe(self, caches: &Caches) {
        let wake = Arc::new(self);
        let on = wake.clone();
        caches.claims.subscribe(move |change| on.claim(change));
        let on = wake.clone();
        caches.volumes.subscribe(move |change| on.volume(change));
        let on = wake.clone();
        caches.attachments.subscribe(move |change| on.attachment(change));
        let all_claims = caches.claims.clone();
        caches.classes.subscribe(move |change| {
            // The class itself may be new, or replaced by one with other parameters.
            let Some(class) = &change.new else { return };
            let waits = |claim: &kinds::Claim| claim.volume.is_none() && claim.class.as_deref() == Some(class.meta.key.name());
            for claim in all_claims.all().iter().filter(|claim| wake.ours(claim) && waits(claim)) {
                wake.claims.add(ClaimKey::from(&**claim));
            }
        });
    }

    fn ours(&self, claim: &kinds::Claim) -> bool {
        claim.provisioner.as_deref() == Some(&*self.driver)
    }

    /// A claim and its namesake are two keys: the old one may still have a call under way.
    fn claim(&self, change: &Change<kinds::Claim>) {
        let needs_nothing = |claim: &kinds::Claim| claim.volume.is_some();
        if let Some(old) = &change.old
            && change.new.as_ref().is_none_or(|new| new.meta.uid != old.meta.uid || needs_nothing(new))
        {
            self.memory.settle(&old.meta.uid);
        }
        for claim in [&change.old, &change.new].into_iter().flatten().filter(|claim| self.ours(claim)) {
            self.claims.add(ClaimKey::from(&**claim));
        }
    }

    fn volume(&self, change: &Change<kinds::Volume>) {
        let Some(volume) = change.new.as_ref().or(change.old.as_ref()) else { return };
        let made_by = volume.provisioned_by.as_deref().or(volume.csi.as_ref().map(|csi| &*csi.driver));
        if made_by != Some(&*self.driver) {
            return;
        }
        if change.new.is_none() {
            self.memory.volume_gone(&volume.meta.uid);
        }
        self.volumes.add(volume.meta.key.clone());
        // A claim may wait for its name to become free, or for somebody to have saved what it was asked for.
        if let Some(claim) = &volume.claim
            && (change.new.is_none() || self.memory.is_under_way(&claim.uid))
        {
            let object = Key::namespaced(&claim.namespace, &claim.name);
            self.claims.add(ClaimKey { object, uid: claim.uid.clone() });
        }
    }

    fn attachment(&self, change: &Change<kinds::Attachment>) {
        if let (Some(old), None) = (&change.old, &change.new)
            && let Some(volume) = old.volume()
        {
            self.volumes.add(Key::cluster(volume));
        }
    }
}
