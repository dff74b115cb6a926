//! The handshake around an attachment: who may rely on it, and who may take it away. The table of all races is in `node.rs`.

use fake_driver::Code;
use simulation::driver::CallFault;
use simulation::{Act, ApiFault};

use crate::scenario::Scenario;

const STATUS: &str = "mounter PATCH nodes/status node-1";

fn mounted() -> Scenario {
    Scenario::new().claim(1000, "c0", "fast").pod(2000, "p0", &["c0"])
}

fn delete(name: &str) -> Act {
    Act::DeletePod { name: name.into() }
}

/// R1: a mount that relies on what was read before the Node said that the volume is in use can be detached from. Ours writes first,
/// and reads after it: also when the write is lost, and when the detach is under way at that moment.
#[test]
fn a_volume_is_said_to_be_in_use_before_it_is_mounted() {
    for fault in [ApiFault::Refused(500), ApiFault::Lost, ApiFault::Unanswered, ApiFault::Slow(4000)] {
        mounted()
            .keep()
            .api(STATUS, 1, fault)
            .promises(|story| story.saw_in_order(&["200: PATCH nodes/status", "sends NodeStageVolume"]));
    }
}

/// R1, while the detach of the last user is under way: one of the two sees the other.
#[test]
fn a_pod_that_comes_during_the_detach_of_another_gets_the_volume() {
    for late in [40, 60, 80, 120, 250] {
        mounted()
            .keep()
            .at(6000, delete("p0"))
            .pod(6000 + late, "p1", &["c0"])
            .promises(|story| assert!(story.count("done: NodePublishVolume pv:c0") >= 2));
    }
}

/// R13: an attachment that is on its way out is taken for attached, because the next one has the same name. Ours waits until it has
/// come back.
#[test]
fn an_attachment_that_is_going_is_not_relied_on() {
    mounted()
        .keep()
        .call("attacher-a ControllerUnpublishVolume pv:c0", 0, CallFault::Late { effect_ms: 8000, answer_ms: 500 })
        .at(6000, delete("p0"))
        .pod(6500, "p1", &["c0"])
        .promises(|story| {
            story.saw_in_order(&["done: ControllerUnpublishVolume", "done: ControllerPublishVolume", "sends NodeStageVolume"]);
        });
}

/// R14: what the driver said at an attachment is used after a later one. Ours reads it again for every call: a mounter that was
/// frozen over a detach and a new attachment does not go on with what it knew.
#[test]
fn what_an_attachment_said_is_read_again_for_every_call() {
    mounted()
        .keep()
        .at(6000, delete("p0"))
        .at(6020, Act::Freeze { process: "mounter".into(), ms: 9000 })
        .pod(7000, "p1", &["c0"])
        .promises(|story| story.saw("done: NodePublishVolume pv:c0"));
}

/// R23: a pod that has ended is unused for whoever detaches, long before its volume is unmounted. Ours stays in use until it is
/// unstaged.
#[test]
fn a_volume_stays_in_use_until_it_is_unstaged_though_its_pod_has_ended() {
    mounted().refused("mounter NodeUnstageVolume pv:c0", 4, Code::Internal).at(6000, Act::EndPod { name: "p0".into() }).promises(
        |story| {
            story.saw_in_order(&[
                "pod p0 has ended",
                "done: NodeUnstageVolume",
                "200: PATCH nodes/status",
                "done: ControllerUnpublishVolume",
            ]);
        },
    );
}

/// R24: six minutes after a detach is wanted it is made by force, in the middle of a slow unmount. Ours waits for as long as it
/// takes.
#[test]
fn a_volume_that_cannot_be_unstaged_for_ten_minutes_is_not_detached() {
    mounted().refused("mounter NodeUnstageVolume pv:c0", 25, Code::Internal).at(6000, delete("p0")).promises(|story| {
        let unstaged = story.times("done: NodeUnstageVolume pv:c0")[0];
        assert!(unstaged > 366.0, "unstaged after {unstaged} s already");
        assert!(story.times("sends ControllerUnpublishVolume pv:c0")[0] > unstaged);
    });
}

/// R25: a node that was declared out of service goes on mounting what may be somebody else's by now. Ours unmounts what goes, and
/// mounts nothing until the node is back.
#[test]
fn a_node_that_is_out_of_service_mounts_nothing_and_unmounts_all_the_same() {
    mounted()
        .keep()
        .claim(1000, "c1", "fast")
        .call("attacher-a ControllerPublishVolume pv:c1", 0, CallFault::Late { effect_ms: 5000, answer_ms: 0 })
        .pod(5000, "p1", &["c1"])
        .at(6000, Act::OutOfService { ms: 20_000 })
        .at(7000, delete("p0"))
        .promises(|story| {
            story.saw_in_order(&[
                "is out of service",
                "done: NodeUnstageVolume pv:c0",
                "back into service",
                "sends NodeStageVolume pv:c1",
            ]);
        });
}

/// R26: the CSIDriver comes after the driver, and until then a driver that does not attach is waited for. Ours looks again when it
/// comes.
#[test]
fn a_pod_that_waits_for_an_attachment_goes_on_when_its_driver_turns_out_not_to_attach() {
    Scenario::new()
        .keep()
        .shape(|shape| shape.attach = false)
        .at(500, Act::DeleteDriver)
        .claim(1000, "c0", "fast")
        .pod(2000, "p0", &["c0"])
        .at(12_000, Act::CreateDriver)
        .promises(|story| story.saw("done: NodePublishVolume pv:c0"));
}

/// R27: an agent that cannot reach the API takes its pods for gone. Ours leaves everything mounted until all pods are listed.
#[test]
fn a_mounter_that_starts_without_the_api_leaves_everything_mounted() {
    mounted().keep().at(6000, Act::ApiDown { ms: 40_000 }).at(6500, Act::Kill { process: "mounter".into() }).promises(|story| {
        story.never_saw("sends NodeUnpublishVolume");
        story.never_saw("sends NodeUnstageVolume");
    });
}
