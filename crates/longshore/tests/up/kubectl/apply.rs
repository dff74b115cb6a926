//! apply, in its variants.

use super::Host;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {k: v}\n";

#[test]
#[ignore = "mounts, which needs root"]
fn apply_says_created_unchanged_configured_and_what_is_wrong() {
    let host = Host::new(&[]);
    assert_eq!(host.apply(MAP), "configmap/x created\n");
    assert_eq!(host.apply(MAP), "configmap/x unchanged\n");
    let diff = host.fails("diff -f -", &MAP.replace("k: v", "k: w"));
    assert!(diff.contains("-  k: v") && diff.contains("+  k: w"), "{diff}");
    assert_eq!(host.apply(&MAP.replace("k: v", "k: w")), "configmap/x configured\n");
    assert_eq!(host.given("apply --dry-run=server -f -", MAP), "configmap/x configured (server dry run)\n");
    assert_eq!(host.ok("get configmap x -o jsonpath={.data.k}"), "w");
    // A field that is no longer there is taken out.
    host.apply(&MAP.replace("k: v", "other: v"));
    assert_eq!(host.ok("get configmap x -o jsonpath={.data}"), "{\"other\":\"v\"}");
    let unknown = host.fails("apply -f -", &MAP.replace("\ndata:", "\nfoo: bar\ndata:"));
    assert!(unknown.contains("unknown field \"foo\""), "{unknown}");
    let wrong = host.fails("apply -f -", &super::claim("Bad_Name", "local"));
    assert!(wrong.contains("PersistentVolumeClaim \"Bad_Name\" is invalid: metadata.name: Invalid value"), "{wrong}");
    let lost = host.fails("apply -n nowhere -f -", MAP);
    assert!(lost.contains("namespaces \"nowhere\" not found"), "{lost}");
    let kind = host.fails("apply -f -", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n");
    assert!(kind.contains("no matches for kind \"Deployment\" in version \"apps/v1\""), "{kind}");
}

#[test]
#[ignore = "mounts, which needs root"]
fn apply_on_the_server_knows_whose_field_it_is() {
    let host = Host::new(&[]);
    assert_eq!(host.given("apply --server-side -f -", MAP), "configmap/x serverside-applied\n");
    assert_eq!(host.given("apply --server-side --field-manager=me -f -", MAP), "configmap/x serverside-applied\n");
    let theirs = MAP.replace("k: v", "k: w");
    let conflict = host.fails("apply --server-side --field-manager=other -f -", &theirs);
    assert!(conflict.contains("conflict") && conflict.contains(".data.k"), "{conflict}");
    host.given("apply --server-side --field-manager=other --force-conflicts -f -", &theirs);
    assert_eq!(host.ok("get configmap x -o jsonpath={.data.k}"), "w");
    let managers = host.ok("get configmap x --show-managed-fields -o jsonpath={.metadata.managedFields[*].manager}");
    assert!(managers.contains("other"), "{managers}");
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_list_is_applied_item_by_item() {
    let host = Host::new(&[]);
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n\
                - {apiVersion: v1, kind: Secret, metadata: {name: b}}\n";
    assert_eq!(host.apply(list), "configmap/a created\nsecret/b created\n");
}

#[test]
#[ignore = "mounts, which needs root"]
fn what_was_applied_by_the_client_can_be_applied_by_the_server_from_then_on() {
    let host = Host::new(&[]);
    host.apply(MAP);
    assert_eq!(host.given("apply --server-side -f -", &MAP.replace("k: v", "k: w")), "configmap/x serverside-applied\n");
    assert_eq!(host.given("replace -f -", MAP), "configmap/x replaced\n");
    assert_eq!(host.ok("get configmap x -o jsonpath={.data.k}"), "v");
}
