//! DELETE of one object.

use api_kinds::write::Deletion;
use apimachinery::{Details, GroupResource, Status, object};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Job, Reply};
use crate::Object;
use crate::request::{Answer, DeleteOptions, Preconditions, Propagation};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// What a DELETE came to.
pub(super) enum Fate {
    /// It is gone; this was it, as of the deletion's version.
    Gone(Object),
    /// It is still there, like this.
    Waits(Object),
}

impl Job<'_> {
    pub(super) fn delete(&mut self, options: &DeleteOptions) -> Reply {
        let old = self.stored().ok_or_else(|| self.not_found())?;
        let stored = self.full(&old);
        self.expected(&options.preconditions, &old, &stored)?;
        let uid = object::meta(&stored, "uid").to_owned();
        let answer = match self.doom(&old, stored, options)? {
            Fate::Gone(_) if !self.resource.delete_returns_object => Answer::Success(Details {
                name: self.name.clone(),
                group: self.resource.group.clone(),
                kind: self.resource.plural.clone(),
                uid,
                ..Details::default()
            }),
            Fate::Waits(object) if options.cascades => return Ok((202, Answer::Object(object))),
            Fate::Gone(object) | Fate::Waits(object) => Answer::Object(object),
        };
        Ok((200, answer))
    }

    /// Deletes an object, or marks it for deletion.
    pub(super) fn doom(&mut self, old: &Object, stored: Value, options: &DeleteOptions) -> Result<Fate, Status> {
        let mut doomed = stored.clone();
        propagate(&mut doomed, options.propagation);
        let fate = match api_kinds::write::delete(&self.resource, &doomed, options.grace, self.env.now)? {
            Deletion::Now => Fate::Gone(self.end(old, stored)),
            Deletion::Later(marked) => Fate::Waits(self.mark(old, &stored, marked)),
            // Another policy than before may still add or take away a finalizer.
            Deletion::Going => Fate::Waits(self.mark(old, &stored, doomed)),
        };
        Ok(fate)
    }

    fn mark(&mut self, old: &Object, stored: &Value, marked: Value) -> Object {
        if *stored == marked {
            return old.clone();
        }
        self.put(Some(old), marked)
    }

    /// Takes the object away. Pods, the one kind with a grace period, are seen being deleted first, even if they go at once.
    fn end(&mut self, old: &Object, stored: Value) -> Object {
        if !self.resource.group.is_empty() || self.resource.plural != "pods" {
            return self.remove(old, stored);
        }
        let marked = graceless(stored.clone(), self.env.now);
        if marked == stored {
            return self.remove(old, stored);
        }
        let seen = self.put(Some(old), marked.clone());
        self.remove(&seen, marked)
    }

    /// 409 if the object is not the one that the request means.
    fn expected(&self, preconditions: &Preconditions, old: &Object, stored: &Value) -> Result<(), Status> {
        // Upstream names the kind here, not the plural.
        let kind = GroupResource { group: self.resource.storage_group().to_owned(), resource: self.resource.kind.clone() };
        if let Some(wanted) = &preconditions.uid {
            let uid = object::meta(stored, "uid");
            if wanted != uid {
                let why = format!(
                    "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might have been \
                     deleted and then recreated"
                );
                return Err(Status::conflict(&kind, &self.name, why));
            }
        }
        if let Some(wanted) = &preconditions.resource_version {
            let version = old.version();
            if *wanted != version.to_string() {
                let why = format!(
                    "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({version}). \
                     The object might have been modified"
                );
                return Err(Status::conflict(&kind, &self.name, why));
            }
        }
        Ok(())
    }
}

/// A pod whose grace is over. Being deleted began when it began, if it did.
fn graceless(mut pod: Value, now: Timestamp) -> Value {
    let deleting = object::deleting(&pod);
    let grace = object::at(&pod, &["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or(0);
    let ends = object::meta(&pod, "deletionTimestamp").parse::<Timestamp>().unwrap_or(now);
    let began = ends.checked_sub(SignedDuration::from_secs(grace)).unwrap_or(ends);
    let metadata = object::metadata(&mut pod);
    metadata.insert("deletionGracePeriodSeconds".into(), 0.into());
    metadata.insert("deletionTimestamp".into(), object::time(began));
    if !deleting {
        let generation = metadata.get("generation").and_then(Value::as_i64).unwrap_or_default();
        metadata.insert("generation".into(), (generation + 1).into());
    }
    pod
}

/// Puts on the finalizer of the policy, which the garbage collector takes off when it has done its part.
fn propagate(doomed: &mut Value, policy: Option<Propagation>) {
    let Some(policy) = policy else { return };
    let (add, take) = match policy {
        Propagation::Foreground => (Some(FOREGROUND), ORPHAN),
        Propagation::Orphan => (Some(ORPHAN), FOREGROUND),
        Propagation::Background => (None, ""),
    };
    let before = object::finalizers(doomed);
    let mut finalizers: Vec<&str> =
        before.iter().copied().filter(|name| *name != take && (add.is_some() || !matches!(*name, FOREGROUND | ORPHAN))).collect();
    if let Some(add) = add
        && !finalizers.contains(&add)
    {
        finalizers.push(add);
    }
    if finalizers == before {
        return;
    }
    let finalizers: Vec<Value> = finalizers.into_iter().map(Value::from).collect();
    let value = (!finalizers.is_empty()).then_some(Value::Array(finalizers));
    object::set(object::metadata(doomed), "finalizers", value);
}
