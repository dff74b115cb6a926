//! Attach and detach. Upstream's bugs are those of its CHANGELOG, by version.
//!
//! What does not apply to what is built:
//!
//! | bug | why not |
//! |---|---|
//! | 2.2, 3.2: finalizer not lifted when migration is rolled back | in-tree volumes are not migrated |
//! | 4.0: ext4 as a surprising default | a flag, without a default: tests of `flags.rs` |
//! | 3.0: a throttled client starves the election | no client limit by default; the elector's client is its own |
//! | 4.7: the context of the start was used after it | no such thing: every call has its own deadline |
//! | 4.11: the reconciler acts on others' attachments | the simulated driver does not list volumes: tests of `verify.rs` |

use fake_driver::Code;
use simulation::driver::CallFault;
use simulation::{Act, ApiFault, Deadly};

use crate::scenario::Scenario;

const PUBLISH: &str = "attacher-a ControllerPublishVolume pv:c0";
const UNPUBLISH: &str = "attacher-a ControllerUnpublishVolume pv:c0";

/// A claim and a pod that uses it.
fn used() -> Scenario {
    Scenario::new().claim(1000, "c0", "fast").pod(1100, "p0", &["c0"])
}

fn unused_again() -> Scenario {
    used().at(8000, Act::DeletePod { name: "p0".into() })
}

/// 2.0: attachments were replaced whole, and a conflict with whoever else had written lost the attach. Ours patches what it means, and
/// publishes again, which changes nothing, when even that does not get through.
#[test]
fn an_attachment_whose_status_cannot_be_written_at_first_is_attached_all_the_same() {
    for fault in [ApiFault::Refused(409), ApiFault::FailedAfter, ApiFault::Unanswered, ApiFault::Silent, ApiFault::Lost] {
        used()
            .keep()
            .api("attacher-a PATCH volumeattachments/status va:c0", 0, fault)
            .promises(|story| story.saw("done: NodePublishVolume pv:c0"));
    }
}

/// A deletion that is slow to arrive, and a pod that comes meanwhile: a volume that is said to be attached again would be mounted,
/// and detached under the mount. Ours finishes the deletion first.
#[test]
fn a_volume_whose_detach_is_on_its_way_is_not_called_attached_for_the_next_pod() {
    for fault in [ApiFault::Slow(1500), ApiFault::Unanswered, ApiFault::FailedAfter] {
        Scenario::new()
            .claim(1000, "c0", "fast")
            .claim(1000, "c1", "fast")
            .pod(1100, "p0", &["c0", "c1"])
            .at(8000, Act::DeletePod { name: "p0".into() })
            .api("binder DELETE volumeattachments va:c0", 0, fault)
            .pod(8700, "p1", &["c0", "c1"])
            .promises(|story| story.saw_in_order(&["done: ControllerUnpublishVolume pv:c0", "done: NodePublishVolume pv:c0"]));
    }
}

/// 2.0 took NotFound from ControllerUnpublishVolume for success, and let go of volumes that were attached. Ours takes it for an error,
/// and keeps the attachment until the driver says that it is done.
#[test]
fn what_the_driver_cannot_find_to_detach_is_not_called_detached() {
    unused_again().refused(UNPUBLISH, 2, Code::NotFound).promises(|story| {
        assert_eq!(story.count("sends ControllerUnpublishVolume pv:c0"), 3);
        story.saw_in_order(&["done: ControllerUnpublishVolume pv:c0", "sends DeleteVolume pv:c0"]);
    });
}

/// 1.1, 3.4: the attacher saw its own report of an error as a change, and tried again at once, for ever. Ours waits out its backoff.
#[test]
fn a_reported_error_is_no_reason_to_try_again() {
    used().keep().refused(PUBLISH, 4, Code::Internal).promises(|story| {
        assert_eq!(story.count("sends ControllerPublishVolume pv:c0"), 5);
        assert!(story.count("attacher-a asks: PATCH volumeattachments/status va:c0") <= 6);
    });
}

/// 3.3: an attachment that went while the watch was broken made the attacher panic. Ours learns of it from the next list, and goes on.
#[test]
fn an_attachment_that_went_unseen_is_no_trouble() {
    for fault in [ApiFault::Cut(3), ApiFault::Stale(4000), ApiFault::Cut(0)] {
        unused_again()
            .api("attacher-a WATCH volumeattachments", 0, fault)
            .at(7900, Act::Compact)
            .claim(15_000, "c1", "fast")
            .pod(15_100, "p1", &["c1"])
            .promises(|story| story.saw("done: NodePublishVolume pv:c1"));
    }
}

