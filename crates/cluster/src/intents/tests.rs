#![allow(clippy::disallowed_methods, reason = "tests build the runtime")]

use std::time::Duration;

use rt::disk::MemoryDisk;
use serde_json::{Value, json};
use test_api::{Fault, TestApi};

use super::*;

const FOLDER: &str = "/apis/coordination.k8s.io/v1/namespaces/n/leases";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/n/leases/intents";
const PUT: &str = "PUT /apis/coordination";
const POST: &str = "POST /apis/coordination";

/// An API with a namespace, and what its owners were told of.
struct World {
    ctx: Ctx,
    api: TestApi,
    metrics: crate::Metrics,
    found: Arc<Mutex<Vec<String>>>,
}

/// The records of a Lease.
fn read(lease: &Value) -> packed::Records {
    let text = lease["metadata"]["annotations"][ANNOTATION].as_str();
    text.map(|text| unpack(text).expect("a format we know")).unwrap_or_default()
}

fn paused(scenario: impl AsyncFnOnce(World)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("runtime");
    runtime.block_on(async {
        let ctx = Ctx::seeded(1, Arc::new(MemoryDisk::new()));
        let api = TestApi::start(&ctx).await;
        scenario(World { ctx, api, metrics: crate::Metrics::new(), found: Arc::default() }).await;
    });
}

impl World {
    async fn ready(scenario: World) -> World {
        scenario.api.create("/api/v1/namespaces", "n", json!({})).await;
        scenario
    }

    /// An owner that notes what it is told, and cannot read what begins with `bad`.
    fn intents(&self, leadership: &Leadership) -> Intents {
        let config = IntentsConfig { namespace: "n".to_owned(), name: "intents".to_owned() };
        let notes = self.found.clone();
        Intents::start(&self.ctx, self.api.client(), leadership.clone(), &self.metrics, config, move |found| {
            notes.lock().expect("notes").push(format!("{}={}@{}", found.key, found.text, found.term));
            if found.text.starts_with("bad") { Err("bad".to_owned()) } else { Ok(Timestamp::UNIX_EPOCH) }
        })
    }

    fn alone(&self) -> Intents {
        self.intents(&Leadership::always(&self.ctx))
    }

    /// The records of the Lease with this number.
    fn records(&self, number: usize) -> Vec<(String, String)> {
        let path = if number == 0 { LEASE.to_owned() } else { format!("{LEASE}.{number}") };
        let lease = self.api.get(&path).unwrap_or_default();
        read(&lease).into_iter().collect()
    }

    fn keys(&self) -> Vec<String> {
        self.records(0).into_iter().map(|(key, _)| key).collect()
    }

    fn writes(&self) -> usize {
        self.api.sent().iter().filter(|request| request.starts_with(PUT) || request.starts_with(POST)).count()
    }

    async fn secs(&self, secs: u64) {
        self.ctx.sleep(Duration::from_secs(secs)).await;
    }

    fn found(&self) -> Vec<String> {
        std::mem::take(&mut *self.found.lock().expect("notes"))
    }

    /// Somebody else's hand on a Lease.
    async fn annotate(&self, name: &str, key: &str, text: &str) {
        let path = format!("{FOLDER}/{name}");
        if self.api.get(&path).is_none() {
            self.api.create(FOLDER, name, json!({"spec": {"holderIdentity": "kept"}})).await;
        }
        let edit = |lease: &mut Value| {
            let mut records = read(lease);
            records.insert(key.to_owned(), text.to_owned());
            lease["metadata"]["annotations"][ANNOTATION] = json!(packed::pack(&records));
        };
        self.api.edit(&path, edit).await;
    }

    fn metric(&self, name: &str) -> String {
        let mut registry = prometheus_client::registry::Registry::default();
        self.metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("text");
        let line = text.lines().find(|line| line.starts_with(&format!("{name}{{")));
        line.and_then(|line| line.rsplit(' ').next()).unwrap_or_default().to_owned()
    }
}

