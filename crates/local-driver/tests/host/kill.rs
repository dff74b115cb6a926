use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
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
async fn an_mkfs_that_outlives_its_driver_cannot_harm_the_volume_that_the_next_one_mounted() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let id = rig.create("orphan", 32 * MIB, "loop", mount("", &[])).await;
    // An mkfs that takes its time, and has the device open meanwhile.
    let (programs, started, go) = (rig.path("programs"), rig.path("started"), rig.path("go"));
    fs::create_dir(&programs).unwrap();
    let script = format!(
        "#!/bin/sh\nfor device; do :; done\nexec 3<\"$device\"\necho $$ > '{started}.new' && mv '{started}.new' '{started}'\n\
         while [ ! -e '{go}' ]; do sleep 0.05; done\nexec /usr/sbin/mkfs.ext4 \"$@\"\n",
        started = started.display(),
        go = go.display()
    );
    fs::write(programs.join("mkfs.ext4"), script).unwrap();
    fs::set_permissions(programs.join("mkfs.ext4"), fs::Permissions::from_mode(0o755)).unwrap();
    rig.kill();
    rig.programs = Some(programs);
    rig.restart().await;
    let stage = csi::NodeStageVolumeRequest {
        volume_id: id.clone(),
        staging_target_path: rig.text("stage"),
        volume_capability: Some(mount("", &[])),
        ..Default::default()
    };
    let (mut node, request) = (rig.node.clone(), stage.clone());
    let call = tokio::spawn(async move { node.node_stage_volume(request).await.map(drop) });
    eventually("mkfs has started", || started.exists()).await;
    rig.kill();
    let _ = call.await.unwrap();
    rig.programs = None;
    rig.restart().await;
    rig.node.node_stage_volume(stage).await.unwrap();
    assert_eq!(rig.loops().len(), 1, "two devices on one image would write past each other");
    fs::write(rig.path("stage/file"), "data").unwrap();
    fs::write(&go, "").unwrap();
    let pid = fs::read_to_string(&started).unwrap();
    // A zombie has an empty command line; nobody here may reap it.
    let ended = || fs::read(format!("/proc/{}/cmdline", pid.trim())).map_or(true, |line| line.is_empty());
    eventually("the old mkfs has ended", ended).await;
    rig.unstage(&id, "stage").await.unwrap();
    rig.stage(&id, "stage", mount("", &[])).await.unwrap();
    assert_eq!(fs::read_to_string(rig.path("stage/file")).unwrap(), "data");
    rig.unstage(&id, "stage").await.unwrap();
    rig.delete(&id).await.unwrap();
    rig.assert_nothing_left();
}

async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
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
