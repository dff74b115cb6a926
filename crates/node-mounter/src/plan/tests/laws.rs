//! What holds whatever happens: a model of a driver, a node and pods, in which anything is killed at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::super::*;
use crate::journal::{Place, Publish};

/// How a call to the model's driver ends.
#[derive(Debug, Clone, Copy)]
enum Call {
    /// It works, and we learn it.
    Ok,
    /// It works, and the answer is lost.
    Lost,
    /// It does nothing, and says so for good.
    Final,
    /// It does nothing, and nobody knows.
    Unknown,
    /// It works, and then this process is killed.
    KilledAfter,
    /// This process is killed after it wrote its intent.
    KilledBefore,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    /// A pod comes.
    Comes(u8),
    /// A pod ends.
    Ends(u8),
    /// The volume's attachment is granted, if it is reported in use.
    Attach,
    /// The controller detaches, if the node does not report it in use.
    Detach,
    /// The Node's status is written.
    Report,
    /// What we remember is lost.
    Forget,
    /// The agent takes a step.
    Step(Call),
}

fn event() -> impl Strategy<Value = Event> {
    let call = prop_oneof![
        6 => Just(Call::Ok),
        1 => Just(Call::Lost),
        1 => Just(Call::Final),
        1 => Just(Call::Unknown),
        1 => Just(Call::KilledAfter),
        1 => Just(Call::KilledBefore),
    ];
    prop_oneof![
        2 => (0u8..3).prop_map(Event::Comes),
        2 => (0u8..3).prop_map(Event::Ends),
        2 => Just(Event::Attach),
        2 => Just(Event::Detach),
        2 => Just(Event::Report),
        1 => Just(Event::Forget),
        12 => call.prop_map(Event::Step),
    ]
}

#[derive(Default)]
struct World {
    // The truth.
    pods: BTreeSet<u8>,
    attached: bool,
    staged: bool,
    published: BTreeSet<Place>,
    // The API.
    reported: bool,
    // The disk.
    journal: Option<Record>,
    // The process.
    record: Option<Record>,
    memory: Memory,
    now: u64,
    calls: u32,
}

fn place(pod: u8) -> Place {
    Place { pod_uid: format!("uid-{pod}"), spec_name: "pv-1".into() }
}

fn new_record() -> Record {
    Record {
        driver: "d".into(),
        handle: "v".into(),
        mode: VolumeMode::Filesystem,
        inline: false,
        attachable: true,
        spec_name: "pv-1".into(),
        stage: Stage::No,
        staging_path: "/s".into(),
        publishes: Vec::new(),
    }
}

impl World {
    fn view(&self) -> View {
        let want = |pod: &u8| Want {
            place: place(*pod),
            mode: VolumeMode::Filesystem,
            attachable: true,
            inline: false,
            one_pod_only: false,
            republish: false,
            leaving: false,
        };
        View {
            now: Instant(Duration::from_secs(self.now)),
            record: self.record.clone(),
            wants: self.pods.iter().map(want).collect(),
            pods: self.pods.iter().map(|pod| (place(*pod), Life::Alive)).collect(),
            pods_listed: true,
            driver_registered: true,
            reported_in_use: self.reported,
            attached: self.attached,
            out_of_service: false,
            leaked: Vec::new(),
            memory: self.memory.clone(),
        }
    }

    fn save(&mut self, record: Option<Record>) {
        self.journal = record.clone();
        self.record = record;
    }

    fn restart(&mut self) {
        self.record = self.journal.clone().map(Record::doubted);
        self.memory = Memory::default();
    }

    /// The Node's status loop: in use is whatever is wanted or on record.
    fn report(&mut self) {
        self.reported = !self.pods.is_empty() || self.record.is_some();
    }

    /// The four acts, as `act/` does them: intent, call, outcome.
    fn act(&mut self, action: &Action, call: Call) {
        self.calls += 1;
        let before = self.record.clone();
        let mut record = before.clone().unwrap_or_else(new_record);
        match action {
            Action::NodeStageVolume(_) => record.stage = Stage::Maybe,
            Action::NodePublishVolume(at) => record.set_publish(Publish { place: at.clone(), target: "/t".into(), done: false }),
            Action::NodeUnstageVolume => record.stage = Stage::Maybe,
            Action::NodeUnpublishVolume(_) => {}
            Action::ForgetVolume => return self.save(None),
        }
        self.save(Some(record.clone()));
        if matches!(call, Call::KilledBefore) {
            return self.restart();
        }
        if matches!(call, Call::Ok | Call::Lost | Call::KilledAfter) {
            self.effect(action);
        }
        if matches!(call, Call::KilledAfter) {
            return self.restart();
        }
        match (action, call) {
            (Action::NodeStageVolume(_), Call::Ok) => record.stage = Stage::Yes,
            (Action::NodePublishVolume(at), Call::Ok) => {
                record.set_publish(Publish { place: at.clone(), target: "/t".into(), done: true });
            }
            (Action::NodeUnpublishVolume(at), Call::Ok) => record.remove_publish(at),
            (Action::NodeUnstageVolume, Call::Ok) => return self.save(None),
            (Action::NodeStageVolume(_), Call::Final) if before.as_ref().is_none_or(|b| b.stage == Stage::No) => {
                return self.save(before);
            }
            (Action::NodePublishVolume(at), Call::Final) if before.as_ref().is_some_and(|b| b.publish(at).is_none()) => {
                return self.save(before);
            }
            _ => {}
        }
        self.save(Some(record));
    }

