//! Claims, volumes and the pods that want them. Upstream is kube-controller-manager and the scheduler; its quirks are those of their
//! source.
//!
//! What does not apply to these runs:
//!
//! | quirk | why not |
//! |---|---|
//! | a classless claim that names its volume gets the default class | the runs have no default class: tests of `claims/plan.rs` |
//! | groups of access modes: a volume given to the claim may lose | which volume of several fits: tests of `matching.rs` |
//! | a class that is not there counts as Immediate; a class without a binding mode | tests of `claims/plan.rs` |
//! | nodeAffinity by matchFields | tests of `matching.rs` |
//! | in-tree plugins, recycling, migration | not there |

use simulation::{Act, ApiFault};

use crate::scenario::Scenario;

/// Binding is four writes, and a death between any two is gone on from by what is written.
#[test]
fn a_binder_that_dies_between_the_writes_of_a_binding_finishes_it() {
    let writes = [
        ("binder PATCH persistentvolumeclaims c0", 0),
        ("binder PATCH persistentvolumes/status pv:c0", 0),
        ("binder PATCH persistentvolumeclaims c0", 1),
        ("binder PATCH persistentvolumeclaims/status c0", 0),
        ("binder CREATE pods/binding p0", 0),
    ];
    for (write, nth) in writes {
        for fault in [ApiFault::KillBefore, ApiFault::KillAfter, ApiFault::Unanswered, ApiFault::Refused(409)] {
            Scenario::new()
                .keep()
                .claim(1000, "c0", "fast")
                .pod(1100, "p0", &["c0"])
                .api(write, nth, fault)
                .promises(|story| story.saw("done: NodePublishVolume pv:c0"));
        }
    }
}

/// Upstream never looks whether a claim is being deleted, and provisions for one that is. Ours asks nobody for it.
#[test]
fn nothing_is_provisioned_for_a_claim_that_is_going() {
    Scenario::new()
        .at(800, Act::Freeze { process: "binder".into(), ms: 4000 })
        .claim(1000, "c0", "fast")
        .at(1500, Act::DeleteClaim { name: "c0".into() })
        .promises(|story| story.never_saw("sends CreateVolume"));
}

/// Upstream notices only with its next resync that a claim went before it was bound, and its volume waits so long. Ours releases it at
/// once.
#[test]
fn a_volume_whose_claim_went_before_it_was_bound_is_released() {
    Scenario::new()
        .claim(1000, "c0", "fast")
        .api("binder PATCH persistentvolumeclaims c0", 0, ApiFault::KillAfter)
        .at(1100, Act::DeleteClaim { name: "c0".into() })
        .promises(|story| story.saw_in_order(&["deletes claim c0", "done: DeleteVolume pv:c0", "from here on"]));
}

/// That our cache has not heard of a claim is no reason to give its volume away: it is looked up first.
#[test]
fn a_volume_whose_claim_is_not_heard_of_yet_is_not_released() {
    for ms in [2000, 5000] {
        Scenario::new()
            .keep()
            .claim(1000, "c0", "fast")
            .api("binder WATCH persistentvolumeclaims", 0, ApiFault::Stale(ms))
            .at(1500, Act::Kill { process: "binder".into() })
            .pod(9000, "p0", &["c0"])
            .promises(|story| {
                story.never_saw("sends DeleteVolume");
                story.saw("done: NodePublishVolume pv:c0");
            });
    }
}

/// A claim that is called Lost because the cache is old would never recover: the volume is looked up first.
#[test]
fn a_claim_whose_volume_is_not_heard_of_yet_is_not_lost() {
    Scenario::new()
        .keep()
        .claim(1000, "c0", "fast")
        .api("binder WATCH persistentvolumes", 0, ApiFault::Stale(5000))
        .at(1200, Act::Kill { process: "binder".into() })
        .pod(9000, "p0", &["c0"])
        .promises(|story| story.saw("done: NodePublishVolume pv:c0"));
}

/// Of two claims that want one free volume one gets it, and the other gets another; who dies meanwhile changes nothing of that.
#[test]
fn a_freed_volume_goes_to_one_of_two_claims() {
    for fault in [ApiFault::Refused(409), ApiFault::KillAfter, ApiFault::Unanswered] {
        Scenario::new()
            .keep()
            .claim(1000, "c0", "keep")
            .at(3000, Act::DeleteClaim { name: "c0".into() })
            .at(6000, Act::FreeVolume { claim: "c0".into() })
            .claim(6400, "c1", "keep")
            .claim(6401, "c2", "keep")
            .api("binder PATCH persistentvolumes pv:c0", 0, fault)
            .promises(|story| assert_eq!(story.count("done: CreateVolume"), 2));
    }
}

/// A claim that waits for its consumer is asked for once there is one, and not before.
#[test]
fn a_claim_that_waits_for_its_consumer_waits() {
    let waits = Scenario::new().keep().claim(1000, "c0", "wait");
    waits.clone().promises(|story| story.never_saw("sends CreateVolume"));
    waits
        .pod(5000, "p0", &["c0"])
        .promises(|story| story.saw_in_order(&["makes pod p0", "sends CreateVolume", "pods/binding p0"]));
}

/// The pod that a claim waited for goes while its volume is made: the volume is the claim's all the same.
#[test]
fn a_claim_whose_consumer_goes_meanwhile_keeps_its_volume() {
    Scenario::new()
        .keep()
        .claim(1000, "c0", "wait")
        .pod(2000, "p0", &["c0"])
        .at(2040, Act::ForceDeletePod { name: "p0".into() })
        .pod(9000, "p1", &["c0"])
        .promises(|story| {
            assert_eq!(story.count("asks: CREATE persistentvolumes pv:c0"), 1);
            story.saw("done: NodePublishVolume pv:c0");
        });
}

/// A claim that is deleted while a pod uses it stays until the pod is gone; a pod that comes after that finds no claim, and waits.
#[test]
fn a_claim_in_use_is_deleted_after_its_pod() {
    Scenario::new()
        .claim(1000, "c0", "fast")
        .pod(1100, "p0", &["c0"])
        .at(6000, Act::DeleteClaim { name: "c0".into() })
        .at(9000, Act::DeletePod { name: "p0".into() })
        .promises(|story| story.saw_in_order(&["deletes pod p0", "done: NodeUnpublishVolume", "done: DeleteVolume"]));
}

/// ReadWriteOncePod: the second pod gets the node when the first has given the volume up, and not before.
#[test]
fn a_volume_for_one_pod_is_handed_over() {
    let mode = "ReadWriteOncePod".to_owned();
    Scenario::new()
        .keep()
        .at(1000, Act::CreateClaim { name: "c0".into(), class: "fast".into(), mode, block: false })
        .pod(1100, "p0", &["c0"])
        .pod(4000, "p1", &["c0"])
        .at(9000, Act::DeletePod { name: "p0".into() })
        .promises(|story| {
            story.saw_in_order(&["pods/binding p0", "deletes pod p0", "done: NodeUnpublishVolume", "pods/binding p1"]);
        });
}
