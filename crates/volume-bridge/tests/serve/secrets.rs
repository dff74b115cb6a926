//! Secrets reach the driver, and nothing else.

use csi::controller_client::ControllerClient;
use csi_proto::csi::v1 as csi;
use fake_driver::Rpc;
use serde_json::json;

use crate::rig::{LOG, Rig, create, fake, root};

const SECRET: &str = "hunter2hunter2";

fn files(dir: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path(), found),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_secret_reaches_the_driver_and_neither_log_nor_journal_nor_answer() {
    let Some(()) = root() else { return };
    let env = [("X_CSI_DEBUG", "true"), ("X_CSI_SPEC_VALIDATION", "true")];
    let mut rig = Rig::start(&["--driver={dir}/fake.sock", "--secrets-dir={dir}/secrets"], &env).await;
    let driver = fake(&rig.dir, |builder| builder).await;
    std::fs::create_dir(rig.dir.join("secrets")).expect("a folder");
    std::fs::write(rig.dir.join("secrets/ceph"), format!("# of the cluster\nkey={SECRET}\n")).expect("written");

    let mut controller = ControllerClient::new(rig.channel().await);
    let request = csi::CreateVolumeRequest { secrets: [("key".to_owned(), SECRET.to_owned())].into(), ..create("over-csi") };
    controller.create_volume(request).await.expect("created");
    rig.ask("/VolumeDriver.Create", json!({"Name": "v", "Opts": {"secretsFile": "ceph"}})).await;
    rig.ask("/VolumeDriver.Mount", json!({"Name": "v", "ID": "a"})).await;
    let told = rig.ask("/VolumeDriver.Get", json!({"Name": "v"})).await.to_string();
    rig.ask("/VolumeDriver.Unmount", json!({"Name": "v", "ID": "a"})).await;

    for rpc in [Rpc::CreateVolume, Rpc::ControllerPublishVolume, Rpc::NodeStageVolume, Rpc::NodePublishVolume] {
        let sent = driver.requests_of(rpc);
        assert!(sent.iter().any(|sent| sent.request.json()["secrets"]["key"] == SECRET), "{}: it was not sent", rpc.name());
    }
    assert!(!told.contains(SECRET));
    let (mut kept, log) = (Vec::new(), LOG.text());
    files(&rig.dir.join("state"), &mut kept);
    assert!(kept.len() > 2, "there is something to look at: {kept:?}");
    for file in kept {
        let content = std::fs::read(&file).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&content).contains(SECRET), "{}", file.display());
    }
    assert!(log.contains("/csi.v1.Controller/CreateVolume: REQ"), "the log was on");
    assert!(!log.contains(SECRET));
    rig.ask("/VolumeDriver.Remove", json!({"Name": "v"})).await;
    drop(controller);
    rig.stop().await;
}
