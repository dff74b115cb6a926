use csi_types::Next::{Do, Rest};
use csi_types::VolumeMode;

use super::*;
use crate::fixtures::{claim, reference, volume};

fn view(of_volume: impl FnOnce(&mut Volume), claim: Option<Arc<Claim>>) -> View {
    let volume = volume("pv", |v| {
        v.claim = Some(reference("c", "uid-c"));
        of_volume(v);
    });
    View { volume: Some(volume), claim, told: None }
}

#[test]
fn a_volume_that_is_for_nobody_or_only_reserved_is_available() {
    for reference in [None, Some(reference("c", ""))] {
        for phase in [Phase::Pending, Phase::Bound, Phase::Released, Phase::Failed, Phase::Unknown] {
            let v = view(|v| (v.claim, v.phase) = (reference.clone(), phase), Some(claim("c", |_| ())));
            assert_eq!(plan(&v), Do(Action::MarkAvailable));
        }
        let v = view(|v| v.claim = reference.clone(), None);
        assert_eq!(plan(&v), Rest(Why::Available));
    }
}

#[test]
fn a_volume_is_released_when_its_claim_is_gone_or_another_has_its_name() {
    let namesake = claim("c", |c| c.meta.uid = "uid-later".into());
    for claim in [None, Some(namesake)] {
        for phase in [Phase::Pending, Phase::Available, Phase::Bound, Phase::Unknown] {
            assert_eq!(plan(&view(|v| v.phase = phase, claim.clone())), Do(Action::Release));
        }
        assert_eq!(plan(&view(|v| v.phase = Phase::Failed, claim.clone())), Rest(Why::Failed));
        assert_eq!(plan(&view(|v| v.phase = Phase::Released, claim)), Rest(Why::Retained));
    }
}

#[test]
fn the_reclaim_policy_says_what_becomes_of_a_released_volume() {
    let released = |change: fn(&mut Volume)| {
        let v = view(
            |v| {
                v.phase = Phase::Released;
                change(v);
            },
            None,
        );
        plan(&v)
    };
    assert_eq!(released(|_| ()), Rest(Why::Retained));
    assert_eq!(released(|v| v.reclaim_policy = ReclaimPolicy::Unknown), Do(Action::MarkFailed(words::unknown_policy())));
    assert_eq!(released(|v| v.reclaim_policy = ReclaimPolicy::Recycle), Do(Action::MarkFailed(words::no_recycler())));
    assert_eq!(released(|v| v.reclaim_policy = ReclaimPolicy::Delete), Rest(Why::ProvisionersTurn), "a CSI volume");
    let external = |v: &mut Volume| {
        (v.reclaim_policy, v.provisioned_by) = (ReclaimPolicy::Delete, Some("d".into()));
        v.csi = None;
    };
    assert_eq!(released(external), Rest(Why::ProvisionersTurn));
    let no_deleter = Do(Action::MarkFailed(words::no_deleter("pv")));
    assert_eq!(
        released(|v| (v.reclaim_policy, v.provisioned_by) = (ReclaimPolicy::Delete, Some("kubernetes.io/x".into()))),
        no_deleter
    );
    assert_eq!(released(|v| (v.reclaim_policy, v.csi) = (ReclaimPolicy::Delete, None)), no_deleter);
    assert_eq!(released(|v| (v.reclaim_policy, v.migrated_to) = (ReclaimPolicy::Unknown, Some("d".into()))), Rest(Why::Migrated));
}

#[test]
fn a_volume_whose_claim_has_not_taken_it_yet_is_the_claims_next_step() {
    let v = view(|v| v.phase = Phase::Pending, Some(claim("c", |_| ())));
    assert_eq!(plan(&v), Rest(Why::ClaimsTurn));
}

#[test]
fn a_volume_given_to_a_claim_of_another_mode_is_told_on_both_and_left() {
    let v = view(|_| (), Some(claim("c", |c| c.volume_mode = Some(VolumeMode::Block))));
    assert_eq!(plan(&v), Do(Action::TellMode));
    let told = View { told: Some(words::volume_mode_of_volume("c")), ..v };
    assert_eq!(plan(&told), Rest(Why::ModeMismatch));
}

#[test]
fn a_volume_that_its_claim_names_is_bound() {
    let names = claim("c", |c| c.volume = Some("pv".into()));
    for phase in [Phase::Pending, Phase::Available, Phase::Released, Phase::Failed] {
        assert_eq!(plan(&view(|v| v.phase = phase, Some(names.clone()))), Do(Action::MarkBound));
    }
    assert_eq!(plan(&view(|v| v.phase = Phase::Bound, Some(names))), Rest(Why::Bound));
}

#[test]
fn a_second_volume_that_was_provisioned_for_a_claim_is_released_for_deletion() {
    let elsewhere = claim("c", |c| c.volume = Some("first".into()));
    let twice = |v: &mut Volume| (v.provisioned_by, v.reclaim_policy) = (Some("d".into()), ReclaimPolicy::Delete);
    assert_eq!(plan(&view(twice, Some(elsewhere.clone()))), Do(Action::Release));
    let released = view(
        |v| {
            twice(v);
            v.phase = Phase::Released;
        },
        Some(elsewhere),
    );
    assert_eq!(plan(&released), Rest(Why::ProvisionersTurn));
}

#[test]
fn any_other_volume_of_a_claim_that_has_another_is_let_go() {
    let elsewhere = Some(claim("c", |c| c.volume = Some("first".into())));
    assert_eq!(plan(&view(|_| (), elsewhere.clone())), Do(Action::Unbind));
    assert_eq!(plan(&view(|v| v.provisioned_by = Some("d".into()), elsewhere.clone())), Do(Action::Unbind), "it is retained");
    assert_eq!(plan(&view(|v| v.reclaim_policy = ReclaimPolicy::Delete, elsewhere)), Do(Action::Unbind), "nobody made it for it");
}

#[test]
fn a_volume_that_is_gone_is_nobodys_business() {
    assert_eq!(plan(&View::default()), Rest(Why::Gone));
}