#[test]
fn a_begun_intent_is_durable_before_begin_returns_and_gone_soon_after_its_end() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        assert_eq!(intents.begin(1, "a", "text of a").await, Ok(Begun::Written));
        assert_eq!(world.records(0), [("a".to_owned(), "text of a".to_owned())]);
        assert!(world.ctx.now().0 < Duration::from_millis(25), "a lone one does not wait for company");
        assert_eq!(
            (world.metric("longshore_intents_open"), world.metric("longshore_intents_writable")),
            ("1".into(), "1".into())
        );
        intents.end(1, "a");
        world.secs(2).await;
        assert_eq!((world.keys().len(), world.writes()), (0, 2));
        assert_eq!(world.metric("longshore_intents_open"), "0");
        assert_eq!(world.metric("longshore_intents_commits_total"), "2");
    });
}

#[test]
fn what_begins_and_ends_while_a_commit_is_under_way_shares_the_next_one() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        intents.begin(1, "old", "o").await.expect("begun");
        intents.end(1, "old");
        world.api.hold(PUT);
        let (first, many) = (
            intents.begin(1, "first", "f"),
            (0..50).map(|n| {
                let intents = intents.clone();
                async move { intents.begin(1, &format!("k{n}"), "t").await }
            }),
        );
        let release = async {
            world.secs(1).await;
            world.api.let_through(PUT);
        };
        let (first, many, ()) = futures::join!(first, futures::future::join_all(many), release);
        assert!(first.is_ok() && many.iter().all(|begun| *begun == Ok(Begun::Written)));
        assert!(world.writes() <= 4, "{:?}", world.api.sent());
        assert_eq!(world.keys().len(), 51);
    });
}

#[test]
fn repeating_a_begin_writes_nothing_and_another_text_is_told_that_there_is_an_earlier_one() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        intents.begin(1, "a", "one").await.expect("begun");
        let writes = world.writes();
        assert_eq!(intents.begin(1, "a", "one").await, Ok(Begun::Written));
        assert_eq!(intents.begin(1, "a", "two").await, Ok(Begun::Earlier));
        assert_eq!((world.writes(), world.found()), (writes, vec!["a=one@1".to_owned()]));
        intents.end(1, "a");
        assert_eq!(intents.begin(1, "a", "two").await, Ok(Begun::Written), "what has ended is replaced");
        assert_eq!(world.records(0), [("a".to_owned(), "two".to_owned())]);
    });
}

#[test]
fn a_conflict_keeps_what_others_wrote_and_hands_it_over() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        intents.begin(1, "a", "ours").await.expect("begun");
        world.annotate("intents", "b", "theirs").await;
        world
            .api
            .edit(LEASE, |lease| {
                lease["spec"]["holderIdentity"] = json!("somebody");
                lease["metadata"]["annotations"]["example.com/x"] = json!("y");
            })
            .await;
        intents.begin(1, "c", "ours").await.expect("begun");
        assert_eq!(world.keys(), ["a", "b", "c"]);
        assert_eq!(world.found(), ["b=theirs@1"]);
        assert_eq!(intents.begin(1, "b", "ours").await, Ok(Begun::Earlier));
        intents.end(1, "b");
        intents.flush().await;
        assert_eq!(world.keys(), ["a", "c"]);
        let lease = world.api.get(LEASE).expect("there");
        assert_eq!(lease["spec"]["holderIdentity"], "somebody");
        assert_eq!(lease["metadata"]["annotations"]["example.com/x"], "y");
    });
}

#[test]
fn an_end_never_removes_a_text_that_is_not_the_one_that_was_ended() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        intents.begin(1, "a", "ours").await.expect("begun");
        world.annotate("intents", "a", "theirs").await;
        intents.end(1, "a");
        world.secs(2).await;
        assert_eq!(world.records(0), [("a".to_owned(), "theirs".to_owned())]);
        assert_eq!(world.found(), ["a=theirs@1"], "it is the owner's from now on");
    });
}

