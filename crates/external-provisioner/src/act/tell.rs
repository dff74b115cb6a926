//! What people see with `kubectl describe`. On success one event and no more: with a thousand claims at once, a second one
//! for each would double what is written. Upstream also announces every attempt (`Provisioning`).

use cluster::{Event, EventType, Regarding};

use super::Act;
use crate::observe::ClaimKey;

impl Act {
    pub(crate) fn tell_claim(&self, key: &ClaimKey, kind: EventType, reason: &'static str, message: String) {
        let regarding = Regarding {
            api_version: "v1".into(),
            kind: "PersistentVolumeClaim".into(),
            namespace: key.object.namespace().unwrap_or_default().to_owned(),
            name: key.object.name().to_owned(),
            uid: key.uid.to_string(),
        };
        self.events.publish(Event { regarding, kind, reason, message });
    }

    pub(crate) fn tell_volume(&self, name: &str, uid: &str, reason: &'static str, message: String) {
        let regarding = Regarding {
            api_version: "v1".into(),
            kind: "PersistentVolume".into(),
            namespace: String::new(),
            name: name.to_owned(),
            uid: uid.to_owned(),
        };
        self.events.publish(Event { regarding, kind: EventType::Warning, reason, message });
    }
}
