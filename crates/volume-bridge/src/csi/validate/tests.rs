use csi_proto::csi::v1 as csi;
use csi_proto::csi::v1::volume_capability::{AccessMode, AccessType, MountVolume};
use prost::Message;
use tonic::Code;

use super::*;

fn all() -> Checks {
    Checks { requests: true, replies: true, lengths: true, ..Checks::default() }
}

fn check(checks: &Checks, path: &str, message: &impl Message) -> Result<(), Status> {
    let method = Method::of(path).expect("a call");
    checks.request(&method, &method.request(&message.encode_to_vec()).expect("its request"))
}

fn said(checks: &Checks, path: &str, message: &impl Message) -> String {
    let status = check(checks, path, message).expect_err("refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    status.message().to_owned()
}

fn capability() -> csi::VolumeCapability {
    csi::VolumeCapability {
        access_mode: Some(AccessMode { mode: 1 }),
        access_type: Some(AccessType::Mount(MountVolume::default())),
    }
}

fn create() -> csi::CreateVolumeRequest {
    csi::CreateVolumeRequest { name: "v".into(), volume_capabilities: vec![capability()], ..Default::default() }
}

const CREATE: &str = "/csi.v1.Controller/CreateVolume";
const PUBLISH: &str = "/csi.v1.Node/NodePublishVolume";

#[test]
fn what_a_call_needs_is_required_by_name() {
    assert!(check(&all(), CREATE, &create()).is_ok());
    assert_eq!(said(&all(), CREATE, &csi::CreateVolumeRequest { name: String::new(), ..create() }), "required: Name");
    let none = csi::CreateVolumeRequest { volume_capabilities: vec![], ..create() };
    assert_eq!(said(&all(), CREATE, &none), "required: VolumeCapabilities");
    let half = csi::CreateVolumeRequest {
        volume_capabilities: vec![csi::VolumeCapability { access_type: None, ..capability() }],
        ..create()
    };
    assert_eq!(said(&all(), CREATE, &half), "required: AccessType");
    let publish = csi::NodePublishVolumeRequest { volume_id: "v".into(), target_path: "/t".into(), ..Default::default() };
    assert_eq!(said(&all(), PUBLISH, &publish), "required: VolumeCapability");
    assert_eq!(said(&all(), "/csi.v1.Controller/DeleteVolume", &csi::DeleteVolumeRequest::default()), "required: VolumeId");
}

#[test]
fn what_is_demanded_beyond_the_specification_is_demanded_where_it_was_asked_for() {
    let publish = csi::NodePublishVolumeRequest {
        volume_id: "v".into(),
        target_path: "/t".into(),
        volume_capability: Some(capability()),
        ..Default::default()
    };
    assert!(check(&all(), PUBLISH, &publish).is_ok());
    assert_eq!(said(&Checks { staging_target_path: true, ..all() }, PUBLISH, &publish), "required: StagingTargetPath");
    assert_eq!(said(&Checks { publish_context: true, ..all() }, PUBLISH, &publish), "required: PublishContext");
    assert_eq!(said(&Checks { secrets: vec!["NodePublishVolume"], ..all() }, PUBLISH, &publish), "required: Secrets");
    assert!(check(&Checks { secrets: vec!["CreateVolume"], ..all() }, PUBLISH, &publish).is_ok());
}

#[test]
fn too_long_is_told_with_its_size_and_without_its_value() {
    let long = csi::CreateVolumeRequest { name: "x".repeat(129), ..create() };
    assert_eq!(said(&all(), CREATE, &long), "exceeds size limit: Name: max=128, size=129");
    assert!(check(&Checks { lengths: false, ..all() }, CREATE, &long).is_ok());
    let secret = csi::CreateVolumeRequest { secrets: [("k".to_owned(), "hunter2".repeat(30))].into(), ..create() };
    let said = said(&all(), CREATE, &secret);
    assert!(said.contains("Secrets[value]") && !said.contains("hunter2"), "{said}");
}

#[test]
fn an_answer_that_breaks_the_specification_is_an_internal_error() {
    let check = |path: &str, message: Vec<u8>| {
        let method = Method::of(path).expect("a call");
        all().reply(&method, &method.answer(&message).expect("its answer")).map_err(|status| status.code())
    };
    let info = |name: &str, version: &str| {
        let answer = csi::GetPluginInfoResponse { name: name.into(), vendor_version: version.into(), ..Default::default() };
        check("/csi.v1.Identity/GetPluginInfo", answer.encode_to_vec())
    };
    assert_eq!(info("local.csi.longshore.dev", "v0.1.0-rc1"), Ok(()));
    for (name, version) in [("nodots", "1.0.0"), ("a.b", "1.0"), ("", "1.0.0"), ("a.b", "one.2.3"), ("a.b-", "1.0.0")] {
        assert_eq!(info(name, version), Err(Code::Internal), "{name} {version}");
    }
    assert_eq!(check(CREATE, csi::CreateVolumeResponse::default().encode_to_vec()), Err(Code::Internal));
    assert_eq!(check("/csi.v1.Node/NodeGetInfo", Vec::new()), Err(Code::Internal));
}

#[test]
fn nothing_is_checked_unless_it_was_asked_for() {
    assert!(check(&Checks::default(), CREATE, &csi::CreateVolumeRequest::default()).is_ok());
}
