//! A world of objects in memory, users who delete them, and the collector: the graph, the plan and the judgement, without an API.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use proptest::prelude::*;

use super::super::graph::{FOREGROUND, Graph, ORPHAN, Uid};
use super::super::kinds::{KindId, Kinds};
use super::super::plan::{Action, Case, Policy, Standing, Verdict, View, Why, judge, plan};

/// Somebody else's finalizer.
const HOLD: &str = "example.com/hold";
/// More than any of these worlds needs.
const STEPS: usize = 2_000;

struct World {
    objects: BTreeMap<Uid, (KindId, ObjectMeta)>,
    kinds: Kinds,
    graph: Graph,
    queue: BTreeSet<Uid>,
    steps: usize,
}

/// How an owner is referred to.
#[derive(Debug, Clone, Copy)]
enum Flavour {
    Right,
    /// The uid of nobody.
    Dangling,
    /// A kind that is not served.
    Unknown,
    /// A name that the owner does not have.
    Misnamed,
}

#[derive(Debug, Clone)]
struct Seed {
    namespace: Option<u8>,
    owners: Vec<(usize, bool, Flavour)>,
    held: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Delete(usize, Policy),
    Release(usize),
    /// The collector does so much.
    Work(usize),
    /// It is killed, and starts again from the objects alone.
    Restart,
}

fn text(n: usize) -> String {
    format!("00000000-0000-0000-0000-{n:012}")
}

fn uid(n: usize) -> Uid {
    Uid::of(&text(n))
}

impl World {
    fn new(seeds: &[Seed]) -> Self {
        let (kinds, thing, root) = super::kinds();
        let mut world = Self { objects: BTreeMap::new(), kinds, graph: Graph::default(), queue: BTreeSet::new(), steps: 0 };
        for (n, seed) in seeds.iter().enumerate() {
            let reference = |(owner, blocks, flavour): &(usize, bool, Flavour)| {
                let target = owner % seeds.len();
                let kind = if seeds[target].namespace.is_some() { "Thing" } else { "Root" };
                OwnerReference {
                    api_version: "v1".into(),
                    kind: if matches!(flavour, Flavour::Unknown) { "Nothing" } else { kind }.into(),
                    name: if matches!(flavour, Flavour::Misnamed) { "other".into() } else { format!("o-{target}") },
                    uid: text(if matches!(flavour, Flavour::Dangling) { 900 + target } else { target }),
                    block_owner_deletion: Some(*blocks),
                    controller: None,
                }
            };
            let mut owners: Vec<OwnerReference> = seed.owners.iter().map(reference).collect();
            let mut known = BTreeSet::new();
            owners.retain(|owner| known.insert(owner.uid.clone()));
            let meta = ObjectMeta {
                name: Some(format!("o-{n}")),
                namespace: seed.namespace.map(|namespace| format!("ns-{namespace}")),
                uid: Some(text(n)),
                finalizers: seed.held.then(|| vec![HOLD.to_owned()]),
                owner_references: (!owners.is_empty()).then_some(owners),
                ..ObjectMeta::default()
            };
            world.objects.insert(uid(n), (if seed.namespace.is_some() { thing } else { root }, meta));
        }
        world.restart();
        world
    }

    fn restart(&mut self) {
        self.graph = Graph::default();
        for (kind, meta) in self.objects.values() {
            self.graph.apply(&self.kinds, *kind, meta);
        }
        self.queue = self.graph.all(&self.kinds);
    }

    fn write(&mut self, uid: Uid, change: impl FnOnce(&mut ObjectMeta)) {
        let Some((kind, meta)) = self.objects.get_mut(&uid) else { return };
        change(meta);
        let bare = meta.finalizers.iter().flatten().next().is_none();
        let changed = if meta.deletion_timestamp.is_some() && bare {
            self.objects.remove(&uid);
            self.graph.remove(&self.kinds, uid)
        } else {
            self.graph.apply(&self.kinds, *kind, meta)
        };
        self.queue.extend(changed.wake);
    }

