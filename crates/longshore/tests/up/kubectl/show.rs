//! get, describe, and the watch.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::{Host, claim, pod};
use crate::process::eventually;

const COLUMNS: &str = include_str!("columns.txt");
const EVERY_KIND: &str = include_str!("every-kind.yaml");

#[test]
#[ignore = "mounts, which needs root"]
fn every_kind_has_the_columns_that_a_cluster_shows() {
    let host = Host::new(&[]);
    host.apply(EVERY_KIND);
    host.given("create -f -", super::custom::CRD);
    let mut kinds = BTreeSet::new();
    for line in COLUMNS.lines().filter(|line| !line.starts_with('#')) {
        let (words, wanted) = line.split_once(": ").expect("kind and columns");
        let printed = host.ok(&format!("get {words} -A"));
        let header = printed.lines().next().expect("a header");
        let columns: Vec<&str> = header.split("   ").map(str::trim).filter(|column| !column.is_empty()).collect();
        assert_eq!(columns.join(" | "), wanted, "{words}");
        kinds.insert(words.split(' ').next().expect("a kind").to_owned());
    }
    let served = host.ok("api-resources --verbs=list -o name");
    let served: BTreeSet<String> = served.lines().map(|name| name.split('.').next().expect("a name").to_owned()).collect();
    let custom = BTreeSet::from(["backups".to_owned()]);
    assert_eq!(served.difference(&custom).cloned().collect::<BTreeSet<_>>(), kinds, "every kind that is served is looked at");
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_watch_shows_a_claim_go_from_pending_to_bound() {
    let host = Host::new(&[]);
    let mut watch = host.command("get pvc -w --no-headers").stdout(Stdio::piped()).spawn().expect("kubectl starts");
    host.apply(&claim("data", "local-directory"));
    let mut seen = Vec::new();
    for line in BufReader::new(watch.stdout.take().expect("piped")).lines() {
        let line = line.expect("text");
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[0], "data", "{line}");
        if seen.last().is_none_or(|last| last != words[1]) {
            seen.push(words[1].to_owned());
        }
        if words[1] == "Bound" {
            assert!(line.contains("32Mi") && line.contains("RWO") && line.contains("local-directory"), "{line}");
            break;
        }
    }
    watch.kill().expect("it runs");
    watch.wait().expect("it ended");
    assert_eq!(seen, ["Pending", "Bound"]);
}

/// With one blank where kubectl aligns.
fn plain(text: &str) -> String {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
#[ignore = "mounts, which needs root"]
fn describe_tells_the_state_who_uses_it_and_the_events() {
    let host = Host::new(&["--run-pods"]);
    host.apply(&format!("{}---\n{}", claim("data", "local-directory"), pod("user", "data", "exec sleep 3600")));
    host.ok("wait --for=condition=Ready pod/user --timeout=60s");
    let claim = plain(&host.shows("describe pvc data", "ProvisioningSucceeded"));
    for words in
        ["Status: Bound", "Used By: user", "ExternalProvisioning", "local.csi.longshore.dev", "kubernetes.io/pvc-protection"]
    {
        assert!(claim.contains(words), "{words:?} is missing in\n{claim}");
    }
    let volume = host.ok("get pvc data -o jsonpath={.spec.volumeName}");
    let described = plain(&host.ok(&format!("describe pv {volume}")));
    for words in ["Reclaim Policy: Delete", "Claim: default/data", "Driver: local.csi.longshore.dev"] {
        assert!(described.contains(words), "{words:?} is missing in\n{described}");
    }
    let described = plain(&host.shows("describe pod user", "Successfully"));
    for words in ["Status: Running", "ClaimName: data", "Successfully assigned default/user to"] {
        assert!(described.contains(words), "{words:?} is missing in\n{described}");
    }
    let described = plain(&host.ok("describe sc local"));
    assert!(described.contains("IsDefaultClass: Yes") && described.contains("type=loop"), "{described}");
    let described = plain(&host.ok("describe node"));
    assert!(
        described.contains("Non-terminated Pods:") && described.contains("user") && described.contains("Ready "),
        "{described}"
    );
    host.apply(&super::claim("stuck", "nobody"));
    let described = host.shows("describe pvc stuck", "ProvisioningFailed");
    assert!(described.contains("storageclass.storage.k8s.io \"nobody\" not found"), "{described}");
    assert!(host.ok("events --for pvc/stuck").contains("ProvisioningFailed"));
}

#[test]
#[ignore = "mounts, which needs root"]
fn more_objects_than_a_page_holds_are_listed_whole() {
    let host = Host::new(&[]);
    let many: String = (0..600)
        .map(|number| {
            format!(
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{number:03}, labels: {{half: '{}'}}}}\n",
                number % 2
            )
        })
        .collect();
    let file = host.place.path().join("many.yaml");
    std::fs::write(&file, many).expect("written");
    host.ok(&format!("create --validate=false -f {}", file.display()));
    let names = host.ok("get configmaps -o name");
    let wanted: String = (0..600).map(|number| format!("configmap/map-{number:03}\n")).collect();
    assert!(names == wanted, "{names}");
    assert_eq!(host.ok("get configmaps --no-headers --chunk-size=7 -l half=1").lines().count(), 300);
    let pages = host.ok("get configmaps --no-headers -v=8");
    let asked: Vec<&str> = pages.lines().filter(|line| line.contains("verb=\"GET\"") && line.contains("limit=500")).collect();
    assert!(asked.len() >= 2 && asked.iter().any(|line| line.contains("continue=")), "{asked:?}");
    let gone = eventually("the collection to be deleted", || {
        let (ok, said) = host.run("delete configmaps --all --wait=false", "");
        if ok { Ok(said) } else { Err(said) }
    });
    assert_eq!(gone.lines().count(), 600);
}

#[test]
#[ignore = "mounts, which needs root"]
fn output_has_every_form_and_a_missing_object_is_told_by_name() {
    let host = Host::new(&[]);
    assert!(host.ok("get sc local -o yaml").contains("provisioner: local.csi.longshore.dev"));
    assert!(host.ok("get sc local -o json").contains("\"volumeBindingMode\": \"Immediate\""));
    assert_eq!(host.ok("get sc -o name"), "storageclass.storage.k8s.io/local\nstorageclass.storage.k8s.io/local-directory\n");
    assert_eq!(host.ok("get sc -o custom-columns=N:.metadata.name --no-headers"), "local\nlocal-directory\n");
    assert_eq!(host.ok("get sc --sort-by=.parameters.type -o jsonpath={.items[*].metadata.name}"), "local-directory local");
    assert!(host.ok("get sc").contains("local (default)"));
    assert_eq!(host.ok("get pods"), "No resources found in default namespace.\n");
    let missing = host.fails("get pvc nope", "");
    assert_eq!(missing, "Error from server (NotFound): persistentvolumeclaims \"nope\" not found\n");
    assert!(host.fails("get nonsense", "").contains("the server doesn't have a resource type \"nonsense\""));
    assert!(host.ok("version").contains("Server Version: v1.36"));
    assert!(host.ok("get --raw /readyz").starts_with("ok"));
    assert_eq!(host.ok("auth can-i create pods").trim(), "yes");
}
