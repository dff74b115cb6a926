use serde_json::{Value, json};

use super::pod;
use crate::kinds::validation::testing::{Kind, NOW};
use crate::write::{Deletion, delete};

fn deleted(kind: &Kind, object: &Value, grace: Option<i64>) -> Deletion {
    delete(&kind.resource, object, grace, NOW.parse().unwrap()).unwrap()
}

/// Deletion timestamp, grace period, generation.
fn marks(deletion: Deletion) -> (String, i64, i64) {
    let Deletion::Later(object) = deletion else { panic!("{deletion:?}") };
    let meta = &object["metadata"];
    let number = |field: &str| meta[field].as_i64().unwrap();
    (meta["deletionTimestamp"].as_str().unwrap().to_owned(), number("deletionGracePeriodSeconds"), number("generation"))
}

#[test]
fn a_pod_that_nobody_runs_goes_at_once() {
    let kind = Kind::of("pods");
    assert_eq!(deleted(&kind, &kind.stored(pod(json!({}))), None), Deletion::Now);
    let mut scheduled = kind.stored(pod(json!({"nodeName": "n"})));
    assert_eq!(deleted(&kind, &scheduled, Some(0)), Deletion::Now);
    for phase in ["Succeeded", "Failed"] {
        scheduled["status"]["phase"] = phase.into();
        assert_eq!(deleted(&kind, &scheduled, None), Deletion::Now, "{phase}");
    }
}

#[test]
fn a_pod_on_a_node_has_its_grace_period() {
    let kind = Kind::of("pods");
    let stored = kind.stored(pod(json!({"nodeName": "n"})));
    assert_eq!(marks(deleted(&kind, &stored, None)), ("2026-01-02T03:04:35Z".to_owned(), 30, 2));
    assert_eq!(marks(deleted(&kind, &stored, Some(5))), ("2026-01-02T03:04:10Z".to_owned(), 5, 2));
    assert_eq!(marks(deleted(&kind, &stored, Some(-5))), ("2026-01-02T03:04:06Z".to_owned(), 1, 2));
    assert!(matches!(deleted(&kind, &stored, Some(i64::MAX)), Deletion::Later(_)));
}

#[test]
fn a_grace_period_only_gets_shorter() {
    let kind = Kind::of("pods");
    let Deletion::Later(going) = deleted(&kind, &kind.stored(pod(json!({"nodeName": "n"}))), None) else { panic!("at once") };
    for grace in [None, Some(30), Some(60)] {
        assert_eq!(deleted(&kind, &going, grace), Deletion::Going);
    }
    assert_eq!(marks(deleted(&kind, &going, Some(10))), ("2026-01-02T03:04:15Z".to_owned(), 10, 2));
    assert_eq!(deleted(&kind, &going, Some(0)), Deletion::Now);
}

#[test]
fn finalizers_hold_a_pod_beyond_its_grace_period() {
    let kind = Kind::of("pods");
    let held = pod(json!({"nodeName": "n"}));
    let mut stored = kind.stored(held);
    stored["metadata"]["finalizers"] = json!(["a.b/c"]);
    let Deletion::Later(going) = deleted(&kind, &stored, None) else { panic!("at once") };
    let ended = deleted(&kind, &going, Some(0));
    assert_eq!(marks(ended.clone()), (NOW.to_owned(), 0, 2));
    let Deletion::Later(ended) = ended else { panic!("at once") };
    assert_eq!(deleted(&kind, &ended, Some(0)), Deletion::Going);
}