#[test]
fn a_lost_answer_lets_begin_fail_and_what_was_written_is_taken_back() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        intents.begin(1, "a", "one").await.expect("begun");
        world.api.fail(PUT, Fault::Unanswered, 1);
        assert!(matches!(intents.begin(1, "b", "one").await, Err(IntentError::Failed { .. })));
        assert_eq!(world.keys(), ["a", "b"], "it took effect");
        assert_eq!(intents.begin(1, "b", "two").await, Ok(Begun::Written), "a new attempt replaces it");
        assert_eq!(world.records(0)[1].1, "two");
        world.api.fail(PUT, Fault::Unanswered, 1);
        assert!(intents.begin(1, "c", "one").await.is_err());
        world.secs(5).await;
        assert_eq!((world.keys(), world.found().len()), (vec!["a".to_owned(), "b".to_owned()], 0));
    });
}

#[test]
fn a_lost_answer_to_the_first_write_confuses_nobody() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        world.secs(1).await;
        world.api.fail(POST, Fault::Unanswered, 1);
        assert!(intents.begin(1, "a", "one").await.is_err());
        assert_eq!(intents.begin(1, "a", "one").await, Ok(Begun::Written));
        assert_eq!((world.keys(), world.found().len()), (vec!["a".to_owned()], 0));
        assert_eq!(world.writes(), 1, "reading again tells that it was written");
    });
}

#[test]
fn an_api_that_is_down_lets_nothing_pass_and_it_goes_on_when_it_is_back() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        for code in [500, 429, 503] {
            world.api.fail("/leases", Fault::Refused(code), 3);
            assert!(matches!(intents.begin(1, "a", "one").await, Err(IntentError::Failed { .. })), "{code}");
            world.secs(60).await;
        }
        assert_eq!(intents.begin(1, "a", "one").await, Ok(Begun::Written));
    });
}

#[test]
fn without_the_right_to_write_everything_passes_unprotected_and_what_is_open_is_written_when_the_right_comes() {
    for (verb, code) in [("PUT", 403), ("POST", 403), ("GET", 403), ("POST", 404)] {
        paused(async |world| {
            let world = World::ready(world).await;
            if verb == "PUT" {
                world.annotate("intents", "old", "o").await;
            }
            world.api.fail(&format!("{verb} /apis/coordination"), Fault::Refused(code), 2);
            let intents = world.alone();
            assert_eq!(intents.begin(1, "a", "one").await, Ok(Begun::Unprotected), "{verb} {code}");
            assert_eq!(world.metric("longshore_intents_writable"), "0");
            let asked = world.api.sent().len();
            assert_eq!(intents.begin(1, "b", "one").await, Ok(Begun::Unprotected));
            intents.end(1, "b");
            assert_eq!(world.api.sent().len(), asked, "it is not tried each time");
            world.secs(180).await;
            assert!(world.keys().contains(&"a".to_owned()), "{verb} {code}: {:?}", world.api.sent());
            assert!(!world.keys().contains(&"b".to_owned()));
            assert_eq!(world.metric("longshore_intents_writable"), "1");
            assert_eq!(intents.begin(1, "c", "one").await, Ok(Begun::Written));
        });
    }
}

#[test]
fn a_namespace_that_is_not_there_is_a_missing_right() {
    paused(async |world| {
        let intents = world.alone();
        assert_eq!(intents.begin(1, "a", "one").await, Ok(Begun::Unprotected));
    });
}

