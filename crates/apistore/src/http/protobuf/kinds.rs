//! Which number each field has.
//!
//! Upstream: the `generated.proto` of `apimachinery/pkg/apis/meta/v1` and `api/{core,coordination,authentication,authorization}/v1`
//! (v0.36.1) for numbers and types; `types.go` beside them for what is a pointer.

use super::message::{Holds, Message};
use Holds::{BytesMap, Json, Many, MicroTime, Number, One, SomeBool, SomeNumber, SomeText, Text, TextMap, Texts, Time};

/// What is read: apiVersion, kind, fields.
const KINDS: [(&str, &str, &Message); 9] = [
    ("v1", "ConfigMap", CONFIG_MAP),
    ("v1", "Event", EVENT),
    ("v1", "Namespace", NAMESPACE),
    ("v1", "Secret", SECRET),
    ("v1", "ServiceAccount", SERVICE_ACCOUNT),
    ("authentication.k8s.io/v1", "SelfSubjectReview", META_ALONE),
    ("authentication.k8s.io/v1", "TokenRequest", TOKEN_REQUEST),
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview", SELF_SUBJECT_ACCESS_REVIEW),
    ("coordination.k8s.io/v1", "Lease", LEASE),
];

/// The fields of a kind, if it is read. Who says no version means the one there is.
pub(super) fn of(api_version: &str, kind: &str) -> Option<&'static Message> {
    if kind == "DeleteOptions" {
        // Registered in every group.
        return Some(DELETE_OPTIONS);
    }
    let found = KINDS.iter().find(|(version, name, _)| *name == kind && (api_version.is_empty() || *version == api_version));
    found.map(|(.., message)| *message)
}

/// Whether a kind that is read is said to have a version that its group has not.
pub(super) fn is_other_version(api_version: &str, kind: &str) -> bool {
    let group = |api_version: &str| api_version.rsplit_once('/').map_or(String::new(), |(group, _)| group.to_owned());
    KINDS.iter().any(|(version, name, _)| *name == kind && *version != api_version && group(version) == group(api_version))
}

/// The apiVersion of a kind.
pub(super) fn version(kind: &str) -> &'static str {
    KINDS.iter().find(|(_, name, _)| *name == kind).map_or("v1", |(version, ..)| *version)
}

const META: &Message = &[
    (1, "name", Text),
    (2, "generateName", Text),
    (3, "namespace", Text),
    (4, "selfLink", Text),
    (5, "uid", Text),
    (6, "resourceVersion", Text),
    (7, "generation", Number),
    (8, "creationTimestamp", Time),
    (9, "deletionTimestamp", Time),
    (10, "deletionGracePeriodSeconds", SomeNumber),
    (11, "labels", TextMap),
    (12, "annotations", TextMap),
    (13, "ownerReferences", Many(OWNER)),
    (14, "finalizers", Texts),
    (17, "managedFields", Many(MANAGED)),
];

const OWNER: &Message = &[
    (1, "kind", Text),
    (3, "name", Text),
    (4, "uid", Text),
    (5, "apiVersion", Text),
    (6, "controller", SomeBool),
    (7, "blockOwnerDeletion", SomeBool),
];

const MANAGED: &Message = &[
    (1, "manager", Text),
    (2, "operation", Text),
    (3, "apiVersion", Text),
    (4, "time", Time),
    (6, "fieldsType", Text),
    (7, "fieldsV1", Json),
    (8, "subresource", Text),
];

const META_ALONE: &Message = &[(1, "metadata", One(META))];

const DELETE_OPTIONS: &Message = &[
    (1, "gracePeriodSeconds", SomeNumber),
    (2, "preconditions", One(&[(1, "uid", SomeText), (2, "resourceVersion", SomeText)])),
    (3, "orphanDependents", SomeBool),
    (4, "propagationPolicy", SomeText),
    (5, "dryRun", Texts),
    (6, "ignoreStoreReadErrorWithClusterBreakingPotential", SomeBool),
];

