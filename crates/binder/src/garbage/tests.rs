//! Rules by name; then the laws, in a model world.

mod crash;
mod laws;
mod live;

use csi_types::Next::{Do, Rest};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::discovery::ApiResource;

use super::act::elsewhere;
use super::graph::{Facts, Uid};
use super::kinds::{Discovered, KindId, Kinds, Served};
use super::plan::{Action, Case, Policy, Standing, Verdict, View, Why, judge, plan};

fn view(facts: Facts) -> View {
    View { facts: Some(facts), complete: true, kept: None }
}

#[test]
fn an_object_is_verified_only_when_an_owner_is_doubtful() {
    assert_eq!(plan(&View { facts: None, ..view(Facts::default()) }), Rest(Why::Gone));
    assert_eq!(plan(&view(Facts::default())), Rest(Why::NoOwners));
    assert_eq!(plan(&view(Facts { owners: 2, ..Facts::default() })), Rest(Why::Owned));
    assert_eq!(plan(&view(Facts { owners: 2, doubtful: 1, ..Facts::default() })), Do(Action::Verify));
}

#[test]
fn nothing_is_done_before_everything_is_listed() {
    let doubtful = view(Facts { owners: 1, doubtful: 1, ..Facts::default() });
    assert_eq!(plan(&View { complete: false, ..doubtful }), Rest(Why::NotListed));
    let foreground = view(Facts { deleting: true, foreground: true, ..Facts::default() });
    assert_eq!(plan(&View { complete: false, ..foreground }), Rest(Why::NotListed), "a dependent may not have been seen");
}

#[test]
fn what_is_being_deleted_is_left_alone_unless_it_waits_for_dependents() {
    let going = |foreground, orphan, blocking| {
        plan(&view(Facts { deleting: true, foreground, orphan, blocking, owners: 1, doubtful: 1 }))
    };
    assert_eq!(going(false, false, 0), Rest(Why::Going));
    assert_eq!(going(true, false, 2), Rest(Why::BlockedByDependents));
    assert_eq!(going(true, false, 0), Do(Action::ReleaseOwner));
    assert_eq!(going(false, true, 2), Do(Action::OrphanDependents));
}

#[test]
fn the_api_is_not_asked_again_while_nothing_changed() {
    let doubtful = view(Facts { owners: 1, doubtful: 1, ..Facts::default() });
    for why in [Why::Settled, Why::FoundOwned, Why::OwnerKindUnknown, Why::OwnerOutOfReach] {
        assert_eq!(plan(&View { kept: Some(why), ..doubtful.clone() }), Rest(why));
    }
}

fn case(owners: &[Standing]) -> Case {
    Case { owners: owners.to_vec(), ..Case::default() }
}

#[test]
fn one_solid_owner_keeps_an_object_and_the_others_are_forgotten() {
    use Standing::{Absent, Solid, Waiting};
    assert_eq!(judge(&case(&[Solid, Solid])), Verdict::Keep(Why::FoundOwned));
    assert_eq!(judge(&case(&[Absent, Solid, Waiting])), Verdict::Unref(vec![0, 2]));
}

#[test]
fn an_object_whose_owners_are_all_gone_goes_by_the_policy_of_its_own_finalizers() {
    let gone = case(&[Standing::Absent, Standing::Absent]);
    assert_eq!(judge(&gone), Verdict::Delete(Policy::Background));
    assert_eq!(judge(&Case { orphan: true, ..gone.clone() }), Verdict::Delete(Policy::Orphan));
    assert_eq!(judge(&Case { foreground: true, ..gone }), Verdict::Delete(Policy::Foreground));
}

#[test]
fn a_dependent_of_an_owner_that_waits_takes_its_own_dependents_with_it_first() {
    let waiting = case(&[Standing::Waiting]);
    assert_eq!(judge(&waiting), Verdict::Delete(Policy::Background));
    let parent = Case { has_dependents: true, ..waiting };
    assert_eq!(judge(&parent), Verdict::Delete(Policy::Foreground));
}

