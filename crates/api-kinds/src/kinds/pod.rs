//! Pods.
//!
//! What is checked is what people get wrong: names, references between containers and volumes, sources of volumes, ports, probes,
//! environment, amounts, tolerations, node affinity. Not checked, and so accepted where upstream refuses:
//!
//! - security contexts beyond ids, sysctls, what excludes each other on a host, windows and linux options;
//! - affinity between pods, topology spread, DNS options, resource claims, resize and restart rules, scheduling groups, overhead,
//!   names and sums of the whole pod's resources;
//! - the details of volume sources other than those of `pod/volumes.rs`; container statuses;
//! - what a service account's or a namespace's policies would say.
//!
//! Fields of features that upstream has switched off (`lifecycle.stopSignal`) are kept.
//!
//! A forbidden change is refused without the difference that upstream appends in Go's words.
//!
//! Upstream: `registry/core/pod/strategy.go`, `core/validation` from `ValidatePodSpec` on, `core/v1/defaults.go`; the plugins
//! DefaultTolerationSeconds, Priority and RuntimeClass.

mod admission;
mod containers;
mod defaults;
mod env;
mod mounts;
mod probes;
mod quality;
mod resources;
mod sources;
mod spec;
mod update;
mod volumes;

pub(super) use resources::value_errors;

use apimachinery::object::{at, child, deleting, fields, metadata, set, text, time};
use apimachinery::{FieldError, Status};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::rules::{self, Rules};
use super::validation::IMMUTABLE;
use super::validation::values::{list, same};
use crate::write::Deletion;
use crate::{Operation, Resource, Subresource, Write};

pub(super) const RULES: Rules = Rules { defaults: defaults::defaults, prepare, validate, delete, ..Rules::NONE };

fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    match (write.subresource, write.operation) {
        (Subresource::Main, Operation::Create) => {
            metadata(&mut write.new).insert("generation".to_owned(), 1.into());
            let mut status = json!({"phase": "Pending", "qosClass": quality::class(&write.new)});
            if !list(at(&write.new, &["spec", "schedulingGates"])).is_empty() {
                status["conditions"] = json!([{
                    "type": "PodScheduled", "status": "False", "lastProbeTime": null, "lastTransitionTime": time(write.now),
                    "reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates",
                }]);
            }
            set(fields(&mut write.new), "status", Some(status));
            admission::tolerations(&mut write.new);
            admission::priority(write)?;
            admission::runtime_class(write)?;
        }
        (Subresource::Main, Operation::Update(old)) => {
            admission::tolerations(&mut write.new);
            admission::keep_priority(old, &mut write.new);
            if !same(old.get("spec"), write.new.get("spec")) {
                rules::bump(&mut write.new);
            }
        }
        (Subresource::Status, Operation::Update(old)) => {
            let owners = at(old, &["metadata", "ownerReferences"]).cloned();
            set(metadata(&mut write.new), "ownerReferences", owners);
            let class = at(old, &["status", "qosClass"]).cloned();
            let status = child(&mut write.new, "status");
            if status.get("qosClass").and_then(Value::as_str).is_none_or(str::is_empty) {
                set(status, "qosClass", class);
            }
        }
        _ => {}
    }
    Ok(())
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let new = &write.new;
    Ok(match (write.subresource, write.operation) {
        (Subresource::Status, Operation::Update(old)) => {
            let class = |pod: &Value| text(pod, &["status", "qosClass"]).to_owned();
            let changed = class(old) != class(new);
            changed.then(|| FieldError::invalid("status.qosClass", class(new), IMMUTABLE)).into_iter().collect()
        }
        (_, Operation::Update(old)) => {
            let mut errors = spec::validate(new);
            errors.extend(update::validate(old, new));
            errors
        }
        (_, Operation::Create) => {
            let mut errors = spec::validate(new);
            errors.extend(spec::validate_new(new));
            errors
        }
    })
}

fn delete(resource: &Resource, object: &Value, grace: Option<i64>, now: Timestamp) -> Result<Deletion, Status> {
    let asked = grace.or_else(|| at(object, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64)).unwrap_or(30);
    // A negative period once meant "now", and is as good as.
    let asked = if asked < 0 { 1 } else { asked };
    let nobody_runs_it =
        text(object, &["spec", "nodeName"]).is_empty() || matches!(text(object, &["status", "phase"]), "Succeeded" | "Failed");
    if asked == 0 || nobody_runs_it {
        return Ok(rules::hold(resource, object, now));
    }
    let mut later = object.clone();
    let ends = if deleting(object) {
        let given = rules::grace_secs(object);
        if grace.is_none() || asked >= given {
            return Ok(Deletion::Going);
        }
        let end: Option<Timestamp> = text(object, &["metadata", "deletionTimestamp"]).parse().ok();
        end.and_then(|end| end.checked_sub((given - asked).seconds()).ok())
    } else {
        rules::bump(&mut later);
        // A period that nobody lives to see the end of.
        now.checked_add(asked.clamp(0, i32::MAX.into()).seconds()).ok()
    };
    let meta = metadata(&mut later);
    meta.insert("deletionTimestamp".to_owned(), time(ends.unwrap_or(now)));
    meta.insert("deletionGracePeriodSeconds".to_owned(), asked.into());
    Ok(Deletion::Later(later))
}

#[cfg(test)]
mod tests;
