use cluster::kinds::selector::{LabelSelector, NodeSelector};
use cluster::kinds::{Condition, StorageCapacity, Taint, Toleration, TopologyExpression, TopologyTerm};
use cluster::{Key, Meta};
use csi_types::Next::{Do, Rest};

use super::*;
use crate::fixtures::{claim, class, node, pod, reference, volume};
use crate::words::Conflict;

/// A pod without volumes, and the node.
fn view(change: impl FnOnce(&mut View)) -> View {
    let mut view =
        View { pod: Some(pod("p", &[], |_| ())), ours: "host".into(), node: Some(node("host", |_| ())), ..View::default() };
    change(&mut view);
    view
}

fn want(name: &str, change: impl FnOnce(&mut Claim)) -> Want {
    Want {
        name: name.into(),
        ephemeral: false,
        claim: Some(claim(name, change)),
        owned: true,
        class: ClassFact::Unset,
        volume: None,
        exclusive_elsewhere: false,
        room: None,
    }
}

fn bound(name: &str) -> Want {
    let mut want = want(name, |c| (c.volume, c.bind_completed, c.phase) = (Some("pv".into()), true, "Bound".into()));
    want.volume = Some(volume("pv", |_| ()));
    want
}

/// A claim that waits for a consumer, of a class that is provisioned.
fn delayed(name: &str, change: impl FnOnce(&mut Claim)) -> Want {
    let mut want = want(name, |c| {
        c.class = Some("sc".into());
        change(c);
    });
    want.class = ClassFact::Found(class("sc", |class| class.waits_for_consumer = true));
    want
}

fn no_provisioner(mut want: Want) -> Want {
    want.class = ClassFact::Found(class("sc", |class| {
        (class.waits_for_consumer, class.provisioner) = (true, "kubernetes.io/no-provisioner".into());
    }));
    want
}

fn free(name: &str, size: &str) -> Arc<Volume> {
    volume(name, |v| (v.class, v.capacity) = (Some("sc".into()), size.into()))
}

fn unfit(view: &View) -> Unfit {
    match plan(view) {
        Do(Action::MarkUnschedulable(unfit)) => unfit,
        other => panic!("not unschedulable: {other:?}"),
    }
}

fn asks(view: &mut View, change: impl FnOnce(&mut cluster::kinds::Scheduling)) {
    view.pod = Some(pod("p", &[], |p| change(p.scheduling.as_mut().expect("it has no node"))));
}

#[test]
fn a_pod_that_wants_nothing_is_put_on_the_node() {
    assert_eq!(plan(&view(|_| ())), Do(Action::BindPod));
    assert_eq!(plan(&view(|v| v.wants = vec![bound("c")])), Do(Action::BindPod));
}

#[test]
fn what_is_not_for_us_to_place_is_left_alone() {
    let with = |change: fn(&mut Pod)| view(|v| v.pod = Some(pod("p", &[], change)));
    assert_eq!(plan(&View::default()), Rest(Why::Gone));
    assert_eq!(plan(&with(|p| p.phase = "Succeeded".into())), Rest(Why::Over));
    assert_eq!(plan(&with(|p| p.meta.deleting = true)), Rest(Why::Deleting));
    let placed = |p: &mut Pod, node: &str| (p.node, p.scheduling) = (node.into(), None);
    assert_eq!(plan(&view(|v| v.pod = Some(pod("p", &[], |p| placed(p, "other"))))), Rest(Why::Elsewhere));
    assert_eq!(plan(&view(|v| v.pod = Some(pod("p", &[], |p| placed(p, "host"))))), Rest(Why::Placed));
    assert_eq!(plan(&view(|v| asks(v, |asks| asks.scheduler = "mine".into()))), Rest(Why::NotOurs));
    assert_eq!(plan(&view(|v| asks(v, |asks| asks.gated = true))), Rest(Why::Gated));
}

#[test]
fn without_a_node_nothing_is_placed() {
    assert_eq!(unfit(&view(|v| v.node = None)), Unfit::NoNode);
}

