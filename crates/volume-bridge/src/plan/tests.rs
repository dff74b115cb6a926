use proptest::prelude::*;

use super::*;
use crate::record::{Asked, Volume};

fn facts() -> Facts {
    Facts {
        driver: "d".into(),
        creates: true,
        lists: true,
        attaches: true,
        stages: true,
        has_places: false,
        node_id: Some("n".into()),
        place: Segments::default(),
    }
}

fn volume() -> Volume {
    Volume { handle: "v".into(), capacity: csi_types::Bytes(0), context: Default::default() }
}

fn record() -> Record {
    let mut record = Record::new("d".into(), Origin::Docker, Asked::default(), String::new());
    record.volume = Some(volume());
    record.node_id = "n".to_owned();
    record
}

fn used(mut record: Record) -> Record {
    record.count("container");
    record
}

#[test]
fn a_volume_is_attached_then_staged_then_published() {
    let mut record = record();
    assert_eq!(plan(&record, &facts(), Goal::Mounted), Next::Do(Action::ControllerPublishVolume));
    record.attached = Done::Yes;
    assert_eq!(plan(&record, &facts(), Goal::Mounted), Next::Do(Action::NodeStageVolume));
    record.staged = Done::Yes;
    assert_eq!(plan(&record, &facts(), Goal::Mounted), Next::Do(Action::NodePublishVolume));
    record.published = Done::Yes;
    assert_eq!(plan(&record, &facts(), Goal::Mounted), Next::Rest(Why::Mounted));
}

#[test]
fn what_a_driver_does_not_have_is_not_called() {
    let plain = Facts { attaches: false, stages: false, node_id: None, ..facts() };
    assert_eq!(plan(&record(), &plain, Goal::Mounted), Next::Do(Action::NodePublishVolume));
    let published = Record { published: Done::Maybe, ..record() };
    assert_eq!(plan(&published, &plain, Goal::Unused), Next::Do(Action::NodeUnpublishVolume));
    assert_eq!(plan(&record(), &plain, Goal::Unused), Next::Rest(Why::Unused));
}

#[test]
fn a_volume_in_use_is_neither_taken_down_nor_removed() {
    let up = used(Record { attached: Done::Yes, staged: Done::Yes, published: Done::Yes, ..record() });
    assert_eq!(plan(&up, &facts(), Goal::Unused), Next::Rest(Why::InUse));
    assert_eq!(plan(&up, &facts(), Goal::Gone), Next::Refuse(Problem::InUse));
}

#[test]
fn what_may_have_been_deleted_is_not_mounted() {
    let deleting = Record { deleting: true, ..record() };
    assert_eq!(plan(&deleting, &facts(), Goal::Mounted), Next::Refuse(Problem::Deleting));
    assert_eq!(plan(&deleting, &facts(), Goal::Gone), Next::Do(Action::DeleteVolume));
}

#[test]
fn a_volume_that_may_exist_is_created_again_to_learn_its_id() {
    let unanswered = Record { volume: None, ..record() };
    for goal in [Goal::Created, Goal::Mounted, Goal::Gone] {
        assert_eq!(plan(&unanswered, &facts(), goal), Next::Do(Action::CreateVolume));
    }
}

#[test]
fn a_given_volume_is_forgotten_and_never_deleted() {
    let given = Record { origin: Origin::Given, ..record() };
    assert_eq!(plan(&given, &facts(), Goal::Gone), Next::Do(Action::Forget));
}

#[test]
fn another_drivers_volume_is_not_touched() {
    let other = Facts { driver: "e".into(), ..facts() };
    for goal in [Goal::Created, Goal::Mounted, Goal::Unused, Goal::Gone] {
        assert_eq!(plan(&record(), &other, goal), Next::Refuse(Problem::OtherDriver));
    }
}

fn done() -> impl Strategy<Value = Done> {
    prop_oneof![Just(Done::No), Just(Done::Maybe), Just(Done::Yes)]
}

prop_compose! {
    fn records()(
        exists in any::<bool>(), deleting in any::<bool>(), attached in done(), staged in done(), published in done(),
        mounts in 0u8..2, origin in prop_oneof![Just(Origin::Docker), Just(Origin::Given), Just(Origin::Csi), Just(Origin::Found)],
        here in any::<bool>(),
    ) -> Record {
        let mut record = Record { origin, deleting, attached, staged, published, ..record() };
        record.volume = exists.then(volume);
        record.node_id = if here { "n" } else { "elsewhere" }.to_owned();
        if mounts > 0 { used(record) } else { record }
    }
}

prop_compose! {
    fn drivers()(creates in any::<bool>(), attaches in any::<bool>(), stages in any::<bool>(), named in any::<bool>()) -> Facts {
        Facts { creates, attaches, stages, node_id: named.then(|| "n".into()), ..facts() }
    }
}

/// What an action leaves of the record when it works. `None`: nothing.
fn applied(record: &Record, action: Action) -> Option<Record> {
    let mut after = record.clone();
    match action {
        Action::CreateVolume => after.volume = Some(volume()),
        Action::ControllerPublishVolume => (after.attached, after.node_id) = (Done::Yes, "n".to_owned()),
        Action::NodeStageVolume => after.staged = Done::Yes,
        Action::NodePublishVolume => after.published = Done::Yes,
        Action::NodeUnpublishVolume => after.published = Done::No,
        Action::NodeUnstageVolume => after.staged = Done::No,
        Action::ControllerUnpublishVolume => after.attached = Done::No,
        Action::DeleteVolume | Action::Forget => return None,
    }
    Some(after)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// From any record, after any crash: every goal is reached or refused within a bound, and on the way nothing that is in use
    /// is taken down, nothing is published before it is staged, and nothing that is up is deleted.
    #[test]
    fn every_goal_converges_and_breaks_no_law(first in records(), facts in drivers(), goal in
        prop_oneof![Just(Goal::Created), Just(Goal::Mounted), Just(Goal::Unused), Just(Goal::Gone)]) {
        let mut record = first.clone();
        for _ in 0..10 {
            let action = match plan(&record, &facts, goal) {
                Next::Do(action) => action,
                Next::Rest(Why::Mounted) => {
                    prop_assert!(record.published == Done::Yes && (!facts.stages || record.staged == Done::Yes));
                    return Ok(());
                }
                Next::Rest(_) | Next::Refuse(_) => return Ok(()),
            };
            let takes_down = matches!(action, Action::NodeUnpublishVolume | Action::NodeUnstageVolume
                | Action::ControllerUnpublishVolume | Action::DeleteVolume | Action::Forget);
            prop_assert!(!takes_down || record.mounts.is_empty(), "{action:?} of what is in use");
            match action {
                Action::NodePublishVolume => prop_assert!(!facts.stages || record.staged == Done::Yes),
                Action::NodeUnstageVolume => prop_assert!(record.published == Done::No),
                Action::ControllerUnpublishVolume => prop_assert!(record.published == Done::No && (!facts.stages || record.staged == Done::No)),
                Action::DeleteVolume => prop_assert!(record.is_deletable() && record.published == Done::No),
                _ => {}
            }
            match applied(&record, action) {
                Some(after) => record = after,
                None => return Ok(()),
            }
        }
        prop_assert!(false, "{first:?} does not converge");
    }
}
