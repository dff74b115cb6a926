#![allow(clippy::disallowed_methods, reason = "tests build the runtime")]

use http::{Request, Response};
use kube::client::Body;
use rt::disk::MemoryDisk;
use serde_json::Value;

use super::*;

type Posted = Arc<Mutex<Vec<(String, Value)>>>;

/// A lane to an API that takes everything, a second after it was sent.
fn run(scenario: impl AsyncFnOnce(Ctx, Events, Posted)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("runtime");
    runtime.block_on(async {
        let ctx = Ctx::seeded(1, Arc::new(MemoryDisk::new()));
        let (posted, clock) = (Posted::default(), ctx.clone());
        let log = posted.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (log, clock) = (log.clone(), clock.clone());
            async move {
                let method = request.method().to_string();
                let body = request.into_body().collect_bytes().await?;
                clock.sleep(Duration::from_secs(1)).await;
                let value = serde_json::from_slice(&body)?;
                log.lock().expect("log").push((method, value));
                let answer = json!({"metadata": {"name": "e"}, "involvedObject": {}}).to_string();
                Response::builder().status(200).body(Body::from(answer.into_bytes())).map_err(tower::BoxError::from)
            }
        });
        let events = Events::new(&ctx, Client::new(service, "default"), "test", "host", &Metrics::new());
        scenario(ctx, events, posted).await;
    });
}

fn event(object: &str, message: &str) -> Event {
    let regarding = Regarding {
        api_version: "v1".into(),
        kind: "PersistentVolumeClaim".into(),
        namespace: "team-a".into(),
        name: object.into(),
        uid: format!("uid-{object}"),
    };
    Event { regarding, kind: EventType::Warning, reason: "ProvisioningFailed", message: message.into() }
}

#[test]
fn a_flush_waits_until_everything_is_delivered_and_the_same_counts_up() {
    run(async |ctx, events, posted| {
        events.publish(event("a", "no"));
        events.flush().await;
        ctx.sleep(Duration::from_secs(60)).await;
        events.publish(event("a", "no"));
        events.publish(event("a", "other"));
        events.flush().await;
        let posted = posted.lock().expect("log").clone();
        let told: Vec<(&str, &Value)> = posted.iter().map(|(method, body)| (&**method, &body["count"])).collect();
        assert_eq!(told, [("POST", &json!(1)), ("PATCH", &json!(2)), ("POST", &json!(1))]);
    });
}

#[test]
fn one_object_gets_a_burst_and_then_one_event_in_five_minutes() {
    run(async |ctx, events, posted| {
        for n in 0..40 {
            events.publish(event("a", &n.to_string()));
        }
        events.flush().await;
        assert_eq!(posted.lock().expect("log").len(), 25);
        ctx.sleep(Duration::from_secs(301)).await;
        for n in 40..50 {
            events.publish(event("a", &n.to_string()));
        }
        events.flush().await;
        assert_eq!(posted.lock().expect("log").len(), 26);
    });
}

#[test]
fn what_is_remembered_of_many_objects_stays_bounded() {
    run(async |_, events, _| {
        for n in 0..6_000 {
            events.publish(event(&n.to_string(), "no"));
            if n % 3_000 == 0 {
                events.flush().await;
            }
        }
        let state = events.state();
        assert!(state.budgets.len() <= REMEMBERED && state.recent.len() <= REMEMBERED, "{}", state.budgets.len());
        assert!(state.recent.keys().any(|event| event.regarding.name == "5999"), "the latest is among them");
    });
}

#[test]
fn the_event_of_an_object_with_a_long_name_has_a_name_that_is_accepted() {
    let name = event_name(&format!("{}-.{}", "a".repeat(234), "b".repeat(17)), 1);
    assert_eq!(name, format!("{}.0000000000000001", "a".repeat(234)));
    assert_eq!(event_name("data", 255), "data.00000000000000ff");
}