    fn delete(&mut self, uid: Uid, policy: Policy) {
        self.write(uid, |meta| {
            let finalizers = meta.finalizers.get_or_insert_default();
            if meta.deletion_timestamp.is_none() {
                finalizers.retain(|finalizer| finalizer != FOREGROUND && finalizer != ORPHAN);
                match policy {
                    Policy::Background => {}
                    Policy::Foreground => finalizers.push(FOREGROUND.into()),
                    Policy::Orphan => finalizers.push(ORPHAN.into()),
                }
            }
            meta.deletion_timestamp.get_or_insert(Time(jiff::Timestamp::UNIX_EPOCH));
        });
    }

    fn drop_finalizer(&mut self, uid: Uid, finalizer: &str) {
        self.write(uid, |meta| meta.finalizers.iter_mut().for_each(|all| all.retain(|have| have != finalizer)));
    }

    /// What a live read would say, written once more for the sake of the law.
    fn standing(&self, of: &ObjectMeta, reference: &OwnerReference) -> Standing {
        let Some(kind) = self.kinds.find(&reference.api_version, &reference.kind) else { return Standing::KindUnknown };
        let namespaced = self.kinds.namespaced(kind);
        if namespaced && of.namespace.is_none() {
            return Standing::OutOfReach;
        }
        let namespace = if namespaced { of.namespace.clone() } else { None };
        match self.objects.get(&Uid::of(&reference.uid)) {
            Some((is, owner)) if *is == kind && owner.namespace == namespace && owner.name.as_ref() == Some(&reference.name) => {
                let waits = owner.finalizers.iter().flatten().any(|finalizer| finalizer == FOREGROUND);
                if waits && owner.deletion_timestamp.is_some() { Standing::Waiting } else { Standing::Solid }
            }
            _ => Standing::Absent,
        }
    }

    fn standings(&self, meta: &ObjectMeta) -> Vec<Standing> {
        meta.owner_references.iter().flatten().map(|reference| self.standing(meta, reference)).collect()
    }

    /// Until it rests, or so many steps.
    fn work(&mut self, limit: usize) {
        for _ in 0..limit {
            let Some(uid) = self.queue.pop_first() else { return };
            self.steps += 1;
            assert!(self.steps < STEPS, "the collector does not come to rest");
            let view = View { facts: self.graph.facts(&self.kinds, uid), complete: true, kept: None };
            match plan(&view) {
                csi_types::Next::Do(Action::Verify) => self.verify(uid),
                csi_types::Next::Do(Action::ReleaseOwner) => self.drop_finalizer(uid, FOREGROUND),
                csi_types::Next::Do(Action::OrphanDependents) => {
                    for dependent in self.graph.dependents(uid) {
                        self.write(dependent, |meta| {
                            let owners = meta.owner_references.iter_mut().flatten();
                            let stay: Vec<_> =
                                owners.filter(|owner| Uid::of(&owner.uid) != uid).map(|owner| owner.clone()).collect();
                            meta.owner_references = (!stay.is_empty()).then_some(stay);
                        });
                    }
                    self.drop_finalizer(uid, ORPHAN);
                }
                csi_types::Next::Rest(_) => {}
                csi_types::Next::Refuse(problem) => match problem {},
            }
        }
    }

    fn verify(&mut self, uid: Uid) {
        let Some((_, meta)) = self.objects.get(&uid).cloned() else { return };
        let case =
            Case { owners: self.standings(&meta), has_dependents: !self.graph.dependents(uid).is_empty(), ..Case::default() };
        match judge(&case) {
            Verdict::Keep(Why::OwnerKindUnknown | Why::OwnerOutOfReach) => {}
            Verdict::Keep(why) => assert_eq!(why, Why::FoundOwned),
            Verdict::Unref(lost) => self.write(uid, |meta| {
                let owners = meta.owner_references.take().unwrap_or_default();
                let stay = owners.into_iter().enumerate().filter(|(at, _)| !lost.contains(at)).map(|(_, owner)| owner);
                meta.owner_references = Some(stay.collect());
            }),
            Verdict::Delete(policy) => {
                assert!(!case.owners.contains(&Standing::Solid), "{meta:?} has an owner");
                self.delete(uid, policy);
            }
        }
    }

    fn play(&mut self, steps: &[Step]) {
        let many = self.objects.len().max(1);
        for step in steps {
            match step {
                Step::Delete(n, policy) => self.delete(uid(n % many), *policy),
                Step::Release(n) => self.drop_finalizer(uid(n % many), HOLD),
                Step::Work(limit) => self.work(*limit),
                Step::Restart => self.restart(),
            }
        }
        self.work(STEPS);
    }
}

