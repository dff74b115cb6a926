use std::fs;
use std::process::Command;

use csi::volume_capability::access_mode::Mode;
use csi::volume_capability::{AccessType, MountVolume};
use csi_proto::csi::v1 as csi;
use tonic::Code;

use crate::rig::{MIB, Rig, block, capability, code, mount};

#[tokio::test]
async fn a_volume_in_use_is_not_unstaged_and_not_deleted() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    for (name, kind, how) in [("dir", "directory", mount("", &[])), ("fs", "loop", mount("", &[])), ("raw", "loop", block())] {
        let id = rig.in_use(name, 16 * MIB, kind, how).await;
        assert_eq!(code(rig.unstage(&id, &format!("{name}-stage")).await), Code::FailedPrecondition, "{name}");
        assert_eq!(code(rig.delete(&id).await), Code::FailedPrecondition, "{name}");
        rig.unpublish(&id, &format!("{name}-target")).await.unwrap();
        assert_eq!(code(rig.delete(&id).await), Code::FailedPrecondition, "{name}");
        rig.unstage(&id, &format!("{name}-stage")).await.unwrap();
        rig.delete(&id).await.unwrap();
        // Every opposite may be repeated.
        rig.unpublish(&id, &format!("{name}-target")).await.unwrap();
        rig.unstage(&id, &format!("{name}-stage")).await.unwrap();
        rig.delete(&id).await.unwrap();
    }
    rig.assert_nothing_left();
}

#[tokio::test]
async fn publishing_before_staging_is_refused() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    for (name, how) in [("fs", mount("", &[])), ("raw", block())] {
        let id = rig.create(name, 16 * MIB, "loop", how.clone()).await;
        assert_eq!(code(rig.publish(&id, "stage", "target", how).await), Code::FailedPrecondition);
        assert!(!rig.path("target").exists());
        rig.delete(&id).await.unwrap();
    }
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_single_writer_has_one_path_and_others_may_share() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let with = |mode| capability(AccessType::Mount(MountVolume::default()), mode);
    let single = rig.in_use("single", 16 * MIB, "loop", with(Mode::SingleNodeSingleWriter)).await;
    // A bind that somebody else makes, as a kubelet does for a subpath, is no publication.
    fs::create_dir(rig.path("subpath")).unwrap();
    assert!(
        Command::new("mount").arg("--bind").args([rig.path("single-target"), rig.path("subpath")]).status().unwrap().success()
    );
    rig.publish(&single, "single-stage", "single-target", with(Mode::SingleNodeSingleWriter)).await.unwrap();
    assert!(Command::new("umount").arg(rig.path("subpath")).status().unwrap().success());
    let second = rig.publish(&single, "single-stage", "second", with(Mode::SingleNodeSingleWriter)).await;
    assert_eq!(code(second), Code::FailedPrecondition);
    let shared = rig.in_use("shared", 16 * MIB, "loop", with(Mode::SingleNodeMultiWriter)).await;
    rig.publish(&shared, "shared-stage", "second", with(Mode::SingleNodeMultiWriter)).await.unwrap();
    rig.unpublish(&shared, "second").await.unwrap();
    rig.end("shared", &shared).await;
    rig.end("single", &single).await;
    rig.assert_nothing_left();
}

#[tokio::test]
async fn what_others_mounted_on_our_paths_is_left_alone() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let id = rig.create("fs", 16 * MIB, "loop", mount("", &[])).await;
    fs::create_dir(rig.path("theirs")).unwrap();
    let theirs = Command::new("mount").args(["-t", "tmpfs", "theirs"]).arg(rig.path("theirs")).status().unwrap();
    assert!(theirs.success());
    fs::write(rig.path("theirs/file"), "precious").unwrap();
    assert_eq!(code(rig.stage(&id, "theirs", mount("", &[])).await), Code::FailedPrecondition);
    assert_eq!(code(rig.unpublish(&id, "theirs").await), Code::FailedPrecondition);
    rig.unstage(&id, "theirs").await.unwrap();
    assert_eq!(fs::read_to_string(rig.path("theirs/file")).unwrap(), "precious");
    assert!(Command::new("umount").arg(rig.path("theirs")).status().unwrap().success());
    rig.delete(&id).await.unwrap();
    rig.assert_nothing_left();
}

#[tokio::test]
async fn many_calls_at_once_for_one_volume_make_one_mount() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let id = rig.create("busy", 16 * MIB, "loop", mount("", &[])).await;
    let request = csi::NodeStageVolumeRequest {
        volume_id: id.clone(),
        staging_target_path: rig.text("busy-stage"),
        volume_capability: Some(mount("", &[])),
        ..Default::default()
    };
    let node = &rig.node;
    let calls = (0..8).map(|_| {
        let (mut node, request) = (node.clone(), request.clone());
        async move { node.node_stage_volume(request).await.map(drop) }
    });
    for result in futures::future::join_all(calls).await {
        assert!(result.is_ok() || code(result) == Code::Aborted);
    }
    assert_eq!((rig.mounts().len(), rig.loops().len()), (1, 1));
    rig.unstage(&id, "busy-stage").await.unwrap();
    rig.delete(&id).await.unwrap();
    rig.assert_nothing_left();
}
