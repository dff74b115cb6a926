use super::*;

fn driver() -> DriverName {
    "d.example.com".into()
}

fn handle() -> VolumeHandle {
    "vol-1".into()
}

#[test]
fn every_path_is_kubelets() {
    let root = Root::new("/var/lib/kubelet");
    let sha = sha256_hex(["vol-1"]);
    let is = |path: PathBuf, expected: &str| assert_eq!(path, PathBuf::from("/var/lib/kubelet").join(expected));
    is(root.staging_path(&driver(), &handle()), &format!("plugins/kubernetes.io/csi/d.example.com/{sha}/globalmount"));
    is(root.staging_dir(&driver(), &handle()), &format!("plugins/kubernetes.io/csi/d.example.com/{sha}"));
    is(root.publish_path("uid-1", "pv-1"), "pods/uid-1/volumes/kubernetes.io~csi/pv-1/mount");
    is(root.publish_dir("uid-1", "pv-1"), "pods/uid-1/volumes/kubernetes.io~csi/pv-1");
    is(root.block_staging_path("pv-1"), "plugins/kubernetes.io/csi/volumeDevices/staging/pv-1");
    is(root.block_publish_path("pv-1", "uid-1"), "plugins/kubernetes.io/csi/volumeDevices/publish/pv-1/uid-1");
    is(root.block_data_dir("pv-1"), "plugins/kubernetes.io/csi/volumeDevices/pv-1/data");
    is(root.block_device("pv-1", "uid-1"), "plugins/kubernetes.io/csi/volumeDevices/pv-1/dev/uid-1");
    is(root.pod_device("uid-1", "pv-1"), "pods/uid-1/volumeDevices/kubernetes.io~csi/pv-1");
    is(root.plugins_registry(), "plugins_registry");
}

#[test]
fn hashes_are_kubelets() {
    assert_eq!(sha256_hex(["abc"]), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(
        attachment_name(&"a".into(), &"b".into(), &"c".into()),
        "csi-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "handle, driver and node, joined without a separator",
    );
    assert_eq!(inline_handle("ab", "c").as_str(), "csi-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn a_volume_is_named_by_driver_and_handle() {
    assert_eq!(VolumeKey::of(&driver(), &handle()).as_str(), "kubernetes.io/csi/d.example.com^vol-1");
    assert_eq!(VolumeKey::inline("uid-1", "scratch").as_str(), "kubernetes.io/csi/uid-1-scratch");
}

#[test]
fn a_name_that_climbs_is_no_path_component() {
    for bad in ["", ".", "..", "a/b", "/", "a\0b"] {
        assert_eq!(component(bad), None, "{bad:?}");
    }
    assert_eq!(component("d.example.com"), Some("d.example.com"));
}
