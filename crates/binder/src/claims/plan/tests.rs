use csi_types::Next::{Do, Refuse, Rest};
use csi_types::{AccessMode, VolumeMode};

use super::*;
use crate::fixtures::{claim, class, reference, volume};

/// A claim without class, and nothing else in the world.
fn view(change: impl FnOnce(&mut View)) -> View {
    let mut view = View { claim: Some(claim("c", |_| ())), ..View::default() };
    change(&mut view);
    view
}

fn told(view: &View, say: Say) -> View {
    View { told: Some(say), ..view.clone() }
}

fn found(change: impl FnOnce(&mut cluster::kinds::Class)) -> ClassFact {
    ClassFact::Found(class("sc", change))
}

fn held(name: &str) -> Arc<Volume> {
    volume(name, |v| (v.claim, v.phase) = (Some(reference("c", "uid-c")), Phase::Bound))
}

fn of_class(change: impl FnOnce(&mut Claim)) -> Option<Arc<Claim>> {
    Some(claim("c", |c| {
        c.class = Some("sc".into());
        change(c);
    }))
}

fn completed(change: impl FnOnce(&mut Claim)) -> Option<Arc<Claim>> {
    Some(claim("c", |c| {
        (c.bind_completed, c.volume, c.phase) = (true, Some("pv".into()), "Bound".into());
        c.bound_access_modes = [AccessMode::ReadWriteOnce].into();
        change(c);
    }))
}

#[test]
fn a_binding_is_four_writes_the_volume_first() {
    let free = volume("pv", |_| ());
    let start = view(|v| v.candidates = vec![free.clone()]);
    assert_eq!(plan(&start), Do(Action::HoldVolume(free)));
    let reserved = volume("pv", |v| v.claim = Some(reference("c", "uid-c")));
    let second = View { candidates: vec![reserved.clone()], ..start.clone() };
    assert_eq!(plan(&second), Do(Action::MarkVolumeBound(reserved)));
    let third = View { candidates: vec![held("pv")], ..start };
    assert_eq!(plan(&third), Do(Action::NameVolume(held("pv"))));
    let named = completed(|c| (c.phase, c.bound_access_modes) = ("Pending".into(), [].into()));
    let fourth = View { claim: named, named: Some(held("pv")), ..View::default() };
    assert_eq!(plan(&fourth), Do(Action::MarkBound(held("pv"))));
    let done = View { claim: completed(|_| ()), named: Some(held("pv")), ..View::default() };
    assert_eq!(plan(&done), Rest(Why::Bound));
}

#[test]
fn a_volume_without_a_capacity_is_not_bound_to_the_end() {
    let empty = volume("pv", |v| (v.claim, v.phase, v.capacity) = (Some(reference("c", "uid-c")), Phase::Bound, "".into()));
    let v = View { claim: completed(|c| c.phase = "Pending".into()), named: Some(empty), ..View::default() };
    assert_eq!(plan(&v), Refuse(Problem::NoCapacity("pv".into())));
}

#[test]
fn a_claim_follows_its_volumes_access_modes_while_it_is_bound() {
    let wider = volume("pv", |v| {
        (v.claim, v.phase) = (Some(reference("c", "uid-c")), Phase::Bound);
        v.access_modes = [AccessMode::ReadWriteOnce, AccessMode::ReadOnlyMany].into();
    });
    let v = View { claim: completed(|_| ()), named: Some(wider.clone()), ..View::default() };
    assert_eq!(plan(&v), Do(Action::MarkBound(wider)));
}

#[test]
fn without_volume_and_class_people_are_told_once_and_the_claim_is_pending() {
    let start = view(|v| v.claim = Some(claim("c", |c| c.phase = "".into())));
    assert_eq!(plan(&start), Do(Action::Tell(words::no_match())));
    assert_eq!(plan(&told(&start, words::no_match())), Do(Action::MarkPending));
    assert_eq!(plan(&told(&view(|_| ()), words::no_match())), Rest(Why::NoMatch));
}

#[test]
fn a_claim_that_names_no_class_gets_the_default_one_unless_a_volume_fits_first() {
    let start = view(|v| v.default_class = Some("std".into()));
    assert_eq!(plan(&start), Do(Action::SetDefaultClass("std".into())));
    let free = volume("pv", |_| ());
    assert_eq!(plan(&View { candidates: vec![free.clone()], ..start.clone() }), Do(Action::HoldVolume(free)));
    let on_purpose = View { claim: Some(claim("c", |c| c.class = Some("".into()))), class: ClassFact::Nothing, ..start.clone() };
    assert_eq!(plan(&on_purpose), Do(Action::Tell(words::no_match())));
    let going = View { claim: Some(claim("c", |c| c.meta.deleting = true)), ..start };
    assert_eq!(plan(&going), Do(Action::Tell(words::no_match())));
}

