//! The volumes of a pod.

use std::collections::BTreeMap;

use apimachinery::FieldError;
use apimachinery::object::{at, name};
use csi_types::Quantity;
use serde_json::Value;

use super::super::claim;
use super::super::validation::values::{get, list, quantity, text};
use super::super::validation::{driver_name, invalid, names, selectors};
use super::{env, sources};

/// Volumes that containers can refer to, by name: those that nothing is wrong with.
pub(super) type Volumes<'a> = BTreeMap<&'a str, &'a Value>;

/// Sources in the order in which upstream looks for more than one.
const SOURCES: [&str; 30] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "scaleIO",
    "projected",
    "csi",
    "ephemeral",
    "image",
];

pub(super) fn validate<'a>(pod: &'a Value, errors: &mut Vec<FieldError>) -> Volumes<'a> {
    let all = list(at(pod, &["spec", "volumes"]));
    let made = |volume: &Value| get(volume, "ephemeral").map(|_| format!("{}-{}", name(pod), text(volume, "name")));
    let made: Vec<String> = all.iter().filter_map(made).collect();
    let mut good = Volumes::new();
    for (index, volume) in all.iter().enumerate() {
        let field = format!("spec.volumes[{index}]");
        let name_field = format!("{field}.name");
        let name = text(volume, "name");
        let mut wrong = source(volume, &field);
        if name.is_empty() {
            wrong.push(FieldError::required(&name_field, ""));
        } else {
            wrong.extend(invalid(&name_field, name, names::label(name)));
        }
        if good.contains_key(name) {
            wrong.push(FieldError::duplicate(&name_field, name));
        }
        if wrong.is_empty() {
            good.insert(name, volume);
        }
        errors.extend(wrong);
        let claim = get(volume, "persistentVolumeClaim").map_or("", |claim| text(claim, "claimName"));
        if made.iter().any(|made| made == claim) {
            let detail = "must not reference a PVC that gets created for an ephemeral volume";
            errors.push(FieldError::invalid(format!("{field}.persistentVolumeClaim.claimName"), claim, detail));
        }
    }
    good
}

fn source(volume: &Value, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut given = 0;
    for kind in SOURCES {
        let Some(one) = get(volume, kind) else { continue };
        let field = format!("{field}.{kind}");
        given += 1;
        if given > 1 {
            errors.push(FieldError::forbidden(field, "may not specify more than 1 volume type"));
        } else {
            errors.extend(one_source(kind, one, &field));
        }
    }
    if given == 0 {
        errors.push(FieldError::required(field, "must specify a volume type"));
    }
    errors
}

fn one_source(kind: &str, one: &Value, field: &str) -> Vec<FieldError> {
    let required = |name: &str| text(one, name).is_empty().then(|| FieldError::required(format!("{field}.{name}"), ""));
    let mut errors = Vec::new();
    match kind {
        "emptyDir" => {
            let negative = quantity(one.get("sizeLimit")).is_some_and(|limit| limit < Quantity::default());
            if negative {
                errors.push(FieldError::forbidden(
                    format!("{field}.sizeLimit"),
                    "SizeLimit field must be a valid resource quantity",
                ));
            }
        }
        "hostPath" => errors.extend(host_path(one, field)),
        "secret" | "configMap" => {
            errors.extend(required(if kind == "secret" { "secretName" } else { "name" }));
            errors.extend(sources::mode(one.get("defaultMode"), &format!("{field}.defaultMode")));
            errors.extend(sources::items(one.get("items"), &format!("{field}.items")));
        }
        "persistentVolumeClaim" => errors.extend(required("claimName")),
        "downwardAPI" => {
            errors.extend(sources::mode(one.get("defaultMode"), &format!("{field}.defaultMode")));
            errors.extend(env::downward(one.get("items"), field));
        }
        "projected" => errors.extend(sources::projected(one, field)),
        "csi" => {
            errors.extend(driver_name(text(one, "driver"), &format!("{field}.driver")));
            if get(one, "nodePublishSecretRef").is_some_and(|secret| text(secret, "name").is_empty()) {
                errors.push(FieldError::required(format!("{field}.nodePublishSecretRef.name"), ""));
            }
        }
        "ephemeral" => errors.extend(ephemeral(one, &format!("{field}.volumeClaimTemplate"))),
        "nfs" => {
            errors.extend(required("server"));
            errors.extend(required("path"));
            if !text(one, "path").starts_with('/') {
                errors.push(FieldError::invalid(format!("{field}.path"), text(one, "path"), "must be an absolute path"));
            }
        }
        "image" => {
            errors.extend(required("reference"));
            let policy = text(one, "pullPolicy");
            if !super::containers::PULL_POLICIES.contains(&policy) {
                errors.push(FieldError::not_supported(format!("{field}.pullPolicy"), policy, &super::containers::PULL_POLICIES));
            }
        }
        _ => {}
    }
    errors
}

fn host_path(one: &Value, field: &str) -> Vec<FieldError> {
    const TYPES: [&str; 8] =
        ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    let (path, kind) = (text(one, "path"), text(one, "type"));
    let mut errors = Vec::new();
    if path.is_empty() {
        return vec![FieldError::required(format!("{field}.path"), "")];
    }
    errors.extend(sources::no_backsteps(path, &format!("{field}.path")));
    if !TYPES.contains(&kind) {
        errors.push(FieldError::not_supported(format!("{field}.type"), kind, &TYPES));
    }
    errors
}

/// The claim that is made for a pod.
fn ephemeral(source: &Value, field: &str) -> Vec<FieldError> {
    /// All that metadata has but labels and annotations.
    const NOT_SET: [&str; 13] = [
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "ownerReferences",
        "finalizers",
        "managedFields",
    ];
    let Some(template) = get(source, "volumeClaimTemplate") else { return vec![FieldError::required(field, "")] };
    let null = Value::Null;
    let metadata = template.get("metadata").unwrap_or(&null);
    let mut errors = Vec::new();
    for (key, _) in super::super::validation::values::texts(metadata.get("annotations")) {
        errors.extend(invalid(&format!("{field}.metadata.annotations"), key, names::qualified(&key.to_lowercase())));
    }
    errors.extend(selectors::labels(metadata.get("labels"), &format!("{field}.metadata.labels")));
    for name in NOT_SET.into_iter().filter(|name| get(metadata, name).is_some()) {
        errors.push(FieldError::forbidden(format!("{field}.metadata.{name}"), "cannot be set"));
    }
    let spec = template.get("spec").unwrap_or(&null);
    errors.extend(claim::validate_spec(spec, &format!("{field}.spec"), false, false));
    errors
}
