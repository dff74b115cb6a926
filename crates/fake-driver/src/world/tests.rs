use std::collections::BTreeMap;

use csi_proto::csi::v1::{self as csi, volume_capability as vc};

use super::*;
use crate::settings::Mode;

const NODE: &str = "n1";

fn capability(mode: Mode) -> csi::VolumeCapability {
    csi::VolumeCapability {
        access_mode: Some(vc::AccessMode { mode: mode.into() }),
        access_type: Some(vc::AccessType::Mount(vc::MountVolume::default())),
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn create(name: &str) -> csi::CreateVolumeRequest {
    csi::CreateVolumeRequest {
        name: name.into(),
        capacity_range: Some(csi::CapacityRange { required_bytes: 5, limit_bytes: 0 }),
        volume_capabilities: vec![capability(Mode::SingleNodeWriter)],
        parameters: map(&[("tier", "gold")]),
        ..Default::default()
    }
}

fn attach(id: &str, node: &str, mode: Mode) -> Request {
    Request::ControllerPublishVolume(csi::ControllerPublishVolumeRequest {
        volume_id: id.into(),
        node_id: node.into(),
        volume_capability: Some(capability(mode)),
        ..Default::default()
    })
}

fn detach(id: &str, node: &str) -> Request {
    let (volume_id, node_id) = (id.into(), node.into());
    Request::ControllerUnpublishVolume(csi::ControllerUnpublishVolumeRequest { volume_id, node_id, ..Default::default() })
}

fn stage(id: &str) -> Request {
    Request::NodeStageVolume(csi::NodeStageVolumeRequest {
        volume_id: id.into(),
        staging_target_path: "/stage".into(),
        volume_capability: Some(capability(Mode::SingleNodeWriter)),
        ..Default::default()
    })
}

fn unstage(id: &str) -> Request {
    let staging_target_path = "/stage".into();
    Request::NodeUnstageVolume(csi::NodeUnstageVolumeRequest { volume_id: id.into(), staging_target_path })
}

fn publish(id: &str, target: &str, mode: Mode) -> Request {
    Request::NodePublishVolume(csi::NodePublishVolumeRequest {
        volume_id: id.into(),
        staging_target_path: "/stage".into(),
        target_path: target.into(),
        volume_capability: Some(capability(mode)),
        ..Default::default()
    })
}

fn unpublish(id: &str, target: &str) -> Request {
    Request::NodeUnpublishVolume(csi::NodeUnpublishVolumeRequest { volume_id: id.into(), target_path: target.into() })
}

fn delete(id: &str) -> Request {
    Request::DeleteVolume(csi::DeleteVolumeRequest { volume_id: id.into(), ..Default::default() })
}

fn world_with(change: impl FnOnce(&mut Settings)) -> World {
    let mut settings = Settings::new("d.example");
    change(&mut settings);
    let mut world = World::new(settings);
    world.add_node(NODE, Place::default());
    world
}

fn world() -> World {
    world_with(|_| {})
}

fn made(world: &mut World, request: csi::CreateVolumeRequest) -> csi::Volume {
    match world.apply(NODE, &Request::CreateVolume(request)) {
        Ok(Response::CreateVolume(csi::CreateVolumeResponse { volume: Some(volume) })) => volume,
        other => panic!("{other:?}"),
    }
}

fn code(world: &mut World, request: &Request) -> Option<Code> {
    world.apply(NODE, request).err().map(|r| r.code)
}

#[test]
fn the_same_name_is_the_same_volume_and_other_arguments_are_refused() {
    let mut world = world();
    let first = made(&mut world, create("a"));
    assert_eq!(made(&mut world, create("a")), first);
    assert_eq!(first.volume_id, world.volume_id("a"));
    assert_eq!(world.volumes().count(), 1);
    let other = csi::CreateVolumeRequest { parameters: map(&[("tier", "lead")]), ..create("a") };
    assert_eq!(code(&mut world, &Request::CreateVolume(other)), Some(Code::AlreadyExists));
    let bigger = csi::CapacityRange { required_bytes: 6, limit_bytes: 0 };
    let other = csi::CreateVolumeRequest { capacity_range: Some(bigger), ..create("a") };
    assert_eq!(code(&mut world, &Request::CreateVolume(other)), Some(Code::AlreadyExists));
}

#[test]
fn a_volume_has_the_size_that_was_asked_for_or_none() {
    let mut world = world_with(|s| s.capacity = Some(100));
    let sized = |name: &str, required_bytes, limit_bytes| csi::CreateVolumeRequest {
        capacity_range: Some(csi::CapacityRange { required_bytes, limit_bytes }),
        ..create(name)
    };
    assert_eq!(made(&mut world, sized("a", 60, 0)).capacity_bytes, 60);
    assert_eq!(made(&mut world, sized("b", 0, 10)).capacity_bytes, 10);
    assert_eq!(code(&mut world, &Request::CreateVolume(sized("c", 31, 0))), Some(Code::ResourceExhausted));
    assert_eq!(code(&mut world, &Request::CreateVolume(sized("c", 101, 0))), Some(Code::OutOfRange));
    assert_eq!(code(&mut world, &Request::CreateVolume(sized("c", 2, 1))), Some(Code::OutOfRange));
    assert_eq!(code(&mut world, &Request::CreateVolume(sized("c", -2, 1))), Some(Code::InvalidArgument));
    assert_eq!(code(&mut world, &Request::CreateVolume(sized("c", i64::MAX, 0))), Some(Code::OutOfRange));
}

#[test]
fn an_access_mode_it_does_not_have_is_refused_by_name() {
    let mut world = world_with(|s| s.access_modes = vec![Mode::MultiNodeMultiWriter]);
    let refusal = world.apply(NODE, &Request::CreateVolume(create("a"))).expect_err("not that mode");
    assert_eq!(refusal, Refusal::new(Code::InvalidArgument, "access mode SINGLE_NODE_WRITER is not supported"));
}

#[test]
fn each_step_of_a_volumes_life_is_idempotent_and_only_possible_in_order() {
    let mut world = world();
    let id = made(&mut world, create("a")).volume_id;
    let (attach, stage) = (attach(&id, NODE, Mode::SingleNodeWriter), stage(&id));
    let publish = publish(&id, "/pod", Mode::SingleNodeWriter);
    assert_eq!(code(&mut world, &stage), Some(Code::FailedPrecondition), "not attached");
    for (step, next_too_early) in [(&attach, &publish), (&stage, &detach(&id, NODE)), (&publish, &unstage(&id))] {
        assert_eq!(code(&mut world, step), None);
        assert_eq!(code(&mut world, step), None, "again");
        assert_eq!(code(&mut world, next_too_early), Some(Code::FailedPrecondition), "{next_too_early:?}");
        assert_eq!(code(&mut world, &delete(&id)), Some(Code::FailedPrecondition), "in use");
    }
    for step in [unpublish(&id, "/pod"), unstage(&id), detach(&id, NODE), delete(&id)] {
        assert_eq!(code(&mut world, &step), None, "{step:?}");
        if step.rpc() != crate::Rpc::DeleteVolume {
            assert_eq!(code(&mut world, &step), None, "again");
        }
    }
    assert_eq!(code(&mut world, &delete(&id)), None, "again");
    assert_eq!(world.facts(), &Facts::default(), "nothing is left");
}

#[test]
fn a_single_node_volume_is_attached_to_one_node_and_a_shared_one_to_many() {
    let mut world = world();
    let id = made(&mut world, create("a")).volume_id;
    assert_eq!(code(&mut world, &attach(&id, "x", Mode::SingleNodeWriter)), None);
    assert_eq!(code(&mut world, &attach(&id, "y", Mode::SingleNodeWriter)), Some(Code::FailedPrecondition));
    assert_eq!(code(&mut world, &attach(&id, "x", Mode::MultiNodeMultiWriter)), Some(Code::AlreadyExists));
    assert_eq!(code(&mut world, &detach(&id, "")), None);
    assert_eq!(code(&mut world, &attach(&id, "x", Mode::MultiNodeMultiWriter)), None);
    assert_eq!(code(&mut world, &attach(&id, "y", Mode::MultiNodeMultiWriter)), None);
}

#[test]
fn a_full_node_takes_no_more_volumes() {
    let mut world = world();
    world.add_node(NODE, Place { max_volumes: 1, ..Place::default() });
    let (a, b) = (made(&mut world, create("a")).volume_id, made(&mut world, create("b")).volume_id);
    assert_eq!(code(&mut world, &attach(&a, NODE, Mode::SingleNodeWriter)), None);
    assert_eq!(code(&mut world, &attach(&a, NODE, Mode::SingleNodeWriter)), None, "again");
    assert_eq!(code(&mut world, &attach(&b, NODE, Mode::SingleNodeWriter)), Some(Code::ResourceExhausted));
}

#[test]
fn a_single_writer_volume_has_one_pod() {
    let mut world = world_with(|s| s.node.clear());
    let id = made(&mut world, create("a")).volume_id;
    assert_eq!(code(&mut world, &attach(&id, NODE, Mode::SingleNodeSingleWriter)), None);
    assert_eq!(code(&mut world, &publish(&id, "/one", Mode::SingleNodeSingleWriter)), None);
    assert_eq!(code(&mut world, &publish(&id, "/two", Mode::SingleNodeSingleWriter)), Some(Code::FailedPrecondition));
}

#[test]
fn unknown_nodes_and_mutable_parameters_are_refused_by_name() {
    let mut world = world_with(|s| {
        s.controller.push(ControllerCap::ModifyVolume);
        s.known_nodes = [NODE.to_owned()].into();
        s.mutable_keys = Some(["iops".to_owned()].into());
    });
    let id = made(&mut world, csi::CreateVolumeRequest { mutable_parameters: map(&[("iops", "1")]), ..create("a") }).volume_id;
    assert_eq!(code(&mut world, &attach(&id, "n9", Mode::SingleNodeWriter)), Some(Code::NotFound));
    let modify = |key: &str| csi::ControllerModifyVolumeRequest {
        volume_id: id.clone(),
        mutable_parameters: map(&[(key, "2")]),
        ..Default::default()
    };
    let refusal = world.apply(NODE, &Request::ControllerModifyVolume(modify("color"))).expect_err("not mutable");
    assert_eq!(refusal, Refusal::new(Code::InvalidArgument, "\"color\" is not a mutable parameter"));
    assert_eq!(code(&mut world, &Request::ControllerModifyVolume(modify("iops"))), None);
    assert_eq!(world.volumes().next().expect("volume").mutable_parameters, map(&[("iops", "2")]));
}

#[test]
fn topology_is_the_first_preferred_place_else_the_nodes_own() {
    let mut world = world_with(|s| s.plugin.push(PluginCap::VolumeAccessibilityConstraints));
    world.add_node(NODE, Place { topology: map(&[("zone", "here")]), max_volumes: 0 });
    let place = |zone: &str| csi::Topology { segments: map(&[("zone", zone)]) };
    assert_eq!(made(&mut world, create("a")).accessible_topology, [place("here")]);
    let wanted = csi::TopologyRequirement { requisite: vec![place("y"), place("x")], preferred: vec![place("x")] };
    let request = csi::CreateVolumeRequest { accessibility_requirements: Some(wanted), ..create("b") };
    assert_eq!(made(&mut world, request).accessible_topology, [place("x")]);
}

#[test]
fn calls_that_were_not_announced_are_unimplemented() {
    let mut world = world_with(|s| {
        s.controller.clear();
        s.node.clear();
    });
    assert_eq!(code(&mut world, &Request::CreateVolume(create("a"))), Some(Code::Unimplemented));
    assert_eq!(code(&mut world, &stage("v")), Some(Code::Unimplemented));
    let mut world = world_with(|s| s.plugin.clear());
    assert_eq!(code(&mut world, &Request::CreateVolume(create("a"))), Some(Code::Unimplemented));
}

#[test]
fn a_node_half_believes_in_volumes_of_a_controller_elsewhere_and_forgets_them() {
    let mut world = world();
    assert_eq!(code(&mut world, &stage("v")), Some(Code::NotFound));
    let mut world = world_with(|s| s.any_volume = true);
    let mode = Mode::SingleNodeWriter;
    for step in [
        attach("v", "elsewhere", mode),
        stage("v"),
        detach("v", "elsewhere"),
        publish("v", "/pod", Mode::SingleNodeWriter),
        unpublish("v", "/pod"),
        unstage("v"),
    ] {
        assert_eq!(code(&mut world, &step), None, "{step:?}");
        assert_eq!(code(&mut world, &step), None, "again: {step:?}");
    }
    assert_eq!(world.facts(), &Facts::default());
}

#[test]
fn an_inline_volume_lives_and_dies_with_its_mount() {
    let mut world = world();
    let id = format!("csi-{}", "0f".repeat(32));
    let Request::NodePublishVolume(mut request) = publish(&id, "/pod", Mode::SingleNodeWriter) else { unreachable!() };
    request.staging_target_path.clear();
    request.volume_context = map(&[("csi.storage.k8s.io/ephemeral", "true")]);
    let request = Request::NodePublishVolume(request);
    assert_eq!((code(&mut world, &request), code(&mut world, &request)), (None, None));
    assert_eq!(world.volumes().count(), 1);
    let gone = unpublish(&id, "/pod");
    assert_eq!((code(&mut world, &gone), code(&mut world, &gone)), (None, None));
    assert_eq!(world.volumes().count(), 0);
}

#[test]
fn a_node_that_was_switched_off_has_no_mounts_and_keeps_its_attachments() {
    let mut world = world();
    let id = made(&mut world, create("a")).volume_id;
    let inline = format!("csi-{}", "0f".repeat(32));
    let Request::NodePublishVolume(mut ephemeral) = publish(&inline, "/inline", Mode::SingleNodeWriter) else { unreachable!() };
    ephemeral.volume_context = map(&[("csi.storage.k8s.io/ephemeral", "true")]);
    let mode = Mode::SingleNodeWriter;
    for step in [attach(&id, NODE, mode), stage(&id), publish(&id, "/pod", mode), Request::NodePublishVolume(ephemeral)] {
        assert_eq!(code(&mut world, &step), None, "{step:?}");
    }
    let before = world.changes();
    world.forget_mounts("elsewhere");
    assert_eq!((world.changes(), world.volumes().count()), (before, 2), "another node's are left alone");
    world.forget_mounts(NODE);
    assert!(world.changes() > before);
    let left: Vec<&Volume> = world.volumes().collect();
    assert_eq!(left.len(), 1, "the inline volume went with its mount");
    assert!(left[0].staged.is_empty() && left[0].targets.is_empty() && left[0].published.contains_key(NODE));
    assert_eq!(code(&mut world, &detach(&id, NODE)), None);
}

#[test]
fn a_call_is_about_the_same_volume_before_and_after_it_exists() {
    let mut world = world();
    let before = world.volume_of(&Request::CreateVolume(create("a")));
    let id = made(&mut world, create("a")).volume_id;
    assert_eq!(before.as_deref(), Some(&*id));
    for call in [attach(&id, NODE, Mode::SingleNodeWriter), stage(&id), unpublish(&id, "/pod"), delete(&id)] {
        assert_eq!(world.volume_of(&call).as_deref(), Some(&*id), "{call:?}");
    }
    assert_eq!(world.volume_of(&Request::ListVolumes(Default::default())), None);
}

#[test]
fn a_list_comes_in_pages() {
    let mut world = world_with(|s| s.controller.push(ControllerCap::ListVolumes));
    let ids: Vec<String> = ["a", "b", "c"].map(|n| made(&mut world, create(n)).volume_id).into();
    let mut seen = Vec::new();
    let mut starting_token = String::new();
    loop {
        let request = csi::ListVolumesRequest { max_entries: 2, starting_token };
        let Ok(Response::ListVolumes(page)) = world.apply(NODE, &Request::ListVolumes(request)) else { panic!("a page") };
        seen.extend(page.entries.into_iter().filter_map(|e| Some(e.volume?.volume_id)));
        starting_token = page.next_token;
        if starting_token.is_empty() {
            break;
        }
    }
    let mut sorted = ids;
    sorted.sort();
    assert_eq!(seen, sorted);
    let request = csi::ListVolumesRequest { max_entries: 0, starting_token: "gone".into() };
    assert_eq!(code(&mut world, &Request::ListVolumes(request)), Some(Code::Aborted));
}

#[test]
fn snapshots_and_clones_are_as_big_as_their_source() {
    let mut world = world_with(|s| s.controller.extend([ControllerCap::CreateDeleteSnapshot, ControllerCap::CloneVolume]));
    let volume = made(&mut world, create("a"));
    let snapshot =
        csi::CreateSnapshotRequest { name: "s".into(), source_volume_id: volume.volume_id.clone(), ..Default::default() };
    let Ok(Response::CreateSnapshot(answer)) = world.apply(NODE, &Request::CreateSnapshot(snapshot)) else { panic!("snapshot") };
    let snapshot = answer.snapshot.expect("snapshot");
    assert_eq!((snapshot.size_bytes, snapshot.ready_to_use), (5, true));
    let from = |r#type| {
        let range = csi::CapacityRange { required_bytes: 1, limit_bytes: 0 };
        let volume_content_source = Some(csi::VolumeContentSource { r#type: Some(r#type) });
        csi::CreateVolumeRequest { volume_content_source, capacity_range: Some(range), ..create("copy") }
    };
    use csi::volume_content_source::{SnapshotSource, Type, VolumeSource};
    let copy = made(&mut world, from(Type::Snapshot(SnapshotSource { snapshot_id: snapshot.snapshot_id })));
    assert_eq!(copy.capacity_bytes, 5);
    assert!(copy.content_source.is_some());
    let missing = from(Type::Volume(VolumeSource { volume_id: "gone".into() }));
    assert_eq!(code(&mut world, &Request::CreateVolume(missing)), Some(Code::NotFound));
}

#[test]
fn a_group_snapshot_is_all_or_nothing() {
    let mut world = world_with(|s| {
        s.plugin.push(PluginCap::GroupControllerService);
        s.group.push(GroupCap::CreateDeleteGetVolumeGroupSnapshot);
        s.controller.push(ControllerCap::CreateDeleteSnapshot);
    });
    let ids: Vec<String> = ["a", "b"].map(|n| made(&mut world, create(n)).volume_id).into();
    let group = |source_volume_ids| {
        let name = "g".into();
        Request::CreateVolumeGroupSnapshot(csi::CreateVolumeGroupSnapshotRequest {
            name,
            source_volume_ids,
            ..Default::default()
        })
    };
    assert_eq!(code(&mut world, &group(vec![ids[0].clone(), "gone".into()])), Some(Code::NotFound));
    assert_eq!(world.snapshots().count(), 0);
    let first = world.apply(NODE, &group(ids.clone())).expect("group");
    assert_eq!(world.apply(NODE, &group(ids)).expect("again"), first);
    assert_eq!(world.snapshots().count(), 2);
    let member = world.snapshots().next().expect("member").id.clone();
    let alone = Request::DeleteSnapshot(csi::DeleteSnapshotRequest { snapshot_id: member, ..Default::default() });
    assert_eq!(code(&mut world, &alone), Some(Code::InvalidArgument));
}

#[test]
fn what_is_restored_is_what_was_saved() {
    let mut world = world();
    let id = made(&mut world, create("a")).volume_id;
    assert_eq!(code(&mut world, &attach(&id, NODE, Mode::SingleNodeWriter)), None);
    let text = serde_json::to_string(world.facts()).expect("json");
    let mut again = self::world();
    again.restore(serde_json::from_str(&text).expect("facts"));
    assert_eq!(again.facts(), world.facts());
}
