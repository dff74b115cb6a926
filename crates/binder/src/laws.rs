//! What holds of binding as a whole, whatever the order in which things happen: the plans of claims, volumes and pods against a
//! small world, with looks that are old, memories that are lost, and writes after which the process dies.

mod world;

use csi_types::Next;
use proptest::prelude::*;

use crate::fixtures::{claim, reference, volume};
use crate::matching;
use cluster::kinds::Phase;
use csi_types::{AccessMode, VolumeMode};
use world::{Actor, World};

const CLASSES: [Option<&str>; 5] = [None, Some(""), Some("fast"), Some("waits"), Some("static")];
const SIZES: [&str; 3] = ["1Gi", "2Gi", "3Gi"];

prop_compose! {
    fn any_claim()(class in 0..5_usize, size in 0..3_usize, names in 0..8_usize, block in any::<bool>(), going in 0..8) -> (usize, usize, usize, bool, bool) {
        (class, size, names, block, going == 0)
    }
}

prop_compose! {
    fn any_volume()(class in 0..4_usize, size in 0..3_usize, of in 0..9_usize, block in any::<bool>(), wide in any::<bool>()) -> (usize, usize, usize, bool, bool) {
        (class, size, of, block, wide)
    }
}

prop_compose! {
    /// Three claims, four volumes, two pods, four classes of which one is the default.
    fn any_world()(
        claims in prop::collection::vec(any_claim(), 3),
        volumes in prop::collection::vec(any_volume(), 4),
        pods in prop::collection::vec((0..3_usize, 0..3_usize, any::<bool>()), 2),
        default in any::<bool>(),
    ) -> World {
        let mut world = World::new(default);
        for (n, (class, size, names, block, going)) in claims.into_iter().enumerate() {
            world.add_claim(claim(&format!("c{n}"), |c| {
                (c.class, c.request) = (CLASSES[class].map(Into::into), Some(SIZES[size].into()));
                c.volume = (names < 4).then(|| format!("v{names}").into());
                c.volume_mode = block.then_some(VolumeMode::Block);
                (c.meta.deleting, c.phase) = (going, "".into());
            }));
        }
        for (n, (class, size, of, block, wide)) in volumes.into_iter().enumerate() {
            world.add_volume(volume(&format!("v{n}"), |v| {
                (v.class, v.capacity) = (CLASSES[class].map(Into::into), SIZES[size].into());
                v.claim = match of {
                    0..3 => Some(reference(&format!("c{of}"), "")),
                    3..6 => Some(reference(&format!("c{}", of - 3), &format!("uid-c{}", of - 3))),
                    6 => Some(reference("c0", "uid-before")),
                    _ => None,
                };
                v.volume_mode = block.then_some(VolumeMode::Block);
                if wide {
                    v.access_modes = [AccessMode::ReadWriteOnce, AccessMode::ReadOnlyMany].into();
                }
                v.phase = Phase::Pending;
            }));
        }
        for (n, (first, second, placed)) in pods.into_iter().enumerate() {
            world.add_pod(n, &[first, second], placed);
        }
        world
    }
}

/// Which actor steps, how old its look is, and whether the process dies after its write.
fn any_schedule() -> impl Strategy<Value = Vec<(usize, usize, bool)>> {
    prop::collection::vec((0..64_usize, 0..4_usize, prop::bool::weighted(0.1)), 0..120)
}

/// Of every volume, whose it is by whom.
fn holders(world: &World) -> Vec<(String, String)> {
    let held = world.claims.values().filter(|claim| claim.bind_completed);
    let mut holders: Vec<_> =
        held.filter_map(|claim| Some((claim.volume.as_ref()?.to_string(), claim.meta.key.to_string()))).collect();
    holders.sort();
    holders
}

