//! Pods: how many containers are ready, the one word that says how it goes, and restarts.
//!
//! Upstream: `printPod` of `pkg/printers/internalversion`; every rule here is held to rows that were recorded.

use apimachinery::object::{at, deleting, meta, name, text};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{age, items, or};

pub(super) fn row(pod: &Value, now: Timestamp) -> Vec<Value> {
    let state = State::of(pod);
    let ip = at(pod, &["status", "podIPs"]).and_then(|ips| ips.get(0)).map(|ip| text(ip, &["ip"])).unwrap_or_default();
    vec![
        name(pod).into(),
        format!("{}/{}", state.ready, state.containers).into(),
        state.word.into(),
        state.restarts.show(now).into(),
        age::since(meta(pod, "creationTimestamp"), now).into(),
        or(ip, "<none>").into(),
        or(text(pod, &["spec", "nodeName"]), "<none>").into(),
        or(text(pod, &["status", "nominatedNodeName"]), "<none>").into(),
        gates(pod).into(),
    ]
}

/// What is said of a row whose pod is over.
pub(super) fn conditions(pod: &Value) -> Option<Value> {
    let (reason, message) = match text(pod, &["status", "phase"]) {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!([{"type": "Completed", "status": "True", "reason": reason, "message": message}]))
}

/// Restarts that were counted, and when the last of them ended.
#[derive(Default)]
struct Restarts<'a> {
    count: i64,
    last: Option<(Timestamp, &'a str)>,
}

impl<'a> Restarts<'a> {
    fn add(&mut self, status: &'a Value) {
        self.count += at(status, &["restartCount"]).and_then(Value::as_i64).unwrap_or_default();
        let finished = text(status, &["lastState", "terminated", "finishedAt"]);
        let time = finished.parse::<Timestamp>().ok();
        if let Some(time) = time.filter(|time| self.last.is_none_or(|(last, _)| last < *time)) {
            self.last = Some((time, finished));
        }
    }

    fn show(&self, now: Timestamp) -> String {
        match self.last {
            Some((_, last)) if self.count != 0 => format!("{} ({} ago)", self.count, age::since(last, now)),
            _ => self.count.to_string(),
        }
    }
}

struct State<'a> {
    containers: usize,
    ready: usize,
    word: String,
    restarts: Restarts<'a>,
}

impl<'a> State<'a> {
    fn of(pod: &'a Value) -> Self {
        let sidecar = |status: &Value| {
            let mut inits = items(pod, &["spec", "initContainers"]);
            inits.any(|init| name_of(init) == name_of(status) && restarts_always(init))
        };
        let sidecars = items(pod, &["spec", "initContainers"]).filter(|init| restarts_always(init)).count();
        let mut state = Self {
            containers: items(pod, &["spec", "containers"]).count() + sidecars,
            ready: 0,
            word: first_word(pod).to_owned(),
            restarts: Restarts::default(),
        };
        let mut of_sidecars = Restarts::default();
        let mut initializing = false;
        let inits = items(pod, &["spec", "initContainers"]).count();
        for (number, status) in items(pod, &["status", "initContainerStatuses"]).enumerate() {
            state.restarts.add(status);
            let sidecar = sidecar(status);
            if sidecar {
                of_sidecars.add(status);
            }
            match init_word(status, sidecar) {
                Init::Done => {}
                Init::Started => state.ready += usize::from(is_ready(status)),
                Init::Held(why) => (state.word, initializing) = (format!("Init:{why}"), true),
                Init::Under => (state.word, initializing) = (format!("Init:{number}/{inits}"), true),
            }
            if initializing {
                break;
            }
        }
        if !initializing || condition(pod, "Initialized") {
            // Restarts of what has done its part are of no interest any more.
            state.restarts = of_sidecars;
            state.main_containers(pod);
        }
        if deleting(pod) {
            let phase = text(pod, &["status", "phase"]);
            if text(pod, &["status", "reason"]) == "NodeLost" {
                state.word = "Unknown".to_owned();
            } else if !matches!(phase, "Succeeded" | "Failed") {
                state.word = "Terminating".to_owned();
            }
        }
        state
    }

