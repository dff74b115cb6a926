use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::fixtures::{driver, volume, volume_view};

fn next(change: impl FnOnce(&mut Volume)) -> Next<Action, Why, Problem> {
    let mut volume = volume();
    change(&mut volume);
    plan(&volume_view(volume))
}

#[test]
fn a_released_volume_is_deleted_and_then_let_go() {
    assert_eq!(next(|_| {}), Next::Do(Action::DeleteVolume));
    let mut v = volume_view(volume());
    v.deleted = true;
    assert_eq!(plan(&v), Next::Do(Action::ReleasePv));
    v.volume = None;
    assert_eq!(plan(&v), Next::Rest(Why::VolumeGone));
}

#[test]
fn a_released_volume_is_not_deleted_while_attached() {
    let mut v = volume_view(volume());
    v.attached_to = Some("n1".into());
    assert_eq!(plan(&v), Next::Rest(Why::StillAttached));
}

#[test]
fn a_volume_that_another_object_still_names_is_not_deleted() {
    let mut v = volume_view(volume());
    v.also_named_by = Some("copy".to_owned());
    assert_eq!(plan(&v), Next::Refuse(Problem::AlsoNamedBy("copy".to_owned())));
}

#[test]
fn either_order_of_deleting_claim_and_volume_works() {
    assert_eq!(next(|pv| (pv.phase, pv.deleting) = (Phase::Bound, true)), Next::Rest(Why::InUse));
    assert_eq!(next(|pv| pv.deleting = true), Next::Do(Action::DeleteVolume));
    assert_eq!(next(|pv| pv.held = false), Next::Do(Action::DeleteVolume));
    assert_eq!(next(|pv| (pv.held, pv.deleting) = (false, true)), Next::Rest(Why::NotHeld));
}

#[test]
fn the_finalizer_follows_the_reclaim_policy() {
    assert_eq!(next(|pv| (pv.phase, pv.held) = (Phase::Bound, false)), Next::Do(Action::HoldPv));
    for policy in [Reclaim::Retain, Reclaim::Recycle] {
        for phase in [Phase::Bound, Phase::Released, Phase::Other] {
            assert_eq!(next(|pv| (pv.reclaim, pv.phase) = (policy, phase)), Next::Do(Action::LetGoPv));
            let kept = next(|pv| (pv.reclaim, pv.phase, pv.held) = (policy, phase, false));
            assert_eq!(kept, Next::Rest(Why::Kept));
        }
    }
}

#[test]
fn a_static_volume_is_its_drivers_and_a_provisioned_one_is_its_makers() {
    assert_eq!(next(|pv| pv.provisioned_by = None), Next::Do(Action::DeleteVolume));
    assert_eq!(next(|pv| pv.provisioned_by = Some("other".into())), Next::Rest(Why::NotOurs));
    assert_eq!(next(|pv| (pv.provisioned_by, pv.driver) = (None, Some("other".into()))), Next::Rest(Why::NotOurs));
    assert_eq!(next(|pv| (pv.driver, pv.handle) = (None, None)), Next::Refuse(Problem::NoHandle(driver().name)));
}

#[test]
fn a_driver_that_cannot_delete_is_not_asked_to() {
    let mut v = volume_view(volume());
    v.driver = Arc::new(csi_types::DriverInfo { controller: Default::default(), ..driver() });
    assert!(matches!(plan(&v), Next::Refuse(Problem::DriverLacks { .. })));
}

proptest! {
    #[test]
    fn only_an_unattached_released_volume_of_ours_that_may_go_is_ever_deleted(
        held: bool, deleting: bool, by in proptest::option::of(any::<bool>()), csi: bool, phase in 0..3usize, reclaim in 0..3usize,
        attached: bool, named_twice: bool, deleted: bool,
    ) {
        let name = |ours: bool| if ours { driver().name.to_string() } else { "other".to_owned() };
        let volume = Volume {
            held,
            deleting,
            provisioned_by: by.map(name),
            driver: csi.then(|| name(true)),
            handle: csi.then(|| "vol-1".into()),
            phase: [Phase::Bound, Phase::Released, Phase::Other][phase],
            reclaim: [Reclaim::Delete, Reclaim::Retain, Reclaim::Recycle][reclaim],
            ..volume()
        };
        let mut v = volume_view(volume);
        v.attached_to = attached.then(|| "n1".into());
        v.also_named_by = named_twice.then(|| "copy".to_owned());
        v.deleted = deleted;
        let answer = plan(&v);
        if matches!(answer, Next::Do(Action::DeleteVolume | Action::ReleasePv)) {
            prop_assert!(phase == 1 && reclaim == 0 && by != Some(false));
            prop_assert!(held || !deleting);
            prop_assert!((!attached && !named_twice) || deleted);
        }
    }
}
