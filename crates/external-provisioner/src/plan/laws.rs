//! Laws of both plans together, in a model of the world: a driver that fails, answers late or makes too little, an API server
//! that takes a write and loses the answer, a process that forgets.

use std::collections::BTreeMap;
use std::sync::Arc;

use csi_types::{Bytes, CreatedVolume, Next, VolumeHandle};
use proptest::prelude::*;

use super::{claim, volume};
use crate::ask::Ask;
use crate::fixtures::{PV, UID, view, volume, volume_view};
use crate::view::{ClaimView, Created, ExistingVolume, Phase, Recall, Volume};

/// How one step goes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Luck {
    Good,
    /// It is not done, and we know.
    Failed,
    /// It is not done, and we do not know.
    Lost,
    /// It is done, and we do not know.
    DoneUnseen,
    /// The driver makes less than it was asked for.
    TooSmall,
}

#[derive(Debug, Default)]
struct World {
    claim_deleted: bool,
    pv: Option<Volume>,
    /// The driver's volumes by name.
    backend: BTreeMap<String, (VolumeHandle, Bytes)>,
    made: u32,
    recall: Recall,
    /// What a process that remembers nothing finds.
    intent: Option<Arc<Ask>>,
    delete_seen: bool,
    attached: bool,
}

impl World {
    fn claim_view(&self) -> ClaimView {
        let mut v = ClaimView { recall: self.recall.clone(), ..view() };
        v.existing = self.pv.as_ref().map(|pv| ExistingVolume {
            claim_uid: Some(UID.to_owned()),
            handle: pv.handle.clone(),
            deleting: pv.deleting,
        });
        if self.claim_deleted {
            v.claim = None;
        }
        v
    }

    /// The process dies, and the next one reads what was written down.
    fn forget(&mut self) {
        self.recall = Recall { asked: self.intent.clone(), ..Recall::default() };
    }

    /// Returns what the plan rests for.
    fn step_claim(&mut self, luck: Luck) -> Option<claim::Why> {
        match claim::plan(&self.claim_view()) {
            Next::Rest(why) => return Some(why),
            Next::Refuse(problem) => panic!("refused: {problem}"),
            Next::Do(claim::Action::CreateVolume(ask)) => {
                assert_eq!(ask.name.as_str(), PV, "the name never changes");
                (self.recall.asked, self.intent) = (Some(ask.clone()), Some(ask.clone()));
                match luck {
                    // A final error is the driver's word that there is no volume: one that made it cannot answer so.
                    Luck::Failed if !self.backend.contains_key(PV) => (self.recall.asked, self.intent) = (None, None),
                    Luck::Failed | Luck::Lost => {}
                    Luck::DoneUnseen => drop(self.make(ask.required)),
                    Luck::Good | Luck::TooSmall => {
                        let size = if luck == Luck::TooSmall { Bytes(1) } else { ask.required };
                        let (handle, capacity) = self.make(size);
                        let volume = CreatedVolume {
                            handle,
                            capacity,
                            context: BTreeMap::new(),
                            accessible_topology: Vec::new(),
                            source: None,
                        };
                        self.recall = Recall { created: Some(Arc::new(Created { ask, volume })), ..Recall::default() };
                    }
                }
            }
            Next::Do(claim::Action::DiscardVolume(_)) => match luck {
                Luck::Good | Luck::TooSmall => {
                    self.backend.clear();
                    (self.recall.created, self.intent) = (None, None);
                }
                Luck::DoneUnseen => self.backend.clear(),
                Luck::Failed | Luck::Lost => {}
            },
            Next::Do(claim::Action::CrossOut) => {
                assert!(self.pv.is_some(), "crossed out before Kubernetes names it");
                (self.recall, self.intent) = (Recall::default(), None);
            }
            Next::Do(claim::Action::Doubt(_)) => self.forget(),
            Next::Do(claim::Action::SavePv(created)) => match luck {
                Luck::Good | Luck::TooSmall | Luck::DoneUnseen => {
                    let handle = Some(created.volume.handle.clone());
                    self.pv = Some(Volume { phase: Phase::Bound, handle, ..volume() });
                }
                Luck::Failed | Luck::Lost => {}
            },
            Next::Do(other) => panic!("{other:?}"),
        }
        None
    }

