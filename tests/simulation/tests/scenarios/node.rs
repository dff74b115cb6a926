//! Mounts, the journal and the pods they are for. Attachments are in `node_attach.rs`, registration in `node_plugins.rs`.
//!
//! The races and traps of a kubelet that this project counts (R1 to R31), and where each is shown, or why it is not:
//!
//! | race | where |
//! |---|---|
//! | R2, R3, R11, R12, R15, R16, R22, R29, R30, R31 | here |
//! | R1, R13, R14, R23, R24, R25, R26, R27 | `node_attach.rs` |
//! | R4, R5, R6, R7, R8, R9, R10 | `node_plugins.rs` |
//! | R17: the second pod's fsGroup finds a stage made for the first's | as upstream: the driver is told both, each in its call |
//! | R18: an interrupted fsGroup walk looks finished | below the simulator: node-mounter's `fs_group/tests.rs`, on real files |
//! | R19, R20: expansion and who sees which size | NodeExpandVolume is not built |
//! | R21: a cached token outlives what it was made for | nothing is cached: a token is requested for every publish that needs one |
//! | R28: mounts that are not shared are not seen | below the simulator: node-mounter shares its root before anything else |
//! | subPath races | the runtime's, not built here; its bind mounts are unmounted before NodeUnpublishVolume |

use fake_driver::Code;
use simulation::driver::CallFault;
use simulation::{Act, ApiFault, Damage, Deadly};

use crate::scenario::{Scenario, Story};

const STAGE: &str = "mounter NodeStageVolume pv:c0";
const PUBLISH: &str = "mounter NodePublishVolume pv:c0";
const UNPUBLISH: &str = "mounter NodeUnpublishVolume pv:c0";
const PROBE: &str = "mounter NodeGetCapabilities";

/// A claim and a pod that has it mounted within five seconds.
fn mounted() -> Scenario {
    Scenario::new().claim(1000, "c0", "fast").pod(2000, "p0", &["c0"])
}

fn delete(name: &str) -> Act {
    Act::DeletePod { name: name.into() }
}

fn kill() -> Act {
    Act::Kill { process: "mounter".into() }
}

/// R2: a stage without a pod's folder is forgotten by a crash, and the volume is detached under it. Ours finds it in its journal.
#[test]
fn what_was_staged_when_the_mounter_died_is_unstaged_before_it_is_detached() {
    for moment in [Deadly::Arrival, Deadly::Effect, Deadly::Answer] {
        mounted().dies(STAGE, 0, moment).at(3500, Act::ForceDeletePod { name: "p0".into() }).promises(|story| {
            story.saw_in_order(&["is killed", "mounter starts", "done: NodeUnstageVolume", "done: ControllerUnpublishVolume"])
        });
    }
}

/// R2, for the time between a publish and its record in the pod's folders: the same.
#[test]
fn what_was_published_when_the_mounter_died_is_unpublished() {
    for moment in [Deadly::Arrival, Deadly::Effect, Deadly::Answer] {
        mounted().dies(PUBLISH, 0, moment).at(3500, Act::ForceDeletePod { name: "p0".into() }).promises(|story| {
            story.saw_in_order(&["is killed", "mounter starts", "done: NodeUnpublishVolume", "done: NodeUnstageVolume"])
        });
    }
}

/// R3: a publish of unknown outcome is forgotten when the next attempt finds the driver dead. Ours stays on record, and is
/// unpublished.
#[test]
fn a_publish_of_unknown_outcome_is_unpublished_though_the_driver_was_dead_since() {
    mounted()
        .call(PUBLISH, 0, CallFault::RefusedAfter(Code::DeadlineExceeded))
        .call(PROBE, 2, CallFault::Unreachable)
        .at(3500, delete("p0"))
        .promises(|story| story.saw_in_order(&["done: NodePublishVolume", "Unreachable", "done: NodeUnpublishVolume"]));
}

/// R11: without vol_data.json nobody can say whose mount it is, and it is never unpublished. Ours is in the journal too.
#[test]
fn a_volume_whose_vol_data_is_lost_is_unmounted_all_the_same() {
    mounted()
        .at(6000, Act::LoseFiles { named: "vol_data.json".into() })
        .at(6100, kill())
        .at(7000, delete("p0"))
        .promises(|story| story.saw_in_order(&["is lost", "done: NodeUnpublishVolume", "done: NodeUnstageVolume"]));
}

/// R11, the other way round: the journal is damaged while everything is mounted. Ours is rebuilt from the folders.
#[test]
fn a_volume_whose_record_is_lost_is_found_by_its_folders() {
    for how in [Damage::Truncated, Damage::BitFlipped, Damage::Deleted] {
        mounted()
            .at(6000, Act::DamageJournal { how })
            .at(7000, delete("p0"))
            .promises(|story| story.saw_in_order(&["the journal is", "done: NodeUnpublishVolume", "done: NodeUnstageVolume"]));
    }
}

