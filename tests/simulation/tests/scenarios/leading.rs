//! Two replicas of each sidecar, one lease, and what each believes of it.
//!
//! Upstream 1.2, 1.3 and 3.2 had two leaders at once, or none: two programs with one lease's name, two identities that were one.

use simulation::{Act, ApiFault};

use crate::scenario::Scenario;

/// Two replicas of everything, of which `a` leads: `b` stands still at first.
fn two() -> Scenario {
    let late = |process: &str| Act::Freeze { process: process.into(), ms: 3000 };
    let two = Scenario::new().shape(|shape| shape.replicas = 2);
    // And so long that whoever stood still goes on before everything is over.
    two.at(0, late("provisioner-b")).at(0, late("attacher-b")).claim(90_000, "c9", "fast")
}

fn frozen(process: &str, ms: u64) -> Act {
    Act::Freeze { process: process.into(), ms }
}

/// A leader that stood still past its lease goes on where it stood. Upstream would act before it notices; ours asks its own clock, and
/// right before the call once more.
#[test]
fn a_leader_that_stood_still_past_its_lease_does_nothing_more() {
    for at in [5005, 5015, 5030, 5060] {
        two().keep().claim(5000, "c0", "fast").pod(5001, "p0", &["c0"]).at(at, frozen("provisioner-a", 60_000)).promises(
            |story| {
                story.saw_in_order(&["stands still", "done: NodePublishVolume pv:c0", "provisioner-a goes on"]);
            },
        );
        two().keep().claim(5000, "c0", "fast").pod(5001, "p0", &["c0"]).at(at + 100, frozen("attacher-a", 60_000)).promises(
            |story| {
                story.saw("done: NodePublishVolume pv:c0");
            },
        );
    }
}

/// The same in the middle of a step: while it waits for a secret. What it had decided on is dropped, and the other has done it by then.
#[test]
fn a_leader_that_waited_past_its_lease_does_not_call_the_driver() {
    for (process, rpc) in [("attacher-a", "ControllerPublishVolume"), ("provisioner-a", "CreateVolume")] {
        two()
            .keep()
            .shape(|shape| shape.secrets = true)
            .claim(6000, "c0", "fast")
            .pod(6001, "p0", &["c0"])
            .api(&format!("{process} GET secrets backend"), 0, ApiFault::Slow(4000))
            .at(7500, frozen(process, 60_000))
            .promises(|story| {
                story.never_saw(&format!("{process} sends {rpc}"));
                story.saw("done: NodePublishVolume pv:c0");
            });
    }
}

/// A claim is deleted while the leader that was about to delete its volume stands still: the other does it, and nobody twice.
#[test]
fn a_deletion_that_was_handed_over_is_not_repeated() {
    two()
        .claim(5000, "c0", "fast")
        .at(12_000, Act::DeleteClaim { name: "c0".into() })
        .at(12_020, frozen("provisioner-a", 50_000))
        .promises(|story| {
            story.saw_in_order(&["done: DeleteVolume pv:c0", "provisioner-a goes on"]);
            assert_eq!(story.count("done: DeleteVolume pv:c0"), 1);
        });
}

/// Renewals that fail for a while end no process: upstream exits and starts with cold caches. Ours steps down, and goes on when the lease
/// is its own again.
#[test]
fn a_lease_that_cannot_be_renewed_ends_no_process() {
    two().keep().at(4000, Act::ApiDown { ms: 40_000 }).claim(50_000, "c0", "fast").promises(|story| {
        story.never_saw("is dead");
        story.saw("done: CreateVolume pv:c0");
    });
}

/// Answers to renewals that never come are as good as none: somebody leads, and never two.
#[test]
fn a_renewal_whose_answer_is_lost_makes_no_second_leader() {
    let mut lost = two().keep().claim(9000, "c0", "fast").pod(9001, "p0", &["c0"]);
    for nth in 0..2 {
        lost = lost.api("attacher-a UPDATE leases external-attacher-leader-sim-example-com", nth, ApiFault::Silent);
    }
    lost.promises(|story| story.saw("done: NodePublishVolume pv:c0"));
}

/// A leader dies for good while it makes a volume: the other goes on from its intent.
#[test]
fn an_intent_is_gone_on_from_by_the_other_replica() {
    two()
        .claim(5000, "c0", "fast")
        .at(5012, frozen("provisioner-a", 90_000))
        .at(5500, Act::DeleteClaim { name: "c0".into() })
        .promises(|story| story.never_saw("is dead"));
}
