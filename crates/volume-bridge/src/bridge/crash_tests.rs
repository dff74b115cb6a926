//! The bridge is killed at every await of everything that it does, and started again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use csi_client::Driver as _;
use csi_proto::csi::v1 as csi;

use crate::testing::{World, paused};

/// What dockerd was answered.
type Answers = Arc<Mutex<Vec<&'static str>>>;

fn answered(answers: &Answers) -> Vec<&'static str> {
    answers.lock().expect("sound").clone()
}

/// Created and mounted by two containers, killed at the n-th poll; the next life keeps what was answered and forgets the rest.
#[test]
fn killed_at_any_await_of_a_mount_no_answered_mount_is_forgotten_and_nothing_leaks() {
    paused(async {
        let mut kills = 0;
        for nth in 1.. {
            let world = World::new();
            let answers = Answers::default();
            let told = answers.clone();
            let survived = world
                .life(Some(nth), move |bridge| {
                    Box::pin(async move {
                        let tell = |what| told.lock().expect("sound").push(what);
                        bridge.create("v", &BTreeMap::new()).await.expect("created");
                        tell("create");
                        bridge.mount("v", "a").await.expect("mounted");
                        tell("a");
                        bridge.mount("v", "b").await.expect("mounted");
                        tell("b");
                    })
                })
                .await;
            let (answers, own) = (answered(&answers), world.clone());
            let next = world
                .life(None, move |bridge| {
                    Box::pin(async move {
                        assert!(!bridge.tidy().await, "something is left at {nth}");
                        let mounts: BTreeMap<_, _> = bridge.mounts().into_iter().flat_map(|(_, mounts)| mounts).collect();
                        for id in answers.iter().filter(|what| **what != "create") {
                            assert_eq!(mounts.get(*id), Some(&1), "killed at {nth}");
                        }
                        let up = !mounts.is_empty();
                        assert_eq!(own.model.facts().targets.len(), usize::from(up), "killed at {nth}");
                        assert_eq!(own.model.facts().staged.len(), usize::from(up), "killed at {nth}");
                        let listed: Vec<_> =
                            bridge.list().await.expect("listed").into_iter().map(|seen| seen.name.to_string()).collect();
                        let made: Vec<_> = own.model.facts().volumes.keys().cloned().collect();
                        assert_eq!(listed, made, "killed at {nth}");
                        if answers.contains(&"create") {
                            assert_eq!(listed, ["v"], "killed at {nth}");
                        }
                        // Docker again, then its containers end, then an operator clears what no container owns.
                        bridge.create("v", &BTreeMap::new()).await.expect("created");
                        bridge.mount("v", "c").await.expect("mounted");
                        for id in ["a", "b", "c"] {
                            bridge.forget_mount("v", id).await.expect("forgotten");
                        }
                        bridge.remove("v").await.expect("removed");
                    })
                })
                .await;
            assert!(next);
            world.assert_nothing_left(&format!("killed at {nth}"));
            if survived {
                break;
            }
            kills += 1;
        }
        assert!(kills > 40, "only {kills} kills: the calls do not suspend");
    });
}

/// On the way out, with and without a reboot before the next life.
#[test]
fn killed_at_any_await_of_an_unmount_or_a_removal_the_same_again_finishes_it() {
    paused(async {
        for reboot in [false, true] {
            let mut kills = 0;
            for nth in 1.. {
                let world = World::new();
                let begun = world
                    .life(None, |bridge| {
                        Box::pin(async move {
                            bridge.create("v", &BTreeMap::new()).await.expect("created");
                            bridge.mount("v", "a").await.expect("mounted");
                        })
                    })
                    .await;
                assert!(begun);
                let down = |bridge: crate::bridge::Bridge| -> futures::future::BoxFuture<'static, ()> {
                    Box::pin(async move {
                        bridge.unmount("v", "a").await.expect("unmounted");
                        bridge.remove("v").await.expect("removed");
                    })
                };
                let survived = world.life(Some(nth), down).await;
                if reboot {
                    world.model.reboot();
                }
                assert!(world.life(None, down).await);
                world.assert_nothing_left(&format!("killed at {nth}, reboot {reboot}"));
                if survived {
                    break;
                }
                kills += 1;
            }
            assert!(kills > 30, "only {kills} kills: the calls do not suspend");
        }
    });
}

/// A CreateVolume over CSI is killed at any await, before, within and after the driver's call; its asker asks again, as CSI has it.
#[test]
fn killed_at_any_await_of_a_create_over_csi_the_same_again_is_one_volume_that_docker_sees() {
    paused(async {
        let mut kills = 0;
        for nth in 1.. {
            let world = World::new();
            let create = |own: World| {
                move |bridge: crate::bridge::Bridge| -> futures::future::BoxFuture<'static, ()> {
                    Box::pin(async move {
                        let request = csi::CreateVolumeRequest { name: "v".into(), ..Default::default() };
                        let creating = bridge.begin_create(&request, "digest".into()).await.expect("begun");
                        let asked = csi_types::CreateVolumeRequest {
                            name: "v".into(),
                            required: csi_types::Bytes(0),
                            capabilities: Vec::new(),
                            parameters: BTreeMap::new(),
                            mutable_parameters: BTreeMap::new(),
                            secrets: csi_types::Secret::none(),
                            accessibility: None,
                            source: None,
                        };
                        let made = own.model.create_volume(asked).await.expect("created");
                        let volume = csi::Volume { volume_id: made.handle.to_string(), ..Default::default() };
                        bridge.end_create(creating, Ok(&volume)).await;
                    })
                }
            };
            let survived = world.life(Some(nth), create(world.clone())).await;
            assert!(world.life(None, create(world.clone())).await);
            let checked = world.life(None, move |bridge| {
                Box::pin(async move {
                    assert!(!bridge.tidy().await);
                    let names: Vec<_> =
                        bridge.list().await.expect("listed").into_iter().map(|seen| seen.name.to_string()).collect();
                    assert_eq!(names, ["v"], "killed at {nth}");
                    bridge.mount("v", "a").await.expect("mounted");
                    assert!(bridge.begin_delete("id-of-v").await.is_err(), "a container has it");
                    bridge.unmount("v", "a").await.expect("unmounted");
                    bridge.remove("v").await.expect("removed");
                })
            });
            assert!(checked.await);
            world.assert_nothing_left(&format!("killed at {nth}"));
            if survived {
                break;
            }
            kills += 1;
        }
        assert!(kills > 8, "only {kills} kills: the calls do not suspend");
    });
}

/// A container that was running when the host went down starts again with the mount id that it had.
#[test]
fn after_a_reboot_a_container_mounts_again_with_its_old_id_and_unmounts_once() {
    paused(async {
        let world = World::new();
        let before = world.life(None, |bridge| {
            Box::pin(async move {
                bridge.create("v", &BTreeMap::new()).await.expect("created");
                bridge.mount("v", "a").await.expect("mounted");
                bridge.mount("v", "gone").await.expect("mounted");
            })
        });
        assert!(before.await);
        world.model.reboot();
        let own = world.clone();
        let after = world.life(None, move |bridge| {
            Box::pin(async move {
                bridge.mount("v", "a").await.expect("mounted");
                assert_eq!(own.model.facts().targets.len(), 1, "really mounted, whatever the record says");
                bridge.unmount("v", "a").await.expect("unmounted");
                assert!(own.model.facts().targets.is_empty());
                bridge.remove("v").await.expect("the other id went down with the host");
            })
        });
        assert!(after.await);
        world.assert_nothing_left("at the end");
    });
}
