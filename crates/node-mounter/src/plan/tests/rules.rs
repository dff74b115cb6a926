//! One test per rule; its name is the rule.

use std::time::Duration;

use super::super::*;
use crate::journal::Publish;

fn place(pod: &str) -> Place {
    Place { pod_uid: pod.into(), spec_name: "pv-1".into() }
}

fn want(pod: &str) -> Want {
    Want {
        place: place(pod),
        mode: VolumeMode::Filesystem,
        attachable: true,
        inline: false,
        one_pod_only: false,
        republish: false,
        leaving: false,
    }
}

fn record(stage: Stage, publishes: &[(&str, bool)]) -> Record {
    let publish = |(pod, done): &(&str, bool)| Publish { place: place(pod), target: "/t".into(), done: *done };
    Record {
        driver: "d".into(),
        handle: "v".into(),
        mode: VolumeMode::Filesystem,
        inline: false,
        attachable: true,
        spec_name: "pv-1".into(),
        stage,
        staging_path: "/s".into(),
        publishes: publishes.iter().map(publish).collect(),
    }
}

/// Everything is in order, and nothing was begun.
fn view(wants: &[Want], record: Option<Record>) -> View {
    let alive = wants.iter().map(|want| (want.place.clone(), Life::Alive)).collect();
    View {
        now: Instant(Duration::from_secs(100)),
        record,
        wants: wants.to_vec(),
        pods: alive,
        pods_listed: true,
        driver_registered: true,
        reported_in_use: true,
        attached: true,
        out_of_service: false,
        leaked: Vec::new(),
        memory: Memory::default(),
    }
}

fn rests(view: &View) -> Why {
    match plan(view) {
        Next::Rest(why) => why,
        other => panic!("rests: {other:?}"),
    }
}

fn later(seconds: u64) -> Instant {
    Instant(Duration::from_secs(100 + seconds))
}

#[test]
fn a_wanted_volume_is_staged_then_published_then_left_alone() {
    let wants = [want("a")];
    assert_eq!(plan(&view(&wants, None)), Next::Do(Action::NodeStageVolume(place("a"))));
    assert_eq!(plan(&view(&wants, Some(record(Stage::Yes, &[])))), Next::Do(Action::NodePublishVolume(place("a"))));
    assert_eq!(rests(&view(&wants, Some(record(Stage::Yes, &[("a", true)])))), Why::AlreadyMounted(None));
}

#[test]
fn a_second_pod_is_only_published_to() {
    let view = view(&[want("a"), want("b")], Some(record(Stage::Yes, &[("a", true)])));
    assert_eq!(plan(&view), Next::Do(Action::NodePublishVolume(place("b"))));
}

#[test]
fn a_driver_without_staging_is_published_to_at_once() {
    let view = view(&[want("a")], Some(record(Stage::NotNeeded, &[])));
    assert_eq!(plan(&view), Next::Do(Action::NodePublishVolume(place("a"))));
}

#[test]
fn what_may_be_is_done_again() {
    let wants = [want("a")];
    let doubted = view(&wants, Some(record(Stage::Maybe, &[("a", false)])));
    assert_eq!(plan(&doubted), Next::Do(Action::NodeStageVolume(place("a"))));
    let published = view(&wants, Some(record(Stage::Yes, &[("a", false)])));
    assert_eq!(plan(&published), Next::Do(Action::NodePublishVolume(place("a"))));
}

#[test]
fn nothing_is_mounted_before_it_is_reported_in_use_and_attached() {
    let wants = [want("a")];
    assert_eq!(rests(&View { reported_in_use: false, ..view(&wants, None) }), Why::NotReportedInUse);
    assert_eq!(rests(&View { attached: false, ..view(&wants, None) }), Why::NotAttached);
    let staged = Some(record(Stage::Yes, &[]));
    assert_eq!(rests(&View { attached: false, ..view(&wants, staged) }), Why::NotAttached, "nor published");
    let free = [Want { attachable: false, ..want("a") }];
    let view = View { attached: false, reported_in_use: false, ..view(&free, None) };
    assert_eq!(plan(&view), Next::Do(Action::NodeStageVolume(place("a"))), "unless its driver does not attach");
}

#[test]
fn an_unwanted_volume_is_unpublished_then_unstaged() {
    assert_eq!(plan(&view(&[], Some(record(Stage::Yes, &[("a", true)])))), Next::Do(Action::NodeUnpublishVolume(place("a"))));
    assert_eq!(plan(&view(&[], Some(record(Stage::Yes, &[])))), Next::Do(Action::NodeUnstageVolume));
    assert_eq!(plan(&view(&[], Some(record(Stage::NotNeeded, &[])))), Next::Do(Action::ForgetVolume));
    assert_eq!(rests(&view(&[], None)), Why::NothingWanted);
}

#[test]
fn what_may_be_staged_is_unstaged_and_what_may_be_published_unpublished() {
    assert_eq!(plan(&view(&[], Some(record(Stage::Maybe, &[])))), Next::Do(Action::NodeUnstageVolume));
    let published = record(Stage::Maybe, &[("a", false)]);
    assert_eq!(plan(&view(&[], Some(published))), Next::Do(Action::NodeUnpublishVolume(place("a"))));
}

#[test]
fn a_volume_is_not_unstaged_while_a_pod_wants_it_or_has_it() {
    let wanted = View { attached: false, ..view(&[want("a")], Some(record(Stage::Yes, &[]))) };
    assert_eq!(rests(&wanted), Why::NotAttached);
    let mut kept = view(&[], Some(record(Stage::Yes, &[("a", true)])));
    kept.pods.insert(place("a"), Life::Alive);
    assert_eq!(rests(&kept), Why::NothingWanted, "a pod whose claim cannot be read just now is alive all the same");
}