/// R11, when both are lost. The volume stays reported in use until it was mounted and unmounted once more.
#[test]
fn a_volume_of_which_everything_is_lost_is_detached_after_it_was_mounted_again() {
    mounted()
        .at(6000, Act::LoseFiles { named: "vol_data.json".into() })
        .at(6001, Act::DamageJournal { how: Damage::Truncated })
        .at(12_000, delete("p0"))
        .promises(|story| {
            story.saw_in_order(&[
                "is lost",
                "sends NodeStageVolume",
                "done: NodeUnstageVolume",
                "done: ControllerUnpublishVolume",
            ]);
            story.never_saw("takes away records");
        });
}

/// R11, when a record is lost between its being written and the folders it is about: nothing is mounted, and no pod comes again. Only a
/// person can tell.
#[test]
fn a_lost_record_of_a_volume_that_is_not_mounted_is_for_an_administrator() {
    mounted()
        .shape(|shape| shape.stage = false)
        .call(PROBE, 1, CallFault::Late { effect_ms: 0, answer_ms: 3000 })
        .at(5000, Act::DamageJournal { how: Damage::Truncated })
        .at(5001, Act::ForceDeletePod { name: "p0".into() })
        .promises(|story| story.saw_in_order(&["takes away records", "done: ControllerUnpublishVolume"]));
}

/// A status that a dead mounter sent reaches the API when the next one has mounted: it must not take the volume out of the list.
#[test]
fn a_status_of_a_former_life_does_not_undo_that_of_the_next() {
    mounted()
        .at(6000, delete("p0"))
        .api("mounter PATCH nodes/status node-1", 3, ApiFault::Slow(9000))
        .at(6900, kill())
        .pod(7000, "p1", &["c0"])
        .promises_once(|story| story.saw_in_order(&["Slow", "is killed", "done: NodePublishVolume", "409: PATCH nodes/status"]));
}

/// R11 for a device, which has no folder of its own in the pod's: the call that makes it is still under way when the journal is lost.
#[test]
fn a_device_whose_record_is_lost_while_it_is_published_is_unpublished() {
    let (name, class, mode) = ("c0".to_owned(), "fast".to_owned(), "ReadWriteOnce".to_owned());
    Scenario::new()
        .at(1000, Act::CreateClaim { name, class, mode, block: true })
        .pod(2000, "p0", &["c0"])
        .call(PUBLISH, 0, CallFault::Late { effect_ms: 13_000, answer_ms: 0 })
        .at(5000, Act::DamageJournal { how: Damage::Deleted })
        .at(5010, Act::ForceDeletePod { name: "p0".into() })
        .promises(|story| {
            story.saw_in_order(&["done: NodePublishVolume", "done: NodeUnpublishVolume", "done: NodeUnstageVolume"])
        });
}

/// R12: a republish that is refused takes the target away, and the unpublish cannot be made any more. Ours leaves what is mounted
/// as it is.
#[test]
fn a_republish_that_is_refused_leaves_what_is_mounted() {
    mounted()
        .shape(|shape| shape.republish = true)
        .call(PUBLISH, 1, CallFault::Refused(Code::FailedPrecondition))
        .at(120_000, delete("p0"))
        .promises(|story| {
            assert!(story.count("sends NodePublishVolume pv:c0") >= 3);
            assert_eq!(story.count("done: NodeUnpublishVolume pv:c0"), 1);
        });
}

/// R15: a pod that comes between the last unpublish and the unstage finds the volume pulled away. Ours stages it again for it.
#[test]
fn a_pod_that_comes_during_the_unmount_of_another_gets_the_volume() {
    for late in [0, 15, 30, 60, 120] {
        mounted().keep().at(6000, delete("p0")).pod(6000 + late, "p1", &["c0"]).promises(|story| {
            one_at_a_time(story);
            assert!(story.count("done: NodePublishVolume pv:c0") >= 2);
        });
    }
}

/// R16: two pods let go of one volume at once, and a driver that counts its users sees both calls interleaved. Ours makes one call
/// for one volume at a time.
#[test]
fn a_driver_gets_one_call_for_a_volume_at_a_time() {
    mounted()
        .pod(2010, "p1", &["c0"])
        .pod(2020, "p2", &["c0"])
        .call(UNPUBLISH, 0, CallFault::Late { effect_ms: 3000, answer_ms: 3000 })
        .at(8000, delete("p0"))
        .at(8000, delete("p1"))
        .at(8010, delete("p2"))
        .promises(|story| {
            one_at_a_time(story);
            assert_eq!(story.count("done: NodeUnpublishVolume pv:c0"), 3);
            assert_eq!(story.count("done: NodeUnstageVolume pv:c0"), 1);
        });
}

/// R22: a pod is deleted by force and made again under its name, and takes over what the first one had. Ours tells them apart by
/// their uids: the first one's mount goes, the second gets its own.
#[test]
fn a_pod_made_again_under_its_name_gets_a_mount_of_its_own() {
    for late in [0, 20, 200] {
        mounted().keep().at(6000, Act::ForceDeletePod { name: "p0".into() }).pod(6000 + late, "p0", &["c0"]).promises(|story| {
            assert_eq!(story.count("done: NodeUnpublishVolume pv:c0"), 1);
            assert_eq!(story.count("done: NodePublishVolume pv:c0"), 2);
        });
    }
}

