//! Rules by name.

mod live;

use csi_types::Next::{Do, Rest};
use serde_json::json;

use super::conditions::{Left, conditions};
use super::plan::{Action, Known, Memory, View, Why, plan};

fn active() -> View {
    View { exists: true, deleting: false, held: true, has_root_ca: false, memory: Memory::default() }
}

#[test]
fn a_namespace_gets_its_account_and_a_certificate_only_if_there_is_one() {
    assert_eq!(plan(&active()), Do(Action::EnsureAccount));
    let with_account = View { memory: Memory { account: Known::Yes, ..Memory::default() }, ..active() };
    assert_eq!(plan(&with_account), Rest(Why::Active));
    assert_eq!(plan(&View { has_root_ca: true, ..with_account }), Do(Action::EnsureRootCa));
    assert_eq!(plan(&View { has_root_ca: true, memory: Memory::ALL, ..active() }), Rest(Why::Active));
}

#[test]
fn a_namespace_that_goes_is_emptied_again_whenever_something_in_it_went() {
    let going = View { deleting: true, ..active() };
    assert_eq!(plan(&going), Do(Action::Empty));
    let emptied = Memory { emptied: Known::Yes, ..Memory::default() };
    assert_eq!(plan(&View { memory: emptied, ..going }), Rest(Why::NotEmpty));
    assert_eq!(plan(&View { held: false, ..going }), Rest(Why::Going), "and gets no account any more");
    assert_eq!(plan(&View { exists: false, ..going }), Rest(Why::Gone));
}

fn text(conditions: &[serde_json::Value], kind: &str) -> String {
    let condition = conditions.iter().find(|condition| condition["type"] == kind).expect("a condition");
    format!("{} {} {}", condition["status"], condition["reason"], condition["message"]).replace('"', "")
}

/// Measured on kube-controller-manager 1.36.
#[test]
fn what_remains_is_told_in_upstreams_words() {
    let left = Left {
        resources: [("configmaps.".to_owned(), 1), ("leases.coordination.k8s.io".to_owned(), 2)].into(),
        finalizers: [("x.io/hold".to_owned(), 1)].into(),
        errors: Vec::new(),
    };
    let told = conditions(&[], &left, "now").expect("a change");
    let text = |kind| text(&told, kind);
    assert_eq!(text("NamespaceDeletionDiscoveryFailure"), "False ResourcesDiscovered All resources successfully discovered");
    assert_eq!(
        text("NamespaceDeletionGroupVersionParsingFailure"),
        "False ParsedGroupVersions All legacy kube types successfully parsed"
    );
    assert_eq!(
        text("NamespaceDeletionContentFailure"),
        "False ContentDeleted All content successfully deleted, may be waiting on finalization"
    );
    assert_eq!(
        text("NamespaceContentRemaining"),
        "True SomeResourcesRemain Some resources are remaining: configmaps. has 1 resource instances, \
         leases.coordination.k8s.io has 2 resource instances"
    );
    assert_eq!(
        text("NamespaceFinalizersRemaining"),
        "True SomeFinalizersRemain Some content in the namespace has finalizers remaining: x.io/hold in 1 resource instances"
    );
}

#[test]
fn conditions_that_say_the_same_are_not_written_again() {
    let left = Left { resources: [("pods.".to_owned(), 1)].into(), ..Left::default() };
    let first = conditions(&[], &left, "then").expect("a change");
    assert_eq!(conditions(&first, &left, "later"), None);
    let other = json!({"type": "Other", "status": "True"});
    let mut with_other = first.clone();
    with_other.push(other.clone());
    let two = Left { resources: [("pods.".to_owned(), 2)].into(), ..Left::default() };
    let told = conditions(&with_other, &two, "later").expect("a change");
    assert!(told.contains(&other), "conditions of others stay");
    let remaining = told.iter().find(|condition| condition["type"] == "NamespaceContentRemaining").expect("a condition");
    assert_eq!(remaining["lastTransitionTime"], "then", "its status did not change");
}

#[test]
fn what_cannot_be_deleted_is_told_and_nothing_is_let_go() {
    let left = Left { errors: vec!["cannot list pods of namespace a: gone away".to_owned()], ..Left::default() };
    assert!(!left.is_nothing());
    let told = conditions(&[], &left, "now").expect("a change");
    assert_eq!(
        text(&told, "NamespaceDeletionContentFailure"),
        "True ContentDeletionFailed Failed to delete all resource types, 1 remaining: cannot list pods of namespace a: gone away"
    );
}
