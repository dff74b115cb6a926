//! `-f`: every mistake with its file, line and field, and nothing else held up by it.

use std::fs;

use super::process::{Up, eventually, folder, text};

const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\ndata: {a: b}\n";

#[test]
#[ignore = "mounts, which needs root"]
fn a_mistake_is_told_with_file_line_field_and_reason_and_the_rest_is_applied() {
    let (place, manifests) = (folder(), folder());
    let file = manifests.path().join("all.yaml");
    let bad = [
        "kind: [\n",
        "apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: unknown\n  labls: {a: b}\n",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: claim}\nspec:\n  accessModes: [ReadWriteOnce]\n  resources:\n    requests:\n      storage: 0\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typed}\ndata:\n  a: [1]\n",
    ];
    let whole = format!("{}---\n{GOOD}", bad.map(|text| format!("---\n{text}")).concat());
    fs::write(&file, &whole).expect("written");
    let up = Up::start(place.path(), &[&format!("--filename={}", file.display())]);
    let complaints = eventually("the complaints", || {
        let said = up.complaints();
        if said.lines().count() >= bad.len() { Ok(said) } else { Err(said) }
    });
    let line_of = |needle: &str| whole.lines().position(|line| line.contains(needle)).expect("in the text") + 1;
    for (line, words) in [
        (line_of("kind: Nonsense"), "Nonsense"),
        (line_of("labls"), "metadata.labls"),
        (line_of("resources:"), "must be greater than zero"),
        (line_of("name: typed") + 1, "data: json: cannot unmarshal array"),
    ] {
        let place = format!("{}:{line}:", file.display());
        let told = complaints.lines().any(|told| told.starts_with(&place) && told.contains(words));
        assert!(told, "{place} {words} is missing in\n{complaints}");
    }
    assert!(complaints.lines().all(|line| line.starts_with(&*file.display().to_string())), "{complaints}");

    // The good one is there; a corrected file is applied without being asked.
    let class = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: later}\nprovisioner: a.b\n";
    fs::write(&file, format!("{GOOD}---\n{class}---\n{CLAIM}")).expect("written");
    eventually("the corrected manifests", || {
        let tree = text(&up.ask(&["status"]).stdout);
        if tree.contains("claim waits") { Ok(()) } else { Err(tree) }
    });
    assert_eq!(up.stop().code(), Some(0), "nothing is wrong any more");
}

const CLAIM: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: waits}\nspec:\n  storageClassName: later\n  \
                     accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n";

#[test]
#[ignore = "mounts, which needs root"]
fn the_exit_status_says_that_a_manifest_is_wrong() {
    let (place, manifests) = (folder(), folder());
    fs::write(manifests.path().join("a.yaml"), GOOD).expect("written");
    fs::write(manifests.path().join("b.json"), "{\"kind\": \"ConfigMap\"}").expect("written");
    let up = Up::start(place.path(), &["-f", &manifests.path().display().to_string()]);
    eventually("the complaint", || {
        let said = up.complaints();
        if said.contains("b.json:1: apiVersion: is required") { Ok(()) } else { Err(said) }
    });
    assert_eq!(up.stop().code(), Some(1));
}