#[test]
fn a_pod_that_ended_is_unpublished_before_another_is_mounted() {
    let mut view = view(&[want("b")], Some(record(Stage::Yes, &[("a", true)])));
    view.pods.insert(place("a"), Life::Ended);
    assert_eq!(plan(&view), Next::Do(Action::NodeUnpublishVolume(place("a"))));
}

#[test]
fn nobody_is_evicted_before_all_pods_are_known() {
    let unknown = |record| View { pods_listed: false, ..view(&[], Some(record)) };
    assert_eq!(rests(&unknown(record(Stage::Yes, &[("a", true)]))), Why::PodsNotListed);
    assert_eq!(rests(&unknown(record(Stage::Yes, &[]))), Why::PodsNotListed);
}

#[test]
fn a_leaving_pod_keeps_what_it_has_and_gets_nothing_new() {
    let leaving = [Want { leaving: true, ..want("a") }];
    assert_eq!(rests(&view(&leaving, Some(record(Stage::Yes, &[("a", true)])))), Why::StillRunning);
    assert_eq!(rests(&view(&leaving, None)), Why::NothingWanted);
    assert_eq!(plan(&view(&leaving, Some(record(Stage::Yes, &[])))), Next::Do(Action::NodeUnstageVolume));
}

#[test]
fn read_write_once_pod_waits_for_the_pod_that_has_it() {
    let wants = [want("a"), Want { one_pod_only: true, ..want("b") }];
    let refused = plan(&view(&wants, Some(record(Stage::Yes, &[("a", true)]))));
    assert_eq!(refused, Next::Refuse(Problem::UsedByAnotherPod { place: place("b"), holder: place("a") }));
    let uncertain = plan(&view(&wants[1..], Some(record(Stage::Yes, &[("a", false)]))));
    assert_eq!(uncertain, Next::Do(Action::NodeUnpublishVolume(place("a"))), "one that may have it is made sure of first");
}

#[test]
fn an_unregistered_driver_is_waited_for_both_ways() {
    let gone = |wants: &[Want], record| View { driver_registered: false, ..view(wants, record) };
    assert_eq!(rests(&gone(&[want("a")], None)), Why::DriverNotRegistered);
    assert_eq!(rests(&gone(&[], Some(record(Stage::Yes, &[("a", true)])))), Why::DriverNotRegistered);
    assert_eq!(rests(&gone(&[], Some(record(Stage::Yes, &[])))), Why::DriverNotRegistered);
}

#[test]
fn a_node_out_of_service_mounts_nothing_and_unmounts_everything() {
    let out = |wants: &[Want], record| View { out_of_service: true, ..view(wants, record) };
    assert_eq!(plan(&out(&[want("a")], None)), Next::Refuse(Problem::NodeOutOfService));
    let published = Some(record(Stage::Yes, &[("a", true)]));
    assert_eq!(plan(&out(&[], published)), Next::Do(Action::NodeUnpublishVolume(place("a"))));
}

#[test]
fn a_volume_held_as_a_filesystem_is_no_device_for_another_pod() {
    let wants = [want("a"), Want { mode: VolumeMode::Block, ..want("b") }];
    let refused = plan(&view(&wants, Some(record(Stage::Yes, &[("a", true)]))));
    assert_eq!(refused, Next::Refuse(Problem::OtherMode { place: place("b"), held_as: VolumeMode::Filesystem }));
}

#[test]
fn a_staged_volume_that_is_mounted_elsewhere_is_not_pulled_away() {
    let view = View { leaked: vec!["/mnt/somebody".into()], ..view(&[], Some(record(Stage::Yes, &[]))) };
    assert_eq!(plan(&view), Next::Refuse(Problem::MountedElsewhere("/mnt/somebody".into())));
}

#[test]
fn a_failure_waits_by_itself_and_holds_up_nothing_else() {
    let wants = [want("b")];
    let mut view = view(&wants, Some(record(Stage::Yes, &[("a", true)])));
    view.memory.not_before.insert((Operation::NodeUnpublishVolume, Some(place("a"))), later(5));
    assert_eq!(plan(&view), Next::Do(Action::NodePublishVolume(place("b"))));
    view.memory.not_before.insert((Operation::NodePublishVolume, Some(place("b"))), later(3));
    assert_eq!(rests(&view), Why::BackingOff(later(3)), "the earliest");
    view.now = later(3);
    assert_eq!(plan(&view), Next::Do(Action::NodePublishVolume(place("b"))));
}

#[test]
fn a_deletion_during_a_failing_mount_is_torn_down_at_once() {
    let mut view = view(&[], Some(record(Stage::Maybe, &[])));
    view.memory.not_before.insert((Operation::NodeStageVolume, None), later(100));
    assert_eq!(plan(&view), Next::Do(Action::NodeUnstageVolume));
}

#[test]
fn a_publish_that_is_to_be_repeated_is_repeated_in_its_time() {
    let wants = [Want { republish: true, ..want("a") }];
    let mut view = view(&wants, Some(record(Stage::Yes, &[("a", true)])));
    assert_eq!(plan(&view), Next::Do(Action::NodePublishVolume(place("a"))), "without memory, at once");
    view.memory.republish_at.insert(place("a"), later(60));
    assert_eq!(rests(&view), Why::AlreadyMounted(Some(later(60))));
}

#[test]
fn an_inline_volume_is_published_and_forgotten() {
    let wants = [Want { inline: true, attachable: false, ..want("a") }];
    let idle = View { attached: false, reported_in_use: false, ..view(&wants, None) };
    assert_eq!(plan(&idle), Next::Do(Action::NodePublishVolume(place("a"))));
}