/// 3.2: a node that was switched off had lost its driver from CSINode, and nothing could be detached from it. Ours detaches by the node
/// id that it wrote down when it attached.
#[test]
fn a_node_that_is_gone_is_detached_from() {
    used()
        .at(6000, Act::Freeze { process: "mounter".into(), ms: 60_000 })
        .at(6050, Act::Freeze { process: "attacher-a".into(), ms: 20_000 })
        .at(6100, Act::ForceDeletePod { name: "p0".into() })
        .at(6200, Act::OutOfService { ms: 30_000 })
        .at(8000, Act::DeleteNode)
        .promises(|story| {
            story.saw_in_order(&["deletes the node", "attacher-a goes on", "done: ControllerUnpublishVolume"]);
        });
}

/// 4.9: the status was written before the finalizer went, and a crash between the two detached twice. Ours removes the finalizer first.
#[test]
fn a_death_between_the_writes_of_a_detach_does_not_repeat_it() {
    unused_again().api("attacher-a PATCH volumeattachments va:c0", 1, ApiFault::KillAfter).promises(|story| {
        assert_eq!(story.count("sends ControllerUnpublishVolume pv:c0"), 1);
    });
}

/// A driver that attaches after its caller has given up would leave a volume attached that nobody knows of: the attachment stays until
/// the driver has confirmed the detach.
#[test]
fn an_attach_that_comes_true_too_late_is_undone() {
    for fault in [
        CallFault::Late { effect_ms: 15_000, answer_ms: 0 },
        CallFault::Late { effect_ms: 0, answer_ms: 15_000 },
        CallFault::AnswerLost,
        CallFault::RefusedAfter(Code::DeadlineExceeded),
    ] {
        used().call(PUBLISH, 0, fault).at(1600, Act::DeletePod { name: "p0".into() }).promises(|story| {
            story.saw_in_order(&["done: ControllerPublishVolume pv:c0", "done: ControllerUnpublishVolume pv:c0"]);
        });
    }
}

/// A way to the driver that repeats what it carries attaches once, and detaches once.
#[test]
fn a_call_that_arrives_twice_counts_once() {
    unused_again().call(PUBLISH, 0, CallFault::Twice).call(UNPUBLISH, 0, CallFault::Twice).promises(|story| {
        assert_eq!(story.count("sends ControllerPublishVolume pv:c0"), 1);
        assert_eq!(story.count("sends ControllerUnpublishVolume pv:c0"), 1);
    });
}

/// The sidecar may die at any moment of an attach: it is finished by the next one, or undone.
#[test]
fn an_attacher_that_dies_while_it_attaches_is_no_loss() {
    for moment in [Deadly::Arrival, Deadly::Effect, Deadly::Answer] {
        used().keep().dies(PUBLISH, 0, moment).promises(|story| story.saw("done: NodePublishVolume pv:c0"));
        used().dies(PUBLISH, 0, moment).at(1700, Act::DeletePod { name: "p0".into() }).promises(|story| {
            story.saw("done: ControllerUnpublishVolume pv:c0");
        });
    }
}

/// And at any moment of a detach: the volume is deleted only after it.
#[test]
fn an_attacher_that_dies_while_it_detaches_detaches_when_it_is_back() {
    for moment in [Deadly::Arrival, Deadly::Effect, Deadly::Answer] {
        unused_again().at(8100, Act::DeleteClaim { name: "c0".into() }).dies(UNPUBLISH, 0, moment).promises(|story| {
            story.saw_in_order(&["is killed", "attacher-a starts", "done: ControllerUnpublishVolume", "sends DeleteVolume"]);
        });
    }
}

/// A PersistentVolume that is deleted by hand while it is attached stays until it is detached: the detach needs its handle.
#[test]
fn a_volume_that_is_deleted_by_hand_while_it_is_attached_is_detached_first() {
    unused_again().at(5000, Act::DeleteVolume { claim: "c0".into() }).promises(|story| {
        story.saw_in_order(&["done: ControllerUnpublishVolume pv:c0", "done: DeleteVolume pv:c0"]);
    });
}

/// A secret that is gone when it is needed for a detach holds that up, and says so in the attachment; the detach is done when it is
/// back, and nothing is forgotten meanwhile.
#[test]
fn a_detach_whose_secret_is_gone_waits_for_it() {
    unused_again().shape(|shape| shape.secrets = true).at(7000, Act::DeleteSecret).at(20_000, Act::CreateSecret).promises(
        |story| {
            story.saw_in_order(&[
                "deletes the secret",
                "makes the secret",
                "done: ControllerUnpublishVolume",
                "done: DeleteVolume",
            ]);
        },
    );
}

/// A driver that is down when the sidecars start is waited for.
#[test]
fn a_driver_that_comes_up_late_is_waited_for() {
    used().keep().at(0, Act::DriverDown { ms: 9000 }).promises(|story| story.saw("done: NodePublishVolume pv:c0"));
}
