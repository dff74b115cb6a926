//! Documents of other systems, converted and run on this host: their own examples, on real mounts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::kubectl::Host;
use super::process::eventually;

fn document(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents").join(name);
    serde_json::from_str(&fs::read_to_string(path).expect("the document")).expect("JSON")
}

fn longshore(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_longshore")).args(words).output().expect("it runs");
    assert!(output.status.success(), "longshore {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// A volume that is there before the document, by its id.
fn provisioned(host: &Host, name: &str) -> String {
    let endpoint = format!("unix://{}", host.place.path().join("csi.sock").display());
    let said = longshore(&[
        "csi",
        "--endpoint",
        &endpoint,
        "controller",
        "create-volume",
        name,
        "--cap",
        "SINGLE_NODE_WRITER,mount,ext4",
        "--req-bytes",
        "33554432",
        "-o",
        "json",
    ]);
    let made: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    find(&made, &["volumeId", "volume_id", "id"]).unwrap_or_else(|| panic!("no id in {said}"))
}

fn find(value: &Value, names: &[&str]) -> Option<String> {
    match value {
        Value::Object(map) => names
            .iter()
            .find_map(|name| map.get(*name)?.as_str().map(str::to_owned))
            .or_else(|| map.values().find_map(|value| find(value, names))),
        Value::Array(list) => list.iter().find_map(|value| find(value, names)),
        _ => None,
    }
}

/// Converts for this host, and applies.
fn run(host: &Host, from: &str, document: &Value, more: &[&str]) {
    let file = host.place.path().join(format!("{from}.json"));
    fs::write(&file, document.to_string()).expect("written");
    let file = file.display().to_string();
    let mut words = vec!["convert", "--from", from, "--for", "host", &file];
    words.extend(more);
    host.apply(&longshore(&words));
}

fn logs(host: &Host, pod: &str, container: &str) -> Vec<String> {
    let uid = host.ok(&format!("get pod {pod} -o jsonpath={{.metadata.uid}}"));
    let folder: PathBuf = host.place.path().join(format!("pods/{uid}/{container}"));
    let mut attempts: Vec<u32> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    attempts.sort_unstable();
    let log = |attempt: &u32| host.place.path().join(format!("pods/{uid}/{container}/{attempt}/log"));
    attempts.iter().filter_map(|attempt| fs::read_to_string(log(attempt)).ok()).collect()
}

#[test]
#[ignore = "mounts, which needs root"]
fn the_app_of_dcos_documentation_writes_one_more_line_at_each_run() {
    let host = Host::new(&["--run-pods"]);
    let volume = provisioned(&host, "pre-provisioned-volume");
    let secrets = host.place.path().join("secrets");
    fs::create_dir(&secrets).expect("made");
    for name in ["username_secret_001", "password_secret_001"] {
        fs::write(secrets.join(name), "s3cret\n").expect("written");
    }
    let mut app = document("marathon/csi-volume-test-app.json");
    let external = &mut app["container"]["volumes"][0]["external"];
    external["name"] = json!(volume);
    // The built-in driver's volumes are of one node.
    external["options"]["capability"]["accessMode"] = json!("SINGLE_NODE_WRITER");
    let secrets = secrets.display().to_string();
    run(&host, "marathon", &app, &["--driver", "csi-plugin-name=local.csi.longshore.dev", "--secrets-dir", &secrets]);
    let seen = eventually("four runs", || {
        let logs = logs(&host, "csi-volume-test-app", "csi-volume-test-app");
        let ended: Vec<usize> = logs.iter().map(|log| log.lines().count()).filter(|lines| *lines > 0).collect();
        if ended.len() >= 4 { Ok(ended) } else { Err(host.ok("describe pod csi-volume-test-app")) }
    });
    assert_eq!(seen[..4], [1, 2, 3, 4], "each run adds a line, and a run that succeeded is followed by another");
}

#[test]
#[ignore = "mounts, which needs root"]
fn the_task_of_mesos_documentation_writes_into_its_volume_and_is_not_run_again() {
    let host = Host::new(&["--run-pods"]);
    let volume = provisioned(&host, "mesos");
    let mut task = document("mesos/nfs-task.json");
    let csi = &mut task["container"]["volumes"][0]["source"]["csi_volume"]["static_provisioning"];
    csi["volume_id"] = json!(volume);
    csi["volume_capability"]["access_mode"]["mode"] = json!("SINGLE_NODE_WRITER");
    csi["volume_context"] = json!(null);
    task["command"]["value"] = json!("echo test > volume/file; cat volume/file; pwd; echo $MESOS_SANDBOX");
    run(&host, "mesos", &task, &["--driver", "nfs.csi.k8s.io=local.csi.longshore.dev"]);
    host.becomes("get pod nfs-task-1 -o jsonpath={.status.phase}", "Succeeded");
    assert_eq!(logs(&host, "nfs-task-1", "nfs-task"), ["test\n/mnt/mesos/sandbox\n/mnt/mesos/sandbox\n"]);
    assert!(!fs::exists("/mnt/mesos").expect("looked at"), "nothing is made on the host");
}

#[test]
#[ignore = "mounts, which needs root"]
fn an_absolute_path_that_the_host_does_not_have_fails_the_task_with_that_reason() {
    let host = Host::new(&["--run-pods"]);
    let volume = provisioned(&host, "mesos");
    let mut task = document("mesos/nfs-task.json");
    let csi = &mut task["container"]["volumes"][0]["source"]["csi_volume"]["static_provisioning"];
    csi["volume_id"] = json!(volume);
    csi["volume_capability"]["access_mode"]["mode"] = json!("SINGLE_NODE_WRITER");
    csi["volume_context"] = json!(null);
    task["container"]["volumes"][0]["container_path"] = json!("/nowhere/on/this/host");
    run(&host, "mesos", &task, &["--driver", "nfs.csi.k8s.io=local.csi.longshore.dev"]);
    host.becomes("get pod nfs-task-1 -o jsonpath={.status.phase}", "Failed");
    let why = host.ok("get pod nfs-task-1 -o jsonpath={.status.containerStatuses[0].state.terminated.message}");
    assert!(why.contains("Absolute container path '/nowhere/on/this/host' does not exist"), "{why}");
    // The same with a path that is there.
    let there = host.place.path().join("there");
    fs::create_dir(&there).expect("made");
    host.ok("delete pod nfs-task-1");
    task["task_id"]["value"] = json!("second");
    task["container"]["volumes"][0]["container_path"] = json!(there.display().to_string());
    task["command"]["value"] = json!(format!("echo test > {0}/file; cat {0}/file", there.display()));
    run(&host, "mesos", &task, &["--driver", "nfs.csi.k8s.io=local.csi.longshore.dev"]);
    host.becomes("get pod second -o jsonpath={.status.phase}", "Succeeded");
    assert!(fs::read_dir(&there).expect("a folder").next().is_none(), "the volume was over it, in the task only");
}
