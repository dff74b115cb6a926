//! Drivers that come and go by their sockets, and what the Node and its CSINode say of them. The table of all races is in `node.rs`.
//!
//! The simulator's laws at rest: the Node's annotation and the CSINode, which is owned by the Node that is there, name the driver.

use simulation::Act;
use simulation::driver::CallFault;

use crate::scenario::Scenario;

/// The socket that is there from the start.
const FIRST: &str = "sim-reg.sock";
const SECOND: &str = "sim-reg-2.sock";

fn mounted() -> Scenario {
    Scenario::new().claim(1000, "c0", "fast").pod(2000, "p0", &["c0"])
}

fn socket(name: &str, made: impl Into<Option<u64>>) -> Act {
    Act::Socket { name: name.into(), made: made.into() }
}

/// R4: in a rolling update the new registrar is refused while the old one is there, and exits. Ours takes the new one at once.
#[test]
fn in_a_rolling_update_the_new_registrar_is_taken_while_the_old_one_is_there() {
    mounted()
        .keep()
        .at(6000, socket(SECOND, 2))
        .at(12_000, socket(FIRST, None))
        .claim(13_000, "c1", "fast")
        .pod(14_000, "p1", &["c1"])
        .promises(|story| {
            story.saw_in_order(&[
                "tells sim-reg-2.sock: registered",
                "takes the socket sim-reg.sock away",
                "done: NodePublishVolume pv:c1",
            ]);
            story.never_saw("not registered");
        });
}

/// R5: the old socket goes, and takes the registration along that came by the new one. Ours looks by which socket it came.
#[test]
fn an_old_socket_that_goes_does_not_take_the_new_registration_along() {
    mounted()
        .at(6000, socket(SECOND, 2))
        .at(12_000, socket(FIRST, None))
        .at(20_000, Act::DeletePod { name: "p0".into() })
        .promises(|story| {
            story.saw("done: NodeUnstageVolume pv:c0");
            // Once, when it first came.
            assert_eq!(story.count("mounter 200: UPDATE csinodes"), 1);
        });
}

/// R5, the other way round: the newer one goes, and the older goes on.
#[test]
fn a_driver_goes_on_by_its_older_socket_when_the_newer_goes() {
    mounted()
        .keep()
        .at(6000, socket(SECOND, 2))
        .at(12_000, socket(SECOND, None))
        .claim(15_000, "c1", "fast")
        .pod(16_000, "p1", &["c1"])
        .promises(|story| {
            assert_eq!(story.count("tells sim-reg.sock: registered"), 2);
            story.saw("done: NodePublishVolume pv:c1");
        });
}

/// R6: a socket that is made again between two looks is taken for the one that was there. Ours tells them apart.
#[test]
fn a_socket_that_is_made_again_is_registered_again() {
    mounted().keep().at(6000, socket(FIRST, 2)).promises(|story| assert_eq!(story.count("tells sim-reg.sock: registered"), 2));
}

/// R7: a lost event is a plugin missed until the next restart. Here every event is lost: ours looks every so often.
#[test]
fn a_driver_that_comes_late_is_found_though_every_event_is_lost() {
    Scenario::new()
        .keep()
        .at(0, socket(FIRST, None))
        .claim(1000, "c0", "fast")
        .pod(2000, "p0", &["c0"])
        .at(10_000, socket(FIRST, 2))
        .promises(|story| story.saw_in_order(&["makes the socket", "registered", "done: NodePublishVolume pv:c0"]));
}

/// R8: the registrar stops while volumes are mounted. Nothing of them can be unmounted, and ours says that they are in use until
/// the driver is back and has unmounted them.
#[test]
fn volumes_of_a_driver_that_has_gone_stay_attached_until_it_is_back() {
    mounted()
        .at(6000, socket(FIRST, None))
        .at(10_000, Act::DeletePod { name: "p0".into() })
        .at(30_000, socket(FIRST, 2))
        .promises(|story| {
            story.saw_in_order(&["makes the socket", "done: NodeUnstageVolume pv:c0", "done: ControllerUnpublishVolume pv:c0"]);
            assert!(story.times("sends NodeUnpublishVolume pv:c0")[0] > 30.0);
        });
}

/// R9: two agents on a node write their drivers' ids over each other. Ours looks every so often, and adds what is missing.
#[test]
fn ids_that_another_agent_wrote_over_are_put_back() {
    mounted()
        .keep()
        .at(6000, Act::OverwriteNodeIds)
        .promises(|story| story.saw_in_order(&["overwrites", "mounter 200: PATCH nodes node-1"]));
}

/// R10: the Node is deleted and made again under a running agent, whose CSINode is then collected as the dead one's. Ours makes
/// Node and CSINode again, mounts go on, and new pods get their volumes.
#[test]
fn a_node_that_is_deleted_is_made_again_with_its_drivers_and_its_volumes() {
    for late in [0, 30, 1000] {
        mounted().keep().claim(1000, "c1", "fast").at(6000, Act::DeleteNode).pod(6000 + late, "p1", &["c1"]).promises(|story| {
            story.saw_in_order(&["deletes the node", "mounter 201: CREATE nodes node-1"]);
            story.saw("done: NodePublishVolume pv:c1");
            story.never_saw("sends NodeUnpublishVolume pv:c0");
        });
    }
}

/// R10, while its pod goes: what is mounted is unmounted before it is detached, though the new Node did not know of it at first.
#[test]
fn a_volume_is_unmounted_before_it_is_detached_though_its_node_was_made_again() {
    for late in [0, 20, 100, 1500] {
        mounted()
            .call("mounter NodeUnstageVolume pv:c0", 0, CallFault::Late { effect_ms: 9000, answer_ms: 0 })
            .at(6000, Act::DeleteNode)
            .at(6000 - late, Act::DeletePod { name: "p0".into() })
            .promises(|story| story.saw_in_order(&["done: NodeUnstageVolume pv:c0", "done: ControllerUnpublishVolume pv:c0"]));
    }
}
