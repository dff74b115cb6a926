use std::collections::BTreeMap;

use csi_types::{AccessMode, AccessType, ControllerCapability, CsiAccessMode, VolumeMode};
use proptest::prelude::*;

use super::*;
use crate::fixtures::{DRIVER, PV, UID, ask, class, created, driver, place, placed_view, settings, view};
use crate::placement::NodePlace;
use crate::view::{AttributesClass, Class, ExistingVolume, Live, Settings, Source};

fn with_claim(change: impl FnOnce(&mut Claim)) -> ClaimView {
    let mut v = view();
    change(v.claim.as_mut().unwrap());
    v
}

fn with_class(change: impl FnOnce(&mut Class)) -> ClaimView {
    let mut v = view();
    change(v.class.as_mut().unwrap());
    v
}

fn problem(v: &ClaimView) -> Problem {
    match plan(v) {
        Next::Refuse(problem) => problem,
        other => panic!("{other:?}"),
    }
}

fn existing(claim_uid: &str, handle: &str, deleting: bool) -> Option<ExistingVolume> {
    Some(ExistingVolume { claim_uid: Some(claim_uid.to_owned()), handle: Some(handle.into()), deleting })
}

// --- who is asked, and when ---

#[test]
fn a_claim_becomes_a_volume_of_its_own_name() {
    let ask = ask(&view());
    assert_eq!(ask.name.as_str(), PV);
    assert_eq!(ask.required, Bytes(1 << 30));
    assert_eq!(ask.parameters, BTreeMap::from([("type".to_owned(), "ssd".to_owned())]));
    assert_eq!((ask.accessibility.clone(), ask.placed), (None, false));
}

#[test]
fn a_claim_that_is_not_ours_or_needs_nothing_is_left_alone() {
    let table: [(ClaimView, Why); 7] = [
        (with_claim(|claim| claim.volume = Some("other".into())), Why::AlreadyBound),
        (with_claim(|claim| claim.provisioner = None), Why::NotOurs),
        (with_claim(|claim| claim.provisioner = Some("other.example.com".into())), Why::NotOurs),
        (ClaimView { class: None, ..view() }, Why::ClassMissing),
        (with_class(|class| class.provisioner = "other.example.com".into()), Why::ClassOfAnother),
        (with_class(|class| class.waits_for_consumer = true), Why::WaitingForConsumer),
        (ClaimView { claim: None, ..view() }, Why::ClaimGone),
    ];
    for (v, why) in table {
        assert_eq!(plan(&v), Next::Rest(why));
    }
}

#[test]
fn a_volume_that_exists_is_not_made_again() {
    let v = ClaimView { existing: existing(UID, "vol-1", false), ..view() };
    assert_eq!(plan(&v), Next::Rest(Why::VolumeExists));
}

#[test]
fn a_name_that_something_else_has_is_refused_before_the_driver_is_asked() {
    let v = ClaimView { existing: existing("another claim", "vol-9", false), ..view() };
    assert_eq!(problem(&v), Problem::NameTaken(PV.into()));
}

#[test]
fn an_impossible_request_is_asked_again_only_when_its_time_has_come() {
    let mut v = view();
    v.recall.slow_for = Some(Duration::from_secs(9));
    assert_eq!(plan(&v), Next::Rest(Why::SlowRetry { again_in: Duration::from_secs(9) }));
}

// --- what must not be lost ---

#[test]
fn a_call_that_may_still_run_is_repeated_word_for_word_whatever_has_changed() {
    let asked = ask(&view());
    let mut v = ClaimView { claim: None, class: None, ..view() };
    v.recall.asked = Some(asked.clone());
    assert_eq!(plan(&v), Next::Do(Action::CreateVolume(asked.clone())));
    let mut v = with_claim(|claim| (claim.volume, claim.provisioner) = (Some("other".into()), None));
    v.recall.asked = Some(asked.clone());
    assert_eq!(plan(&v), Next::Do(Action::CreateVolume(asked)));
}

#[test]
fn a_made_volume_is_saved_even_when_the_claim_is_gone() {
    let made = created(&view(), Bytes(1 << 30));
    let mut v = ClaimView { claim: None, class: None, ..view() };
    v.recall.created = Some(made.clone());
    assert_eq!(plan(&v), Next::Do(Action::SavePv(made)));
}

