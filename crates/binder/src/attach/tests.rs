//! Rules by name.

mod live;

use std::time::Duration;

use cluster::Kind;
use cluster::kinds::{Claim, Pod, Volume};
use csi_types::Next::{Do, Refuse, Rest};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::plan::{Action, AttachmentState, Facts, NodeState, PATIENCE, Problem, View, Why, plan};
use super::wanted::{attachment_name, attachment_of, handle_of, is_attachment_name, is_bound, wants};
use super::{attach_failed, attach_succeeded};

fn facts(wanted: bool, attachment: Option<(bool, bool)>) -> Facts {
    let attachment = attachment.map(|(attached, deleting)| AttachmentState { attached, deleting, detaching: false });
    Facts { node: NodeState::Managed, wanted, attachment, driver: "d".into(), handle: "h".into(), ..Facts::default() }
}

fn next(facts: Facts) -> super::plan::Next {
    plan(&View::Volume(facts))
}

#[test]
fn a_wanted_volume_is_attached_then_reported() {
    assert_eq!(next(facts(true, None)), Do(Action::CreateAttachment));
    assert_eq!(next(facts(true, Some((false, false)))), Rest(Why::WaitsForAttacher));
    assert_eq!(next(facts(true, Some((true, false)))), Do(Action::Report { attached: true }));
    assert_eq!(next(Facts { reported: true, ..facts(true, Some((true, false))) }), Rest(Why::Attached));
}

#[test]
fn a_detach_waits_for_the_node_to_let_go_and_takes_the_volume_off_the_list_first() {
    let attached = Facts { reported: true, in_use: true, ..facts(false, Some((true, false))) };
    assert_eq!(next(attached.clone()), Rest(Why::StillMounted));
    let free = Facts { in_use: false, ..attached };
    assert_eq!(next(free.clone()), Do(Action::Report { attached: false }));
    assert_eq!(next(Facts { reported: false, ..free }), Do(Action::DeleteAttachment));
    assert_eq!(next(facts(false, Some((true, true)))), Rest(Why::BeingDetached));
    assert_eq!(next(facts(false, None)), Rest(Why::NotWanted));
}

#[test]
fn what_is_mounted_stays_attached_even_if_it_never_was() {
    let half = Facts { in_use: true, ..facts(false, Some((false, false))) };
    assert_eq!(next(half.clone()), Rest(Why::StillMounted));
    assert_eq!(next(Facts { in_use: false, ..half }), Do(Action::DeleteAttachment));
}

#[test]
fn an_attachment_that_is_being_deleted_is_made_again_when_it_is_gone() {
    assert_eq!(next(facts(true, Some((true, true)))), Rest(Why::BeingDetached));
    let reported = Facts { reported: true, ..facts(true, Some((true, true))) };
    assert_eq!(next(reported), Do(Action::Report { attached: false }), "and must not be relied on meanwhile");
}

#[test]
fn an_attachment_that_vanished_leaves_the_list_before_it_is_made_again() {
    let vanished = Facts { reported: true, ..facts(true, None) };
    assert_eq!(next(vanished), Do(Action::Report { attached: false }));
}

#[test]
fn the_attachers_words_are_told_and_so_is_its_silence() {
    let failed = Facts { failure: Some("no such disk".into()), ..facts(true, Some((false, false))) };
    assert_eq!(next(failed), Refuse(Problem::Failed("no such disk".into())));
    let silent = Facts { waited: PATIENCE, ..facts(true, Some((false, false))) };
    let Refuse(problem) = next(silent) else { panic!("a problem") };
    assert_eq!(problem.to_string(), "timed out waiting for external-attacher of d CSI driver to attach volume h");
    let soon = Facts { waited: PATIENCE - Duration::from_secs(1), ..facts(true, Some((false, false))) };
    assert_eq!(next(soon), Rest(Why::WaitsForAttacher));
}

#[test]
fn without_the_node_nothing_is_known_of_mounts_and_nothing_is_done() {
    for (node, why) in [(NodeState::Missing, Why::NodeMissing), (NodeState::Unmanaged, Why::NotManaged)] {
        assert_eq!(next(Facts { node, ..facts(true, None) }), Rest(why));
        assert_eq!(next(Facts { node, ..facts(false, Some((true, false))) }), Rest(why));
        assert_eq!(next(Facts { node, ..facts(false, None) }), Rest(Why::NotWanted));
    }
}

#[test]
fn what_no_volume_speaks_for_leaves_the_list() {
    assert_eq!(plan(&View::Node { stray: true }), Do(Action::Report { attached: false }));
    assert_eq!(plan(&View::Node { stray: false }), Rest(Why::InStep));
}

#[test]
fn events_are_upstreams_to_the_letter() {
    let volume = cluster::Key::cluster("pvc-1");
    assert_eq!(attach_succeeded(&volume), "AttachVolume.Attach succeeded for volume \"pvc-1\" ");
    assert_eq!(attach_failed(&volume, "no such disk"), "AttachVolume.Attach failed for volume \"pvc-1\" : no such disk");
}

#[test]
fn names_are_kubelets() {
    assert_eq!(handle_of("kubernetes.io/csi/d.example.com^a^b"), Some(("d.example.com", "a^b")));
    assert_eq!(handle_of("kubernetes.io/nfs/x"), None);
    let name = attachment_name("a^b", "d.example.com", "n1");
    assert_eq!(attachment_of("kubernetes.io/csi/d.example.com^a^b", "n1"), Some(name.clone()));
    assert!(is_attachment_name(&name) && !is_attachment_name("csi-mine"));
    // As the shell has it: printf 'vol-1d.example.comn1' | sha256sum
    assert_eq!(
        attachment_name("vol-1", "d.example.com", "n1"),
        "csi-30f6d22005837af41fef7d63fe7b3970943d7d3f3347148ba9b313bbaab0f238"
    );
}

