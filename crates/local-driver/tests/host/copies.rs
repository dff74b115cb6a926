use std::fs;
use std::process::Command;

use csi::volume_content_source::{SnapshotSource, Type, VolumeSource};
use csi_proto::csi::v1 as csi;

use crate::rig::{MIB, Rig, mount, volume};

fn from(source: Type) -> Option<csi::VolumeContentSource> {
    Some(csi::VolumeContentSource { r#type: Some(source) })
}

#[tokio::test]
async fn a_snapshot_is_the_volume_at_its_moment_and_a_clone_lives_beside_its_origin() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    for (name, kind, fs_type) in
        [("dir", "directory", ""), ("ext4", "loop", "ext4"), ("xfs", "loop", "xfs"), ("btrfs", "loop", "btrfs")]
    {
        let capability = mount(fs_type, &[]);
        let id = rig.in_use(name, 300 * MIB, kind, capability.clone()).await;
        let file = rig.path(&format!("{name}-target/file"));
        fs::write(&file, "before").unwrap();
        let request =
            csi::CreateSnapshotRequest { name: format!("{name}-snap"), source_volume_id: id.clone(), ..Default::default() };
        let snapshot = rig.controller.create_snapshot(request).await.unwrap().into_inner().snapshot.unwrap();
        assert!(snapshot.ready_to_use);
        // Writable again after the snapshot.
        fs::write(&file, "after").unwrap();

        let restored = format!("{name}-restored");
        // Larger than its origin: the filesystem grows as it is first mounted.
        let mut request = volume(&restored, 500 * MIB, kind, capability.clone());
        request.volume_content_source = from(Type::Snapshot(SnapshotSource { snapshot_id: snapshot.snapshot_id.clone() }));
        let restored_id = rig.controller.create_volume(request).await.unwrap().into_inner().volume.unwrap().volume_id;
        let cloned = format!("{name}-cloned");
        let mut request = volume(&cloned, 300 * MIB, kind, capability.clone());
        request.volume_content_source = from(Type::Volume(VolumeSource { volume_id: id.clone() }));
        let cloned_id = rig.controller.create_volume(request).await.unwrap().into_inner().volume.unwrap().volume_id;

        for (name, id, expected) in [(&restored, &restored_id, "before"), (&cloned, &cloned_id, "after")] {
            rig.stage(id, &format!("{name}-stage"), capability.clone()).await.unwrap();
            rig.publish(id, &format!("{name}-stage"), &format!("{name}-target"), capability.clone()).await.unwrap();
            let copy = rig.path(&format!("{name}-target/file"));
            assert_eq!(fs::read_to_string(&copy).unwrap(), expected, "{name}");
            fs::write(&copy, "its own").unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
        if kind == "loop" {
            let stat = rustix::fs::statvfs(rig.path(&format!("{restored}-target"))).unwrap();
            assert!(stat.f_blocks * stat.f_frsize > 400 << 20, "{name} grew to {}", stat.f_blocks * stat.f_frsize);
        }
        if name == "btrfs" {
            let uuid = |name: &str| {
                let at = rig.path(&format!("{name}-target"));
                Command::new("findmnt").args(["-n", "-o", "UUID"]).arg(at).output().unwrap().stdout
            };
            assert_ne!(uuid(name), uuid(&restored), "two filesystems of one identity");
            assert_ne!(uuid(&restored), uuid(&cloned), "two filesystems of one identity");
        }
        rig.end(name, &id).await;
        rig.end(&restored, &restored_id).await;
        rig.end(&cloned, &cloned_id).await;
        let request = csi::DeleteSnapshotRequest { snapshot_id: snapshot.snapshot_id, ..Default::default() };
        rig.controller.delete_snapshot(request).await.unwrap();
    }
    rig.assert_nothing_left();
}