    /// What the driver does, and the laws it would punish.
    fn effect(&mut self, action: &Action) {
        match action {
            Action::NodeStageVolume(_) => {
                assert!(self.attached, "staged before it was attached");
                self.staged = true;
            }
            Action::NodePublishVolume(at) => {
                assert!(self.staged && self.attached, "published before it was staged");
                self.published.insert(at.clone());
            }
            Action::NodeUnpublishVolume(at) => {
                assert!(!self.pods.iter().any(|pod| place(*pod) == *at), "unpublished under a living pod");
                self.published.remove(at);
            }
            Action::NodeUnstageVolume => {
                assert!(self.published.is_empty(), "unstaged before it was unpublished");
                self.staged = false;
            }
            Action::ForgetVolume => {}
        }
    }

    fn happens(&mut self, event: Event) {
        self.now += 1;
        match event {
            Event::Comes(pod) => {
                self.pods.insert(pod);
            }
            Event::Ends(pod) => {
                self.pods.remove(&pod);
            }
            Event::Attach => self.attached |= self.reported && !self.pods.is_empty(),
            Event::Detach => {
                if !self.reported && self.pods.is_empty() {
                    assert!(!self.staged, "detached under a staged volume");
                    self.attached = false;
                }
            }
            Event::Report => self.report(),
            Event::Forget => self.memory = Memory::default(),
            Event::Step(call) => {
                if let Next::Do(action) = plan(&self.view()) {
                    self.act(&action, call);
                }
            }
        }
        if self.staged || !self.published.is_empty() {
            assert!(self.journal.is_some(), "mounted, and not in the journal");
        }
    }

    /// Nothing goes wrong any more.
    fn settle(&mut self) {
        for _ in 0..100 {
            self.happens(Event::Report);
            self.happens(Event::Attach);
            self.happens(Event::Step(Call::Ok));
        }
        self.happens(Event::Report);
    }
}

proptest! {
    #[test]
    fn any_history_converges_to_what_pods_want_and_to_nothing_without_them(history in proptest::collection::vec(event(), 0..60)) {
        let mut world = World::default();
        for event in history {
            world.happens(event);
        }
        world.restart();
        world.settle();
        let wanted: BTreeSet<Place> = world.pods.iter().map(|pod| place(*pod)).collect();
        prop_assert_eq!(&world.published, &wanted);
        prop_assert_eq!(world.staged, !wanted.is_empty());
        let calls = world.calls;
        world.settle();
        prop_assert_eq!(world.calls, calls, "it rests once it has converged");

        world.pods = BTreeSet::new();
        world.settle();
        prop_assert!(!world.staged && world.published.is_empty() && world.journal.is_none() && !world.reported);
        let facts: BTreeMap<Place, Life> = world.view().pods;
        prop_assert!(facts.is_empty());
    }

    #[test]
    fn any_view_gets_an_answer(
        stage in prop_oneof![Just(None), Just(Some(Stage::No)), Just(Some(Stage::Maybe)), Just(Some(Stage::Yes)), Just(Some(Stage::NotNeeded))],
        published in proptest::collection::btree_map(0u8..3, any::<bool>(), 0..3),
        wanted in proptest::collection::btree_map(0u8..3, any::<[bool; 6]>(), 0..3),
        flags in any::<[bool; 6]>(),
    ) {
        let mut record = stage.map(|stage| Record { stage, ..new_record() });
        if let Some(record) = &mut record {
            for (pod, done) in published {
                record.set_publish(Publish { place: place(pod), target: "/t".into(), done });
            }
        }
        let want = |(pod, [attachable, inline, one_pod_only, republish, leaving, block]): (u8, [bool; 6])| Want {
            place: place(pod), attachable, inline, one_pod_only, republish, leaving,
            mode: if block { VolumeMode::Block } else { VolumeMode::Filesystem },
        };
        let wants: Vec<Want> = wanted.into_iter().map(want).collect();
        let [pods_listed, driver_registered, reported_in_use, attached, out_of_service, leaks] = flags;
        let view = View {
            now: Instant::default(), record: record.clone(),
            pods: wants.iter().map(|want| (want.place.clone(), Life::Alive)).collect(),
            wants, pods_listed, driver_registered, reported_in_use, attached, out_of_service,
            leaked: if leaks { vec!["/x".into()] } else { vec![] },
            memory: Memory::default(),
        };
        let next = plan(&view);
        if let Next::Do(Action::NodeUnstageVolume | Action::ForgetVolume) = next {
            prop_assert!(record.is_some_and(|record| record.publishes.is_empty()));
            prop_assert!(pods_listed);
        }
    }
}
