//! patch, label, annotate, edit, wait.

use super::{Host, claim};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {k: v}\n";

fn patched(host: &Host, kind: &str, patch: &str) -> String {
    host.ok(&format!("patch configmap x --type={kind} -p {patch}"))
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_patch_of_each_type_changes_what_it_says() {
    let host = Host::new(&[]);
    host.apply(MAP);
    assert_eq!(patched(&host, "merge", r#"{"data":{"m":"1"}}"#), "configmap/x patched\n");
    assert_eq!(patched(&host, "strategic", r#"{"data":{"s":"2"}}"#), "configmap/x patched\n");
    assert_eq!(patched(&host, "json", r#"[{"op":"replace","path":"/data/k","value":"3"}]"#), "configmap/x patched\n");
    assert_eq!(host.ok("get configmap x -o jsonpath={.data}"), r#"{"k":"3","m":"1","s":"2"}"#);
    assert_eq!(patched(&host, "merge", r#"{"data":{"m":"1"}}"#), "configmap/x patched (no change)\n");
    let wrong = host.fails(r#"patch configmap x --type=json -p [{"op":"test","path":"/data/k","value":"0"}]"#, "");
    assert!(
        wrong.contains("the server rejected our request due to an error in our request") || wrong.contains("test"),
        "{wrong}"
    );
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  schedulingGates: [{name: example.org/never}]\n  \
               containers: [{name: a, image: one}, {name: b, image: two}]\n";
    host.apply(pod);
    // Of a list with keys, a strategic patch changes the one it names.
    host.ok(r#"patch pod p -p {"spec":{"containers":[{"name":"b","image":"three"}]}}"#);
    assert_eq!(host.ok("get pod p -o jsonpath={.spec.containers[*].image}"), "one three");
    host.ok(r#"patch pod p --subresource=status --type=merge -p {"status":{"message":"told"}}"#);
    assert_eq!(host.ok("get pod p -o jsonpath={.status.message}"), "told");
}

#[test]
#[ignore = "mounts, which needs root"]
fn labels_and_annotations_come_change_and_go() {
    let host = Host::new(&[]);
    host.apply(MAP);
    assert_eq!(host.ok("label configmap x a=b"), "configmap/x labeled\n");
    let refused = host.fails("label configmap x a=c", "");
    assert!(refused.contains("already has a value (b), and --overwrite is false"), "{refused}");
    host.ok("label configmap x a=c --overwrite");
    assert_eq!(host.ok("get configmaps -l a=c -o name"), "configmap/x\n");
    assert!(host.ok("get configmaps -L a").lines().nth(1).is_some_and(|line| line.ends_with(" c")));
    assert_eq!(host.ok("label configmap x a-"), "configmap/x unlabeled\n");
    assert_eq!(host.ok("get configmaps -l a -o name"), "");
    assert_eq!(host.ok("annotate configmap x note=seen"), "configmap/x annotated\n");
    assert_eq!(host.ok("get configmap x -o jsonpath={.metadata.annotations.note}"), "seen");
    let node = host.ok("get nodes -o name");
    assert!(host.ok(&format!("cordon {}", node.trim())).contains("cordoned"));
    assert!(host.ok("get nodes").contains("Ready,SchedulingDisabled"));
    assert!(host.ok(&format!("uncordon {}", node.trim())).contains("uncordoned"));
}

#[test]
#[ignore = "mounts, which needs root"]
fn an_edit_writes_what_the_editor_left() {
    let host = Host::new(&[]);
    host.apply(MAP);
    let edit = |script: &str| {
        let editor = host.place.path().join("editor");
        std::fs::write(&editor, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("runs");
        let output = host.command("edit configmap x").env("KUBE_EDITOR", &editor).output().expect("kubectl ends");
        crate::process::text(&[output.stdout, output.stderr].concat())
    };
    assert_eq!(edit("sed -i 's/k: v/k: w/' \"$1\""), "configmap/x edited\n");
    assert_eq!(host.ok("get configmap x -o jsonpath={.data.k}"), "w");
    assert!(edit("true").contains("no changes made"), "nothing was changed");
}

#[test]
#[ignore = "mounts, which needs root"]
fn wait_ends_when_what_it_waits_for_has_come() {
    let host = Host::new(&["--run-pods"]);
    let waiting = |words: &str| host.command(words).stdout(std::process::Stdio::piped()).spawn().expect("kubectl starts");
    host.apply(&claim("data", "local"));
    assert!(host.ok("wait --for=jsonpath={.status.phase}=Bound pvc/data --timeout=60s").contains("condition met"));
    host.apply(&super::pod("p", "data", "exec sleep 3600"));
    assert!(host.ok("wait --for=condition=Ready pod/p --timeout=60s").contains("condition met"));
    let gone = waiting("wait --for=delete pod/p --timeout=60s");
    host.ok("delete pod p --wait=false");
    let gone = gone.wait_with_output().expect("kubectl ends");
    assert!(gone.status.success(), "{gone:?}");
    let made = waiting("wait --for=create configmap/x --timeout=60s");
    host.apply(MAP);
    assert!(made.wait_with_output().expect("kubectl ends").status.success());
    let never = host.fails("wait --for=jsonpath={.status.phase}=Lost pvc/data --timeout=1s", "");
    assert!(never.contains("timed out waiting for the condition on persistentvolumeclaims/data"), "{never}");
}
