use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, FileTypeExt};

use csi_proto::csi::v1 as csi;

use crate::rig::{MIB, Rig, block, code, mount};

#[tokio::test]
async fn a_raw_block_volume_is_a_device_of_its_size_that_keeps_what_is_written() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let id = rig.in_use("raw", 8 * MIB, "loop", block()).await;
    let target = rig.path("raw-target");
    assert!(fs::metadata(&target).unwrap().file_type().is_block_device());
    let device = OpenOptions::new().read(true).write(true).open(&target).unwrap();
    device.write_all_at(b"bytes", 5 * MIB as u64).unwrap();
    assert!(device.write_all_at(b"bytes", 8 * MIB as u64).is_err(), "beyond its end");
    device.sync_all().unwrap();
    drop(device);
    let stats =
        csi::NodeGetVolumeStatsRequest { volume_id: id.clone(), volume_path: rig.text("raw-target"), ..Default::default() };
    assert_eq!(rig.node.node_get_volume_stats(stats).await.unwrap().into_inner().usage[0].total, 8 * MIB);
    rig.unpublish(&id, "raw-target").await.unwrap();
    rig.unstage(&id, "raw-stage").await.unwrap();
    assert!(rig.loops().is_empty());
    rig.in_use("raw", 8 * MIB, "loop", block()).await;
    let mut read = [0u8; 5];
    fs::File::open(&target).unwrap().read_exact_at(&mut read, 5 * MIB as u64).unwrap();
    assert_eq!(&read, b"bytes");
    rig.end("raw", &id).await;
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_readonly_block_publication_refuses_writes_by_the_device_itself() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let id = rig.in_use("raw", 8 * MIB, "loop", block()).await;
    for _ in 0..2 {
        rig.publish_readonly(&id, "raw-stage", "reader", block()).await.unwrap();
    }
    assert_eq!(rig.loops().len(), 2);
    // The kernel may refuse the open or the write.
    let written = OpenOptions::new().write(true).open(rig.path("reader")).and_then(|device| device.write_all_at(b"x", 0));
    assert_eq!(written.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    let mut read = [0u8; 1];
    fs::File::open(rig.path("reader")).unwrap().read_exact_at(&mut read, 0).unwrap();
    rig.unpublish(&id, "reader").await.unwrap();
    assert_eq!(rig.loops().len(), 1);
    rig.end("raw", &id).await;
    rig.assert_nothing_left();
}

#[tokio::test]
async fn what_a_user_wrote_to_a_raw_device_is_never_formatted_over() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let id = rig.in_use("raw", 16 * MIB, "loop", block()).await;
    let device = OpenOptions::new().write(true).open(rig.path("raw-target")).unwrap();
    device.write_all_at(b"precious", 9 * MIB as u64).unwrap();
    device.sync_all().unwrap();
    drop(device);
    rig.unpublish(&id, "raw-target").await.unwrap();
    rig.unstage(&id, "raw-stage").await.unwrap();
    let refused = rig.stage(&id, "raw-stage", mount("ext4", &[])).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
    assert!(refused.message().contains("never formatted over"), "{}", refused.message());
    let mut read = [0u8; 8];
    fs::File::open(rig.data(&id).join("disk.img")).unwrap().read_exact_at(&mut read, 9 * MIB as u64).unwrap();
    assert_eq!(&read, b"precious");
    rig.delete(&id).await.unwrap();
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_volume_made_as_one_filesystem_is_not_mounted_or_remade_as_another() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let id = rig.in_use("fs", 300 * MIB, "loop", mount("ext4", &[])).await;
    fs::write(rig.path("fs-target/file"), "data").unwrap();
    rig.unpublish(&id, "fs-target").await.unwrap();
    rig.unstage(&id, "fs-stage").await.unwrap();
    assert_eq!(code(rig.stage(&id, "fs-stage", mount("xfs", &[])).await), tonic::Code::FailedPrecondition);
    rig.stage(&id, "fs-stage", mount("", &[])).await.unwrap();
    assert_eq!(fs::read_to_string(rig.path("fs-stage/file")).unwrap(), "data");
    rig.unstage(&id, "fs-stage").await.unwrap();
    rig.delete(&id).await.unwrap();
    rig.assert_nothing_left();
}