#[test]
fn a_volume_that_is_too_small_is_deleted_again_and_one_of_unknown_size_is_not() {
    for (capacity, want) in [(0, "save_pv"), (1, "discard_volume"), ((1 << 30) - 1, "discard_volume"), (1 << 30, "save_pv")] {
        let mut v = view();
        v.recall.created = Some(created(&view(), Bytes(capacity)));
        let Next::Do(action) = plan(&v) else { panic!() };
        assert_eq!(action.name(), want, "{capacity}");
    }
}

#[test]
fn an_existing_volume_only_counts_as_saved_if_it_is_this_one() {
    let made = created(&view(), Bytes(0));
    let table = [
        (existing(UID, "vol-1", false), Next::Do(Action::CrossOut)),
        (existing(UID, "vol-0", false), Next::Refuse(Problem::NameTaken(PV.into()))),
        // What deletes it deletes the driver's volume too, perhaps: the answer is forgotten, and the same asked again after it.
        (existing(UID, "vol-1", true), Next::Do(Action::Doubt(made.clone()))),
        (existing("another claim", "vol-1", false), Next::Refuse(Problem::NameTaken(PV.into()))),
    ];
    for (existing, want) in table {
        let mut v = ClaimView { existing, ..view() };
        v.recall.created = Some(made.clone());
        assert_eq!(plan(&v), want);
    }
}

#[test]
fn a_bound_volume_that_was_deleted_by_hand_is_saved_all_the_same() {
    let mut v = ClaimView { existing: existing(UID, "vol-1", true), ..view() };
    v.claim.as_mut().unwrap().volume = Some(PV.into());
    v.recall.created = Some(created(&view(), Bytes(0)));
    assert_eq!(plan(&v), Next::Do(Action::CrossOut));
}

#[test]
fn what_was_asked_for_is_crossed_out_once_a_volume_of_the_claim_is_there_and_asked_again_before_that() {
    let ask = ask(&view());
    let table = [
        (existing(UID, "vol-1", false), false, Next::Do(Action::CrossOut)),
        (existing(UID, "vol-1", false), true, Next::Do(Action::CrossOut)),
        // What deletes it may be done with the driver's volume, and the call may make another.
        (existing(UID, "vol-1", true), false, Next::Rest(Why::OldVolumeGoing)),
        (existing(UID, "vol-1", true), true, Next::Do(Action::CrossOut)),
        (existing("another claim", "vol-1", false), false, Next::Do(Action::CreateVolume(ask.clone()))),
        (None, false, Next::Do(Action::CreateVolume(ask.clone()))),
    ];
    for (existing, bound, want) in table {
        let mut v = ClaimView { existing, ..view() };
        v.claim.as_mut().unwrap().volume = bound.then(|| PV.into());
        v.recall.asked = Some(ask.clone());
        assert_eq!(plan(&v), want);
    }
}

// --- what is asked ---

#[test]
fn each_access_mode_becomes_one_capability_with_the_classes_options() {
    let mut v = with_claim(|claim| claim.access_modes = vec![AccessMode::ReadWriteOnce, AccessMode::ReadOnlyMany]);
    let class = v.class.as_mut().unwrap();
    class.mount_options = vec!["noatime".to_owned()];
    class.parameters.insert("csi.storage.k8s.io/fstype".to_owned(), "xfs".to_owned());
    let ask = ask(&v);
    let mount = AccessType::Mount {
        fs_type: "xfs".to_owned(),
        mount_flags: vec!["noatime".to_owned()],
        volume_mount_group: String::new(),
    };
    assert!(ask.capabilities.iter().all(|capability| capability.access_type == mount));
    let modes: Vec<_> = ask.capabilities.iter().map(|capability| capability.access_mode).collect();
    assert_eq!(modes, [CsiAccessMode::SingleNodeWriter, CsiAccessMode::MultiNodeReaderOnly]);
    assert!(!ask.read_only);
}

#[test]
fn a_raw_volume_has_no_filesystem() {
    let mut v = with_claim(|claim| claim.volume_mode = Some(VolumeMode::Block));
    v.settings = Arc::new(Settings { default_fs_type: "ext4".to_owned(), ..settings() });
    let ask = ask(&v);
    assert_eq!((ask.capabilities[0].access_type.clone(), ask.fs_type.as_str()), (AccessType::Block, ""));
}

