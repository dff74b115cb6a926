#![allow(clippy::disallowed_methods, reason = "tests build the runtime")]

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use kube::client::Body;
use rt::disk::MemoryDisk;

use super::*;

/// One Lease behind the API, as a Go holder would find it.
#[derive(Clone, Default)]
struct Api(Arc<Mutex<ApiState>>);

#[derive(Default)]
struct ApiState {
    lease: Option<Value>,
    version: u64,
    down: bool,
    /// What is written is written at once, but the answer takes this long.
    slow: Option<Duration>,
}

impl Api {
    fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move {
                let method = request.method().clone();
                let lease = request.uri().path().contains("/leases");
                let bytes = request.into_body().collect_bytes().await?;
                let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
                let (code, answer) = if lease { api.answer(&method, body) } else { (201, body) };
                let slow = api.0.lock().expect("state").slow;
                if let Some(slow) = slow {
                    tokio::time::sleep(slow).await;
                }
                let response = Response::builder().status(code).body(Body::from(answer.to_string().into_bytes()));
                response.map_err(tower::BoxError::from)
            }
        });
        Client::new(service, "default")
    }

    fn answer(&self, method: &Method, mut body: Value) -> (u16, Value) {
        let mut state = self.0.lock().expect("state");
        let status = |code: u16, reason: &str| {
            (
                code,
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": ""}),
            )
        };
        if state.down {
            return status(503, "ServiceUnavailable");
        }
        match (method.as_str(), &state.lease) {
            ("GET", None) => status(404, "NotFound"),
            ("GET", Some(lease)) => (200, lease.clone()),
            ("POST", Some(_)) => status(409, "AlreadyExists"),
            ("PUT", Some(lease)) if lease["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"] => {
                status(409, "Conflict")
            }
            _ => {
                state.version += 1;
                body["metadata"]["resourceVersion"] = json!(state.version.to_string());
                body["metadata"]["uid"] = json!("u");
                state.lease = Some(body.clone());
                (200, body)
            }
        }
    }

    fn spec(&self) -> Value {
        self.0.lock().expect("state").lease.as_ref().map(|lease| lease["spec"].clone()).unwrap_or_default()
    }

    /// A Go holder renews: every field is its own.
    fn renew_as(&self, holder: &str, at: u64) {
        let mut state = self.0.lock().expect("state");
        state.version += 1;
        state.lease = Some(json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "l", "namespace": "n", "uid": "u", "resourceVersion": state.version.to_string()},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": 4,
                     "acquireTime": "2020-01-01T00:00:00.000000Z", "renewTime": format!("2020-01-01T00:00:{at:02}.000000Z"),
                     "strategy": "kept"},
        }));
    }
}

fn elector(ctx: &Ctx, api: &Api, identity: &str) -> Elector {
    let config = LeaseConfig {
        namespace: "n".into(),
        name: "l".into(),
        identity: identity.into(),
        labels: BTreeMap::new(),
        lease_duration: Duration::from_secs(15),
        renew_deadline: Duration::from_secs(10),
        retry_period: Duration::from_secs(5),
    };
    let metrics = Metrics::new();
    let events = Events::new(ctx, api.client(), "test", "host", &metrics);
    Elector::new(ctx, api.client(), config, events, &metrics)
}

fn paused<T>(scenario: impl AsyncFnOnce(Ctx, Api) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("runtime");
    runtime.block_on(async { scenario(Ctx::seeded(1, Arc::new(MemoryDisk::new())), Api::default()).await })
}

#[test]
fn an_absent_lease_is_taken_at_once_and_given_back_at_shutdown() {
    paused(async |ctx, api| {
        let shutdown = Shutdown::new();
        let elector = elector(&ctx, &api, "a");
        let leadership = elector.leadership();
        let mut task = ctx.spawn("elector", elector.run(shutdown.clone()));
        leadership.leading().await;
        assert!(ctx.now().0 < Duration::from_secs(1));
        assert_eq!((&api.spec()["holderIdentity"], &api.spec()["leaseTransitions"]), (&json!("a"), &json!(0)));
        shutdown.request();
        task.ended().await;
        assert_eq!((&api.spec()["holderIdentity"], &api.spec()["leaseDurationSeconds"]), (&json!(""), &json!(1)));
        assert!(!leadership.is_leader());
    });
}

