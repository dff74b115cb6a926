//! What is planned in the course of a story, recorded in `tests/plans/*.txt`, so that a change of behaviour shows as a diff.
//!
//! A line without indent is something that happens, or how the next call ends; the indented lines after it are what both plans
//! do then, until they rest or a step fails; what failed is tried again `later`. `UPDATE_PLANS=1 cargo test -p external-provisioner` records anew.

use std::collections::VecDeque;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use csi_types::{Bytes, CreatedVolume, Next, Reason, VolumeHandle};

use super::{claim, volume};
use crate::fixtures::{PV, UID, placed_view, view, volume, volume_view};
use crate::placement::{NodePlace, Topology};
use crate::view::{ClaimView, Created, ExistingVolume, Phase, Recall, Reclaim, VolumeView};

struct Story {
    claims: ClaimView,
    volumes: VolumeView,
    /// How the next calls end; `ok` when there is nothing more.
    answers: VecDeque<String>,
    told: String,
    rested: [String; 2],
}

impl Story {
    fn new() -> Self {
        let mut volumes = volume_view(volume());
        volumes.volume = None;
        Self {
            claims: ClaimView { claim: None, ..view() },
            volumes,
            answers: VecDeque::new(),
            told: String::new(),
            rested: Default::default(),
        }
    }

    fn happens(&mut self, what: &str) {
        let (claim, class, recall) = (&mut self.claims.claim, &mut self.claims.class, &mut self.claims.recall);
        match what.split_once(": ").unwrap_or((what, "")) {
            ("answers", words) => return self.answers.extend(words.split(", ").map(str::to_owned)),
            ("class waits for a consumer", _) => class.as_mut().unwrap().waits_for_consumer = true,
            ("class has", parameter) => {
                let (key, value) = parameter.split_once('=').unwrap();
                class.as_mut().unwrap().parameters.insert(key.to_owned(), value.to_owned());
            }
            ("claim appears", _) => *claim = view().claim,
            ("claim deleted", _) => *claim = None,
            ("scheduler selects", node) => {
                claim.as_mut().unwrap().selected_node = Some(node.into());
                let Topology { selected, nodes } = placed_view().topology.unwrap();
                let here = selected.map(|(_, place)| if node == "lost" { NodePlace::NoCsiNode } else { place });
                self.claims.topology = Some(Topology { selected: here.map(|place| (node.into(), place)), nodes });
            }
            ("process restarts", _) => (*recall, self.volumes.deleted) = (Recall::default(), false),
            ("five minutes pass", _) => recall.slow_for = None,
            ("later", _) => {}
            ("volume bound", _) => {
                claim.as_mut().unwrap().volume = Some(PV.into());
                self.pv().phase = Phase::Bound;
            }
            ("volume released", _) => self.pv().phase = Phase::Released,
            ("volume deleted by a user", _) => self.pv().deleting = true,
            ("volume set to Retain", _) => self.pv().reclaim = Reclaim::Retain,
            ("pod attached", node) => self.volumes.attached_to = Some(node.into()),
            ("pod detached", _) => self.volumes.attached_to = None,
            other => panic!("{other:?}"),
        }
        self.goes_on();
    }

    fn pv(&mut self) -> &mut crate::view::Volume {
        self.volumes.volume.as_mut().unwrap()
    }

    fn goes_on(&mut self) {
        while self.claim_step() {}
        while self.volume_step() {
            // The end of the volume may be what the claim waits for.
            if self.volumes.volume.is_none() {
                while self.claim_step() {}
            }
        }
    }

    /// Whether there was a step, and it worked.
    fn claim_step(&mut self) -> bool {
        self.claims.existing = self.volumes.volume.as_ref().map(|pv| ExistingVolume {
            claim_uid: Some(UID.to_owned()),
            handle: pv.handle.clone(),
            deleting: pv.deleting,
        });
        match claim::plan(&self.claims) {
            Next::Rest(why) => self.rests(0, format!("claim: rests, {}", why.name())),
            Next::Refuse(problem) => self.rests(0, format!("claim: refused: {problem}")),
            Next::Do(action) => {
                let answer = self.acts(0, format!("claim: {}", action.name()));
                self.claim_answer(action, &answer);
                !matches!(answer.as_str(), "failed" | "timeout" | "refused")
            }
        }
    }

