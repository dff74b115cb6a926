use serde_json::json;

use super::*;
use crate::pod::used;
use crate::testing::{pod, volume};

fn spec(modes: serde_json::Value, fs_type: &str) -> Spec {
    let pod = pod(json!({"spec": {
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "claim-1"}}],
        "containers": [{"name": "c", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
    }}));
    let pv = volume(json!({"spec": {"accessModes": modes, "csi": {"fsType": fs_type}}}));
    crate::spec::of_volume(&pv, "ns/claim-1", "claim-uid", &used(&pod)[0]).expect("resolved")
}

#[test]
fn the_policy_decides_who_gets_the_volume() {
    use FsGroupPolicy::{File, None as Never, ReadWriteOnceWithFSType as Default};
    let (rwo, rwx) = (json!(["ReadWriteOnce"]), json!(["ReadWriteMany"]));
    for (modes, fs_type, policy, expected) in [
        (&rwo, "ext4", Default, Some(2000)),
        (&rwo, "", Default, None),
        (&rwx, "ext4", Default, None),
        (&rwx, "", File, Some(2000)),
        (&rwo, "ext4", Never, None),
    ] {
        assert_eq!(
            group_to_apply(&spec(modes.clone(), fs_type), Some(2000), false, policy),
            expected,
            "{modes} {fs_type} {policy:?}"
        );
    }
}

#[test]
fn a_volume_is_not_walked_if_the_driver_does_it_or_nobody_may_write() {
    let spec = spec(json!(["ReadWriteOnce"]), "ext4");
    let policy = FsGroupPolicy::File;
    assert_eq!(group_to_apply(&spec, Some(2000), true, policy), None);
    assert_eq!(group_to_apply(&spec, None, false, policy), None);
    assert_eq!(group_to_apply(&Spec { read_only: true, ..spec.clone() }, Some(2000), false, policy), None);
    assert_eq!(group_to_apply(&Spec { mode: VolumeMode::Block, ..spec.clone() }, Some(2000), false, policy), None);
    assert_eq!(group_to_apply(&spec, Some(-1), false, policy), None);
}

/// The tests' own group: giving a file to it needs no right.
fn own_gid(root: &Path) -> u32 {
    fs::metadata(root).expect("metadata").gid()
}

#[test]
fn a_walk_opens_everything_to_the_group_and_follows_no_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("volume");
    let outside = folder.path().join("outside");
    fs::create_dir_all(root.join("a/b")).expect("folders");
    fs::write(root.join("a/b/file"), "x").expect("a file");
    fs::write(&outside, "x").expect("a file");
    fs::set_permissions(&outside, fs::Permissions::from_mode(0o600)).expect("mode");
    fs::set_permissions(root.join("a/b/file"), fs::Permissions::from_mode(0o600)).expect("mode");
    std::os::unix::fs::symlink(&outside, root.join("link")).expect("a link");

    let walk = give(&root, own_gid(&root), false).expect("walked");
    assert_eq!(walk, Walk::Changed { entries: 5, failed: 0 });
    let mode = |path: &Path| fs::symlink_metadata(path).expect("metadata").mode() & 0o7777;
    assert_eq!(mode(&root.join("a/b/file")), 0o660);
    assert_eq!(mode(&root.join("a")) & 0o2770, 0o2770);
    assert_eq!(mode(&root) & 0o2770, 0o2770);
    assert_eq!(mode(&outside), 0o600, "what a link points to is not the volume's");
}

#[test]
fn on_root_mismatch_looks_at_the_root_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    fs::write(root.join("file"), "x").expect("a file");
    assert!(matches!(give(root, own_gid(root), true).expect("walked"), Walk::Changed { .. }));
    assert_eq!(give(root, own_gid(root), true).expect("skipped"), Walk::Skipped);
    fs::set_permissions(root, fs::Permissions::from_mode(0o770)).expect("mode");
    assert!(
        matches!(give(root, own_gid(root), true).expect("walked"), Walk::Changed { .. }),
        "without setgid the root does not match"
    );
}
