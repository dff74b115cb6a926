use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use futures::future::BoxFuture;
use proptest::prelude::*;

use crate::bridge::Bridge;
use crate::error::Error;
use crate::testing::{World, paused};

fn with(work: impl FnOnce(Bridge, World) -> BoxFuture<'static, ()> + Send + 'static) {
    let world = World::new();
    let own = world.clone();
    assert!(paused(world.life(None, move |bridge| work(bridge, own))));
}

fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_volume_is_created_once_and_refused_with_other_options() {
    with(|bridge, world| {
        Box::pin(async move {
            bridge.create("v", &options(&[("size", "1")])).await.expect("created");
            bridge.create("v", &options(&[("size", "1")])).await.expect("the same again");
            assert!(matches!(bridge.create("v", &options(&[("size", "2")])).await, Err(Error::Differs(_))));
            assert_eq!(world.model.facts().calls.iter().filter(|call| **call == "CreateVolume").count(), 1);
        })
    });
}

#[test]
fn a_volume_in_use_is_not_removed_and_the_error_names_the_ids() {
    with(|bridge, _| {
        Box::pin(async move {
            bridge.create("v", &BTreeMap::new()).await.expect("created");
            bridge.mount("v", "container-1").await.expect("mounted");
            let said = bridge.remove("v").await.expect_err("in use").to_string();
            assert!(said.contains("container-1 (1)") && said.contains("--forget-mount v/"), "{said}");
            bridge.unmount("v", "container-1").await.expect("unmounted");
            bridge.remove("v").await.expect("removed");
        })
    });
}

#[test]
fn two_containers_share_one_mount_and_the_last_one_takes_it_down() {
    with(|bridge, world| {
        Box::pin(async move {
            bridge.create("v", &BTreeMap::new()).await.expect("created");
            let first = bridge.mount("v", "a").await.expect("mounted");
            assert_eq!(bridge.mount("v", "b").await.expect("mounted"), first);
            assert_eq!(world.model.facts().calls.iter().filter(|call| **call == "NodePublishVolume").count(), 1);
            bridge.unmount("v", "a").await.expect("unmounted");
            assert_eq!(world.model.facts().targets.len(), 1, "b still has it");
            bridge.unmount("v", "b").await.expect("unmounted");
            let facts = world.model.facts();
            assert!(facts.targets.is_empty() && facts.staged.is_empty() && facts.attached.is_empty());
        })
    });
}

#[test]
fn an_unmount_of_what_is_not_mounted_is_a_success() {
    with(|bridge, _| {
        Box::pin(async move {
            bridge.unmount("nobody", "a").await.expect("unknown volume");
            bridge.create("v", &BTreeMap::new()).await.expect("created");
            bridge.unmount("v", "a").await.expect("unknown id");
            bridge.remove("nobody").await.expect("gone already");
        })
    });
}

#[test]
fn a_driver_that_is_away_hides_no_volume_and_stops_no_second_container() {
    with(|bridge, world| {
        Box::pin(async move {
            bridge.create("v", &BTreeMap::new()).await.expect("created");
            bridge.mount("v", "a").await.expect("mounted");
            world.model.away.store(true, Ordering::SeqCst);
            assert!(bridge.get("v").await.expect("known").mountpoint.is_some());
            assert_eq!(bridge.list().await.expect("known").len(), 1);
            bridge.mount("v", "b").await.expect("it is mounted already");
            bridge.unmount("v", "b").await.expect("a still has it");
            let said = bridge.unmount("v", "a").await.expect_err("nobody can unpublish").to_string();
            assert!(said.contains("nobody is there"), "{said}");
            assert!(bridge.mounts().is_empty(), "the id is forgotten all the same");
            world.model.away.store(false, Ordering::SeqCst);
            assert!(!bridge.tidy().await);
            assert!(world.model.facts().targets.is_empty());
        })
    });
}

