//! Events for people, in a lane of their own: they can never delay real work, and never flood.
//!
//! Written as core/v1, because upstream's roles grant nothing else. The same event about the same object within ten minutes
//! counts up instead of appearing again; one object gets 25 at once and then one every five minutes. Upstream: client-go's
//! event correlator, whose numbers these are.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::core::v1::Event as EventObject;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::Request;
use kube::{Api, Client, Resource};
use rt::{Ctx, Instant};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tracing::debug;

use crate::live::is_not_found;
use crate::metrics::Metrics;

/// Is something wrong?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are Kubernetes' own")]
pub enum EventType {
    Normal,
    Warning,
}

/// The object an event is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "fields are those of an ObjectReference")]
pub struct Regarding {
    pub api_version: Cow<'static, str>,
    pub kind: Cow<'static, str>,
    /// Empty for objects without one; their events go to `default`, as upstream's do.
    pub namespace: String,
    pub name: String,
    pub uid: String,
}

/// Something a person should see with `kubectl describe`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "fields are those of an Event")]
pub struct Event {
    pub regarding: Regarding,
    pub kind: EventType,
    /// One CamelCase word that people search for.
    pub reason: &'static str,
    /// One sentence; cut at 1,024 bytes, the API server's limit.
    pub message: String,
}

const LANE: usize = 10_000;
const IN_FLIGHT: usize = 32;
const SAME_WITHIN: Duration = Duration::from_secs(600);
const REMEMBERED: usize = 4096;
const BURST: f64 = 25.0;
const REFILL: Duration = Duration::from_secs(300);

/// Where events are put. Cloning shares the lane.
#[derive(Clone)]
pub struct Events(Arc<Lane>);

struct Lane {
    ctx: Ctx,
    client: Client,
    component: String,
    host: String,
    metrics: Metrics,
    state: Mutex<State>,
    wake: Notify,
    idle: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Post>,
    in_flight: usize,
    recent: BTreeMap<Event, Recent>,
    budgets: BTreeMap<String, (f64, Instant)>,
}

#[derive(Clone)]
struct Recent {
    name: String,
    count: u32,
    last: Instant,
}

struct Post {
    event: Event,
    name: String,
    count: u32,
}

impl Events {
    /// A lane that posts as `component` on `host`.
    pub fn new(ctx: &Ctx, client: Client, component: impl Into<String>, host: impl Into<String>, metrics: &Metrics) -> Self {
        let lane = Lane {
            ctx: ctx.clone(),
            client,
            component: component.into(),
            host: host.into(),
            metrics: metrics.clone(),
            state: Mutex::default(),
            wake: Notify::new(),
            idle: Notify::new(),
        };
        let events = Self(Arc::new(lane));
        ctx.spawn("events", events.clone().deliver());
        events
    }

    /// Puts an event in the lane. Never waits; a full lane or a spent budget drops it and counts that.
    pub fn publish(&self, mut event: Event) {
        truncate(&mut event.message, 1024);
        let now = self.0.ctx.now();
        let mut state = self.state();
        if state.waiting.len() >= LANE || !state.within_budget(&event.regarding.uid, now) {
            self.0.metrics.event_dropped();
            return;
        }
        let (name, count) = match state.recent.get_mut(&event) {
            Some(recent) if now.since(recent.last) < SAME_WITHIN => {
                recent.count += 1;
                recent.last = now;
                (recent.name.clone(), recent.count)
            }
            _ => {
                let name = event_name(&event.regarding.name, self.0.ctx.draw("event name"));
                state.remember(event.clone(), Recent { name: name.clone(), count: 1, last: now });
                (name, 1)
            }
        };
        state.waiting.push_back(Post { event, name, count });
        drop(state);
        self.0.wake.notify_one();
    }

    /// Waits until everything in the lane has been delivered or given up. Cancel safe.
    pub async fn flush(&self) {
        loop {
            let idle = self.0.idle.notified();
            {
                let state = self.state();
                if state.waiting.is_empty() && state.in_flight == 0 {
                    return;
                }
            }
            idle.await;
        }
    }