const CONFIG_MAP: &Message =
    &[(1, "metadata", One(META)), (2, "data", TextMap), (3, "binaryData", BytesMap), (4, "immutable", SomeBool)];

const SECRET: &Message = &[
    (1, "metadata", One(META)),
    (2, "data", BytesMap),
    (3, "type", Text),
    (4, "stringData", TextMap),
    (5, "immutable", SomeBool),
];

const NAMESPACE: &Message = &[
    (1, "metadata", One(META)),
    (2, "spec", One(&[(1, "finalizers", Texts)])),
    (3, "status", One(&[(1, "phase", Text), (2, "conditions", Many(NAMESPACE_CONDITION))])),
];

const NAMESPACE_CONDITION: &Message =
    &[(1, "type", Text), (2, "status", Text), (4, "lastTransitionTime", Time), (5, "reason", Text), (6, "message", Text)];

const SERVICE_ACCOUNT: &Message = &[
    (1, "metadata", One(META)),
    (2, "secrets", Many(REFERENCE)),
    (3, "imagePullSecrets", Many(&[(1, "name", Text)])),
    (4, "automountServiceAccountToken", SomeBool),
];

const REFERENCE: &Message = &[
    (1, "kind", Text),
    (2, "namespace", Text),
    (3, "name", Text),
    (4, "uid", Text),
    (5, "apiVersion", Text),
    (6, "resourceVersion", Text),
    (7, "fieldPath", Text),
];

const EVENT: &Message = &[
    (1, "metadata", One(META)),
    (2, "involvedObject", One(REFERENCE)),
    (3, "reason", Text),
    (4, "message", Text),
    (5, "source", One(&[(1, "component", Text), (2, "host", Text)])),
    (6, "firstTimestamp", Time),
    (7, "lastTimestamp", Time),
    (8, "count", Number),
    (9, "type", Text),
    (10, "eventTime", MicroTime),
    (11, "series", One(&[(1, "count", Number), (2, "lastObservedTime", MicroTime)])),
    (12, "action", Text),
    (13, "related", One(REFERENCE)),
    (14, "reportingComponent", Text),
    (15, "reportingInstance", Text),
];

const LEASE: &Message = &[
    (1, "metadata", One(META)),
    (
        2,
        "spec",
        One(&[
            (1, "holderIdentity", SomeText),
            (2, "leaseDurationSeconds", SomeNumber),
            (3, "acquireTime", MicroTime),
            (4, "renewTime", MicroTime),
            (5, "leaseTransitions", SomeNumber),
            (6, "strategy", SomeText),
            (7, "preferredHolder", SomeText),
        ]),
    ),
];

const TOKEN_REQUEST: &Message = &[
    (1, "metadata", One(META)),
    (
        2,
        "spec",
        One(&[
            (1, "audiences", Texts),
            (3, "boundObjectRef", One(&[(1, "kind", Text), (2, "apiVersion", Text), (3, "name", Text), (4, "uid", Text)])),
            (4, "expirationSeconds", SomeNumber),
        ]),
    ),
];

const SELF_SUBJECT_ACCESS_REVIEW: &Message = &[
    (1, "metadata", One(META)),
    (
        2,
        "spec",
        One(&[
            (1, "resourceAttributes", One(RESOURCE_ATTRIBUTES)),
            (2, "nonResourceAttributes", One(&[(1, "path", Text), (2, "verb", Text)])),
        ]),
    ),
];

const RESOURCE_ATTRIBUTES: &Message = &[
    (1, "namespace", Text),
    (2, "verb", Text),
    (3, "group", Text),
    (4, "version", Text),
    (5, "resource", Text),
    (6, "subresource", Text),
    (7, "name", Text),
    (8, "fieldSelector", One(SELECTOR)),
    (9, "labelSelector", One(SELECTOR)),
];

const SELECTOR: &Message =
    &[(1, "rawSelector", Text), (2, "requirements", Many(&[(1, "key", Text), (2, "operator", Text), (3, "values", Texts)]))];