    /// The first container that has something to say is heard; the others count.
    fn main_containers(&mut self, pod: &'a Value) {
        let statuses: Vec<&Value> = items(pod, &["status", "containerStatuses"]).collect();
        let mut running = false;
        for status in statuses.into_iter().rev() {
            self.restarts.add(status);
            if let Some(reason) = Some(text(status, &["state", "waiting", "reason"])).filter(|reason| !reason.is_empty()) {
                self.word = reason.to_owned();
            } else if let Some(terminated) = terminated(status) {
                self.word = end(terminated);
            } else if is_ready(status) && state(status, "running").is_some() {
                running = true;
                self.ready += 1;
            }
        }
        if self.word == "Completed" && running {
            let word = if condition(pod, "Ready") { "Running" } else { "NotReady" };
            self.word = word.to_owned();
        }
    }
}

/// How it goes before any container is looked at.
fn first_word(pod: &Value) -> &str {
    let mut conditions = items(pod, &["status", "conditions"]);
    if conditions.any(|c| text(c, &["type"]) == "PodScheduled" && text(c, &["reason"]) == "SchedulingGated") {
        return "SchedulingGated";
    }
    or(text(pod, &["status", "reason"]), text(pod, &["status", "phase"]))
}

/// What an init container says.
enum Init {
    Done,
    /// A sidecar that runs beside the others.
    Started,
    Held(String),
    Under,
}

fn init_word(status: &Value, sidecar: bool) -> Init {
    let waiting = text(status, &["state", "waiting", "reason"]);
    match terminated(status) {
        Some(end) if exit_code(end) == 0 => Init::Done,
        _ if sidecar && at(status, &["started"]) == Some(&Value::Bool(true)) => Init::Started,
        Some(terminated) => Init::Held(end(terminated)),
        None if !matches!(waiting, "" | "PodInitializing") => Init::Held(waiting.to_owned()),
        None => Init::Under,
    }
}

fn state<'a>(status: &'a Value, which: &str) -> Option<&'a Value> {
    at(status, &["state", which]).filter(|state| !state.is_null())
}

fn terminated(status: &Value) -> Option<&Value> {
    state(status, "terminated")
}

fn exit_code(terminated: &Value) -> i64 {
    at(terminated, &["exitCode"]).and_then(Value::as_i64).unwrap_or_default()
}

/// Why a container ended.
fn end(terminated: &Value) -> String {
    let signal = at(terminated, &["signal"]).and_then(Value::as_i64).unwrap_or_default();
    match text(terminated, &["reason"]) {
        "" if signal != 0 => format!("Signal:{signal}"),
        "" => format!("ExitCode:{}", exit_code(terminated)),
        reason => reason.to_owned(),
    }
}

fn is_ready(status: &Value) -> bool {
    at(status, &["ready"]) == Some(&Value::Bool(true))
}

fn name_of(container: &Value) -> &str {
    text(container, &["name"])
}

fn restarts_always(init: &Value) -> bool {
    text(init, &["restartPolicy"]) == "Always"
}

/// Whether a condition is met; the first of this type counts.
fn condition(pod: &Value, type_: &str) -> bool {
    let found = items(pod, &["status", "conditions"]).find(|condition| text(condition, &["type"]) == type_);
    found.is_some_and(|condition| text(condition, &["status"]) == "True")
}

fn gates(pod: &Value) -> String {
    let gates: Vec<&Value> = items(pod, &["spec", "readinessGates"]).collect();
    let open = gates.iter().filter(|gate| condition(pod, text(gate, &["conditionType"]))).count();
    if gates.is_empty() { "<none>".to_owned() } else { format!("{open}/{}", gates.len()) }
}
