//! `longshore convert` as a process: what it writes where, and how it ends.
#![allow(clippy::disallowed_methods, reason = "starts the program")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents").join(name)
}

struct Place(tempfile::TempDir);

impl Place {
    /// A folder with the secrets of DC/OS' example.
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("username_secret_001"), "alice\n").expect("written");
        std::fs::write(dir.path().join("password_secret_001"), "hunter2\n").expect("written");
        Self(dir)
    }

    fn convert(&self, arguments: &[&str], files: &[PathBuf]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
        command.arg("convert").args(arguments).args(files).env_clear();
        command.arg("--secrets-dir").arg(self.0.path()).output().expect("it runs")
    }
}

fn texts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

const APP: [&str; 6] = ["--from", "marathon", "--driver", "csi-plugin-name=local.csi.longshore.dev", "--image", "busybox"];

#[test]
fn manifests_go_to_stdout_and_a_secret_into_its_object_only() {
    let (code, out, err) = texts(&Place::new().convert(&APP, &[document("marathon/csi-volume-test-app.json")]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    for kind in ["Secret", "PersistentVolume", "PersistentVolumeClaim", "Deployment"] {
        assert!(out.contains(&format!("\nkind: {kind}\n")), "{kind}: {out}");
    }
    // The value without its line end, as base64.
    assert!(out.contains("aHVudGVyMg==") && !out.contains("hunter2"), "{out}");
}

#[test]
fn a_refused_document_is_one_line_each_problem_and_nothing_is_written() {
    let (damaged, good) = (document("marathon/csi-volume-test-app.damaged.json"), document("marathon/csi-volume-test-app.json"));
    let (code, out, err) = texts(&Place::new().convert(&APP, &[good, damaged.clone()]));
    assert_eq!((code, out.as_str()), (Some(1), ""), "the good one is not converted either");
    assert_eq!(err, format!("{}:23:13: a comma is missing after line 22, before \"nodeStageSecret\"\n", damaged.display()));
    let (code, out, err) = texts(&Place::new().convert(&["--from", "marathon"], &[PathBuf::from("/nowhere/app.json")]));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.starts_with("/nowhere/app.json: cannot be read"), "{err}");
}

#[test]
fn a_check_reports_and_writes_no_manifests() {
    let mut arguments = APP.to_vec();
    arguments.push("--check");
    let (code, out, err) = texts(&Place::new().convert(&arguments, &[document("marathon/csi-volume-test-app.json")]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(out, "can be converted: 1 Deployment, 1 PersistentVolume, 1 PersistentVolumeClaim, 2 Secret, 0 warnings\n");
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let file = document("mesos/nfs-task.json");
    for arguments in
        [&["--from", "nowhere"][..], &["--from", "mesos", "--driver", "x"], &["--from", "mesos", "--capacity", "much"], &[]]
    {
        let (code, out, err) = texts(&Place::new().convert(arguments, std::slice::from_ref(&file)));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!err.is_empty());
    }
}

#[test]
fn two_documents_may_share_a_volume_but_not_a_name() {
    let place = Place::new();
    let write = |name: &str, command: &str| {
        let path = place.0.path().join(name);
        let text = std::fs::read_to_string(document("mesos/nfs-task.json")).expect("readable");
        std::fs::write(&path, text.replace("nfs-task-1", command)).expect("written");
        path
    };
    let (a, b) = (write("a.json", "one"), write("b.json", "two"));
    let mesos = ["--from", "mesos", "--driver", "nfs.csi.k8s.io=nfs.csi.k8s.io", "--for", "host"];
    let (code, out, err) = texts(&place.convert(&mesos, &[a.clone(), b]));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out.matches("kind: Pod\n").count(), 2);
    assert_eq!(out.matches("kind: PersistentVolume\n").count(), 1, "both use the same");
    let text = std::fs::read_to_string(&a).expect("readable").replace("echo test", "echo other");
    let c = place.0.path().join("c.json");
    std::fs::write(&c, text).expect("written");
    let (code, _, err) = texts(&place.convert(&mesos, &[a, c]));
    assert_eq!(code, Some(1));
    assert!(err.contains("Pod one is made of"), "{err}");
}

const NOMAD: [&str; 6] = ["--from", "nomad", "--image", "busybox", "--driver", "csi-hostpath=hostpath.example.com"];

#[test]
fn a_nomad_job_and_the_volume_it_mounts_are_converted_together() {
    let files = [document("nomad/hostpath-volume.hcl"), document("nomad/hostpath-consumer.hcl"), document("nomad/hostpath.hcl")];
    let (code, out, err) = texts(&Place::new().convert(&NOMAD, &files));
    assert_eq!(code, Some(0), "{err}");
    for kind in ["StorageClass", "PersistentVolumeClaim", "Deployment", "DaemonSet", "CSIDriver"] {
        assert!(out.contains(&format!("\nkind: {kind}\n")), "{kind}: {out}");
    }
    assert!(!out.contains("not-a-real-key") && !err.contains("not-a-real-key"), "a secret is in its Secret only, as base64");
}

#[test]
fn a_plugins_controller_and_node_may_be_two_nomad_jobs() {
    let (controller, node) = (document("nomad/ebs-controller.hcl"), document("nomad/ebs-node.hcl"));
    let arguments = ["--from", "nomad", "--driver", "aws-ebs0=ebs.csi.aws.com", "--var", "image=registry.example/other:2"];
    let (code, out, err) = texts(&Place::new().convert(&arguments, std::slice::from_ref(&node)));
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("which the job does not declare"), "{err}");
    let (code, out, err) = texts(&Place::new().convert(&arguments[..4], &[controller.clone(), node]));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out.matches("\nkind: CSIDriver\n").count(), 1, "{out}");
    let (code, _, err) = texts(&Place::new().convert(&arguments[..4], &[controller.clone(), controller]));
    assert_eq!(code, Some(1));
    assert!(err.contains("plugin aws-ebs0 offers a service that it offers in an earlier file"), "{err}");
}

#[test]
fn damage_to_a_nomad_job_is_told_with_its_place_and_likely_cause() {
    let damaged = document("nomad/csi-plugin.damaged.hcl");
    let (code, out, err) = texts(&Place::new().convert(&NOMAD, std::slice::from_ref(&damaged)));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.starts_with(&format!("{}:1:34: ", damaged.display())), "{err}");
    assert!(err.contains("line breaks were probably lost"), "{err}");
}
