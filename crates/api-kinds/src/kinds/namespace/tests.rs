use apimachinery::Status;
use apimachinery::object::deleting;
use serde_json::{Value, json};

use crate::kinds::validation::testing::{Kind, NOT_KEY, NOW, accepted, invalid, merged};
use crate::write::{Deletion, delete};
use crate::{Operation, Subresource, Write};

fn deleted(kind: &Kind, object: &Value) -> Result<Deletion, String> {
    delete(&kind.resource, object, None, NOW.parse().unwrap()).map_err(|status| status.message)
}

/// PUT of `/finalize`, with this merged into what is stored.
fn finalize(kind: &Kind, old: &Value, change: Value) -> Result<Value, Status> {
    let (resource, world) = (&kind.resource, &kind.world);
    let (now, new) = (NOW.parse().unwrap(), merged(old, &change));
    let (subresource, operation) = (Subresource::Finalize, Operation::Update(old));
    let mut write = Write { resource, subresource, operation, new, now, world, warnings: Vec::new() };
    crate::write::prepare(&mut write)?;
    crate::write::validate(&mut write)?;
    Ok(write.new)
}

#[test]
fn a_new_namespace_has_its_label_finalizer_and_phase() {
    let kind = Kind::of("namespaces");
    let sent = json!({"metadata": {"labels": {"a": "b", "kubernetes.io/metadata.name": "zz"}}, "status": {"phase": "Terminating"},
        "spec": {"finalizers": ["a/b"]}});
    let new = accepted("a namespace", kind.create(sent));
    assert_eq!(new["metadata"]["labels"], json!({"a": "b", "kubernetes.io/metadata.name": "x"}));
    assert_eq!(new["spec"]["finalizers"], json!(["a/b", "kubernetes"]));
    assert_eq!(new["status"], json!({"phase": "Active"}));
}

#[test]
fn finalizers_in_the_spec_have_domains() {
    let kind = Kind::of("namespaces");
    let unqualified = |field: &str, name: &str| {
        format!("{field}: Invalid value: \"{name}\": name is neither a standard finalizer name nor is it fully qualified")
    };
    invalid("foo", kind.create(json!({"spec": {"finalizers": ["foo"]}})), &unqualified("spec.finalizers", "foo"));
    let both = format!("[spec.finalizers: Invalid value: \"a b\": {NOT_KEY}, {}]", unqualified("spec.finalizers", "a b"));
    invalid("a b", kind.create(json!({"spec": {"finalizers": ["a b"]}})), &both);
    let stored = kind.stored(json!({}));
    let refused = finalize(&kind, &stored, json!({"spec": {"finalizers": ["x/y", "foo"]}})).unwrap_err();
    assert_eq!(refused.message, format!("Namespace \"x\" is invalid: {}", unqualified("spec.finalizers[1]", "foo")));
}

#[test]
fn finalizers_in_the_spec_change_through_finalize_alone() {
    let kind = Kind::of("namespaces");
    let stored = kind.stored(json!({}));
    let put = accepted("put", kind.change(&stored, json!({"spec": {"finalizers": ["x/y"]}})));
    assert_eq!(put["spec"]["finalizers"], json!(["kubernetes"]));
    let change = json!({"spec": {"finalizers": ["x/y"]}, "status": {"phase": "Terminating"}, "metadata": {"labels": {"q": "r"}}});
    let put = finalize(&kind, &stored, change).unwrap();
    assert_eq!(put["spec"]["finalizers"], json!(["x/y"]));
    assert_eq!(put["status"]["phase"], "Active");
    assert_eq!(put["metadata"]["labels"]["q"], "r");
}

#[test]
fn the_phase_follows_the_deletion() {
    let kind = Kind::of("namespaces");
    let stored = kind.stored(json!({}));
    let expected = "status.Phase: Invalid value: \"Foo\": may only be 'Active' if `deletionTimestamp` is empty";
    invalid("alive", kind.change_status(&stored, json!({"status": {"phase": "Foo"}})), expected);
    let Ok(Deletion::Later(going)) = deleted(&kind, &stored) else { panic!("it goes at once") };
    let expected = "status.Phase: Invalid value: \"Active\": may only be 'Terminating' if `deletionTimestamp` is not empty";
    invalid("going", kind.change_status(&going, json!({"status": {"phase": "Active"}})), expected);
}

#[test]
fn a_deleted_namespace_stays_until_it_is_finalized() {
    let kind = Kind::of("namespaces");
    let stored = kind.stored(json!({}));
    let Ok(Deletion::Later(going)) = deleted(&kind, &stored) else { panic!("it goes at once") };
    assert!(deleting(&going));
    assert_eq!(going["status"]["phase"], "Terminating");
    assert!(going["metadata"].get("deletionGracePeriodSeconds").is_none());
    assert_eq!(deleted(&kind, &going), Ok(Deletion::Going));
    let mut done = stored;
    done["spec"] = json!({});
    assert_eq!(deleted(&kind, &done), Ok(Deletion::Now));
}

#[test]
fn namespaces_of_the_system_stay() {
    let kind = Kind::of("namespaces");
    for name in ["default", "kube-system", "kube-public"] {
        let stored = kind.stored(json!({"metadata": {"name": name}}));
        let expected = format!("namespaces {name:?} is forbidden: this namespace may not be deleted");
        assert_eq!(deleted(&kind, &stored), Err(expected));
    }
    let stored = kind.stored(json!({"metadata": {"name": "kube-node-lease"}}));
    assert!(matches!(deleted(&kind, &stored), Ok(Deletion::Later(_))));
}
