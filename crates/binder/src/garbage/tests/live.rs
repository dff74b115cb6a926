//! Against the API store.

use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::garbage::world::{World, owned_by};

const NS: &str = "team-a";

#[tokio::test]
async fn what_is_owned_goes_after_its_owner_however_deep() {
    let world = World::started().await;
    let a = world.create("ConfigMap", NS, "a", json!({})).await;
    let b = world.create("ConfigMap", NS, "b", owned_by(&[("ConfigMap", "a", &a)])).await;
    world.create("Secret", NS, "c", owned_by(&[("ConfigMap", "b", &b)])).await;
    world.create("ConfigMap", NS, "other", json!({})).await;
    world.delete("ConfigMap", NS, "a", DeleteParams::background()).await;
    world.gone("ConfigMap", NS, "b").await;
    world.gone("Secret", NS, "c").await;
    assert!(world.get("ConfigMap", NS, "other").await.is_some());
}

#[tokio::test]
async fn an_owner_deleted_in_the_foreground_waits_for_what_blocks_it() {
    let world = World::started().await;
    let owner = world.create("ConfigMap", NS, "owner", json!({})).await;
    let mut held = owned_by(&[("ConfigMap", "owner", &owner)]);
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    world.create("ConfigMap", NS, "held", held).await;
    world.delete("ConfigMap", NS, "owner", DeleteParams::foreground()).await;
    let deleting = || async {
        let held = world.get("ConfigMap", NS, "held").await;
        held.is_some_and(|held| !held["metadata"]["deletionTimestamp"].is_null())
    };
    world.eventually("the dependent is told to go", deleting).await;
    world.settled().await;
    assert!(world.get("ConfigMap", NS, "owner").await.is_some(), "it waits");
    world.patch("ConfigMap", NS, "held", json!({"metadata": {"finalizers": null}})).await;
    world.gone("ConfigMap", NS, "held").await;
    world.gone("ConfigMap", NS, "owner").await;
}

#[tokio::test]
async fn orphans_stay_without_an_owner() {
    let world = World::started().await;
    let owner = world.create("ConfigMap", NS, "owner", json!({})).await;
    world.create("ConfigMap", NS, "child", owned_by(&[("ConfigMap", "owner", &owner)])).await;
    world.delete("ConfigMap", NS, "owner", DeleteParams::orphan()).await;
    world.gone("ConfigMap", NS, "owner").await;
    world.settled().await;
    let child = world.get("ConfigMap", NS, "child").await.expect("an orphan");
    assert!(child["metadata"]["ownerReferences"].is_null());
}

#[tokio::test]
async fn what_lost_its_owner_while_nobody_looked_is_found_at_the_start() {
    let mut world = World::new().await;
    let owner = world.create("ConfigMap", NS, "owner", json!({})).await;
    world.create("ConfigMap", NS, "lost", owned_by(&[("ConfigMap", "owner", &owner)])).await;
    world.create("ConfigMap", NS, "half", owned_by(&[("ConfigMap", "owner", &owner), ("Namespace", NS, "other")])).await;
    world.delete("ConfigMap", NS, "owner", DeleteParams::background()).await;
    // A namesake is not the owner.
    world.create("ConfigMap", NS, "owner", json!({})).await;
    world.start().await;
    world.gone("ConfigMap", NS, "lost").await;
    world.gone("ConfigMap", NS, "half").await;
    world.stop().await;
}

#[tokio::test]
async fn one_owner_that_is_there_keeps_an_object_and_the_reference_to_the_other_goes() {
    let world = World::started().await;
    let stays = world.create("ConfigMap", NS, "stays", json!({})).await;
    let goes = world.create("ConfigMap", NS, "goes", json!({})).await;
    world.create("ConfigMap", NS, "child", owned_by(&[("ConfigMap", "goes", &goes), ("ConfigMap", "stays", &stays)])).await;
    world.delete("ConfigMap", NS, "goes", DeleteParams::background()).await;
    let one_owner = || async {
        let child = world.get("ConfigMap", NS, "child").await.expect("the child stays");
        child["metadata"]["ownerReferences"].as_array().is_some_and(|owners| owners.len() == 1 && owners[0]["name"] == "stays")
    };
    world.eventually("the dangling reference is gone", one_owner).await;
}

#[tokio::test]
async fn an_owner_in_another_namespace_is_none() {
    let world = World::started().await;
    world.create("Namespace", "", "team-b", json!({})).await;
    let owner = world.create("ConfigMap", "team-b", "owner", json!({})).await;
    world.settled().await;
    world.create("ConfigMap", NS, "child", owned_by(&[("ConfigMap", "owner", &owner)])).await;
    world.gone("ConfigMap", NS, "child").await;
    let message =
        format!("ownerRef [v1/ConfigMap, namespace: team-a, name: owner, uid: {owner}] does not exist in namespace \"team-a\"");
    world.told(NS, "OwnerRefInvalidNamespace", &message).await;
}

#[tokio::test]
async fn an_owner_of_an_unknown_kind_keeps_what_it_owns() {
    let world = World::started().await;
    world.create("ConfigMap", NS, "of-a-widget", owned_by_a_widget()).await;
    world.settled().await;
    world.settled().await;
    assert!(world.get("ConfigMap", NS, "of-a-widget").await.is_some(), "its owner may exist, for all that is known");
}

fn owned_by_a_widget() -> Value {
    let widget = json!({"apiVersion": "example.com/v1", "kind": "Widget", "name": "w", "uid": "no-such-uid"});
    json!({"metadata": {"ownerReferences": [widget]}})
}
#[tokio::test]
async fn kinds_that_come_later_are_collected_too() {
    let world = World::started().await;
    world.create("ConfigMap", NS, "of-a-widget", owned_by_a_widget()).await;
    let owner = world.create("ConfigMap", NS, "owner", json!({})).await;
    world.settled().await;
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({"spec": {
        "group": "example.com", "scope": "Namespaced",
        "names": {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
    }});
    world.create("CustomResourceDefinition", "", "widgets.example.com", definition).await;
    world.gone("ConfigMap", NS, "of-a-widget").await;
    world.create("Widget", NS, "w", owned_by(&[("ConfigMap", "owner", &owner)])).await;
    world.delete("ConfigMap", NS, "owner", DeleteParams::background()).await;
    world.gone("Widget", NS, "w").await;
}