#[test]
fn claims_that_are_not_ready_are_named_before_anything_about_the_node() {
    let cordoned = Some(node("host", |node| node.unschedulable = true));
    let of = |wants: Vec<Want>| unfit(&view(|v| (v.node, v.wants) = (cordoned.clone(), wants)));
    let missing = |name: &str, ephemeral| Want { claim: None, ephemeral, owned: !ephemeral, ..want(name, |_| ()) };
    let lost = || want("l", |c| (c.phase, c.volume) = ("Lost".into(), Some("gone".into())));
    assert_eq!(of(vec![lost(), missing("m", false)]), Unfit::ClaimMissing("m".into()), "upstream looks for those first");
    assert_eq!(of(vec![missing("m", true), lost()]), Unfit::EphemeralClaimMissing("m".into()));
    assert_eq!(of(vec![lost()]), Unfit::ClaimLost { claim: "l".into(), volume: "gone".into() });
    assert_eq!(of(vec![want("d", |c| c.meta.deleting = true)]), Unfit::ClaimDeleting("d".into()));
    let not_owned = Want { ephemeral: true, owned: false, ..bound("p-v") };
    assert_eq!(of(vec![not_owned]), Unfit::ClaimNotOwned { claim: "ns/p-v".into(), pod: "ns/p".into() });
    assert_eq!(of(vec![want("c", |_| ())]), Unfit::UnboundImmediate);
    assert_eq!(of(vec![bound("c")]), Unfit::Unschedulable);
}

#[test]
fn a_claim_that_names_a_volume_counts_as_immediate_whatever_its_class() {
    let named = delayed("c", |c| c.volume = Some("pv".into()));
    assert_eq!(unfit(&view(|v| v.wants = vec![named])), Unfit::UnboundImmediate);
}

#[test]
fn the_node_is_asked_in_upstreams_order() {
    let taint = Taint { key: "k".into(), value: "".into(), effect: "NoSchedule".into() };
    let bad = node("host", |node| {
        (node.unschedulable, node.taints) = (true, [taint.clone()].into());
    });
    let tolerates = |key: &str| Toleration { key: key.into(), operator: "Exists".into(), ..Toleration::default() };
    let mut v = view(|v| v.node = Some(bad));
    asks(&mut v, |asks| asks.node_selector = [("a".into(), "1".into())].into());
    assert_eq!(unfit(&v), Unfit::Unschedulable);
    asks(&mut v, |asks| {
        asks.node_selector = [("a".into(), "1".into())].into();
        asks.tolerations = [tolerates("node.kubernetes.io/unschedulable")].into();
    });
    assert_eq!(unfit(&v), Unfit::Taint);
    asks(&mut v, |asks| {
        asks.node_selector = [("a".into(), "1".into())].into();
        asks.tolerations = [tolerates("")].into();
    });
    assert_eq!(unfit(&v), Unfit::NodeAffinity);
    asks(&mut v, |asks| asks.tolerations = [tolerates("")].into());
    assert_eq!(plan(&v), Do(Action::BindPod));
}

#[test]
fn taints_that_only_discourage_do_not_repel() {
    let taint = |effect: &str| Taint { key: "k".into(), value: "".into(), effect: effect.into() };
    let with = |effect: &str| view(|v| v.node = Some(node("host", |node| node.taints = [taint(effect)].into())));
    assert_eq!(plan(&with("PreferNoSchedule")), Do(Action::BindPod));
    assert_eq!(unfit(&with("NoExecute")), Unfit::Taint);
}

#[test]
fn node_affinity_is_matched_by_labels_and_by_name() {
    let selector = |json: &str| Some(serde_json::from_str::<NodeSelector>(json).expect("a selector"));
    let by_name = |name: &str| {
        selector(&format!(
            r#"{{"nodeSelectorTerms":[{{"matchFields":[{{"key":"metadata.name","operator":"In","values":["{name}"]}}]}}]}}"#
        ))
    };
    assert_eq!(plan(&view(|v| asks(v, |asks| asks.affinity = by_name("host")))), Do(Action::BindPod));
    assert_eq!(unfit(&view(|v| asks(v, |asks| asks.affinity = by_name("other")))), Unfit::NodeAffinity);
}

#[test]
fn a_claim_for_one_pod_only_waits_for_the_other_pod_to_end() {
    let v = view(|v| v.wants = vec![Want { exclusive_elsewhere: true, ..bound("c") }]);
    assert_eq!(unfit(&v), Unfit::AccessModeInUse);
}

