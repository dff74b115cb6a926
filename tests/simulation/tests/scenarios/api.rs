//! What the API does to its clients, whoever they are.

use simulation::{Act, ApiFault, What, run};

use crate::scenario::Scenario;

/// A claim, a pod, and their end: everything is read and written once.
fn life() -> Scenario {
    Scenario::new()
        .claim(1000, "c0", "fast")
        .pod(1100, "p0", &["c0"])
        .at(6000, Act::DeletePod { name: "p0".into() })
        .at(6500, Act::DeleteClaim { name: "c0".into() })
}

/// What each process lists and watches that this story needs.
const READS: [(&str, &str); 8] = [
    ("provisioner-a", "persistentvolumeclaims"),
    ("provisioner-a", "persistentvolumes"),
    ("provisioner-a", "storageclasses"),
    ("attacher-a", "volumeattachments"),
    ("attacher-a", "csinodes"),
    ("binder", "persistentvolumeclaims"),
    ("binder", "pods"),
    ("mounter", "pods"),
];

/// kube's watcher waits for ever for a list whose answer is lost, and is deaf from then on. Ours has a limit for every request.
#[test]
fn a_list_whose_answer_is_lost_is_asked_for_again() {
    for (process, kind) in READS {
        for fault in [ApiFault::Silent, ApiFault::Lost, ApiFault::Refused(500), ApiFault::Slow(60_000)] {
            life().api(&format!("{process} LIST {kind}"), 0, fault).promises(|_| ());
        }
    }
}

/// kube's watcher opens a watch at the same version for ever if the answer to that is a 410. Whoever is behind is told inside the
/// stream, lists again, and misses nothing; and if something on the way answers 410 all the same, it does not for ever.
#[test]
fn a_watch_that_is_behind_begins_anew() {
    for (process, kind) in READS {
        for fault in [ApiFault::Compacted, ApiFault::Refused(410), ApiFault::Cut(0), ApiFault::Cut(1), ApiFault::Silent] {
            let watch = format!("{process} WATCH {kind}");
            let story = life().api(&watch, 0, fault).at(1050, Act::Compact).at(6100, Act::Compact);
            story.promises(|_| ());
        }
    }
}

/// A watch that cannot be opened is not asked for thousands of times.
#[test]
fn a_watch_that_is_refused_is_asked_for_with_patience() {
    let mut refused = life();
    for nth in 0..8 {
        refused = refused.api("binder WATCH pods", nth, ApiFault::Refused(500));
    }
    refused.promises(|_| ());
}

/// A write of a dead process that lands seconds later, when its successor has gone on: for each write of this story, by each process.
#[test]
fn a_write_of_a_dead_process_that_lands_late_does_no_harm() {
    let plan = life().plan();
    let outcome = run(&plan);
    assert!(outcome.violations.is_empty(), "{:?}", outcome.violations);
    let mut seen = std::collections::BTreeMap::<String, u64>::new();
    for entry in &outcome.trace.0 {
        let What::Requested { key } = &entry.what else { continue };
        let nth = seen.entry(key.to_string()).or_default();
        let (fault_nth, at, who) = (*nth, entry.at.as_millis() as u64, entry.who.to_string());
        *nth += 1;
        // One of each kind is enough of what is repeated for ever, or says nothing of volumes.
        if fault_nth > 2 || key.contains(" events") || key.contains(" leases node-1") || key.contains(" serviceaccounts") {
            continue;
        }
        life()
            .api(key, fault_nth, ApiFault::Slow(16_000))
            .at(at + 1, Act::Kill { process: who })
            .promises_once(|story| story.saw("is killed"));
    }
}
