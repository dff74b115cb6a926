//! Who leads: one holder of a Lease, in step with Go programs that hold the same one.
//!
//! A lease is judged by the local clock since its record was last seen to change, never by the times written in it: clocks of
//! two machines differ. Losing it does not end the process: acting pauses, caches stay warm, and the race goes on.
//! Upstream: client-go `leaderelection`, csi-lib-utils `leaderelection`.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::core::{ApiResource, DynamicObject};
use kube::{Api, Client};
use rt::{Ctx, Instant, Shutdown};
use serde_json::{Value, json};
use tracing::{debug, info, warn};

use crate::client::chain;
use crate::events::{Event, EventType, Events, Regarding};
use crate::leadership::Leadership;
use crate::live::{already_exists, is_conflict, is_not_found};
use crate::metrics::Metrics;

/// Which lease, and how fast it changes hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseConfig {
    /// Where the Lease is.
    pub namespace: String,
    /// The Lease's name, already fit for Kubernetes.
    pub name: String,
    /// Who we are: the host's name, already fit for Kubernetes.
    pub identity: String,
    /// Put on the Lease with every write.
    pub labels: BTreeMap<String, String>,
    /// How long others wait after they last saw the record change.
    pub lease_duration: Duration,
    /// How long the holder tries to renew before it steps down. Less than `lease_duration`.
    pub renew_deadline: Duration,
    /// How often to try. `renew_deadline` is more than 1.2 times this.
    pub retry_period: Duration,
}

/// Takes part in the election.
pub struct Elector {
    ctx: Ctx,
    api: Api<DynamicObject>,
    config: LeaseConfig,
    events: Events,
    metrics: Metrics,
    leadership: Leadership,
    seen: Option<Seen>,
}

struct Seen {
    object: DynamicObject,
    /// When this record was first seen, by our clock.
    at: Instant,
}

impl Elector {
    /// Use a client of its own, so that a busy controller cannot keep a renewal waiting.
    pub fn new(ctx: &Ctx, client: Client, config: LeaseConfig, events: Events, metrics: &Metrics) -> Self {
        let api = Api::namespaced_with(client, &config.namespace, &ApiResource::erase::<Lease>(&()));
        let lease = format!("{}/{}", config.namespace, config.name);
        // As the others read it: the record carries whole seconds.
        let lease_duration = Duration::from_secs(config.lease_duration.as_secs());
        let leadership = Leadership::standby(ctx, lease, lease_duration);
        metrics.leading(false);
        Self { ctx: ctx.clone(), api, config, events, metrics: metrics.clone(), leadership, seen: None }
    }

