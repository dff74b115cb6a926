use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;

use csi_proto::csi::v1 as csi;

use crate::rig::{MIB, Rig, code, mount};

/// Writes until the disk is full; the bytes that went in.
fn fill(path: &std::path::Path) -> (u64, io::Error) {
    let mut file = fs::File::create(path).unwrap();
    let chunk = vec![7u8; 1 << 20];
    let mut written = 0;
    loop {
        match file.write_all(&chunk).and_then(|()| file.sync_data()) {
            Ok(()) => written += chunk.len() as u64,
            Err(error) => return (written, error),
        }
        assert!(written < 1 << 30, "this volume has no end");
    }
}

#[tokio::test]
async fn an_ext4_volume_is_really_full_at_its_size() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let id = rig.in_use("full", 64 * MIB, "loop", mount("", &[])).await;
    let (written, error) = fill(&rig.path("full-target/file"));
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert!((40 << 20..64 << 20).contains(&written), "{written}");
    rig.end("full", &id).await;
    rig.assert_nothing_left();
}

#[tokio::test]
async fn xfs_mount_options_are_visible_in_the_mount_table() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    // Smaller than any xfs: the driver makes it as large as xfs needs, and says so.
    let capability = mount("xfs", &["noatime,nodev", "largeio"]);
    let request = crate::rig::volume("xfs", 16 * MIB, "loop", capability.clone());
    let made = rig.controller.create_volume(request).await.unwrap().into_inner().volume.unwrap();
    assert_eq!(made.capacity_bytes, 300 * MIB);
    let id = rig.in_use("xfs", 16 * MIB, "loop", capability).await;
    assert_eq!(id, made.volume_id);
    let target = rig.mounts().into_iter().find(|line| line.contains("xfs-target")).unwrap();
    for expected in [" - xfs ", "noatime", "nodev", "largeio"] {
        assert!(target.contains(expected), "{expected} in {target}");
    }
    rig.end("xfs", &id).await;
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_mount_option_that_the_kernel_refuses_is_named_and_nothing_stays_behind() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let capability = mount("ext4", &["no-such-option"]);
    let id = rig.create("option", 16 * MIB, "loop", capability.clone()).await;
    let error = rig.stage(&id, "option-stage", capability).await.unwrap_err();
    assert_eq!(error.code(), tonic::Code::InvalidArgument);
    assert!(error.message().contains("no-such-option"), "{}", error.message());
    assert!(rig.loops().is_empty());
    rig.unstage(&id, "option-stage").await.unwrap();
    rig.delete(&id).await.unwrap();
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_readonly_publication_refuses_writes_beside_one_that_takes_them() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    for kind in ["loop", "directory"] {
        let id = rig.in_use(kind, 16 * MIB, kind, mount("", &["noexec"])).await;
        let reader = format!("{kind}-reader");
        for _ in 0..2 {
            rig.publish_readonly(&id, &format!("{kind}-stage"), &reader, mount("", &[])).await.unwrap();
        }
        fs::write(rig.path(&format!("{kind}-target/file")), "data").unwrap();
        assert_eq!(fs::read_to_string(rig.path(&reader).join("file")).unwrap(), "data");
        let refused = fs::write(rig.path(&reader).join("file"), "x").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ReadOnlyFilesystem);
        // The read-only remount kept the flag that the staged mount had.
        assert!(rig.mounts().iter().any(|line| line.contains(&reader) && line.contains("ro,") && line.contains("noexec")));
        // The same path cannot become writable, or the other read-only, by a second call.
        let request = rig.publish(&id, &format!("{kind}-stage"), &reader, mount("", &[])).await;
        assert_eq!(code(request), tonic::Code::AlreadyExists);
        rig.unpublish(&id, &reader).await.unwrap();
        rig.end(kind, &id).await;
    }
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_fully_allocated_volume_has_its_blocks_before_and_after_mkfs() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    for (name, fs_type, bytes) in [("ext4", "ext4", 16 * MIB), ("xfs", "xfs", 300 * MIB)] {
        let mut request = crate::rig::volume(name, bytes, "loop", mount(fs_type, &[]));
        request.parameters.insert("allocate".to_owned(), "full".to_owned());
        let id = rig.controller.create_volume(request).await.unwrap().into_inner().volume.unwrap().volume_id;
        let image = rig.data(&id).join("disk.img");
        let allocated = || fs::metadata(&image).unwrap().blocks() * 512;
        assert!(allocated() >= bytes as u64, "{name}");
        rig.stage(&id, "stage", mount(fs_type, &[])).await.unwrap();
        assert!(allocated() >= bytes as u64, "{name}");
        rig.unstage(&id, "stage").await.unwrap();
        rig.delete(&id).await.unwrap();
    }
    rig.assert_nothing_left();
}

