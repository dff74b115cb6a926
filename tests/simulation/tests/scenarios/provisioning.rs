//! CreateVolume and DeleteVolume, and what may be lost around them. Upstream's weak spots are those of its CHANGELOG, by version, and of
//! its open issues.
//!
//! What does not apply to what is built:
//!
//! | weak spot | why not |
//! |---|---|
//! | 6.2, #1449: sources that are going; 6.3: their finalizers | volumes are made empty: no snapshots, no clones |
//! | 3.0, 5.0: data races of the clone controller | no clones |
//! | 2.2 to 6.3: capacity objects | GetCapacity is not published |
//! | 3.0: metrics lost with migration | in-tree volumes are not migrated |
//! | 1.5, 1.6, 2.1: reads per volume; #68, #322: throttling | rates, not order: `hack/bench` |
//! | 3.4: crash on a volume without claimRef, on a volume mode | facts of a view: tests of `plan/volume.rs` and `pv.rs` |
//! | 2.2: secrets in logs | a law of every run (`secrets stay`), and `Secret`'s own tests |

use fake_driver::Code;
use simulation::driver::CallFault;
use simulation::{Act, ApiFault, Deadly};

use crate::scenario::Scenario;

const CREATE: &str = "provisioner-a CreateVolume pv:c0";
const DELETE: &str = "provisioner-a DeleteVolume pv:c0";
const SAVE: &str = "provisioner-a CREATE persistentvolumes pv:c0";

fn claim() -> Scenario {
    Scenario::new().claim(1000, "c0", "fast")
}

fn delete_claim() -> Act {
    Act::DeleteClaim { name: "c0".into() }
}

/// external-provisioner#486: the sidecar dies while CreateVolume is under way, the claim goes meanwhile. Upstream leaks the volume;
/// ours finds its intent, asks again by the same name, and deletes what came of it.
#[test]
fn a_volume_whose_claim_goes_while_its_provisioner_is_dead_is_deleted() {
    for moment in [Deadly::Arrival, Deadly::Effect, Deadly::Answer] {
        claim().dies(CREATE, 0, moment).at(1200, delete_claim()).promises(|story| {
            story.saw_in_order(&["is killed", "provisioner-a starts", "done: CreateVolume", "done: DeleteVolume"]);
        });
    }
}

/// The same between the driver's answer and the PersistentVolume, and as that is written.
#[test]
fn a_volume_that_is_made_and_not_saved_is_saved_by_whoever_comes_next() {
    for fault in [ApiFault::KillBefore, ApiFault::KillAfter] {
        claim().api(SAVE, 0, fault).at(1200, delete_claim()).promises(|story| {
            story.saw_in_order(&["is killed", "provisioner-a starts", "done: DeleteVolume"]);
        });
    }
}

/// external-provisioner#1469: the claim's cache was old after a quick create, bind and delete; upstream made the volume a second time,
/// took the PersistentVolume that was still going for its own, and leaked it. Ours writes the second volume down too, and it goes the
/// way of the first.
#[test]
fn a_claim_that_went_unseen_leaves_nothing_behind() {
    for ms in [3000, 6000, 9000] {
        claim()
            .api("provisioner-a WATCH persistentvolumeclaims", 0, ApiFault::Stale(ms))
            .at(1400 + u64::from(ms), delete_claim())
            .at(
                1500 + u64::from(ms),
                Act::CreateClaim { name: "c0".into(), class: "fast".into(), mode: "ReadWriteOnce".into(), block: false },
            )
            .promises(|story| story.saw_in_order(&["done: CreateVolume pv:c0", "done: DeleteVolume pv:c0"]));
    }
}

/// 1.4: a driver that answered too late made a volume that nobody had asked for any more. Ours goes on asking for as long as a call may
/// run, whatever becomes of the claim.
#[test]
fn a_volume_that_is_made_after_its_claim_went_is_deleted() {
    for fault in [
        CallFault::Late { effect_ms: 15_000, answer_ms: 0 },
        CallFault::Late { effect_ms: 0, answer_ms: 15_000 },
        CallFault::AnswerLost,
        CallFault::RefusedAfter(Code::Aborted),
        CallFault::RefusedAfter(Code::DeadlineExceeded),
    ] {
        claim().call(CREATE, 0, fault).at(1500, delete_claim()).promises(|story| {
            story.saw_in_order(&["deletes claim c0", "done: DeleteVolume pv:c0"]);
        });
    }
}

/// A way to the driver that repeats what it carries makes one volume, and deletes it once.
#[test]
fn a_call_that_arrives_twice_makes_one_volume() {
    claim().call(CREATE, 0, CallFault::Twice).call(DELETE, 0, CallFault::Twice).promises(|story| {
        assert_eq!(story.count("asks: CREATE persistentvolumes pv:c0"), 1);
        assert_eq!(story.count("sends DeleteVolume pv:c0"), 1);
    });
}