#[test]
fn a_driver_takes_no_more_volumes_than_its_node_allows() {
    let with = |used, new| view(|v| v.loads = vec![Load { limit: 2, used, new }]);
    assert_eq!(plan(&with(1, 1)), Do(Action::BindPod));
    assert_eq!(unfit(&with(2, 1)), Unfit::TooManyVolumes);
    assert_eq!(plan(&with(3, 0)), Do(Action::BindPod), "it brings none of its own");
}

#[test]
fn bound_volumes_must_exist_and_be_reachable() {
    let of = |pv: Option<Arc<Volume>>| unfit(&view(|v| v.wants = vec![Want { volume: pv, ..bound("c") }]));
    assert_eq!(of(None), Unfit::Volumes(vec![Conflict::VolumeMissing]));
    let far = r#"{"nodeSelectorTerms":[{"matchExpressions":[{"key":"zone","operator":"In","values":["b"]}]}]}"#;
    let far = volume("pv", |v| v.affinity = Some(serde_json::from_str(far).expect("a selector")));
    assert_eq!(of(Some(far)), Unfit::Volumes(vec![Conflict::VolumeAffinity]));
}

#[test]
fn what_is_wrong_with_bound_and_with_unbound_volumes_is_said_together() {
    let wants = vec![Want { volume: None, ..bound("c") }, no_provisioner(delayed("d", |_| ()))];
    let both = vec![Conflict::VolumeMissing, Conflict::NothingToBind];
    assert_eq!(unfit(&view(|v| v.wants = wants)), Unfit::Volumes(both));
}

#[test]
fn a_volume_that_exists_is_reserved_and_then_waited_for() {
    let wants = vec![no_provisioner(delayed("c", |_| ()))];
    let start = view(|v| (v.wants, v.volumes) = (wants, vec![free("pv", "1Gi")]));
    assert_eq!(plan(&start), Do(Action::HoldVolume(claim("c", |c| c.class = Some("sc".into())), free("pv", "1Gi"))));
    let held = volume("pv", |v| (v.class, v.claim) = (Some("sc".into()), Some(reference("c", "uid-c"))));
    let reserved = View { volumes: vec![held], ..start };
    let wait = Wait { selected: vec![], reserved: vec![("uid-c".into(), "pv".into())] };
    assert_eq!(plan(&reserved), Do(Action::Wait(wait.clone())));
    let left = Duration::from_secs(9);
    let waiting = View { memory: Memory { waiting: Some((wait, left)), back_off: None }, ..reserved };
    assert_eq!(plan(&waiting), Rest(Why::WaitingForVolumes(left)));
}

#[test]
fn smaller_claims_choose_first_and_no_volume_is_chosen_twice() {
    let wants = vec![delayed("large", |c| c.request = Some("5Gi".into())), delayed("small", |_| ())];
    let both = view(|v| (v.wants, v.volumes) = (wants, vec![free("a", "6Gi"), free("b", "1Gi")]));
    let asks = |name: &str, size: &str| claim(name, |c| (c.class, c.request) = (Some("sc".into()), Some(size.into())));
    assert_eq!(plan(&both), Do(Action::HoldVolume(asks("small", "1Gi"), free("b", "1Gi"))));
    let one = View { volumes: vec![free("a", "6Gi")], ..both };
    assert_eq!(plan(&one), Do(Action::HoldVolume(asks("small", "1Gi"), free("a", "6Gi"))), "the other is provisioned for");
}

#[test]
fn what_is_not_found_is_provisioned_on_the_node() {
    let start = view(|v| v.wants = vec![delayed("c", |_| ())]);
    assert!(matches!(plan(&start), Do(Action::SelectNode(_))));
    let selected = View { wants: vec![delayed("c", |c| c.selected_node = Some("host".into()))], ..start.clone() };
    let wait = Wait { selected: vec!["uid-c".into()], reserved: vec![] };
    assert_eq!(plan(&selected), Do(Action::Wait(wait)), "after a restart the time begins anew");
    let elsewhere = View { wants: vec![delayed("c", |c| c.selected_node = Some("other".into()))], ..start };
    assert_eq!(unfit(&elsewhere), Unfit::Volumes(vec![Conflict::NothingToBind]));
}