#[test]
fn a_go_holder_keeps_the_lease_while_it_renews_whatever_its_clock_says() {
    paused(async |ctx, api| {
        api.renew_as("go", 0);
        let elector = elector(&ctx, &api, "a");
        let leadership = elector.leadership();
        ctx.spawn("elector", elector.run(Shutdown::new()));
        for second in 1..60 {
            ctx.sleep(Duration::from_secs(5)).await;
            api.renew_as("go", second);
            assert!(!leadership.is_leader(), "its times are years old, but it renews");
        }
        let stopped = ctx.now();
        leadership.leading().await;
        let waited = ctx.now() - stopped;
        assert!(waited >= Duration::from_secs(14) && waited < Duration::from_secs(30), "{waited:?}");
        assert_eq!((&api.spec()["leaseTransitions"], &api.spec()["strategy"]), (&json!(5), &json!("kept")));
    });
}

#[test]
fn a_released_lease_is_taken_without_waiting_for_it_to_expire() {
    paused(async |ctx, api| {
        api.renew_as("", 0);
        let elector = elector(&ctx, &api, "a");
        let leadership = elector.leadership();
        ctx.spawn("elector", elector.run(Shutdown::new()));
        leadership.leading().await;
        assert!(ctx.now().0 < Duration::from_secs(1));
    });
}

#[test]
fn a_holder_that_cannot_renew_steps_down_before_anyone_can_take_over_and_comes_back() {
    paused(async |ctx, api| {
        let elector = elector(&ctx, &api, "a");
        let leadership = elector.leadership();
        ctx.spawn("elector", elector.run(Shutdown::new()));
        leadership.leading().await;
        ctx.sleep(Duration::from_secs(30)).await;
        assert!(leadership.is_leader(), "it renews");
        api.0.lock().expect("state").down = true;
        ctx.sleep(Duration::from_millis(15_100)).await;
        assert!(!leadership.is_leader());
        assert!(leadership.health().is_ok(), "it stepped down, so it is healthy");
        api.0.lock().expect("state").down = false;
        leadership.leading().await;
    });
}

#[test]
fn a_lease_taken_by_another_ends_our_leading_at_the_next_renewal() {
    paused(async |ctx, api| {
        let elector = elector(&ctx, &api, "a");
        let leadership = elector.leadership();
        ctx.spawn("elector", elector.run(Shutdown::new()));
        leadership.leading().await;
        api.renew_as("go", 1);
        ctx.sleep(Duration::from_secs(6)).await;
        assert!(!leadership.is_leader());
    });
}

#[test]
fn a_lease_whose_renewal_the_shutdown_cut_short_is_given_back_all_the_same() {
    paused(async |ctx, api| {
        let shutdown = Shutdown::new();
        let elector = elector(&ctx, &api, "a");
        let leadership = elector.leadership();
        let mut task = ctx.spawn("elector", elector.run(shutdown.clone()));
        leadership.leading().await;
        api.0.lock().expect("state").slow = Some(Duration::from_secs(2));
        ctx.sleep(Duration::from_secs(6)).await;
        shutdown.request();
        task.ended().await;
        assert_eq!(api.spec()["holderIdentity"], "");
    });
}

#[test]
fn nobody_acts_longer_than_the_whole_seconds_that_the_record_tells_the_others() {
    paused(async |ctx, api| {
        let mut elector = elector(&ctx, &api, "a");
        let millis = Duration::from_millis;
        elector.config.lease_duration = millis(1900);
        elector.config.renew_deadline = millis(1800);
        elector.config.retry_period = millis(1400);
        let elector = Elector::new(&ctx, api.client(), elector.config, elector.events, &elector.metrics);
        let leadership = elector.leadership();
        ctx.spawn("elector", elector.run(Shutdown::new()));
        leadership.leading().await;
        assert_eq!(api.spec()["leaseDurationSeconds"], 1);
        ctx.sleep(millis(1200)).await;
        assert!(!leadership.is_leader());
        leadership.leading().await;
    });
}