#[test]
fn a_full_lease_is_followed_by_another_and_both_are_read_again() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        let large = "x".repeat(60 * 1024);
        for n in 0..25 {
            assert_eq!(intents.begin(1, &format!("k{n}"), &format!("{n}{large}")).await, Ok(Begun::Written));
        }
        let counts = || std::array::from_fn(|lease| world.records(lease).len());
        assert_eq!(counts(), [3, 3, 3, 3, 3, 3, 3, 3, 1, 0]);
        assert_eq!(world.found().len(), 0);
        let (key, _) = world.records(1)[0].clone();
        intents.end(1, &key);
        intents.begin(1, "new", &large).await.expect("begun");
        intents.begin(1, "newer", &large).await.expect("begun");
        assert_eq!(counts(), [3, 3, 3, 3, 3, 3, 3, 3, 2, 0], "room is used again");
        let next = world.alone();
        next.begin(1, "z", "z").await.expect("begun");
        assert_eq!(world.found().len(), 26);
        assert_eq!(next.begin(1, "huge", &large.repeat(4)).await, Ok(Begun::Unprotected));
    });
}

#[test]
fn what_is_open_is_not_written_again_with_every_commit() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        let text = "x".repeat(500);
        for batch in 0..50 {
            let keys: Vec<String> = (0..20).map(|n| format!("k{batch}-{n}")).collect();
            futures::future::join_all(keys.iter().map(|key| intents.begin(1, key, &text))).await;
            for key in keys.iter().filter(|_| batch > 0) {
                intents.end(1, key);
            }
        }
        assert_eq!(world.records(0).len(), 20, "the first ones are still open");
        assert!(world.records(1).len() <= 60, "what has ended makes room for what begins");
        assert_eq!(world.records(2).len(), 0);
        intents.flush().await;
        assert_eq!(world.records(1).len(), 0);
    });
}

#[test]
fn a_lease_that_somebody_deleted_does_not_hide_those_after_it() {
    paused(async |world| {
        let world = World::ready(world).await;
        world.annotate("intents.2", "a", "one").await;
        let intents = world.alone();
        world.secs(1).await;
        assert_eq!(world.found(), ["a=one@1"]);
        intents.end(1, "a");
        world.secs(2).await;
        assert_eq!(world.records(2).len(), 0);
        let asked = world.api.sent().len();
        world.secs(300).await;
        assert!(world.api.sent().len() - asked <= 20, "two reads each half a minute: {:?}", &world.api.sent()[asked..]);
    });
}

#[test]
fn two_records_of_one_key_are_taken_over_one_after_the_other() {
    paused(async |world| {
        let world = World::ready(world).await;
        world.annotate("intents", "a", "one").await;
        world.annotate("intents.1", "a", "two").await;
        let intents = world.alone();
        world.secs(1).await;
        assert_eq!(world.found(), ["a=one@1"]);
        intents.end(1, "a");
        world.secs(40).await;
        assert_eq!(world.found(), ["a=two@1"]);
        intents.end(1, "a");
        world.secs(40).await;
        assert_eq!((world.records(0).len(), world.records(1).len(), world.found().len()), (0, 0, 0));
    });
}

#[test]
fn what_cannot_be_read_stays_is_told_once_and_is_in_nobodys_way() {
    paused(async |world| {
        let world = World::ready(world).await;
        world.annotate("intents", "a", "bad").await;
        let intents = world.alone();
        world.secs(1).await;
        assert_eq!(intents.begin(1, "a", "ours").await, Ok(Begun::Written));
        assert_eq!(world.metric("longshore_intents_unreadable"), "1");
        intents.end(1, "a");
        world.secs(120).await;
        assert_eq!(world.records(0), [("a".to_owned(), "bad".to_owned())]);
        assert_eq!((world.records(1).len(), world.found().len()), (0, 1));
        world.api.edit(LEASE, |lease| lease["metadata"]["annotations"] = json!({})).await;
        world.secs(40).await;
        assert_eq!(world.metric("longshore_intents_unreadable"), "0");
    });
}