/// 1.1: upstream stopped trying to save a PersistentVolume after some failures, and leaked what it would have named. Ours never stops.
#[test]
fn a_volume_is_saved_however_often_that_fails() {
    for fault in [ApiFault::Refused(500), ApiFault::Lost, ApiFault::Refused(429), ApiFault::Refused(409)] {
        let fails = (0..7).fold(claim().keep(), |fails, nth| fails.api(SAVE, nth, fault));
        fails.promises(|story| assert_eq!(story.count("sends CreateVolume pv:c0"), 1));
    }
    // It was saved, and who saved it does not know.
    for fault in [ApiFault::FailedAfter, ApiFault::Unanswered, ApiFault::Silent] {
        claim().keep().api(SAVE, 0, fault).promises(|story| assert_eq!(story.count("sends CreateVolume pv:c0"), 1));
    }
}

/// 3.1: a claim that there was no room for was asked for again and again after it was deleted. Ours stops with the claim, since the
/// driver has said no; while its protection is being lifted the claim is there, and may be asked for once more.
#[test]
fn a_claim_that_was_refused_and_is_deleted_is_not_asked_for_again() {
    claim().refused(CREATE, 1, Code::ResourceExhausted).at(1150, delete_claim()).promises(|story| {
        assert!(story.count("sends CreateVolume pv:c0") <= 2);
    });
}

/// A driver that has no room now has some later: the claim is asked for again, and gets its volume.
#[test]
fn a_claim_that_was_refused_is_asked_for_again() {
    claim().keep().refused(CREATE, 3, Code::ResourceExhausted).promises(|story| {
        assert_eq!(story.count("done: CreateVolume pv:c0"), 1);
    });
}

/// 3.5, 6.1: the node that was chosen for a claim went, and upstream tried for it for ever. Ours gives the pod back to the scheduler, and
/// the claim gets its volume when there is a node again.
#[test]
fn a_claim_whose_node_goes_gets_its_volume_when_there_is_one_again() {
    for ms in [1105, 1120, 1150] {
        Scenario::new()
            .keep()
            .shape(|shape| shape.topology = true)
            .claim(1000, "c0", "wait")
            .pod(1100, "p0", &["c0"])
            .at(ms, Act::DeleteNode)
            .promises(|story| story.saw("done: NodePublishVolume pv:c0"));
    }
}

/// 3.5: no room in reach of the node that was chosen: the claim is placed anew rather than stuck on that node.
#[test]
fn a_claim_without_room_at_its_node_is_placed_anew() {
    Scenario::new()
        .keep()
        .shape(|shape| shape.topology = true)
        .claim(1000, "c0", "wait")
        .pod(1100, "p0", &["c0"])
        .refused(CREATE, 2, Code::ResourceExhausted)
        .promises(|story| story.saw("done: NodePublishVolume pv:c0"));
}

/// 5.1: a PersistentVolume that was deleted before its claim stayed for ever. Ours holds it while it is in use, deletes the volume when
/// the claim is gone, and then lets it go.
#[test]
fn a_volume_that_is_deleted_before_its_claim_goes_with_it() {
    claim().at(3000, Act::DeleteVolume { claim: "c0".into() }).at(6000, delete_claim()).promises(|story| {
        assert_eq!(story.count("sends DeleteVolume pv:c0"), 1);
        story.saw_in_order(&["deletes claim c0", "sends DeleteVolume pv:c0", "from here on"]);
    });
}

/// 3.2: a volume whose class was deleted could not be deleted any more, since its secret was found by the class. Ours is written into the
/// PersistentVolume.
#[test]
fn a_volume_outlives_its_class() {
    claim()
        .shape(|shape| shape.secrets = true)
        .at(3000, Act::DeleteClass { name: "fast".into() })
        .at(6000, delete_claim())
        .promises(|story| story.saw_in_order(&["deletes claim c0", "done: DeleteVolume pv:c0", "from here on"]));
}

/// A class that is made anew with other parameters while CreateVolume is under way does not change what is asked: the same call is
/// repeated.
#[test]
fn a_class_that_changes_meanwhile_does_not_change_what_was_asked() {
    claim()
        .keep()
        .call(CREATE, 0, CallFault::Late { effect_ms: 0, answer_ms: 15_000 })
        .at(1500, Act::DeleteClass { name: "fast".into() })
        .at(1600, Act::CreateClass { name: "fast".into(), variant: 1 })
        .promises(|story| assert_eq!(story.count("asks: CREATE persistentvolumes pv:c0"), 1));
}

