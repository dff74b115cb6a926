//! The end, and what is left of it.

use std::time::Duration;

use fake_driver::{Rpc, Rule};
use serde_json::json;

use crate::rig::{PATIENCE, Rig, eventually, fake, post};

#[tokio::test]
async fn asked_to_stop_it_takes_nothing_new_finishes_and_takes_its_files_away() {
    let mut rig = Rig::start(&["--driver={dir}/fake.sock", "--plugin-spec-dir={dir}/plugins", "--name=mine"], &[]).await;
    let spec = rig.dir.join("plugins/mine.spec");
    let says = std::fs::read_to_string(&spec).expect("a spec file");
    assert_eq!(says, format!("unix://{}\n", rig.socket().display()));
    let driver = fake(&rig.dir, |builder| builder).await;
    driver.set_script(vec![Rule::on(Rpc::CreateVolume).delay(Duration::from_millis(300))]);
    let socket = rig.socket();
    let under_way = tokio::spawn(async move { post(&socket, "/VolumeDriver.Create", r#"{"Name":"v"}"#).await });
    let begun = |all: &[fake_driver::Recorded]| all.iter().any(|one| one.rpc() == Rpc::CreateVolume);
    driver.wait_for(begun, PATIENCE).await.expect("under way");
    rig.ask_to_stop();
    eventually("its files are gone", async || (!rig.socket().exists() && !spec.exists()).then_some(())).await;
    assert_eq!(under_way.await.expect("no panic"), (200, json!({})), "what was under way is answered");
    rig.stop().await;
    assert_eq!(driver.volumes().len(), 1);
}

#[tokio::test]
async fn a_second_one_in_the_same_folder_or_on_the_same_socket_is_refused_with_words() {
    use rt::{Ctx, Shutdown};
    use sidecar::{Program, Shell};
    let rig = Rig::start(&["--driver={dir}/fake.sock"], &[]).await;
    let dir = rig.dir.display();
    let other = [format!("--endpoint={dir}/csi.sock"), format!("--state-dir={dir}/other"), format!("--driver={dir}/fake.sock")];
    let argv = std::iter::once("serve".to_owned()).chain(other).map(Into::into);
    let flags = sidecar::parse::<volume_bridge::Flags>(volume_bridge::Flags::DIALECT, argv).expect("flags");
    let config = flags.meaning(&Default::default(), false, &mut Vec::new()).expect("a configuration");
    let shell = Shell { ctx: Ctx::real(), shutdown: Shutdown::new(), metrics: sidecar::Metrics::new() };
    let said = volume_bridge::run(config, shell).await.expect_err("taken").to_string();
    assert!(said.contains("csi.sock is served by process"), "{said}");
}