    fn claim_answer(&mut self, action: claim::Action, answer: &str) {
        let recall = &mut self.claims.recall;
        match (action, answer) {
            (claim::Action::CreateVolume(ask), "ok" | "too small") => {
                let capacity = if answer == "ok" { ask.required } else { Bytes(1) };
                let handle = VolumeHandle::from("vol-1");
                let (context, accessible_topology) = Default::default();
                let volume = CreatedVolume { handle, capacity, context, accessible_topology, source: None };
                *recall = Recall { created: Some(Arc::new(Created { ask, volume })), ..Recall::default() };
            }
            (claim::Action::CreateVolume(ask), "timeout") => recall.asked = Some(ask),
            (claim::Action::CreateVolume(_), "refused") => recall.asked = None,
            (claim::Action::CreateVolume(_), "impossible") => {
                *recall = Recall { slow_for: Some(Duration::from_secs(300)), ..Recall::default() };
            }
            (claim::Action::CreateVolume(ask), "no room") => {
                *recall = Recall { no_room: ask.selected_node.clone(), ..Recall::default() };
            }
            (claim::Action::DiscardVolume(_), "ok") => recall.created = None,
            (claim::Action::SavePv(_), "ok") => {
                *recall = Recall::default();
                self.volumes.volume = Some(crate::view::Volume { phase: Phase::Other, ..volume() });
            }
            (claim::Action::Reschedule { .. }, "ok") => {
                self.claims.claim.as_mut().unwrap().selected_node = None;
                self.claims.topology.as_mut().unwrap().selected = None;
            }
            (_, "failed") => {}
            other => panic!("{other:?}"),
        }
    }

    fn volume_step(&mut self) -> bool {
        match volume::plan(&self.volumes) {
            Next::Rest(volume::Why::VolumeGone) => false,
            Next::Rest(why) => self.rests(1, format!("volume: rests, {}", why.name())),
            Next::Refuse(problem) => self.rests(1, format!("volume: refused: {problem}")),
            Next::Do(action) => {
                match (action, self.acts(1, format!("volume: {}", action.name())).as_str()) {
                    (volume::Action::HoldPv, "ok") => self.pv().held = true,
                    (volume::Action::LetGoPv, "ok") => self.pv().held = false,
                    (volume::Action::DeleteVolume, "ok") => self.volumes.deleted = true,
                    (volume::Action::ReleasePv, "ok") => self.volumes.volume = None,
                    (_, "failed") => return false,
                    other => panic!("{other:?}"),
                }
                true
            }
        }
    }

    fn acts(&mut self, who: usize, what: String) -> String {
        let answer = self.answers.pop_front().unwrap_or_else(|| "ok".to_owned());
        writeln!(self.told, "    {what} ({answer})").unwrap();
        self.rested[who].clear();
        answer
    }

    /// Resting on for the same reason is not worth a line.
    fn rests(&mut self, who: usize, how: String) -> bool {
        if self.rested[who] != how {
            writeln!(self.told, "    {how}").unwrap();
            self.rested[who] = how;
        }
        false
    }
}

fn tell(text: &str) -> String {
    let mut story = Story::new();
    for line in text.lines().filter(|line| !line.starts_with("    ")) {
        writeln!(story.told, "{line}").unwrap();
        if !line.is_empty() && !line.starts_with('#') {
            story.happens(line);
        }
    }
    story.told.replace(PV, "PV")
}

#[test]
fn every_story_goes_as_it_was_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let mut stories = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let recorded = std::fs::read_to_string(&path).unwrap();
        let told = tell(&recorded);
        if std::env::var_os("UPDATE_PLANS").is_some() {
            std::fs::write(&path, told).unwrap();
        } else {
            assert_eq!(told, recorded, "{} goes differently now", path.display());
        }
        stories += 1;
    }
    assert!(stories > 0);
}