#[test]
fn what_the_driver_has_is_found_by_its_id_and_stays_known() {
    with(|bridge, world| {
        Box::pin(async move {
            world.model.facts().volumes.insert("made elsewhere".into(), "vol-7".into());
            let names = |seen: Vec<super::Seen>| seen.into_iter().map(|seen| seen.name.to_string()).collect::<Vec<_>>();
            assert_eq!(names(bridge.list().await.expect("listed")), ["vol-7"]);
            bridge.get("vol-7").await.expect("found");
            world.model.away.store(true, Ordering::SeqCst);
            bridge.get("vol-7").await.expect("known from now on");
            assert!(matches!(bridge.get("vol-8").await, Err(Error::Facts { .. } | Error::Call { .. })));
            world.model.away.store(false, Ordering::SeqCst);
            world.model.facts().volumes.clear();
            assert!(names(bridge.list().await.expect("listed")).is_empty(), "gone there, so gone here");
            assert!(matches!(bridge.get("vol-7").await, Err(Error::NoVolume(_))));
        })
    });
}

#[test]
fn a_given_volume_is_used_and_never_deleted() {
    with(|bridge, world| {
        Box::pin(async move {
            world.model.facts().volumes.insert("x".into(), "vol-1".into());
            bridge.create("mine", &options(&[("id", "vol-1")])).await.expect("no call is needed");
            bridge.mount("mine", "a").await.expect("mounted");
            bridge.unmount("mine", "a").await.expect("unmounted");
            bridge.remove("mine").await.expect("forgotten");
            assert!(world.files().is_empty() && world.model.facts().volumes.len() == 1);
        })
    });
}

#[test]
fn a_secrets_file_that_is_missing_or_wrong_is_named_and_its_values_are_not() {
    with(|bridge, world| {
        Box::pin(async move {
            let said = bridge.create("v", &options(&[("secretsFile", "ceph")])).await.expect_err("missing").to_string();
            assert!(said.contains("/secrets/ceph"), "{said}");
            assert!(world.files().is_empty(), "nothing was begun");
            world.disk.put("/secrets/ceph", "hunter2");
            let said = bridge.create("v", &options(&[("secretsFile", "ceph")])).await.expect_err("wrong").to_string();
            assert!(said.contains("/secrets/ceph") && said.contains("line 1") && !said.contains("hunter2"), "{said}");
            world.disk.put("/secrets/ceph", "key=hunter2");
            bridge.create("v", &options(&[("secretsFile", "ceph")])).await.expect("created");
            let records = world.disk.files().into_iter().filter(|(path, _)| path.starts_with("/state"));
            for (path, content) in records {
                assert!(!String::from_utf8_lossy(&content).contains("hunter2"), "{} holds a secret", path.display());
            }
        })
    });
}

#[test]
fn a_record_that_cannot_be_read_keeps_its_volume_known_and_untouched() {
    let world = World::new();
    world.disk.put("/state/volumes/v.json", "rubbish");
    assert!(paused(world.life(None, |bridge| {
        Box::pin(async move {
            let seen = bridge.get("v").await.expect("dockerd must not forget it");
            assert!(seen.status["problem"].as_str().is_some_and(|problem| problem.contains("v.unreadable-1")));
            assert!(matches!(bridge.mount("v", "a").await, Err(Error::Lost { .. })));
            assert!(matches!(bridge.remove("v").await, Err(Error::Lost { .. })));
        })
    })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Against the plainest model of Docker: who has it mounted, as a list. Whatever the order, a volume is mounted exactly as long
    /// as somebody has it, and restarts in between change nothing.
    #[test]
    fn a_volume_is_mounted_as_long_as_somebody_has_it(steps in proptest::collection::vec((0u8..4, 0u8..3), 1..14)) {
        let world = World::new();
        paused(async {
            let mut list: Vec<u8> = Vec::new();
            for (what, id) in steps {
                let restart = what == 3;
                let known = list.iter().position(|one| *one == id);
                match what {
                    0 | 1 => list.push(id),
                    2 => { if let Some(at) = known { list.remove(at); } }
                    _ => {}
                }
                let survived = world.life(None, move |bridge| Box::pin(async move {
                    bridge.create("v", &BTreeMap::new()).await.expect("created");
                    match what {
                        0 | 1 => drop(bridge.mount("v", &id.to_string()).await.expect("mounted")),
                        2 => bridge.unmount("v", &id.to_string()).await.expect("unmounted"),
                        _ => assert!(!bridge.tidy().await),
                    }
                })).await;
                assert!(survived && (restart || !list.is_empty() || world.model.facts().targets.is_empty()));
                assert_eq!(world.model.facts().targets.len(), usize::from(!list.is_empty()));
            }
        });
    }
}
