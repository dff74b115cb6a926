//! A Secret is in the API's file and in the container that asked for it, and nowhere else.

use std::fs;
use std::path::Path;

use super::process::{Up, eventually, folder, text};

const SECRET: &str = "correct-horse-battery-staple";

const APP: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {password: correct-horse-battery-staple}
---
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  restartPolicy: Never
  containers:
  - name: sh
    image: busybox
    command: [/bin/sh, -c, 'test -n "$PASSWORD" && test "$(cat /keys/password)" = "$PASSWORD"']
    env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: keys, key: password}}}]
    volumeMounts: [{name: keys, mountPath: /keys}]
  volumes: [{name: keys, secret: {secretName: keys}}]
---
apiVersion: v1
kind: Pod
metadata: {name: broken}
spec:
  containers:
  - name: sh
    image: busybox
    command: [/nonexistent]
    env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: keys, key: password}}}]
"#;

#[test]
#[ignore = "mounts, which needs root"]
fn a_secret_is_in_no_log_no_event_no_status_and_no_file_but_the_apis() {
    let (place, manifests) = (folder(), folder());
    let file = manifests.path().join("app.yaml");
    fs::write(&file, APP).expect("written");
    let up = Up::start(place.path(), &["--run-pods", "--v=10", &format!("--filename={}", file.display())]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let client = runtime.block_on(super::process::client(&up.kubeconfig()));
    let get = |path: &str| {
        let request = http::Request::get(path).body(Vec::new()).expect("a request");
        runtime.block_on(client.request_text(request)).expect("an answer")
    };
    let pods = eventually("the container to have used it, and the other to have failed", || {
        let pods = get("/api/v1/namespaces/default/pods");
        if pods.contains("\"Succeeded\"") && pods.contains("StartError") { Ok(pods) } else { Err(pods) }
    });
    let events = eventually("events", || {
        let events = get("/api/v1/namespaces/default/events");
        if events.contains("Started") { Ok(events) } else { Err(events) }
    });
    assert!(!pods.contains(SECRET) && !events.contains(SECRET));
    let encoded = "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ";
    let found = files_with(place.path(), &[SECRET, encoded]);
    let elsewhere: Vec<_> = found.iter().filter(|path| !path.ends_with("objects.redb")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert!(found.iter().any(|path| path.ends_with("objects.redb")), "the search finds what is there");
    assert!(!text(&up.ask(&["status", "-o", "json"]).stdout).contains(SECRET));
}

fn files_with(folder: &Path, words: &[&str]) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().expect("a type"));
        if kind.is_dir() {
            found.extend(files_with(&path, words));
        } else if kind.is_file() {
            let bytes = fs::read(&path).unwrap_or_default();
            if words.iter().any(|word| bytes.windows(word.len()).any(|window| window == word.as_bytes())) {
                found.push(path);
            }
        }
    }
    found
}
