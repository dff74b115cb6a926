use std::fs;
use std::io::Write;
use std::time::Duration;

use csi_proto::csi::v1 as csi;

use crate::rig::{MIB, Rig, block, mount, volume};

/// Moments after the start of a call at which the driver is killed; most calls take a few dozen milliseconds.
const MOMENTS: [u64; 10] = [0, 1, 2, 4, 7, 11, 16, 24, 36, 60];

/// Starts a call, kills the driver a moment later, starts a new one.
macro_rules! kill_during {
    ($rig:ident, $moment:expr, $client:ident.$rpc:ident($request:expr)) => {{
        let (mut client, request) = ($rig.$client.clone(), $request);
        let call = tokio::spawn(async move { client.$rpc(request).await.map(drop) });
        tokio::time::sleep(Duration::from_millis($moment)).await;
        $rig.kill();
        // Whether it was answered in time is chance; both must be fine.
        let _ = call.await.unwrap();
        $rig.restart().await;
    }};
}

#[tokio::test]
async fn killed_during_any_call_and_repeated_there_is_one_volume_one_mount_and_in_the_end_nothing() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    for (kind, capability) in [("directory", mount("", &[])), ("loop", mount("ext4", &["noatime"])), ("loop", block())] {
        let is_block = capability == block();
        for moment in MOMENTS {
            let create = volume("victim", 32 * MIB, kind, capability.clone());
            kill_during!(rig, moment, controller.create_volume(create.clone()));
            let id = rig.controller.create_volume(create).await.unwrap().into_inner().volume.unwrap().volume_id;
            assert_eq!(fs::read_dir(rig.path("data/volumes")).unwrap().count(), 1);

            let stage = csi::NodeStageVolumeRequest {
                volume_id: id.clone(),
                staging_target_path: rig.text("stage"),
                volume_capability: Some(capability.clone()),
                ..Default::default()
            };
            kill_during!(rig, moment, node.node_stage_volume(stage.clone()));
            eventually_staged(&mut rig, stage).await;

            let readonly = moment % 2 == 0;
            let publish =
                csi::NodePublishVolumeRequest { readonly, ..rig.publication(&id, "stage", "target", capability.clone()) };
            kill_during!(rig, moment, node.node_publish_volume(publish.clone()));
            rig.node.node_publish_volume(publish).await.unwrap();
            let shown: Vec<_> = rig.mounts().into_iter().filter(|line| line.contains("/target ")).collect();
            assert_eq!(shown.len(), 1, "{shown:?}");
            let expected_loops = match (kind, is_block && readonly) {
                ("directory", _) => 0,
                (_, false) => 1,
                (_, true) => 2,
            };
            assert_eq!(rig.loops().len(), expected_loops, "{kind} {is_block} {moment}");
            if !is_block {
                assert_eq!(fs::write(rig.path("target/file"), "data").is_err(), readonly);
            }

            let unpublish = csi::NodeUnpublishVolumeRequest { volume_id: id.clone(), target_path: rig.text("target") };
            kill_during!(rig, moment, node.node_unpublish_volume(unpublish.clone()));
            rig.node.node_unpublish_volume(unpublish).await.unwrap();
            assert!(!rig.path("target").exists());

            let unstage = csi::NodeUnstageVolumeRequest { volume_id: id.clone(), staging_target_path: rig.text("stage") };
            kill_during!(rig, moment, node.node_unstage_volume(unstage.clone()));
            rig.node.node_unstage_volume(unstage).await.unwrap();

            let delete = csi::DeleteVolumeRequest { volume_id: id.clone(), ..Default::default() };
            kill_during!(rig, moment, controller.delete_volume(delete.clone()));
            rig.controller.delete_volume(delete).await.unwrap();
            rig.assert_nothing_left();
        }
    }
}

/// An mkfs outlives its killed driver and keeps the device to itself until it ends; the call is repeated until then.
async fn eventually_staged(rig: &mut Rig, request: csi::NodeStageVolumeRequest) {
    for _ in 0..200 {
        match rig.node.node_stage_volume(request.clone()).await {
            Ok(_) => return,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "not staged yet: {}", error.message());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    panic!("never staged");
}

#[tokio::test]
async fn an_interrupted_mkfs_is_run_again_because_nothing_was_ever_mounted() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let id = rig.create("half", 32 * MIB, "loop", mount("", &[])).await;
    // What a driver killed in the middle of mkfs leaves: its intent, and some blocks.
    let record = rig.data(&id).join("record.json");
    let text = fs::read_to_string(&record).unwrap();
    let intent = text.replace("\"state\": \"blank\"", "\"state\": \"making\",\n    \"filesystem\": \"ext4\"");
    assert_ne!(text, intent);
    fs::write(&record, intent).unwrap();
    let image = fs::OpenOptions::new().write(true).open(rig.data(&id).join("disk.img")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&image, b"half a filesystem", 4096).unwrap();
    rig.stage(&id, "stage", mount("", &[])).await.unwrap();
    fs::write(rig.path("stage/file"), "data").unwrap();
    rig.unstage(&id, "stage").await.unwrap();
    rig.stage(&id, "stage", mount("", &[])).await.unwrap();
    assert_eq!(fs::read_to_string(rig.path("stage/file")).unwrap(), "data");
    rig.unstage(&id, "stage").await.unwrap();
    rig.delete(&id).await.unwrap();
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_driver_killed_while_a_filesystem_is_frozen_thaws_it_at_its_next_start() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let id = rig.in_use("frozen", 32 * MIB, "loop", mount("", &[])).await;
    rig.kill();
    assert!(std::process::Command::new("fsfreeze").arg("-f").arg(rig.path("frozen-target")).status().unwrap().success());
    rig.restart().await;
    fs::write(rig.path("frozen-target/file"), "data").unwrap();
    rig.end("frozen", &id).await;
    rig.assert_nothing_left();
}