    /// What controllers ask.
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Runs until `shutdown`, then gives the lease back, so that the next one need not wait for it to expire.
    ///
    /// Request the shutdown only when all work that asked for the leadership has ended.
    pub async fn run(mut self, shutdown: Shutdown) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => break,
                () = self.acquire() => {}
            }
            self.announce("became leader");
            tokio::select! {
                biased;
                () = shutdown.requested() => break,
                () = self.hold() => {}
            }
            self.leadership.step_down();
            self.metrics.leading(false);
            self.announce("stopped leading");
        }
        self.release().await;
    }

    async fn acquire(&mut self) {
        info!(lease = self.leadership.lease(), identity = self.config.identity, "waiting for the lease");
        while !self.try_take().await {
            // Jitter as client-go's: up to 1.2 times the period on top.
            let wait = self.config.retry_period.mul_f64(1.0 + 1.2 * self.ctx.fraction("lease"));
            self.ctx.sleep(wait).await;
        }
    }

    /// Returns when the lease could not be renewed in time or somebody else has it.
    async fn hold(&mut self) {
        let mut renewed = self.ctx.now();
        loop {
            self.ctx.sleep(self.config.retry_period).await;
            let left = (renewed + self.config.renew_deadline).since(self.ctx.now());
            match self.ctx.clone().timeout(left, self.try_take()).await {
                Ok(true) => renewed = self.ctx.now(),
                Ok(false) if self.held_by_another() => return,
                Ok(false) if self.ctx.now().since(renewed) < self.config.renew_deadline => {}
                Ok(false) | Err(_) => {
                    warn!(lease = self.leadership.lease(), "could not renew the lease within {:?}", self.config.renew_deadline);
                    return;
                }
            }
        }
    }

    fn held_by_another(&self) -> bool {
        let holder = self.seen.as_ref().map(|seen| holder(&seen.object).to_owned()).unwrap_or_default();
        !holder.is_empty() && holder != self.config.identity
    }

    /// One attempt to take or renew. Returns whether the lease is ours.
    async fn try_take(&mut self) -> bool {
        let asked = self.ctx.now();
        // The fast path: renew what we last wrote, without reading it again.
        if let Some(seen) = &self.seen
            && holder(&seen.object) == self.config.identity
        {
            let renewal = self.renewal(&seen.object);
            match self.put(renewal).await {
                Ok(()) => return self.ours(asked),
                Err(error) => {
                    debug!("cannot renew the lease on the fast path: {}", chain(&error));
                    self.metrics.lease_slow_path();
                }
            }
        }
        let current = match self.api.get(&self.config.name).await {
            Ok(object) => object,
            Err(error) if is_not_found(&error) => return self.create().await && self.ours(asked),
            Err(error) => {
                warn!(lease = self.leadership.lease(), "cannot read the lease: {}", chain(&error));
                return false;
            }
        };
        self.observe(current);
        let Some(seen) = &self.seen else { return false };
        let holder = holder(&seen.object);
        if holder != self.config.identity && !holder.is_empty() {
            let duration = seen.object.data["spec"]["leaseDurationSeconds"].as_u64().unwrap_or(0);
            if self.ctx.now().since(seen.at) < Duration::from_secs(duration) {
                return false;
            }
        }
        let renewal = self.renewal(&seen.object);
        match self.put(renewal).await {
            Ok(()) => self.ours(asked),
            Err(error) => {
                debug!("cannot take the lease: {}", chain(&error));
                false
            }
        }
    }

    fn ours(&self, asked: Instant) -> bool {
        self.leadership.renewed(asked);
        self.metrics.leading(true);
        self.metrics.lease_renewed(self.ctx.timestamp());
        true
    }

    /// Notes a record, and when it was first seen to be what it is.
    fn observe(&mut self, object: DynamicObject) {
        let same = self.seen.as_ref().is_some_and(|seen| seen.object.data["spec"] == object.data["spec"]);
        let at = match &self.seen {
            Some(seen) if same => seen.at,
            _ => self.ctx.now(),
        };
        self.seen = Some(Seen { object, at });
    }

    async fn put(&mut self, object: DynamicObject) -> Result<(), kube::Error> {
        let written = self.api.replace(&self.config.name, &PostParams::default(), &object).await?;
        self.seen = Some(Seen { object: written, at: self.ctx.now() });
        Ok(())
    }

    async fn create(&mut self) -> bool {
        let mut object = DynamicObject::new(&self.config.name, &ApiResource::erase::<Lease>(&()));
        object.metadata.namespace = Some(self.config.namespace.clone());
        object.data = json!({"spec": {"leaseTransitions": 0, "acquireTime": self.micro_time()}});
        let object = self.renewal(&object);
        match self.api.create(&PostParams::default(), &object).await {
            Ok(written) => {
                self.seen = Some(Seen { object: written, at: self.ctx.now() });
                true
            }
            Err(error) => {
                if !already_exists(&error) {
                    warn!(lease = self.leadership.lease(), "cannot create the lease: {}", chain(&error));
                }
                false
            }
        }
    }

    /// The record as it is to be written: ours, now; everything else as it was read.
    fn renewal(&self, from: &DynamicObject) -> DynamicObject {
        let mut object = from.clone();
        let now = self.micro_time();
        let taken = holder(from) != self.config.identity;
        if !object.data["spec"].is_object() {
            object.data["spec"] = json!({});
        }
        let spec = &mut object.data["spec"];
        if taken && from.metadata.resource_version.is_some() {
            spec["leaseTransitions"] = json!(spec["leaseTransitions"].as_i64().unwrap_or(0) + 1);
        }
        if taken {
            spec["acquireTime"] = json!(now);
        }
        spec["holderIdentity"] = json!(self.config.identity);
        spec["leaseDurationSeconds"] = json!(self.config.lease_duration.as_secs());
        spec["renewTime"] = json!(now);
        if !self.config.labels.is_empty() {
            object.metadata.labels.get_or_insert_default().extend(self.config.labels.clone());
        }
        object
    }

    /// Gives the lease back, if it is ours. Bounded by the renew deadline.
    async fn release(&mut self) {
        self.leadership.step_down();
        self.metrics.leading(false);
        let Some(seen) = &self.seen else { return };
        if holder(&seen.object) != self.config.identity {
            return;
        }
        let record = self.vacated(&seen.object);
        match self.ctx.clone().timeout(self.config.renew_deadline, self.give_back(record)).await {
            Ok(Ok(())) => info!(lease = self.leadership.lease(), "released the lease"),
            Ok(Err(error)) => warn!(lease = self.leadership.lease(), "cannot release the lease: {}", chain(&error)),
            Err(elapsed) => warn!(lease = self.leadership.lease(), "cannot release the lease: {elapsed}"),
        }
    }

    async fn give_back(&mut self, record: DynamicObject) -> Result<(), kube::Error> {
        match self.put(record).await {
            Err(error) if is_conflict(&error) => {}
            result => return result,
        }
        // A renewal that the shutdown cut short may have been written.
        let current = self.api.get(&self.config.name).await?;
        if holder(&current) != self.config.identity {
            return Ok(());
        }
        let record = self.vacated(&current);
        self.put(record).await
    }

    /// The record of a lease that anybody may take. Upstream: client-go `release`.
    fn vacated(&self, from: &DynamicObject) -> DynamicObject {
        let mut object = from.clone();
        let now = self.micro_time();
        let spec = &mut object.data["spec"];
        spec["holderIdentity"] = json!("");
        spec["leaseDurationSeconds"] = json!(1);
        spec["renewTime"] = json!(now);
        spec["acquireTime"] = json!(now);
        object
    }

    fn announce(&self, what: &str) {
        let message = format!("{} {what}", self.config.identity);
        info!(lease = self.leadership.lease(), "{message}");
        let uid = self.seen.as_ref().and_then(|seen| seen.object.metadata.uid.clone()).unwrap_or_default();
        self.events.publish(Event {
            regarding: Regarding {
                api_version: "coordination.k8s.io/v1".into(),
                kind: "Lease".into(),
                namespace: self.config.namespace.clone(),
                name: self.config.name.clone(),
                uid,
            },
            kind: EventType::Normal,
            reason: "LeaderElection",
            message,
        });
    }

    fn micro_time(&self) -> String {
        self.ctx.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }
}

fn holder(object: &DynamicObject) -> &str {
    match &object.data["spec"]["holderIdentity"] {
        Value::String(holder) => holder,
        _ => "",
    }
}

#[cfg(test)]
mod tests;
