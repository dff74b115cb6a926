//! Docker's requests, the built-in drivers, real mounts. Each test has a volume name of its own: local-driver knows mounts of a volume
//! whose data is gone by the hash of its name, and these tests share a mount table.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::rig::{Rig, root};

fn mountpoint(answer: &Value) -> PathBuf {
    PathBuf::from(answer["Mountpoint"].as_str().expect("a path"))
}

fn mount(name: &str, id: &str) -> Value {
    json!({"Name": name, "ID": id})
}

#[tokio::test]
async fn a_volume_is_written_to_through_restarts_and_leaves_nothing() {
    let Some(()) = root() else { return };
    let mut rig = Rig::start(&[], &[]).await;
    rig.ask("/VolumeDriver.Create", json!({"Name": "data", "Opts": {}})).await;
    let path = mountpoint(&rig.ask("/VolumeDriver.Mount", mount("data", "a")).await);
    std::fs::write(path.join("file"), "bytes").expect("written");
    assert_eq!(mountpoint(&rig.ask("/VolumeDriver.Path", json!({"Name": "data"})).await), path);

    // SIGTERM: mounts stay, and so do the counts.
    rig.stop().await;
    assert!(!rig.socket().exists());
    assert_eq!(std::fs::read_to_string(path.join("file")).expect("still mounted"), "bytes");
    rig.restart(&[], &[]).await;
    assert_eq!(mountpoint(&rig.ask("/VolumeDriver.Mount", mount("data", "b")).await), path);
    rig.ask("/VolumeDriver.Unmount", mount("data", "a")).await;
    let said = rig.refused("/VolumeDriver.Remove", json!({"Name": "data"})).await;
    assert!(said.contains("mount id b (1)"), "{said}");
    let got = rig.ask("/VolumeDriver.Get", json!({"Name": "data"})).await;
    assert_eq!(got["Volume"]["Status"]["mounts"], json!({"b": 1}));
    assert_eq!(std::fs::read_to_string(path.join("file")).expect("b has it"), "bytes");
    rig.ask("/VolumeDriver.Unmount", mount("data", "b")).await;
    assert!(rig.mounts().is_empty(), "{:?}", rig.mounts());

    // Mounted anew, it has what was written.
    let path = mountpoint(&rig.ask("/VolumeDriver.Mount", mount("data", "c")).await);
    assert_eq!(std::fs::read_to_string(path.join("file")).expect("kept"), "bytes");
    rig.ask("/VolumeDriver.Unmount", mount("data", "c")).await;
    rig.ask("/VolumeDriver.Remove", json!({"Name": "data"})).await;
    assert_eq!(rig.ask("/VolumeDriver.List", json!({})).await, json!({"Volumes": []}));
    let left: Vec<_> = std::fs::read_dir(rig.dir.join("state/mounts")).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
    rig.stop().await;
}

#[tokio::test]
async fn a_volume_of_csi_blockdevices_is_a_filesystem_of_its_size() {
    let Some(()) = root() else { return };
    let mut rig = Rig::start(&[], &[("X_CSI_DRIVER", "csi-blockdevices")]).await;
    let opts = json!({"size": "64Mi", "fsType": "ext4", "mountFlags": "noatime"});
    rig.ask("/VolumeDriver.Create", json!({"Name": "blocks", "Opts": opts})).await;
    let path = mountpoint(&rig.ask("/VolumeDriver.Mount", mount("blocks", "a")).await);
    let line = rig.mounts().into_iter().find(|line| line.contains(&format!(" {} ", path.display()))).expect("mounted");
    assert!(line.contains(" - ext4 /dev/loop") && line.contains("noatime"), "{line}");
    let said = rig.refused("/VolumeDriver.Create", json!({"Name": "b", "Opts": {"size": "64Mi", "fsType": "zfs"}})).await;
    assert!(said.contains("volume b") && said.contains("zfs"), "{said}");
    rig.ask("/VolumeDriver.Unmount", mount("blocks", "a")).await;
    rig.ask("/VolumeDriver.Remove", json!({"Name": "blocks"})).await;
    assert_eq!(rig.ask("/VolumeDriver.List", json!({})).await, json!({"Volumes": []}), "nothing of b is left");
    rig.stop().await;
}

/// `docker cp` on a running container mounts its id twice and unmounts it once.
#[tokio::test]
async fn an_id_that_mounts_twice_and_unmounts_once_still_has_it() {
    let Some(()) = root() else { return };
    let mut rig = Rig::start(&[], &[]).await;
    rig.ask("/VolumeDriver.Create", json!({"Name": "twice", "Opts": null})).await;
    for _ in 0..3 {
        rig.ask("/VolumeDriver.Mount", mount("twice", "a")).await;
    }
    rig.ask("/VolumeDriver.Unmount", mount("twice", "a")).await;
    assert_eq!(rig.ask("/Longshore.Mounts", json!({})).await, json!({"Volumes": {"twice": {"a": 2}}}));
    // dockerd was killed, and will never unmount: an operator does.
    assert_eq!(rig.ask("/Longshore.ForgetMount", mount("twice", "a")).await, json!({"Known": true}));
    assert_eq!(rig.ask("/Longshore.ForgetMount", mount("twice", "a")).await, json!({"Known": false}));
    assert!(rig.mounts().is_empty());
    rig.ask("/VolumeDriver.Remove", json!({"Name": "twice"})).await;
    rig.stop().await;
}

/// Somebody unmounted it by hand: the next Mount makes it again rather than hand out an empty folder.
#[tokio::test]
async fn the_real_mount_table_decides_not_the_record() {
    let Some(()) = root() else { return };
    let mut rig = Rig::start(&[], &[]).await;
    rig.ask("/VolumeDriver.Create", json!({"Name": "table"})).await;
    let path = mountpoint(&rig.ask("/VolumeDriver.Mount", mount("table", "a")).await);
    std::fs::write(path.join("file"), "bytes").expect("written");
    rustix::mount::unmount(&path, rustix::mount::UnmountFlags::empty()).expect("unmounted by hand");
    let again = mountpoint(&rig.ask("/VolumeDriver.Mount", mount("table", "b")).await);
    assert_eq!(std::fs::read_to_string(Path::new(&again).join("file")).expect("mounted again"), "bytes");
    for id in ["a", "b"] {
        rig.ask("/VolumeDriver.Unmount", mount("table", id)).await;
    }
    rig.ask("/VolumeDriver.Remove", json!({"Name": "table"})).await;
    rig.stop().await;
}