#[test]
fn an_owner_that_cannot_be_looked_up_keeps_its_dependents() {
    use Standing::{Absent, KindUnknown, OutOfReach};
    assert_eq!(judge(&case(&[Absent, KindUnknown])), Verdict::Keep(Why::OwnerKindUnknown));
    assert_eq!(judge(&case(&[OutOfReach, Absent])), Verdict::Keep(Why::OwnerOutOfReach));
}

/// Measured on kube-controller-manager 1.36.
#[test]
fn an_owner_in_another_namespace_is_told_of_in_upstreams_words() {
    let reference = OwnerReference {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        name: "owner".into(),
        uid: "996ae5a4-2162-40df-b6b5-8ed052aba144".into(),
        ..OwnerReference::default()
    };
    assert_eq!(
        elsewhere(&reference, "team-a"),
        "ownerRef [v1/ConfigMap, namespace: team-a, name: owner, uid: 996ae5a4-2162-40df-b6b5-8ed052aba144] does not exist in \
         namespace \"team-a\""
    );
}

#[test]
fn a_uid_is_a_number_or_the_hash_of_another_text() {
    let uid = Uid::of("996ae5a4-2162-40df-b6b5-8ed052aba144");
    assert_eq!(uid.to_string(), "996ae5a4216240dfb6b58ed052aba144");
    assert_ne!(Uid::of("uid-1"), Uid::of("uid-2"));
}

#[test]
fn a_kind_keeps_its_place_and_one_that_comes_back_gets_another() {
    let served = |version: &str, plurals: &[&str]| {
        let mut found = Discovered::default();
        for plural in plurals {
            let id = (String::new(), (*plural).to_owned());
            found.names.insert((version.to_owned(), format!("Kind-{plural}")), id.clone());
            let api = ApiResource {
                group: String::new(),
                version: version.into(),
                api_version: version.into(),
                kind: format!("Kind-{plural}"),
                plural: (*plural).to_owned(),
            };
            found.resources.insert(id, Served { api, namespaced: true, sweepable: true });
        }
        found
    };
    let mut kinds = Kinds::default();
    let first = kinds.update(served("v1", &["a", "b"])).expect("something new");
    assert_eq!((first.new.len(), first.gone.len()), (2, 0));
    assert!(kinds.update(served("v1", &["a", "b"])).is_none(), "nothing has changed");
    let second = kinds.update(served("v1", &["a", "c"])).expect("something new");
    assert_eq!((second.new.len(), second.gone.clone()), (1, vec![first.new[1]]));
    assert_eq!(kinds.find("v1", "Kind-b"), None);
    let third = kinds.update(served("v2", &["a", "c"])).expect("other versions");
    assert_eq!(third.gone, [first.new[0], second.new[0]], "they are watched anew, in the version that is served");
    assert!(third.new.iter().all(|id| !third.gone.contains(id)));
}

/// Things live in namespaces, roots do not.
fn kinds() -> (Kinds, KindId, KindId) {
    let api = |kind: &str, plural: &str| ApiResource {
        group: String::new(),
        version: "v1".into(),
        api_version: "v1".into(),
        kind: kind.into(),
        plural: plural.into(),
    };
    let mut found = Discovered::default();
    for (kind, plural, namespaced) in [("Thing", "things", true), ("Root", "roots", false)] {
        let id = (String::new(), plural.to_owned());
        found.names.insert(("v1".into(), kind.into()), id.clone());
        found.resources.insert(id, Served { api: api(kind, plural), namespaced, sweepable: true });
    }
    let mut kinds = Kinds::default();
    kinds.update(found);
    let find = |kind| kinds.find("v1", kind).expect("served");
    let (thing, root) = (find("Thing"), find("Root"));
    (kinds, thing, root)
}