#[test]
fn nothing_is_asked_for_unless_all_of_it_can_be_had() {
    let wants = vec![delayed("a", |_| ()), no_provisioner(delayed("b", |c| c.request = Some("9Gi".into())))];
    let v = view(|v| (v.wants, v.volumes) = (wants, vec![free("pv", "1Gi")]));
    assert_eq!(unfit(&v), Unfit::Volumes(vec![Conflict::NothingToBind]));
}

#[test]
fn a_class_must_be_there_and_allow_the_node() {
    let with = |class: ClassFact| Want { class, ..delayed("c", |_| ()) };
    let topology = |zone: &str| {
        let one = TopologyExpression { key: "zone".into(), values: [zone.into()].into() };
        let term = TopologyTerm { match_label_expressions: [one].into() };
        ClassFact::Found(class("sc", |class| (class.waits_for_consumer, class.allowed_topologies) = (true, [term].into())))
    };
    let here = Some(node("host", |node| node.labels = [("zone".into(), "a".into())].into()));
    let v = |want: Want| view(|v| (v.node, v.wants) = (here.clone(), vec![want]));
    assert!(matches!(plan(&v(with(topology("a")))), Do(Action::SelectNode(_))));
    assert_eq!(unfit(&v(with(topology("b")))), Unfit::Volumes(vec![Conflict::NothingToBind]));
    let empty = ClassFact::Found(class("sc", |class| {
        (class.waits_for_consumer, class.allowed_topologies) =
            (true, [TopologyTerm { match_label_expressions: [].into() }].into());
    }));
    assert_eq!(unfit(&v(with(empty))), Unfit::Volumes(vec![Conflict::NothingToBind]), "an empty term is no node");
    assert_eq!(unfit(&v(with(ClassFact::Missing("sc".into())))), Unfit::UnboundImmediate, "it does not wait, as far as we know");
}

#[test]
fn where_room_is_counted_there_must_be_enough_of_it_at_the_node() {
    let room = |size: &str, max: Option<&str>, nodes: Option<&str>| {
        let meta =
            Meta { key: Key::namespaced("d", "room"), uid: "u".into(), version: 1, deleting: false, finalizers: [].into() };
        let nodes = nodes.map(|json| serde_json::from_str::<LabelSelector>(json).expect("a selector"));
        let (capacity, maximum_volume_size) = (Some(size.into()), max.map(Into::into));
        Arc::new(StorageCapacity { meta, class: "sc".into(), nodes, capacity, maximum_volume_size })
    };
    let with = |rooms: Vec<Arc<StorageCapacity>>| view(|v| v.wants = vec![Want { room: Some(rooms), ..delayed("c", |_| ()) }]);
    let none = Unfit::Volumes(vec![Conflict::NoSpace]);
    assert_eq!(unfit(&with(vec![])), none);
    assert_eq!(unfit(&with(vec![room("1Mi", None, Some("{}"))])), none);
    assert_eq!(unfit(&with(vec![room("9Gi", Some("1Mi"), Some("{}"))])), none);
    assert_eq!(unfit(&with(vec![room("9Gi", None, None)])), none, "no node reaches it");
    let elsewhere = r#"{"matchLabels":{"zone":"b"}}"#;
    assert_eq!(unfit(&with(vec![room("9Gi", None, Some(elsewhere))])), none);
    assert!(matches!(plan(&with(vec![room("1Gi", None, Some("{}"))])), Do(Action::SelectNode(_))));
}

#[test]
fn a_volume_with_zone_labels_is_only_for_nodes_in_one_of_its_zones() {
    let with = |label: &str, value: &str, of_node: &str| {
        view(|v| {
            let labelled = volume("pv", |pv| pv.labels = [(label.into(), value.into())].into());
            v.node = Some(node("host", |node| node.labels = [(of_node.into(), "a".into())].into()));
            v.wants = vec![Want { volume: Some(labelled), ..bound("c") }];
        })
    };
    const ZONE: &str = "topology.kubernetes.io/zone";
    const BETA: &str = "failure-domain.beta.kubernetes.io/zone";
    assert_eq!(unfit(&with(ZONE, "b", ZONE)), Unfit::Zone);
    assert_eq!(plan(&with(ZONE, "b__a", ZONE)), Do(Action::BindPod));
    assert_eq!(plan(&with(BETA, "a", ZONE)), Do(Action::BindPod), "an old label, a new node");
    assert_eq!(plan(&with(ZONE, "b", "hostname")), Do(Action::BindPod), "a node that does not say where it is");
}