#[tokio::test]
async fn data_outlives_every_step_but_deletion() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    for (name, kind, fs_type) in
        [("dir", "directory", ""), ("ext4", "loop", "ext4"), ("xfs", "loop", "xfs"), ("btrfs", "loop", "btrfs")]
    {
        let capability = mount(fs_type, &[]);
        let id = rig.in_use(name, 300 * MIB, kind, capability.clone()).await;
        let file = rig.path(&format!("{name}-target/file"));
        fs::write(&file, name).unwrap();
        rig.unpublish(&id, &format!("{name}-target")).await.unwrap();
        assert!(!rig.path(&format!("{name}-target")).exists());
        rig.unstage(&id, &format!("{name}-stage")).await.unwrap();
        assert!(rig.loops().is_empty() && rig.mounts().is_empty());
        let again = rig.in_use(name, 300 * MIB, kind, capability).await;
        assert_eq!(again, id);
        assert_eq!(fs::read_to_string(&file).unwrap(), name);
        rig.end(name, &id).await;
        let gone = rig.node.node_get_volume_stats(csi::NodeGetVolumeStatsRequest {
            volume_id: id,
            volume_path: rig.text(&format!("{name}-target")),
            ..Default::default()
        });
        assert_eq!(gone.await.unwrap_err().code(), tonic::Code::NotFound);
    }
    rig.assert_nothing_left();
}

/// Bit 24 of the effective set.
fn has_cap_sys_resource() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    u64::from_str_radix(set.trim(), 16).unwrap() & (1 << 24) != 0
}

#[tokio::test]
async fn a_volume_expanded_while_nobody_used_it_has_its_size_when_it_is_next_mounted() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    for name in ["ext4", "xfs", "btrfs"] {
        let id = rig.in_use(name, 300 * MIB, "loop", mount(name, &[])).await;
        fs::write(rig.path(&format!("{name}-target/file")), name).unwrap();
        rig.unpublish(&id, &format!("{name}-target")).await.unwrap();
        rig.unstage(&id, &format!("{name}-stage")).await.unwrap();
        let range = Some(csi::CapacityRange { required_bytes: 600 * MIB, limit_bytes: 0 });
        let request = csi::ControllerExpandVolumeRequest { volume_id: id.clone(), capacity_range: range, ..Default::default() };
        rig.controller.controller_expand_volume(request).await.unwrap();
        rig.in_use(name, 300 * MIB, "loop", mount(name, &[])).await;
        let stat = rustix::fs::statvfs(rig.path(&format!("{name}-target"))).unwrap();
        assert!(stat.f_blocks * stat.f_frsize > 500 << 20, "{name}");
        assert_eq!(fs::read_to_string(rig.path(&format!("{name}-target/file"))).unwrap(), name);
        rig.end(name, &id).await;
    }
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_volume_grows_while_it_is_in_use() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    for name in ["ext4", "xfs", "btrfs"] {
        if name == "ext4" && !has_cap_sys_resource() {
            let _ = writeln!(io::stderr(), "skipped for ext4: growing it while mounted needs CAP_SYS_RESOURCE");
            continue;
        }
        let id = rig.in_use(name, 300 * MIB, "loop", mount(name, &[])).await;
        let target = rig.path(&format!("{name}-target"));
        fs::write(target.join("file"), name).unwrap();
        let size = || {
            let stat = rustix::fs::statvfs(&target).unwrap();
            stat.f_blocks * stat.f_frsize
        };
        let before = size();
        let range = Some(csi::CapacityRange { required_bytes: 600 * MIB, limit_bytes: 0 });
        for _ in 0..2 {
            let request =
                csi::ControllerExpandVolumeRequest { volume_id: id.clone(), capacity_range: range, ..Default::default() };
            let grown = rig.controller.controller_expand_volume(request).await.unwrap().into_inner();
            assert_eq!((grown.capacity_bytes, grown.node_expansion_required), (600 * MIB, true));
            let request = csi::NodeExpandVolumeRequest {
                volume_id: id.clone(),
                volume_path: target.to_str().unwrap().to_owned(),
                capacity_range: range,
                ..Default::default()
            };
            rig.node.node_expand_volume(request).await.unwrap();
        }
        assert!(size() > before + (200 << 20), "{name}: {before} -> {}", size());
        assert_eq!(fs::read_to_string(target.join("file")).unwrap(), name);
        rig.end(name, &id).await;
    }
    rig.assert_nothing_left();
}