#[test]
fn the_default_filesystem_fills_in_only_where_the_class_names_none() {
    let default = Arc::new(Settings { default_fs_type: "ext4".to_owned(), ..settings() });
    for (parameters, want) in [(&[][..], "ext4"), (&[("fstype", "")], "ext4"), (&[("fsType", "xfs")], "xfs")] {
        let v = ClaimView { settings: default.clone(), class: Some(class(parameters)), ..view() };
        assert_eq!(ask(&v).fs_type, want);
    }
}

#[test]
fn the_driver_is_told_the_names_only_when_asked_to() {
    let v = ClaimView { settings: Arc::new(Settings { extra_create_metadata: true, ..settings() }), ..view() };
    let parameters = ask(&v).parameters.clone();
    assert_eq!(parameters["csi.storage.k8s.io/pvc/name"], "data");
    assert_eq!(parameters["csi.storage.k8s.io/pvc/namespace"], "team-a");
    assert_eq!(parameters["csi.storage.k8s.io/pv/name"], PV);
    assert_eq!(parameters["type"], "ssd");
}

#[test]
fn read_only_needs_the_flag_and_read_only_many_as_the_only_mode() {
    let mut v = with_claim(|claim| claim.access_modes = vec![AccessMode::ReadOnlyMany]);
    assert!(!ask(&v).read_only);
    v.settings = Arc::new(Settings { publish_readonly: true, ..settings() });
    assert!(ask(&v).read_only);
    v.claim.as_mut().unwrap().access_modes.push(AccessMode::ReadWriteOnce);
    assert!(!ask(&v).read_only);
}

#[test]
fn a_waiting_pods_node_decides_where() {
    let ask = ask(&placed_view());
    assert_eq!(ask.accessibility.as_ref().unwrap().preferred[0], place(&[("zone", "b")]));
    assert!(ask.placed);
}

// --- what cannot be asked ---

#[test]
fn every_refusal_names_what_is_wrong() {
    let mut cannot_create = view();
    cannot_create.driver = Arc::new(csi_types::DriverInfo { controller: Default::default(), ..driver() });
    let source = Source { kind: "VolumeSnapshot".to_owned(), name: "snap".to_owned() };
    let table: Vec<(ClaimView, &[&str])> = vec![
        (cannot_create, &[DRIVER, "CREATE_DELETE_VOLUME"]),
        (with_claim(|claim| claim.selector = true), &["spec.selector"]),
        (with_claim(|claim| claim.request = "-1".into()), &["spec.resources.requests.storage", "-1"]),
        (with_claim(|claim| claim.unknown_access_modes = vec!["ReadTwice".into()]), &["ReadTwice"]),
        (with_claim(|claim| claim.access_modes.clear()), &["spec.accessModes"]),
        (with_claim(|claim| claim.source = Some(source)), &["VolumeSnapshot", "snap", "not supported"]),
        (with_claim(|claim| claim.attributes_class = Some("gold".into())), &["MODIFY_VOLUME"]),
        (ClaimView { class: Some(class(&[("csi.storage.k8s.io/nonsense", "x")])), ..view() }, &["fast", "nonsense"]),
        (
            ClaimView {
                class: Some(class(&[
                    ("csi.storage.k8s.io/provisioner-secret-name", "${pvc.nonsense}"),
                    ("csi.storage.k8s.io/provisioner-secret-namespace", "ns"),
                ])),
                ..view()
            },
            &["fast", "pvc.nonsense"],
        ),
    ];
    for (v, words) in table {
        let text = problem(&v).to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text:?} lacks one of {words:?}");
    }
}

#[test]
fn a_kind_that_somebody_else_fills_is_announced_once() {
    let source = Source { kind: "Database".to_owned(), name: "dump".to_owned() };
    let mut v = with_claim(|claim| claim.source = Some(source));
    assert_eq!(plan(&v), Next::Do(Action::AnnouncePopulator));
    v.recall.announced = true;
    assert_eq!(plan(&v), Next::Rest(Why::ForAPopulator));
}

// --- what caches do not have ---