/// A secret that is not there yet is waited for; one that is gone does not keep the volume of a claim that is gone.
#[test]
fn a_secret_that_is_gone_is_waited_for_and_holds_no_deletion_up() {
    Scenario::new()
        .shape(|shape| shape.secrets = true)
        .at(500, Act::DeleteSecret)
        .claim(1000, "c0", "fast")
        .at(9000, Act::CreateSecret)
        .at(30_000, Act::DeleteSecret)
        .at(31_000, delete_claim())
        .promises(|story| {
            story.saw_in_order(&[
                "makes the secret",
                "done: CreateVolume pv:c0",
                "deletes claim c0",
                "done: DeleteVolume",
                "from here on",
            ]);
        });
}

/// A secret that goes while its volume is being made, and with it the claim: the intent is gone on from when the secret is back.
#[test]
fn a_volume_that_was_begun_with_a_secret_is_finished_when_that_is_back() {
    claim()
        .shape(|shape| shape.secrets = true)
        .call(CREATE, 0, CallFault::AnswerLost)
        .at(1100, Act::DeleteSecret)
        .at(1200, delete_claim())
        .at(20_000, Act::CreateSecret)
        .promises(|story| story.saw_in_order(&["makes the secret", "done: DeleteVolume pv:c0"]));
}

/// 2.0: volumes were deleted while they were attached. Ours waits for the end of every attachment, whatever goes first.
#[test]
fn a_volume_is_deleted_after_it_is_detached() {
    for forced in [false, true] {
        let pod = if forced { Act::ForceDeletePod { name: "p0".into() } } else { Act::DeletePod { name: "p0".into() } };
        claim().pod(1100, "p0", &["c0"]).at(8000, delete_claim()).at(8010, pod).promises(|story| {
            story.saw_in_order(&[
                "done: NodeUnpublishVolume",
                "done: ControllerUnpublishVolume pv:c0",
                "sends DeleteVolume pv:c0",
            ]);
        });
    }
}

/// DeleteVolume may be late, lost or cut off by a death: the PersistentVolume stays until the driver has confirmed.
#[test]
fn a_volume_keeps_its_name_until_the_driver_has_deleted_it() {
    for fault in [
        CallFault::Late { effect_ms: 15_000, answer_ms: 0 },
        CallFault::AnswerLost,
        CallFault::RefusedAfter(Code::Aborted),
        CallFault::Unreachable,
    ] {
        claim().at(3000, delete_claim()).call(DELETE, 0, fault).promises(|story| {
            story.saw_in_order(&["done: DeleteVolume pv:c0", "provisioner-a asks: DELETE persistentvolumes pv:c0"]);
        });
    }
    for moment in [Deadly::Arrival, Deadly::Effect, Deadly::Answer] {
        claim().at(3000, delete_claim()).dies(DELETE, 0, moment).promises(|story| {
            story.saw_in_order(&["is killed", "done: DeleteVolume pv:c0", "provisioner-a asks: DELETE persistentvolumes pv:c0"]);
        });
    }
}

/// An administrator who retains a volume at the last moment keeps it, if it was before the provisioner's last look.
#[test]
fn a_volume_that_is_retained_at_the_last_moment_is_kept() {
    claim()
        .at(3000, Act::Freeze { process: "provisioner-a".into(), ms: 4000 })
        .at(3100, delete_claim())
        .at(5000, Act::Retain { claim: "c0".into() })
        .promises(|story| story.never_saw("sends DeleteVolume"));
}

/// A claim that is made anew under its name gets a volume of its own, and the old one's is deleted.
#[test]
fn a_claim_gets_nothing_of_its_namesake() {
    for ms in [1015, 1040, 1100, 3000] {
        claim().at(ms, Act::ReplaceClaim { name: "c0".into() }).promises(|_| ());
    }
    claim().at(3000, delete_claim()).claim(3500, "c0", "fast").promises(|story| {
        assert_eq!(story.count("done: DeleteVolume pv:c0"), 2);
    });
}

/// Where nobody may write intents, a claim gets its volume all the same.
#[test]
fn a_missing_right_to_write_intents_holds_nobody_up() {
    claim().keep().shape(|shape| shape.intents = false).promises(|story| story.saw("done: CreateVolume pv:c0"));
}

/// An intent that may not be durable sends nothing: the call comes after the write is known.
#[test]
fn a_volume_is_asked_for_only_once_its_intent_is_known_to_be_durable() {
    for fault in [ApiFault::Refused(500), ApiFault::Lost, ApiFault::Unanswered, ApiFault::FailedAfter, ApiFault::Silent] {
        let write = "provisioner-a CREATE leases longshore-intents-sim-example-com";
        claim().keep().api(write, 0, fault).promises(|story| story.saw("done: CreateVolume pv:c0"));
    }
}