    /// Idempotent by name, as CSI demands.
    fn make(&mut self, size: Bytes) -> (VolumeHandle, Bytes) {
        let fresh = VolumeHandle::new(format!("vol-{}", self.made));
        self.made += u32::from(!self.backend.contains_key(PV));
        self.backend.entry(PV.to_owned()).or_insert((fresh, size)).clone()
    }

    fn step_volume(&mut self, luck: Luck) -> Option<volume::Why> {
        let mut v = volume_view(volume());
        v.volume = self.pv.clone();
        v.attached_to = self.attached.then(|| "n1".into());
        v.deleted = self.delete_seen;
        match volume::plan(&v) {
            Next::Rest(why) => return Some(why),
            Next::Refuse(problem) => panic!("refused: {problem}"),
            Next::Do(volume::Action::DeleteVolume) => {
                assert!(!self.attached, "deleted while attached");
                if matches!(luck, Luck::Good | Luck::TooSmall | Luck::DoneUnseen) {
                    self.backend.clear();
                }
                self.delete_seen = matches!(luck, Luck::Good | Luck::TooSmall);
            }
            Next::Do(volume::Action::ReleasePv) => {
                assert!(self.backend.is_empty(), "let go before the driver confirmed");
                match luck {
                    Luck::Good | Luck::TooSmall => self.pv = None,
                    // The object is marked, and our finalizer still holds it.
                    Luck::DoneUnseen => self.pv.as_mut().unwrap().deleting = true,
                    Luck::Failed | Luck::Lost => {}
                }
            }
            Next::Do(other) => panic!("{other:?}"),
        }
        None
    }
}

fn luck() -> impl Strategy<Value = Luck> {
    prop_oneof![Just(Luck::Good), Just(Luck::Failed), Just(Luck::Lost), Just(Luck::DoneUnseen), Just(Luck::TooSmall)]
}

/// Long enough for the longest way with good luck only: ask, discard, ask, save, cross out, rest.
const CALM: [Luck; 9] = [Luck::Good; 9];

proptest! {
    #[test]
    fn a_claim_comes_to_rest_with_exactly_one_volume_however_often_we_fail_and_forget(
        storm in proptest::collection::vec((luck(), proptest::bool::weighted(0.2)), 0..30),
    ) {
        let mut world = World::default();
        for (luck, forget) in storm {
            world.step_claim(luck);
            if forget {
                world.forget();
            }
        }
        let rests = CALM.map(|luck| world.step_claim(luck));
        // What was made too small, and forgotten, is found again by its name and discarded then.
        prop_assert_eq!(rests.last().copied().flatten(), Some(claim::Why::VolumeExists));
        prop_assert_eq!(world.backend.len(), 1);
        prop_assert_eq!(world.pv.unwrap().handle, world.backend.get(PV).map(|(handle, _)| handle.clone()));
    }

    #[test]
    fn a_claim_that_is_deleted_meanwhile_leaves_no_volume_without_a_name_whenever_the_process_dies(
        storm in proptest::collection::vec((luck(), proptest::bool::weighted(0.2)), 0..20), at in 0..20usize,
    ) {
        let mut world = World::default();
        for (step, (luck, forget)) in storm.into_iter().enumerate() {
            world.claim_deleted |= step >= at;
            world.step_claim(luck);
            if forget {
                world.forget();
            }
        }
        world.claim_deleted = true;
        let rests = CALM.map(|luck| world.step_claim(luck));
        prop_assert!(rests.last().unwrap().is_some());
        let named = world.pv.as_ref().and_then(|pv| pv.handle.clone());
        let made = world.backend.get(PV).map(|(handle, _)| handle.clone());
        prop_assert_eq!(named, made);
        prop_assert_eq!(world.intent, None);
    }

    #[test]
    fn a_released_volume_ends_with_nothing_left_and_is_never_deleted_while_attached(
        storm in proptest::collection::vec((luck(), any::<bool>(), proptest::bool::weighted(0.2)), 0..30),
    ) {
        let mut world = World { pv: Some(volume()), ..World::default() };
        world.make(Bytes(1));
        for (luck, attached, forget) in storm {
            world.attached = attached;
            world.step_volume(luck);
            world.delete_seen &= !forget;
        }
        world.attached = false;
        let rests = CALM.map(|luck| world.step_volume(luck));
        prop_assert_eq!(rests.last().copied().flatten(), Some(volume::Why::VolumeGone));
        prop_assert!(world.backend.is_empty());
    }
}