#[test]
fn annotations_are_read_only_for_a_class_that_names_secrets_by_them() {
    let mut v = view();
    v.class = Some(class(&[
        ("csi.storage.k8s.io/node-stage-secret-name", "${pvc.annotations['key']}"),
        ("csi.storage.k8s.io/node-stage-secret-namespace", "${pvc.namespace}"),
    ]));
    assert_eq!(plan(&v), Next::Do(Action::LookUp));
    let annotations = BTreeMap::from([("key".to_owned(), "gold".to_owned())]);
    v.recall.live = Some(Arc::new(Live { annotations, attributes: None }));
    assert_eq!(ask(&v).secrets.node_stage.as_ref().unwrap().to_string(), "team-a/gold");
}

#[test]
fn a_volume_attributes_class_becomes_mutable_parameters() {
    let mut v = with_claim(|claim| claim.attributes_class = Some("gold".into()));
    let mut able = driver();
    able.controller.insert(ControllerCapability::ModifyVolume);
    v.driver = Arc::new(able);
    assert_eq!(plan(&v), Next::Do(Action::LookUp));
    let live = |attributes| Some(Arc::new(Live { annotations: BTreeMap::new(), attributes }));
    v.recall.live = live(None);
    assert_eq!(problem(&v), Problem::NoAttributesClass("gold".into()));
    let parameters = BTreeMap::from([("iops".to_owned(), "100".to_owned())]);
    v.recall.live = live(Some(AttributesClass { driver: "other".into(), parameters: parameters.clone() }));
    assert!(matches!(problem(&v), Problem::AttributesClassOfAnother { .. }));
    v.recall.live = live(Some(AttributesClass { driver: DRIVER.into(), parameters: parameters.clone() }));
    assert_eq!((ask(&v).mutable_parameters.clone(), ask(&v).attributes_class.as_deref()), (parameters, Some("gold")));
    v.settings = Arc::new(Settings { attributes_classes: false, ..settings() });
    assert_eq!(ask(&v).attributes_class, None);
}

// --- nodes that will not do ---

#[test]
fn a_pod_is_given_back_when_its_node_is_gone_or_has_no_room() {
    let mut v = placed_view();
    v.topology.as_mut().unwrap().selected = Some(("n1".into(), NodePlace::NoCsiNode));
    assert_eq!(plan(&v), Next::Do(Action::Reschedule { node: "n1".into(), why: Unfit::Gone }));
    let mut v = placed_view();
    v.recall.no_room = Some("n1".into());
    assert_eq!(plan(&v), Next::Do(Action::Reschedule { node: "n1".into(), why: Unfit::NoRoom }));
    v.recall.no_room = Some("n0".into());
    assert_eq!(ask(&v).selected_node, Some("n1".into()));
}

proptest! {
    #[test]
    fn any_view_gets_an_answer_and_the_name_never_changes(
        bound: bool, ours: bool, has_class: bool, waits: bool, selected: bool, asked: bool, made: bool, taken: Option<bool>, gone: bool,
        capacity in 0..3u64 << 29, node in 0..4usize,
    ) {
        let mut v = if selected { placed_view() } else { view() };
        let claim = v.claim.as_mut().unwrap();
        claim.volume = bound.then(|| "other".into());
        claim.provisioner = ours.then(|| DRIVER.to_owned());
        v.class.as_mut().unwrap().waits_for_consumer = waits;
        v.recall.asked = asked.then(|| ask(&view()));
        v.recall.created = made.then(|| created(&view(), Bytes(capacity)));
        v.existing = taken.map(|deleting| existing(if ours { UID } else { "other" }, "vol-1", deleting).unwrap());
        if let Some(topology) = &mut v.topology {
            let places = [NodePlace::NoCsiNode, NodePlace::NoKeys, NodePlace::NoNode, NodePlace::At(place(&[("zone", "a")]))];
            topology.selected = Some(("n1".into(), places[node].clone()));
        }
        if !has_class { v.class = None; }
        if gone { v.claim = None; }
        match plan(&v) {
            Next::Do(Action::CreateVolume(ask)) => {
                prop_assert_eq!(ask.name.as_str(), PV);
                prop_assert!(!made, "a made volume is saved before anything is asked again");
            }
            Next::Do(Action::SavePv(made) | Action::DiscardVolume(made)) => prop_assert_eq!(made.ask.name.as_str(), PV),
            _ => {}
        }
    }
}
