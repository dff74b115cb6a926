//! Kinds that are made at run time.

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