    async fn deliver(self) {
        let mut posts = FuturesUnordered::new();
        loop {
            while posts.len() < IN_FLIGHT {
                let post = {
                    let mut state = self.state();
                    let post = state.waiting.pop_front();
                    state.in_flight += usize::from(post.is_some());
                    post
                };
                let Some(post) = post else { break };
                posts.push(self.post(post));
            }
            tokio::select! {
                biased;
                Some(()) = posts.next() => {
                    let mut state = self.state();
                    state.in_flight -= 1;
                    if state.in_flight == 0 && state.waiting.is_empty() {
                        self.0.idle.notify_waiters();
                    }
                }
                () = self.0.wake.notified() => {}
            }
        }
    }

    /// Events are a courtesy: what cannot be posted is logged and forgotten.
    async fn post(&self, post: Post) {
        let regarding = &post.event.regarding;
        let namespace = if regarding.namespace.is_empty() { "default" } else { &regarding.namespace };
        let api: Api<EventObject> = Api::namespaced(self.0.client.clone(), namespace);
        let now = self.0.ctx.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        if post.count > 1 {
            let patch = json!({"count": post.count, "lastTimestamp": now});
            match api.patch(&post.name, &PatchParams::default(), &Patch::Merge(patch)).await {
                Ok(_) => return,
                Err(error) if is_not_found(&error) => {}
                Err(error) => return debug!(object = regarding.name, "event not counted: {error}"),
            }
        }
        let body = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": post.name, "namespace": namespace},
            "involvedObject": {
                "apiVersion": regarding.api_version, "kind": regarding.kind,
                "namespace": regarding.namespace, "name": regarding.name, "uid": regarding.uid,
            },
            "type": match post.event.kind { EventType::Normal => "Normal", EventType::Warning => "Warning" },
            "reason": post.event.reason,
            "message": post.event.message,
            "count": post.count,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": self.0.component, "host": self.0.host},
            "reportingComponent": self.0.component,
            "reportingInstance": self.0.host,
        });
        if let Err(error) = self.create(namespace, &body).await {
            debug!(object = regarding.name, reason = post.event.reason, "event not posted: {error}");
        }
    }

    /// Nobody reads the answer, so nobody decodes it.
    async fn create(&self, namespace: &str, body: &Value) -> Result<(), kube::Error> {
        let request = Request::new(EventObject::url_path(&(), Some(namespace)));
        let request = request.create(&PostParams::default(), body.to_string().into_bytes()).map_err(kube::Error::BuildRequest)?;
        self.0.client.request::<IgnoredAny>(request).await.map(drop)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

// === impl State ===

impl State {
    fn within_budget(&mut self, uid: &str, now: Instant) -> bool {
        if self.budgets.len() >= REMEMBERED && !self.budgets.contains_key(uid) {
            forget_older_half(&mut self.budgets, |(_, at)| *at);
        }
        let (tokens, at) = self.budgets.entry(uid.to_owned()).or_insert((BURST, now));
        *tokens = (*tokens + now.since(*at).as_secs_f64() / REFILL.as_secs_f64()).min(BURST);
        *at = now;
        let enough = *tokens >= 1.0;
        if enough {
            *tokens -= 1.0;
        }
        enough
    }

    fn remember(&mut self, event: Event, recent: Recent) {
        if self.recent.len() >= REMEMBERED {
            forget_older_half(&mut self.recent, |recent| recent.last);
        }
        self.recent.insert(event, recent);
    }
}

/// Half at once, so that a storm of new objects does not sift through all the old ones each time.
fn forget_older_half<K: Ord, V>(map: &mut BTreeMap<K, V>, at: impl Fn(&V) -> Instant) {
    let mut times: Vec<Instant> = map.values().map(&at).collect();
    let middle = times.len() / 2;
    if middle > 0 {
        let median = *times.select_nth_unstable(middle).1;
        map.retain(|_, value| at(value) > median);
    }
}

/// An event's name is its object's and something of its own; it must not be longer than any name may be.
fn event_name(object: &str, own: u64) -> String {
    let end = object.floor_char_boundary(253 - 17);
    format!("{}.{own:016x}", object[..end].trim_end_matches(['-', '.']))
}

fn truncate(text: &mut String, max: usize) {
    if text.len() > max {
        let mut end = max - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests;
