//! What documents call plugins, and what plugins call themselves.

use crate::rig::{Rig, plugin};

#[tokio::test]
async fn two_plugins_of_one_type_are_told_apart_by_name() {
    let rig = Rig::new().await;
    rig.host.set(plugin("a/one", "one.example", ""));
    rig.host.set(plugin("a/two", "two.example", ""));
    for (alias, driver) in [("a/one", "one.example"), ("a/two", "two.example")] {
        assert_eq!(rig.host.driver(alias).await.expect("it serves").as_str(), driver);
    }
    let said = rig.host.driver_of("a").expect_err("which one").to_string();
    assert!(said.contains("a/one, a/two"), "{said}");
    rig.host.set(plugin("a", "three.example", ""));
    assert_eq!(rig.host.driver("a").await.expect("the one without a name").as_str(), "three.example");
    rig.end().await;
}

#[tokio::test]
async fn two_plugins_that_are_one_driver_are_not_both_served() {
    let rig = Rig::new().await;
    rig.host.set(plugin("a", "same.example", ""));
    rig.served("a").await;
    rig.host.set(plugin("b", "same.example", ""));
    let said = rig.trouble("b", "calls itself same.example, as plugin a does").await;
    assert!(said.contains("another name"), "{said}");
    assert_eq!(rig.host.served().len(), 1);
    assert!(!rig.was_gone());
    rig.end().await;
}

#[tokio::test]
async fn an_alias_that_means_nothing_is_told_what_there_is() {
    let rig = Rig::new().await;
    let said = rig.host.driver_of("x").expect_err("there is none").to_string();
    assert!(said.contains("--csi-plugin-config-dir"), "{said}");
    rig.host.set(plugin("a", "a.example", ""));
    rig.served("a").await;
    let said = rig.host.driver_of("x").expect_err("there is none").to_string();
    assert!(said.contains("this host has a"), "{said}");
    rig.end().await;
}
