//! What the API is told of a pod's containers. Pure.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodStatus};
use serde_json::{Value, json};

use crate::plan::{Restart, State};
use crate::record::Exit;

/// A container as its status shows it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) init: bool,
    pub(crate) state: State,
    /// When it was started last.
    pub(crate) since: Option<Timestamp>,
    /// How the start before that one ended.
    pub(crate) before: Option<(Timestamp, Exit)>,
    /// How often it was started, minus one.
    pub(crate) restarts: u32,
}

/// `status`, as far as it is ours: phase, conditions, containers. `reason`: why what is not started is not.
pub(crate) fn status(shown: &[Shown], restart: Restart, reason: (&str, &str), started: Option<Timestamp>) -> Value {
    let initialized =
        shown.iter().filter(|one| one.init).all(|one| matches!(&one.state, State::Ended { exit, .. } if exit.code == 0));
    let mut main = shown.iter().filter(|one| !one.init).peekable();
    let ready = main.peek().is_some() && main.all(|one| matches!(one.state, State::Running { .. }));
    let phase = phase(shown, restart);
    let done = matches!(phase, "Succeeded" | "Failed");
    let condition = |kind: &str, holds: bool| {
        let mut condition = json!({ "type": kind, "status": if holds { "True" } else { "False" } });
        if !holds && kind != "Initialized" {
            condition["reason"] = if done { "PodCompleted" } else { "ContainersNotReady" }.into();
        }
        condition
    };
    let of =
        |init: bool| -> Vec<Value> { shown.iter().filter(|one| one.init == init).map(|one| container(one, reason)).collect() };
    let mut status = json!({
        "phase": phase,
        "conditions": [
            condition("Initialized", initialized),
            condition("Ready", ready),
            condition("ContainersReady", ready),
        ],
        "containerStatuses": of(false),
    });
    let inits = of(true);
    if !inits.is_empty() {
        status["initContainerStatuses"] = inits.into();
    }
    if let Some(started) = started {
        status["startTime"] = time(started).into();
    }
    status
}

/// Upstream: kubelet `getPhase`.
pub(crate) fn phase(shown: &[Shown], restart: Restart) -> &'static str {
    let failed = |one: &&Shown| matches!(&one.state, State::Ended { exit, .. } if exit.code != 0);
    let mut inits = shown.iter().filter(|one| one.init);
    if restart == Restart::Never && inits.clone().any(|one| failed(&one)) {
        return "Failed";
    }
    if !inits.all(|one| matches!(&one.state, State::Ended { exit, .. } if exit.code == 0)) {
        return "Pending";
    }
    let main: Vec<&Shown> = shown.iter().filter(|one| !one.init).collect();
    if main.iter().any(|one| one.state == State::New) {
        return "Pending";
    }
    if main.iter().any(|one| matches!(one.state, State::Running { .. })) || main.is_empty() {
        return "Running";
    }
    match (restart, main.iter().any(failed)) {
        (Restart::Always, _) | (Restart::OnFailure, true) => "Running",
        (Restart::Never, true) => "Failed",
        (Restart::Never | Restart::OnFailure, false) => "Succeeded",
    }
}

fn container(one: &Shown, (reason, message): (&str, &str)) -> Value {
    let state = match &one.state {
        State::New if message.is_empty() => json!({ "waiting": { "reason": reason } }),
        State::New => json!({ "waiting": { "reason": reason, "message": message } }),
        State::Running { .. } => json!({ "running": { "startedAt": one.since.map(time) } }),
        State::Ended { exit, .. } => terminated(exit, one.since),
    };
    let last = match &one.before {
        Some((since, exit)) => terminated(exit, Some(*since)),
        None => json!({}),
    };
    let running = matches!(one.state, State::Running { .. });
    let succeeded = matches!(&one.state, State::Ended { exit, .. } if exit.code == 0);
    json!({
        "name": one.name,
        "image": one.image,
        "imageID": "",
        "ready": if one.init { succeeded } else { running },
        "started": running,
        "restartCount": one.restarts,
        "state": state,
        "lastState": last,
    })
}

fn terminated(exit: &Exit, since: Option<Timestamp>) -> Value {
    let reason = match exit {
        Exit { error, .. } if !error.is_empty() => "StartError",
        Exit { code: 0, .. } => "Completed",
        Exit { .. } => "Error",
    };
    let mut terminated = json!({
        "exitCode": exit.code,
        "reason": reason,
        "finishedAt": time(exit.at),
        "startedAt": since.map(time),
    });
    if let Some(signal) = exit.signal {
        terminated["signal"] = signal.into();
    }
    if !exit.error.is_empty() {
        terminated["message"] = exit.error.clone().into();
    }
    json!({ "terminated": terminated })
}

/// Whether the API says this already. Times are left out: a start is told a moment before it is made.
pub(crate) fn told(pod: &Pod, wanted: &Value) -> bool {
    let Some(Ok(mut have)) = pod.status.as_ref().map(serde_json::to_value::<&PodStatus>) else { return false };
    let mut wanted = wanted.clone();
    // Conditions carry the scheduler's too.
    let conditions = wanted["conditions"].take();
    for condition in conditions.as_array().into_iter().flatten() {
        let same = |other: &Value| other["type"] == condition["type"] && other["status"] == condition["status"];
        if !have["conditions"].as_array().is_some_and(|list| list.iter().any(same)) {
            return false;
        }
    }
    for status in [&mut have, &mut wanted] {
        for list in ["containerStatuses", "initContainerStatuses"] {
            for one in status[list].as_array_mut().into_iter().flatten() {
                strip(&mut one["state"]);
                one["lastState"] = Value::Null;
            }
        }
    }
    ["phase", "containerStatuses", "initContainerStatuses"].iter().all(|field| covers(&have[*field], &wanted[*field]))
}

fn strip(state: &mut Value) {
    for kind in ["running", "terminated"] {
        if let Some(fields) = state.get_mut(kind).and_then(Value::as_object_mut) {
            fields.remove("startedAt");
        }
    }
}

/// Whether everything that is wanted is there; more may be.
fn covers(have: &Value, wanted: &Value) -> bool {
    match (have, wanted) {
        (_, Value::Null) => true,
        (Value::Object(have), Value::Object(wanted)) => {
            wanted.iter().all(|(field, value)| covers(have.get(field).unwrap_or(&Value::Null), value))
        }
        (Value::Array(have), Value::Array(wanted)) => {
            have.len() == wanted.len() && have.iter().zip(wanted).all(|(have, wanted)| covers(have, wanted))
        }
        // An empty map is not written out.
        (Value::Null, Value::Object(wanted)) => wanted.values().all(|value| covers(&Value::Null, value)),
        (Value::Null, Value::String(text)) => text.is_empty(),
        (have, wanted) => have == wanted,
    }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
