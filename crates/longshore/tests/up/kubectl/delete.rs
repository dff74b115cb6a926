//! delete: at once, with a grace, held up by finalizers, by force.

use super::{Host, claim, pod};

#[test]
#[ignore = "mounts, which needs root"]
fn a_claim_in_use_waits_for_its_pod() {
    let host = Host::new(&["--run-pods"]);
    host.apply(&format!("{}---\n{}", claim("data", "local"), pod("user", "data", "exec sleep 3600")));
    host.ok("wait --for=condition=Ready pod/user --timeout=60s");
    let volume = host.ok("get pvc data -o jsonpath={.spec.volumeName}");
    host.ok("delete pvc data --wait=false");
    assert!(host.ok("get pvc data --no-headers").contains("Terminating"));
    assert!(host.fails("delete pvc data --timeout=1s", "").contains("timed out waiting for the condition"));
    assert!(host.ok("get pod user --no-headers").contains("Running"), "nobody took its volume");
    assert_eq!(host.ok("delete pod user"), "pod \"user\" deleted from default namespace\n");
    host.ok("wait --for=delete pvc/data --timeout=60s");
    host.ok(&format!("wait --for=delete pv/{volume} --timeout=60s"));
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_finalizer_of_somebody_holds_an_object_until_it_is_taken_off() {
    let host = Host::new(&[]);
    host.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.org/hold]}\n");
    assert!(host.fails("delete configmap held --timeout=1s", "").contains("timed out"));
    assert_ne!(host.ok("get configmap held -o jsonpath={.metadata.deletionTimestamp}"), "");
    host.ok(r#"patch configmap held --type=merge -p {"metadata":{"finalizers":null}}"#);
    assert!(host.fails("get configmap held", "").contains("NotFound"));
    assert!(host.fails("delete configmap held", "").contains("NotFound"));
    assert_eq!(host.ok("delete configmap held --ignore-not-found"), "");
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_pod_is_deleted_by_force_at_once_and_its_process_with_it() {
    let host = Host::new(&["--run-pods"]);
    let stubborn = r#"trap "" TERM; echo $$ > /data/pid; while true; do sleep 1; done"#;
    let manifest =
        pod("stubborn", "data", stubborn).replace("terminationGracePeriodSeconds: 1", "terminationGracePeriodSeconds: 600");
    host.apply(&format!("{}---\n{manifest}", claim("data", "local-directory")));
    host.ok("wait --for=condition=Ready pod/stubborn --timeout=60s");
    let said = host.ok("delete pod stubborn --force");
    assert!(said.contains("pod \"stubborn\" force deleted from default namespace"), "{said}");
    host.becomes("get pods -o name", "");
    // The volume can be had back, so nothing of the pod uses it any more.
    host.ok("delete pvc data --timeout=60s");
    host.becomes("get pv -o name", "");
}

#[test]
#[ignore = "mounts, which needs root"]
fn what_an_owner_owned_goes_with_it() {
    let host = Host::new(&[]);
    host.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owner}\n");
    let uid = host.ok("get configmap owner -o jsonpath={.metadata.uid}");
    let owned = |name: &str| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  ownerReferences: [{{apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid}}}]\n"
        )
    };
    host.apply(&(owned("one") + &owned("two")));
    host.ok("delete configmap owner");
    host.becomes("get configmaps -o name", "");
}