#[test]
fn a_lease_whose_records_are_not_understood_is_left_as_it_is() {
    paused(async |world| {
        let world = World::ready(world).await;
        let bad = "bad: of a version to come";
        world.api.create(FOLDER, "intents", json!({"metadata": {"annotations": {ANNOTATION: bad}}})).await;
        let intents = world.alone();
        assert_eq!(intents.begin(1, "a", "ours").await, Ok(Begun::Written));
        assert_eq!((world.records(1).len(), world.metric("longshore_intents_unreadable")), (1, "1".to_owned()));
        intents.leave("b", "late");
        world.secs(60).await;
        assert_eq!(world.api.get(LEASE).expect("there")["metadata"]["annotations"][ANNOTATION], bad);
        assert_eq!(world.records(1).len(), 2);
        world.api.edit(LEASE, |lease| lease["metadata"]["annotations"] = json!({})).await;
        world.secs(40).await;
        assert_eq!(world.metric("longshore_intents_unreadable"), "0");
    });
}

#[test]
fn every_term_begins_with_reading_what_the_others_left() {
    paused(async |world| {
        let world = World::ready(world).await;
        let (one, two) = (Leadership::standby_for_tests(&world.ctx), Leadership::standby_for_tests(&world.ctx));
        let (first, second) = (world.intents(&one), world.intents(&two));
        assert_eq!(first.begin(0, "a", "one").await, Err(IntentError::NotLeading));
        one.lead_for_tests(Duration::from_secs(10));
        first.begin(1, "a", "one").await.expect("begun");
        first.begin(1, "b", "one").await.expect("begun");
        world.secs(11).await;
        assert_eq!(first.begin(1, "c", "one").await, Err(IntentError::NotLeading));
        two.lead_for_tests(Duration::from_secs(10));
        second.begin(1, "d", "two").await.expect("begun");
        assert_eq!(world.found(), ["a=one@1", "b=one@1"]);
        second.end(1, "a");
        second.flush().await;
        world.secs(11).await;
        one.lead_for_tests(Duration::from_secs(10));
        first.end(1, "b");
        world.secs(2).await;
        assert_eq!(world.found(), ["b=one@2", "d=two@2"], "also what it wrote itself, and without what was settled meanwhile");
        assert_eq!(world.keys(), ["b", "d"], "what ends in an old term ends nothing");
    });
}

#[test]
fn what_a_frozen_leader_wrote_late_is_found() {
    paused(async |world| {
        let world = World::ready(world).await;
        let _intents = world.alone();
        world.secs(1).await;
        world.annotate("intents", "late", "x").await;
        world.secs(31).await;
        assert_eq!(world.found(), ["late=x@1"]);
    });
}

#[test]
fn who_does_not_lead_any_more_can_leave_a_record_beside_whatever_there_is() {
    paused(async |world| {
        let world = World::ready(world).await;
        let leader = world.alone();
        leader.begin(1, "a", "theirs").await.expect("begun");
        let former = world.intents(&Leadership::standby_for_tests(&world.ctx));
        world.api.fail(PUT, Fault::Refused(409), 1);
        former.leave("a", "late");
        former.leave("b", "late");
        former.leave("b", "late");
        world.secs(60).await;
        assert_eq!((world.records(0).len(), world.records(1)), (2, vec![("a".to_owned(), "late".to_owned())]));
        assert_eq!(world.found(), ["b=late@1"]);
        leader.end(1, "a");
        world.secs(60).await;
        assert_eq!(world.found(), ["a=late@1"]);
    });
}

#[test]
fn records_that_somebody_removed_are_written_again_while_they_are_open() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        intents.begin(1, "a", "one").await.expect("begun");
        world.api.remove(LEASE).await;
        intents.begin(1, "b", "one").await.expect("begun");
        assert_eq!(world.keys(), ["a", "b"]);
    });
}

#[test]
fn a_close_writes_what_has_ended() {
    paused(async |world| {
        let world = World::ready(world).await;
        let intents = world.alone();
        intents.begin(1, "a", "one").await.expect("begun");
        intents.end(1, "a");
        intents.close().await;
        assert_eq!(world.keys().len(), 0);
        assert!(world.ctx.now().0 < Duration::from_secs(1));
    });
}
