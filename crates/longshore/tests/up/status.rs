//! `longshore status` against a host that runs.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::process::{Up, folder, longshore, text};

#[test]
#[ignore = "mounts, which needs root"]
fn status_is_a_tree_json_or_yaml_of_the_same() {
    let place = folder();
    let up = Up::start(place.path(), &[]);
    assert_eq!(text(&up.ask(&["status"]).stdout), "no claims and no volumes\n");
    let json = up.ask(&["status", "-o", "json"]).stdout;
    let report: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(report, serde_json::json!({ "claims": [], "volumes": [] }));
    assert_eq!(text(&up.ask(&["status", "-o=yaml"]).stdout), "---\nclaims: []\nvolumes: []\n");
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_watched_status_shows_what_comes() {
    let (place, manifests) = (folder(), folder());
    let up = Up::start(place.path(), &["-f", &manifests.path().display().to_string()]);
    let mut watch = longshore();
    watch.args(["status", "--watch"]).env("KUBECONFIG", up.kubeconfig()).stdout(Stdio::piped());
    let mut watch = watch.spawn().expect("the program starts");
    let mut lines = BufReader::new(watch.stdout.take().expect("piped")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "no claims and no volumes");
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}\n";
    std::fs::write(manifests.path().join("a.yaml"), claim).expect("written");
    let seen = lines.map_while(Result::ok).any(|line| line.contains("why: StorageClass none does not exist"));
    watch.kill().expect("it runs");
    watch.wait().expect("it ended");
    assert!(seen);
}

#[test]
fn without_a_kubeconfig_one_sentence_says_where_it_was_looked_for() {
    let output = longshore().arg("status").env("HOME", "/nonexistent").output().expect("the program starts");
    if std::path::Path::new("/var/lib/longshore/kubeconfig").exists() {
        return;
    }
    let wrong = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{wrong}");
    assert!(wrong.contains("KUBECONFIG") && wrong.contains("/var/lib/longshore/kubeconfig"), "{wrong}");
}
