//! The end of an update: nothing changed, a new state, or the object's end because nothing holds it any more.

use apimachinery::{managed, object};
use serde_json::Value;

use super::Job;
use crate::Object;
use crate::request::Answer;

impl Job<'_> {
    /// `stored` and `new` are what was and what is to be; both carry the version of `old`.
    pub(super) fn settle(&mut self, old: &Object, stored: &Value, mut new: Value) -> Answer {
        object::metadata(&mut new).insert("resourceVersion".into(), old.version().to_string().into());
        if self.released(stored, &new) {
            // Watchers are told of the state before, with the last finalizer; the writer gets its object, which has no newer version.
            self.remove(old, stored.clone());
            return Answer::Object(self.object(new, old.version()));
        }
        managed::keep_times(stored, &mut new);
        if *stored == new {
            return Answer::Object(old.clone());
        }
        Answer::Object(self.put(Some(old), new))
    }

    /// Whether the object was only waiting for its finalizers, and has none left.
    fn released(&self, stored: &Value, new: &Value) -> bool {
        let grace = object::at(stored, &["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or(0);
        let held = self.resource.group.is_empty()
            && self.resource.plural == "namespaces"
            && object::at(new, &["spec", "finalizers"]).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        object::deleting(stored) && grace == 0 && !held && object::finalizers(new).is_empty()
    }
}
