//! One socket, two protocols, at the same time.

use csi::controller_client::ControllerClient;
use csi::identity_client::IdentityClient;
use csi_proto::csi::v1 as csi;
use serde_json::json;
use tonic::Code;

use crate::rig::{Rig, capability, channel, create, fake, raw, root};

/// REX-Ray's document: `csc new MyNewVolume`, then its curl command, whose answer is printed there.
#[tokio::test]
async fn the_documents_volume_is_created_over_csi_and_listed_by_its_curl_command() {
    let Some(()) = root() else { return };
    let mut rig = Rig::start(&[], &[("X_CSI_NATIVE", "true"), ("X_CSI_DRIVER", "csi-vfs")]).await;
    let mut controller = ControllerClient::new(rig.channel().await);
    // REX-Ray's csc said nothing but the name.
    let request = csi::CreateVolumeRequest { name: "MyNewVolume".into(), ..Default::default() };
    let volume = controller.create_volume(request).await.expect("created").into_inner().volume.expect("a volume");
    let answer = raw(&rig.socket(), "/VolumeDriver.List", "{}").await;
    assert!(answer.ends_with("\r\n\r\n{\"Volumes\":[{\"Name\":\"MyNewVolume\"}]}\n"), "{answer}");
    let got = rig.ask("/VolumeDriver.Get", json!({"Name": "MyNewVolume"})).await;
    assert_eq!(got["Volume"]["Status"]["id"], volume.volume_id.as_str());
    let delete = csi::DeleteVolumeRequest { volume_id: volume.volume_id, ..Default::default() };
    controller.delete_volume(delete).await.expect("deleted");
    assert_eq!(rig.ask("/VolumeDriver.List", json!({})).await, json!({"Volumes": []}));
    drop(controller);
    rig.stop().await;
}

#[tokio::test]
async fn docker_is_told_what_the_plugin_is_whatever_the_host_header_says() {
    let rig = Rig::start(&["--driver={dir}/nobody.sock", "--scope=local"], &[]).await;
    assert_eq!(rig.docker("/Plugin.Activate", "").await, (200, json!({"Implements": ["VolumeDriver"]})));
    assert_eq!(rig.ask("/VolumeDriver.Capabilities", json!({})).await, json!({"Capabilities": {"Scope": "local"}}));
    let (status, answer) = rig.docker("/VolumeDriver.Remove", "").await;
    assert!(status == 400 && answer["Err"].as_str().is_some_and(|said| said.contains(r#"{"Name":"data"}"#)), "{answer}");
    assert_eq!(rig.docker("/VolumeDriver.Fly", "{}").await.0, 404);
    let said = rig.refused("/VolumeDriver.Create", json!({"Name": "a"})).await;
    assert!(said.contains("nobody.sock") && said.contains("is it running?"), "{said}");
}

#[tokio::test]
async fn a_drivers_answers_pass_byte_for_byte_and_so_do_its_errors() {
    let mut rig = Rig::start(&["--driver={dir}/fake.sock"], &[]).await;
    let driver = fake(&rig.dir, |builder| builder).await;
    let (mut direct, mut bridged) =
        (IdentityClient::new(channel(driver.socket()).await), IdentityClient::new(rig.channel().await));
    let ask = csi::GetPluginInfoRequest {};
    let (one, other) = (direct.get_plugin_info(ask).await.expect("info"), bridged.get_plugin_info(ask).await.expect("info"));
    assert_eq!(one.into_inner(), other.into_inner());
    let (mut direct, mut bridged) =
        (ControllerClient::new(channel(driver.socket()).await), ControllerClient::new(rig.channel().await));
    let bad = csi::ValidateVolumeCapabilitiesRequest {
        volume_id: "nobody".into(),
        volume_capabilities: vec![capability()],
        ..Default::default()
    };
    let one = direct.validate_volume_capabilities(bad.clone()).await.expect_err("unknown");
    let other = bridged.validate_volume_capabilities(bad).await.expect_err("unknown");
    assert_eq!((one.code(), one.message()), (other.code(), other.message()));
    let made = bridged.create_volume(create("v")).await.expect("created").into_inner();
    assert_eq!(made, direct.create_volume(create("v")).await.expect("the same").into_inner());
    drop((direct, bridged));
    rig.stop().await;
}

#[tokio::test]
async fn a_mode_leaves_a_service_out_and_validation_refuses_before_the_driver_is_asked() {
    let env = [("X_CSI_MODE", "controller"), ("X_CSI_SPEC_VALIDATION", "true"), ("X_CSI_PLUGIN_INFO", "csi.example.com, 1.2.3")];
    let rig = Rig::start(&["--driver={dir}/fake.sock"], &env).await;
    let driver = fake(&rig.dir, |builder| builder).await;
    let channel = rig.channel().await;
    let node = csi::node_client::NodeClient::new(channel.clone()).node_get_info(csi::NodeGetInfoRequest {}).await;
    assert_eq!(node.expect_err("left out").code(), Code::Unimplemented);
    let mut controller = ControllerClient::new(channel.clone());
    let refused = controller.create_volume(csi::CreateVolumeRequest::default()).await.expect_err("no name");
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "required: Name"));
    assert!(driver.requests_of(fake_driver::Rpc::CreateVolume).is_empty());
    let info = IdentityClient::new(channel).get_plugin_info(csi::GetPluginInfoRequest {}).await.expect("overridden").into_inner();
    assert_eq!((info.name.as_str(), info.vendor_version.as_str()), ("csi.example.com", "1.2.3"));
    let said = rig.refused("/VolumeDriver.Mount", json!({"Name": "v", "ID": "a"})).await;
    assert!(said.contains("X_CSI_MODE"), "{said}");
}