/// R29: a mount point whose filesystem is dead counts as neither mounted nor absent, and nothing can be done with it. Ours asks the
/// kernel's table, never the mount point itself, and leaves the mending to the driver.
#[test]
fn dead_mounts_are_unmounted() {
    mounted().at(6000, Act::KillMounts).at(7000, delete("p0")).promises(|story| {
        story.saw_in_order(&["is dead", "done: NodeUnpublishVolume", "done: NodeUnstageVolume"]);
    });
}

/// R29, after a restart: what a pod still wants is staged and published again over what is dead.
#[test]
fn dead_mounts_are_mounted_again_after_a_restart() {
    mounted().keep().at(6000, Act::KillMounts).at(6100, kill()).promises(|story| {
        story.saw_in_order(&["is dead", "mounter starts", "done: NodeStageVolume", "done: NodePublishVolume"]);
    });
}

/// R30: one pod's failing unmount and another's failing mount of one volume reset each other's backoff, and spin. Ours waits for
/// each by itself.
#[test]
fn failing_mounts_and_unmounts_of_one_volume_do_not_hurry_each_other() {
    let scenario = mounted().at(6000, delete("p0")).pod(6100, "p1", &["c0"]);
    let scenario = scenario.refused(UNPUBLISH, 6, Code::Internal);
    let scenario = (1..7).fold(scenario, |scenario, nth| scenario.call(PUBLISH, nth, CallFault::Refused(Code::Internal)));
    scenario.promises(|story| {
        for call in ["sends NodeUnpublishVolume pv:c0", "sends NodePublishVolume pv:c0"] {
            let times: Vec<f64> = story.times(call).into_iter().filter(|at| *at > 6.0).collect();
            // Half a second, doubling: six failures take at least ten seconds, whatever the jitter.
            let took = times[5] - times[0];
            assert!(took > 7.0, "{call} six times within {took} s: {times:?}");
        }
    });
}

/// R31: after a restart, a stage that is refused for good takes the volume's records along, and it is never unstaged. Ours keeps
/// the record until an unstage has succeeded.
#[test]
fn what_may_be_staged_is_unstaged_even_if_the_next_stage_is_refused() {
    for block in [false, true] {
        let (name, class, mode) = ("c0".to_owned(), "fast".to_owned(), "ReadWriteOnce".to_owned());
        Scenario::new()
            .at(1000, Act::CreateClaim { name, class, mode, block })
            .pod(2000, "p0", &["c0"])
            .dies(STAGE, 0, Deadly::Effect)
            .call(STAGE, 1, CallFault::Refused(Code::FailedPrecondition))
            .call(STAGE, 2, CallFault::Refused(Code::FailedPrecondition))
            .at(15_000, delete("p0"))
            .promises(|story| {
                story.saw_in_order(&[
                    "done: NodeStageVolume",
                    "mounter starts",
                    "sends NodeStageVolume",
                    "done: NodeUnstageVolume",
                ]);
            });
    }
}

/// A conflict may mean that another pod has the name by now, or nothing: the pod's object goes in the end.
#[test]
fn a_pod_whose_deletion_was_refused_once_is_deleted() {
    mounted()
        .api("mounter DELETE pods p0", 0, ApiFault::Refused(409))
        .at(6000, delete("p0"))
        .promises(|story| story.saw("200: DELETE pods p0"));
}

/// The disk is full when a pod comes: nothing is begun that could not be written down, and it is mounted once there is room.
#[test]
fn nothing_is_mounted_that_cannot_be_written_down() {
    Scenario::new().keep().claim(1000, "c0", "fast").at(1500, Act::FillDisk { ms: 20_000 }).pod(2000, "p0", &["c0"]).promises(
        |story| {
            assert!(story.times("sends NodeStageVolume pv:c0")[0] > 21.0);
        },
    );
}

/// The machine starts anew: its mounts are gone, its journal is not, and what pods still want is mounted again.
#[test]
fn after_a_reboot_everything_is_mounted_again() {
    mounted().keep().at(6000, Act::Reboot).promises(|story| {
        story.saw_in_order(&["starts anew", "mounter starts", "done: NodeStageVolume pv:c0", "done: NodePublishVolume pv:c0"]);
    });
}

/// Calls of the mounter for this volume, as the mounter sees them: sent, and then answered or given up.
fn one_at_a_time(story: &Story) {
    let mut under_way = 0;
    for line in story.lines().filter(|line| line.contains(" mounter ") && line.contains("Volume pv:c0")) {
        under_way += i32::from(line.contains(" sends "));
        under_way -= i32::from(line.contains(" done: ") || line.contains(" refused: "));
        assert!(under_way < 2, "two calls at once: {line}");
    }
}
