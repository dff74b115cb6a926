//! The imperative creators, which send protobuf.

use super::Host;

#[test]
#[ignore = "mounts, which needs root"]
fn imperative_creators_make_what_they_say() {
    let host = Host::new(&[]);
    assert_eq!(host.ok("create namespace team"), "namespace/team created\n");
    assert_eq!(host.ok("create configmap settings --from-literal=a=b -n team"), "configmap/settings created\n");
    assert_eq!(host.ok("get configmap settings -n team -o jsonpath={.data.a}"), "b");
    assert_eq!(host.ok("create secret generic keys --from-literal=k=s3cret"), "secret/keys created\n");
    assert_eq!(host.ok("get secret keys -o jsonpath={.data.k}"), "czNjcmV0");
    assert_eq!(host.ok("get secret keys -o jsonpath={.type}"), "Opaque");
    assert_eq!(host.ok("create serviceaccount robot"), "serviceaccount/robot created\n");
    let token = host.ok("create token robot");
    assert_eq!(token.trim().split('.').count(), 3, "{token}");
    let binary = host.place.path().join("blob");
    std::fs::write(&binary, [0, 159, 146, 150]).expect("written");
    host.ok(&format!("create configmap blob --from-file={}", binary.display()));
    assert_eq!(host.ok("get configmap blob -o jsonpath={.binaryData.blob}"), "AJ+Slg==");
    let twice = host.fails("create configmap settings -n team", "");
    assert!(twice.contains("configmaps \"settings\" already exists"), "{twice}");
    let generated = host.given("create -f -", "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: some-}\n");
    assert!(generated.starts_with("configmap/some-") && generated.ends_with(" created\n"), "{generated}");
    assert_eq!(host.ok("run shell --image=none --command -- /bin/true"), "pod/shell created\n");
    host.ok("delete namespace team --timeout=60s");
    assert!(host.fails("get configmap settings -n team", "").contains("not found"));
}
