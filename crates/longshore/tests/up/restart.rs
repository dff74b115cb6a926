//! One data directory, one process; and whatever it holds outlives the process.

use std::fs;

use super::process::{Up, eventually, folder, text};

#[test]
#[ignore = "mounts, which needs root"]
fn a_second_process_on_one_data_directory_refuses_and_the_first_goes_on() {
    let place = folder();
    let first = Up::start(place.path(), &[]);
    let said = Up::try_start(place.path(), &[]).err().expect("refused");
    assert!(said.contains("objects.redb"), "{said}");
    assert!(first.ask(&["status"]).status.success(), "the first one still answers");
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_file_that_is_not_ours_is_refused_by_name_and_left_alone() {
    for (kind, bytes) in [("empty", Vec::new()), ("text", b"precious\n".repeat(4096)), ("zeros", vec![0; 1 << 20])] {
        let place = folder();
        let file = place.path().join("objects.redb");
        fs::write(&file, &bytes).expect("written");
        match Up::try_start(place.path(), &[]) {
            // Nothing can be lost of a file without a byte in it.
            Ok(_) => assert_eq!(kind, "empty"),
            Err(said) => {
                assert!(said.contains("objects.redb"), "{kind}: {said}");
                assert_eq!(fs::read(&file).expect("it is there"), bytes, "{kind}: touched");
            }
        }
    }
}

#[test]
#[ignore = "mounts and makes loop devices, which needs root"]
fn volumes_and_their_bytes_outlive_a_killed_process() {
    let place = folder();
    let manifests = folder();
    let file = manifests.path().join("app.yaml");
    fs::write(&file, APP).expect("written");
    let apply = format!("--filename={}", file.display());
    let flags = ["--run-pods", &*apply];
    let first = Up::start(place.path(), &flags);
    let running = |up: &Up| {
        let tree = text(&up.ask(&["status"]).stdout);
        if tree.contains("pod writer  Running") { Ok(tree) } else { Err(tree) }
    };
    eventually("the pod to run", || running(&first));
    let bytes = |up: &Up| {
        let found = walk(&up.dir.join("kubelet/pods"), "seen").map(|path| fs::read_to_string(path).unwrap_or_default());
        found.filter(|text| text.contains("once")).ok_or_else(|| "no bytes yet".to_owned())
    };
    eventually("the bytes", || bytes(&first));
    first.kill();
    let second = Up::start(place.path(), &flags);
    let tree = eventually("the pod to run again", || running(&second));
    assert!(tree.contains("claim data  Bound"), "{tree}");
    let found = eventually("the bytes", || bytes(&second));
    assert_eq!(found.matches("once").count(), 1, "the container went on, and was not started twice");
    assert_eq!(second.stop().code(), Some(0));
}

const APP: &str = r#"
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 32Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: sh
    image: busybox
    command: [/bin/sh, -c, "echo once >> /data/seen && sync /data/seen && exec sleep 3600"]
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"#;

fn walk(folder: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if path.file_name().is_some_and(|file| file == name) {
            return Some(path);
        }
        if let Some(found) = entry.file_type().is_ok_and(|kind| kind.is_dir()).then(|| walk(&path, name)).flatten() {
            return Some(found);
        }
    }
    None
}