fn flavour() -> impl Strategy<Value = Flavour> {
    prop_oneof![
        8 => Just(Flavour::Right),
        1 => Just(Flavour::Dangling),
        1 => Just(Flavour::Unknown),
        1 => Just(Flavour::Misnamed),
    ]
}

fn seeds(flavour: impl Strategy<Value = Flavour>, held: bool) -> impl Strategy<Value = Vec<Seed>> {
    let owners = prop::collection::vec((0usize..12, any::<bool>(), flavour), 0..4);
    let seed = (prop::option::weighted(0.8, 0u8..2), owners, any::<bool>());
    let seed = seed.prop_map(move |(namespace, owners, hold)| Seed { namespace, owners, held: held && hold });
    prop::collection::vec(seed, 1..12)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let policy = prop_oneof![Just(Policy::Background), Just(Policy::Foreground), Just(Policy::Orphan)];
    let step = prop_oneof![
        4 => (0usize..12, policy).prop_map(|(n, policy)| Step::Delete(n, policy)),
        2 => (0usize..12).prop_map(Step::Release),
        3 => (0usize..6).prop_map(Step::Work),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The deletions themselves are checked as they happen; a world that does not come to rest fails too.
    #[test]
    fn what_has_an_owner_stays_and_what_has_lost_all_goes(seeds in seeds(flavour(), true), steps in steps()) {
        let mut world = World::new(&seeds);
        world.play(&steps);
        for (_, meta) in world.objects.values().filter(|(_, meta)| meta.deletion_timestamp.is_none()) {
            let standings = world.standings(meta);
            let lost = !standings.is_empty() && standings.iter().all(|standing| *standing == Standing::Absent);
            prop_assert!(!lost, "{meta:?} has lost its owners");
        }
    }

    #[test]
    fn what_is_told_to_go_is_gone_in_the_end(seeds in seeds(Just(Flavour::Right), false), steps in steps()) {
        // What has no namespace cannot be owned from one, and would wait for ever.
        let rooted: Vec<Seed> = seeds.into_iter().map(|seed| Seed { namespace: seed.namespace.or(Some(0)), ..seed }).collect();
        let mut world = World::new(&rooted);
        world.play(&steps);
        let left: Vec<_> = world.objects.values().filter(|(_, meta)| meta.deletion_timestamp.is_some()).collect();
        prop_assert!(left.is_empty(), "{left:?}");
    }

    /// What is woken is enough: a collector that starts now finds nothing more to do.
    #[test]
    fn nothing_is_overlooked(seeds in seeds(flavour(), true), steps in steps()) {
        let mut world = World::new(&seeds);
        world.play(&steps);
        let rested = world.objects.clone();
        world.restart();
        world.work(STEPS);
        prop_assert_eq!(rested, world.objects);
    }
}

#[test]
fn a_cycle_in_the_foreground_comes_apart() {
    let ring = |owner| Seed { namespace: Some(0), owners: vec![(owner, true, Flavour::Right)], held: false };
    let mut world = World::new(&[ring(1), ring(2), ring(0)]);
    world.play(&[]);
    assert_eq!(world.objects.len(), 3, "a ring that nobody deletes stays, as upstream");
    world.play(&[Step::Delete(0, Policy::Foreground)]);
    assert!(world.objects.is_empty());
}

#[test]
fn orphans_stay_and_have_no_owner() {
    let child = Seed { namespace: Some(0), owners: vec![(0, true, Flavour::Right)], held: false };
    let parent = Seed { owners: Vec::new(), ..child.clone() };
    let mut world = World::new(&[parent, child.clone(), child]);
    world.play(&[Step::Delete(0, Policy::Orphan)]);
    assert_eq!(world.objects.len(), 2);
    assert!(world.objects.values().all(|(_, meta)| meta.owner_references.is_none()));
}

#[test]
fn an_object_without_owners_costs_little() {
    // A map entry is some 1.4 times its key and value.
    assert!(size_of::<Uid>() + Graph::NODE_BYTES <= 48, "{}", Graph::NODE_BYTES);
}