fn check(world: &World) -> Result<(), TestCaseError> {
    let holders = holders(world);
    for pair in holders.windows(2) {
        prop_assert!(pair[0].0 != pair[1].0, "two claims, one volume: {pair:?}");
    }
    for claim in world.claims.values().filter(|claim| claim.bind_completed && claim.bound_by_controller) {
        let name = claim.volume.as_deref().unwrap_or_default();
        if let Some(volume) = world.volumes.get(name) {
            let fits = matching::is_large_enough(volume, claim)
                && matching::same_mode(volume, claim)
                && matching::has_access_modes(volume, claim);
            prop_assert!(fits, "{} got {name}, which does not fit", claim.meta.key);
        }
    }
    for pod in world.pods.values().filter(|pod| !pod.node.is_empty() && world.was_bound(pod)) {
        for key in crate::index::claims_of_pod(pod) {
            let bound = world.claims.get(key.name()).is_none_or(|claim| claim.bind_completed);
            prop_assert!(bound, "{} was placed without {key}", pod.meta.key);
        }
    }
    Ok(())
}

/// Lets everybody look at the truth until nobody has anything to do.
fn settle(world: &mut World) -> Result<(), TestCaseError> {
    for _ in 0..60 {
        let acted: usize = world.actors().into_iter().filter(|actor| world.step(actor, 0)).count();
        check(world)?;
        if acted == 0 {
            return Ok(());
        }
    }
    let plans: Vec<_> = world.actors().into_iter().map(|actor| (actor.clone(), world.would(&actor))).collect();
    prop_assert!(false, "no rest: {plans:#?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn binding_comes_to_rest_whatever_was_seen_late_and_lost(
        mut world in any_world(), schedule in any_schedule(), replaced in prop::collection::vec((0..120_usize, 0..3), 0..3),
    ) {
        for (at, (who, age, dies)) in schedule.into_iter().enumerate() {
            let actors = world.actors();
            let actor = actors[who % actors.len()].clone();
            world.step(&actor, age);
            if dies {
                world.forget_everything();
            }
            for (_, claim) in replaced.iter().filter(|(when, _)| *when == at) {
                world.replace_claim(&format!("c{claim}"));
            }
            check(&world)?;
        }
        settle(&mut world)?;
        // Whatever is bound is bound from both sides, and says so.
        for claim in world.claims.values().filter(|claim| &*claim.phase == "Bound") {
            let volume = &world.volumes[claim.volume.as_deref().expect("bound")];
            prop_assert_eq!(volume.phase, Phase::Bound);
            prop_assert_eq!(volume.claim.as_ref().map(|of| &*of.uid), Some(&*claim.meta.uid));
        }
        for volume in world.volumes.values().filter(|volume| volume.phase == Phase::Bound) {
            let of = volume.claim.as_ref().expect("bound");
            let claim = world.claims.get(&*of.name).filter(|claim| claim.meta.uid == of.uid);
            prop_assert_eq!(claim.and_then(|claim| claim.volume.as_deref()), Some(volume.meta.key.name()));
        }
    }

    #[test]
    fn a_binding_is_finished_from_wherever_the_process_died(mut world in any_world(), writes in 0..40_usize) {
        let mut other = world.clone();
        for _ in 0..writes {
            // The first that has something to do does it, and all die.
            let Some(actor) = world.actors().into_iter().find(|actor| matches!(world.would(actor), Next::Do(_))) else { break };
            world.step(&actor, 0);
            world.forget_everything();
            check(&world)?;
        }
        settle(&mut world)?;
        settle(&mut other)?;
        let bound = |world: &World| world.claims.values().filter(|claim| &*claim.phase == "Bound").count();
        prop_assert!(bound(&world) > 0 || bound(&other) == 0, "with and without a crash something is bound, or nothing");
    }

    #[test]
    fn a_claim_keeps_the_volume_it_has(mut world in any_world(), schedule in any_schedule()) {
        settle(&mut world)?;
        let before = holders(&world);
        for (who, age, _) in schedule {
            let actors: Vec<Actor> = world.actors();
            world.step(&actors[who % actors.len()].clone(), age);
        }
        settle(&mut world)?;
        prop_assert_eq!(before, holders(&world));
    }
}