#[test]
fn a_claim_that_waits_for_its_consumer_says_whom_it_waits_for() {
    let waits = view(|v| {
        v.claim = of_class(|_| ());
        v.class = found(|class| class.waits_for_consumer = true);
        // It would fit, and is for the scheduler to choose.
        v.candidates = vec![volume("pv", |pv| pv.class = Some("sc".into()))];
    });
    assert_eq!(plan(&waits), Do(Action::Tell(words::waits_for_consumer(&[]))));
    let pod = View { unscheduled: vec!["p".into()], ..waits.clone() };
    assert_eq!(plan(&told(&pod, words::waits_for_consumer(&[]))), Do(Action::Tell(words::waits_for_consumer(&["p".into()]))));
    assert_eq!(plan(&told(&waits, words::waits_for_consumer(&[]))), Rest(Why::WaitingForConsumer));
}

#[test]
fn a_selected_node_starts_provisioning_and_its_removal_ends_it() {
    let class = found(|class| class.waits_for_consumer = true);
    let selected = View { claim: of_class(|c| c.selected_node = Some("n".into())), class: class.clone(), ..View::default() };
    assert_eq!(plan(&selected), Do(Action::AskProvisioner("d".into())));
    let rejected = View { claim: of_class(|c| c.provisioner = Some("d".into())), class, ..View::default() };
    assert_eq!(plan(&rejected), Do(Action::Tell(words::waits_for_consumer(&[]))));
}

#[test]
fn the_provisioner_is_asked_and_then_waited_for_with_the_status_left_alone() {
    let start = View { claim: of_class(|c| c.phase = "".into()), class: found(|_| ()), ..View::default() };
    assert_eq!(plan(&start), Do(Action::AskProvisioner("d".into())));
    let asked = View { claim: of_class(|c| (c.provisioner, c.phase) = (Some("d".into()), "".into())), ..start };
    assert_eq!(plan(&asked), Do(Action::Tell(words::external_provisioning("d"))));
    assert_eq!(plan(&told(&asked, words::external_provisioning("d"))), Rest(Why::WaitingForProvisioner));
    let other = View { claim: of_class(|c| c.provisioner = Some("before".into())), ..asked };
    assert_eq!(plan(&other), Do(Action::AskProvisioner("d".into())));
}

#[test]
fn nothing_is_provisioned_for_a_claim_that_is_being_deleted() {
    let going = View { claim: of_class(|c| c.meta.deleting = true), class: found(|_| ()), ..View::default() };
    assert_eq!(plan(&going), Rest(Why::Terminating));
    let given = View { candidates: vec![held("pv")], ..going };
    assert_eq!(plan(&given), Do(Action::NameVolume(held("pv"))), "but a volume that is its own is its own");
}

#[test]
fn a_class_that_is_not_there_or_provisions_nothing_is_told() {
    let missing = View { claim: of_class(|_| ()), class: ClassFact::Missing("sc".into()), ..View::default() };
    assert_eq!(plan(&missing), Do(Action::Tell(words::class_missing("sc"))));
    assert_eq!(plan(&told(&missing, words::class_missing("sc"))), Rest(Why::ClassMissing));
    let class = found(|class| class.provisioner = "kubernetes.io/no-provisioner".into());
    let none = View { claim: of_class(|_| ()), class, ..View::default() };
    assert_eq!(plan(&none), Do(Action::Tell(words::no_plugin("kubernetes.io/no-provisioner"))));
    assert_eq!(plan(&told(&none, words::no_plugin("kubernetes.io/no-provisioner"))), Rest(Why::NoProvisioner));
}

#[test]
fn a_named_volume_that_is_not_there_is_waited_for_without_a_word() {
    let v = view(|v| v.claim = Some(claim("c", |c| (c.volume, c.phase) = (Some("pv".into()), "".into()))));
    assert_eq!(plan(&v), Do(Action::MarkPending));
    let pending = view(|v| v.claim = Some(claim("c", |c| c.volume = Some("pv".into()))));
    assert_eq!(plan(&pending), Rest(Why::NamedVolumeMissing));
}

#[test]
fn a_named_volume_must_fit_and_upstreams_first_reason_is_said() {
    let ask = |change: fn(&mut Claim)| {
        Some(claim("c", |c| {
            c.volume = Some("pv".into());
            change(c);
        }))
    };
    type Case = (fn(&mut Claim), fn(&mut Volume), Mismatch);
    let cases: [Case; 7] = [
        (|c| c.request = Some("2Gi".into()), |v| v.meta.deleting = true, Mismatch::Deleting),
        (|c| (c.request, c.class) = (Some("2Gi".into()), Some("x".into())), |_| (), Mismatch::Size),
        (|c| c.class = Some("x".into()), |_| (), Mismatch::Class),
        (|c| c.attributes_class = Some("x".into()), |_| (), Mismatch::AttributesClass),
        (|c| c.volume_mode = Some(VolumeMode::Block), |_| (), Mismatch::Mode),
        (|c| c.access_modes = [AccessMode::ReadWriteMany].into(), |_| (), Mismatch::Access),
        (|_| (), |v| v.capacity = "".into(), Mismatch::Size),
    ];
    for (of_claim, of_volume, why) in cases {
        let v = View { claim: ask(of_claim), named: Some(volume("pv", of_volume)), ..View::default() };
        assert_eq!(plan(&v), Do(Action::Tell(words::mismatch("pv", why))));
        assert_eq!(plan(&told(&v, words::mismatch("pv", why))), Rest(Why::NamedVolumeMismatch));
    }
    let other_phase = volume("pv", |v| v.phase = Phase::Released);
    let v = View { claim: ask(|_| ()), named: Some(other_phase.clone()), ..View::default() };
    assert_eq!(plan(&v), Do(Action::HoldVolume(other_phase)), "neither phase nor selector nor affinity counts");
}

