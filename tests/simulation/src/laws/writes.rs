//! Writes that hold only for what their sender has seen.

use serde_json::Value;

use super::{Moment, Saying};
use crate::world::World;

/// Whatever changes or deletes an object says which one, or in what state: its uid, its resourceVersion, or a `test` of a patch. So
/// none reaches a namesake, and none of a dead process undoes what came after it.
///
/// Left out are events, where a count that is one too low harms nobody, and what a node says of itself: whichever Node and Lease of
/// its name are there are its own. That an old word of it does no harm is for the laws of the node.
pub(super) fn guarded(_: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Said(Saying { who, verb, kind, body }) = moment else { return None };
    if *verb == "CREATE" || *kind == "events" || *who == "mounter" && matches!(*kind, "nodes" | "leases") {
        return None;
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let says = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let held = |at: &Value| says(&at["uid"]) || says(&at["resourceVersion"]);
    let guarded = match (*verb, &body) {
        ("DELETE", options) => held(&options["preconditions"]),
        ("UPDATE", object) => says(&object["metadata"]["resourceVersion"]),
        (_, Value::Array(operations)) => operations.iter().any(|operation| operation["op"] == "test"),
        (_, fields) => held(&fields["metadata"]),
    };
    (!guarded).then(|| format!("{verb} of {kind} by {who} would reach any object of that name: {body}"))
}
