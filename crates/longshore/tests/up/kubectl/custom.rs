//! Kinds that are made at run time.

use super::Host;

pub(crate) const CRD: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: backups.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: backups, singular: backup, kind: Backup, shortNames: [bk]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Claim, type: string, jsonPath: .spec.claim}
    - {name: Keep, type: integer, jsonPath: .spec.keep}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [claim]
            properties:
              claim: {type: string}
              keep: {type: integer, minimum: 1, default: 7}
          status:
            type: object
            properties:
              phase: {type: string}
";

const BACKUP: &str = "apiVersion: example.org/v1\nkind: Backup\nmetadata: {name: nightly}\nspec: {claim: data}\n";

#[test]
#[ignore = "mounts, which needs root"]
fn a_kind_that_is_defined_is_served_checked_shown_and_outlives_the_process() {
    let mut host = Host::new(&[]);
    assert_eq!(host.apply(CRD), "customresourcedefinition.apiextensions.k8s.io/backups.example.org created\n");
    host.ok("wait --for=condition=Established crd/backups.example.org --timeout=60s");
    assert_eq!(host.apply(BACKUP), "backup.example.org/nightly created\n");
    assert_eq!(host.apply(BACKUP), "backup.example.org/nightly unchanged\n");
    assert_eq!(host.apply(&BACKUP.replace("claim: data", "claim: other")), "backup.example.org/nightly configured\n");
    let table = host.ok("get bk");
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "CLAIM", "KEEP"]);
    assert_eq!(lines[1], ["nightly", "other", "7"]);
    let wrong = host.fails("apply -f -", &BACKUP.replace("claim: data", "claim: data, keep: 0"));
    assert!(wrong.contains("spec.keep in body should be greater than or equal to 1"), "{wrong}");
    let unknown = host.fails("apply -f -", &BACKUP.replace("claim: data", "claim: data, keeep: 3"));
    assert!(unknown.contains("unknown field \"spec.keeep\""), "{unknown}");
    host.ok(r#"patch bk nightly --subresource=status --type=merge -p {"status":{"phase":"Done"}}"#);
    host.ok("wait --for=jsonpath={.status.phase}=Done bk/nightly --timeout=60s");
    assert!(host.ok("describe bk nightly").contains("Phase:  Done"));

    host = host.killed_and_again(&[]);
    assert_eq!(host.ok("get bk nightly -o jsonpath={.spec.claim},{.status.phase}"), "other,Done");
    host.ok("delete crd backups.example.org --timeout=60s");
    // This asks anew, where other commands believe what they were told before.
    assert!(!host.ok("api-resources").contains("backups"));
    let gone = host.fails("get bk", "");
    assert!(gone.contains("the server doesn't have a resource type \"bk\""), "{gone}");
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_definition_and_its_objects_come_from_one_file_of_f() {
    let folder = crate::process::folder();
    let file = folder.path().join("all.yaml");
    std::fs::write(&file, format!("{CRD}---\n{BACKUP}")).expect("written");
    let host = Host::new(&["-f", &file.display().to_string()]);
    host.becomes("get bk -o name", "backup.example.org/nightly");
}