#[test]
fn a_reason_is_said_in_the_status_and_as_an_event_and_then_rested_on() {
    let start = view(|v| v.node = None);
    let message = Unfit::NoNode.message();
    let condition = Condition { status: "False".into(), reason: "Unschedulable".into(), message: message.as_str().into() };
    let known = View { pod: Some(pod("p", &[], |p| p.scheduled = Some(Box::new(condition)))), ..start.clone() };
    assert_eq!(unfit(&known), Unfit::NoNode, "it was not told lately");
    let told = View { told: Some(words::failed_scheduling(&message)), ..known };
    assert_eq!(plan(&told), Rest(Why::Unschedulable));
    assert_eq!(unfit(&View { told: told.told, ..start }), Unfit::NoNode, "the status does not say so");
}

fn waits(selected: &[&str], reserved: &[(&str, &str)], left: u64) -> Memory {
    let wait = Wait {
        selected: selected.iter().map(|uid| (*uid).into()).collect(),
        reserved: reserved.iter().map(|(uid, name)| ((*uid).into(), (*name).into())).collect(),
    };
    Memory { waiting: Some((wait, Duration::from_secs(left))), back_off: None }
}

#[test]
fn a_provisioner_that_takes_the_node_away_ends_the_wait_and_the_same_node_is_tried_again() {
    let rejected = view(|v| (v.wants, v.memory) = (vec![delayed("c", |_| ())], waits(&["uid-c"], &[], 9)));
    assert_eq!(plan(&rejected), Do(Action::Abort(Aborted::Provisioning("c".into()))));
    let left = Duration::from_secs(2);
    let pause = View { memory: Memory { waiting: None, back_off: Some(left) }, ..rejected.clone() };
    assert_eq!(plan(&pause), Rest(Why::BackingOff(left)));
    assert!(matches!(plan(&View { memory: Memory::default(), ..rejected }), Do(Action::SelectNode(_))));
}

#[test]
fn a_reservation_that_is_taken_back_ends_the_wait() {
    let wants = vec![no_provisioner(delayed("c", |_| ()))];
    let reset = view(|v| (v.wants, v.volumes, v.memory) = (wants, vec![free("pv", "1Gi")], waits(&[], &[("uid-c", "pv")], 9)));
    assert_eq!(plan(&reset), Do(Action::Abort(Aborted::Reservation("pv".into()))));
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let wants = vec![delayed("c", |c| c.selected_node = Some("host".into()))];
    let late = view(|v| (v.wants, v.memory) = (wants, waits(&["uid-c"], &[], 0)));
    assert_eq!(plan(&late), Do(Action::Abort(Aborted::Timeout)));
    let done = View { wants: vec![bound("c")], ..late };
    assert_eq!(plan(&done), Do(Action::BindPod), "unless everything is bound by then");
}

#[test]
fn a_pod_that_was_made_with_its_node_in_it_is_a_consumer_all_the_same() {
    let placed = |wants: Vec<Want>| {
        view(|v| {
            v.pod = Some(pod("p", &[], |p| (p.node, p.scheduling) = ("host".into(), None)));
            v.wants = wants;
        })
    };
    assert!(matches!(plan(&placed(vec![delayed("c", |_| ())])), Do(Action::SelectNode(_))));
    let selected = delayed("c", |c| c.selected_node = Some("host".into()));
    assert!(matches!(plan(&placed(vec![selected])), Do(Action::Wait(_))));
    assert_eq!(plan(&placed(vec![bound("c")])), Rest(Why::Placed));
    let cannot = no_provisioner(delayed("c", |_| ()));
    assert_eq!(plan(&placed(vec![cannot])), Rest(Why::PlacedWithoutVolumes));
}