fn volume(uid: &str) -> Volume {
    let object = json!({
        "metadata": {"name": "pv-1", "uid": "v"},
        "spec": {"claimRef": {"namespace": "team-a", "name": "data", "uid": uid}, "csi": {"driver": "d", "volumeHandle": "h"}},
    });
    Volume::compact(serde_json::from_value(object).expect("a volume")).expect("a name")
}

fn claim(name: &str, phase: &str, owner: Option<&str>) -> Claim {
    let owners = owner.map(|uid| json!([{"apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": uid, "controller": true}]));
    let object = json!({
        "metadata": {"name": name, "namespace": "team-a", "uid": "c-1", "ownerReferences": owners},
        "spec": {"volumeName": "pv-1"}, "status": {"phase": phase},
    });
    Claim::compact(serde_json::from_value(object).expect("a claim")).expect("a name")
}

fn pod(node: &str, status: Value, deleting: bool) -> Pod {
    let mut object = json!({
        "metadata": {"name": "web-0", "namespace": "team-a", "uid": "p-1"},
        "spec": {"nodeName": node, "containers": [], "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "scratch", "ephemeral": {}},
        ]},
        "status": status,
    });
    if deleting {
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    }
    Pod::compact(serde_json::from_value(object).expect("a pod")).expect("a name")
}

#[test]
fn a_volume_and_its_claim_must_both_say_that_they_are_bound() {
    assert!(is_bound(&volume("c-1"), &claim("data", "Bound", None)));
    assert!(!is_bound(&volume("c-1"), &claim("data", "Pending", None)));
    assert!(!is_bound(&volume("c-0"), &claim("data", "Bound", None)), "the claim is a namesake");
}

#[test]
fn a_pod_wants_its_volumes_until_it_has_ended() {
    let data = claim("data", "Bound", None);
    let running = json!({"phase": "Running", "containerStatuses": [{"name": "c", "state": {"running": {}}}]});
    assert!(wants(&pod("n1", json!({}), false), &data, "n1"));
    assert!(!wants(&pod("n2", json!({}), false), &data, "n1"));
    assert!(!wants(&pod("", json!({}), false), &data, "n1"));
    assert!(wants(&pod("n1", running, true), &data, "n1"), "it is being deleted, and still runs");
    assert!(!wants(&pod("n1", json!({"phase": "Running"}), true), &data, "n1"));
    assert!(!wants(&pod("n1", json!({"phase": "Failed"}), false), &data, "n1"));
    assert!(wants(&pod("n1", json!({}), false), &claim("web-0-scratch", "Bound", Some("p-1")), "n1"));
    assert!(!wants(&pod("n1", json!({}), false), &claim("web-0-scratch", "Bound", Some("p-0")), "n1"));
}

/// An API, an attacher and a mounter in one line each; whoever is next is drawn.
#[derive(Debug, Clone, Default)]
struct World {
    facts: Facts,
    mounted: bool,
}

impl World {
    fn controller(&mut self) {
        let facts = &mut self.facts;
        match plan(&View::Volume(facts.clone())) {
            Do(Action::CreateAttachment) => {
                assert!(!facts.reported, "a new attachment is not one that the mounter relied on");
                facts.attachment = Some(AttachmentState { attached: false, deleting: false, detaching: false });
            }
            Do(Action::DeleteAttachment) => {
                assert!(!facts.in_use && !facts.reported && !self.mounted, "what may be mounted is not detached");
                facts.attachment = facts.attachment.map(|attachment| AttachmentState { deleting: true, ..attachment });
            }
            Do(Action::Report { .. }) => facts.reported = facts.is_attached_for_good(),
            Rest(_) | Refuse(_) => {}
        }
    }

    fn attacher(&mut self) {
        match &mut self.facts.attachment {
            Some(attachment) if attachment.deleting => {
                assert!(!self.mounted, "unpublished while it is mounted");
                self.facts.attachment = None;
            }
            Some(attachment) => attachment.attached = true,
            None => {}
        }
    }

    /// In use is written first, then attached is read; the other way round when it lets go.
    fn mounter(&mut self) {
        let facts = &mut self.facts;
        match (facts.wanted, facts.in_use, self.mounted) {
            (true, false, _) => facts.in_use = true,
            (true, true, false) => self.mounted = facts.reported,
            (false, _, true) => self.mounted = false,
            (false, true, false) => facts.in_use = false,
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_detached_while_mounted_and_everything_comes_to_rest(turns in prop::collection::vec(0u8..5, 0..80)) {
        let mut world = World { facts: facts(false, None), mounted: false };
        for turn in turns {
            match turn {
                0 => world.facts.wanted = true,
                1 => world.facts.wanted = false,
                2 => world.controller(),
                3 => world.attacher(),
                _ => world.mounter(),
            }
        }
        for wanted in [world.facts.wanted, true, false] {
            world.facts.wanted = wanted;
            for _ in 0..20 {
                world.controller();
                world.attacher();
                world.mounter();
            }
            prop_assert_eq!(world.mounted, wanted);
            prop_assert_eq!(world.facts.attachment.is_some(), wanted);
            prop_assert_eq!(world.facts.reported, wanted);
        }
    }
}