#[test]
fn a_volume_and_a_claim_that_name_each_other_are_bound_unchecked() {
    let tiny = volume("pv", |v| (v.claim, v.capacity) = (Some(reference("c", "")), "1Mi".into()));
    let v = view(|v| {
        v.claim = Some(claim("c", |c| c.volume = Some("pv".into())));
        v.named = Some(tiny.clone());
    });
    assert_eq!(plan(&v), Do(Action::HoldVolume(tiny)), "only the uid is missing");
}

#[test]
fn a_named_volume_of_another_claim_is_waited_for_unless_the_binder_had_chosen_it() {
    let other = volume("pv", |v| v.claim = Some(reference("other", "uid-other")));
    let v = view(|v| {
        v.claim = Some(claim("c", |c| c.volume = Some("pv".into())));
        v.named = Some(other.clone());
    });
    assert_eq!(plan(&v), Do(Action::Tell(words::taken("pv"))));
    assert_eq!(plan(&told(&v, words::taken("pv"))), Rest(Why::NamedVolumeTaken));
    let ours = View { claim: Some(claim("c", |c| (c.volume, c.bound_by_controller) = (Some("pv".into()), true))), ..v };
    let problem = Problem::InvalidBinding { claim: "ns/c".into(), volume: "pv".into(), other: "ns/other".into() };
    assert_eq!(problem.to_string(), "invalid binding of claim \"ns/c\" to volume \"pv\": volume already claimed by \"ns/other\"");
    assert_eq!(plan(&told(&ours, words::taken("pv"))), Refuse(problem));
}

#[test]
fn a_claim_of_the_same_name_as_an_earlier_one_does_not_inherit_its_volume() {
    let before = volume("pv", |v| (v.claim, v.phase) = (Some(reference("c", "uid-before")), Phase::Released));
    assert_eq!(plan(&view(|v| v.candidates = vec![before.clone()])), Do(Action::Tell(words::no_match())));
    let named = view(|v| {
        v.claim = Some(claim("c", |c| c.volume = Some("pv".into())));
        v.named = Some(before);
    });
    assert_eq!(plan(&named), Do(Action::Tell(words::taken("pv"))));
}

#[test]
fn a_bound_claim_is_lost_in_three_ways_and_told_so_once() {
    let no_reference = View { claim: completed(|c| c.volume = None), ..View::default() };
    assert_eq!(plan(&no_reference), Do(Action::MarkLost(Lost::Reference)));
    let gone = View { claim: completed(|_| ()), ..View::default() };
    assert_eq!(plan(&gone), Do(Action::MarkLost(Lost::Volume)));
    for other in [reference("other", "uid-other"), reference("c", "uid-before"), reference("c", "")] {
        let theirs = volume("pv", |v| v.claim = Some(other.clone()));
        let v = View { named: Some(theirs), ..gone.clone() };
        assert_eq!(plan(&v), Do(Action::MarkLost(Lost::Misbound)), "{other:?}");
    }
    let lost = View { claim: completed(|c| c.phase = "Lost".into()), ..gone };
    assert_eq!(plan(&lost), Rest(Why::Lost));
}

#[test]
fn a_lost_claim_is_bound_again_when_its_volume_comes_back() {
    let lost = || completed(|c| (c.phase, c.bound_access_modes) = ("Lost".into(), [].into()));
    let back = View { claim: lost(), named: Some(volume("pv", |_| ())), ..View::default() };
    assert!(matches!(plan(&back), Do(Action::HoldVolume(_))));
    let whole = View { claim: lost(), named: Some(held("pv")), ..View::default() };
    assert!(matches!(plan(&whole), Do(Action::MarkBound(_))));
}

#[test]
fn a_claim_ref_that_somebody_emptied_is_written_again_while_its_claim_lives() {
    let emptied = volume("pv", |v| v.phase = Phase::Available);
    let v = View { claim: completed(|_| ()), named: Some(emptied.clone()), ..View::default() };
    assert_eq!(plan(&v), Do(Action::HoldVolume(emptied)));
}

#[test]
fn a_claim_that_is_gone_is_nobodys_business() {
    assert_eq!(plan(&View::default()), Rest(Why::Gone));
}
