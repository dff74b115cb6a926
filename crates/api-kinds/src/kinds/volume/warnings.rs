//! What is accepted, and said to be a bad idea.

use apimachinery::object::at;
use serde_json::Value;

use super::MOUNT_OPTIONS;
use crate::kinds::validation::values::{get, list, text};

/// What is said about a node's label of old.
///
/// Upstream: `api/node/util.go`.
pub(crate) fn deprecated_label(key: &str) -> Option<&'static str> {
    Some(match key {
        "beta.kubernetes.io/arch" => "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
        "beta.kubernetes.io/os" => "deprecated since v1.14; use \"kubernetes.io/os\" instead",
        "failure-domain.beta.kubernetes.io/region" => "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
        "failure-domain.beta.kubernetes.io/zone" => "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
        "beta.kubernetes.io/instance-type" => "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
        "app.kubernetes.io/created-by" => "deprecated since v1.9",
        "scheduler.alpha.kubernetes.io/preferAvoidPods" => "deprecated since v1.22; use Taints and Tolerations instead",
        "node-role.kubernetes.io/master" => "use \"node-role.kubernetes.io/control-plane\" instead",
        _ => return None,
    })
}

pub(super) fn of(volume: &Value) -> Vec<String> {
    const ANNOTATIONS: [(&str, &str); 2] = [
        ("volume.beta.kubernetes.io/storage-class", "deprecated since v1.8; use \"storageClassName\" attribute instead"),
        (MOUNT_OPTIONS, "deprecated since v1.31; use \"mountOptions\" attribute instead"),
    ];
    const PLUGINS: [(&str, &str, &str); 6] = [
        ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
        ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
        ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
        ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ];
    let mut warnings = Vec::new();
    for (key, text) in ANNOTATIONS {
        if at(volume, &["metadata", "annotations", key]).is_some() {
            warnings.push(format!("metadata.annotations[{key}]: {text}"));
        }
    }
    let spec = volume.get("spec").unwrap_or(&Value::Null);
    if text(spec, "persistentVolumeReclaimPolicy") == "Recycle" {
        let text = "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.";
        warnings.push(format!("spec.persistentVolumeReclaimPolicy: {text}"));
    }
    let field = "spec.nodeAffinity.required.nodeSelectorTerms";
    for (index, term) in list(at(spec, &["nodeAffinity", "required", "nodeSelectorTerms"])).iter().enumerate() {
        for (number, requirement) in list(term.get("matchExpressions")).iter().enumerate() {
            let key = text(requirement, "key");
            if let Some(text) = deprecated_label(key) {
                warnings.push(format!("{field}[{index}].matchExpressions[{number}].key: {key} is {text}"));
            }
        }
    }
    let plugins = PLUGINS.iter().filter(|(field, ..)| get(spec, field).is_some());
    warnings.extend(plugins.map(|(_, name, text)| format!("spec.{name}: {text}")));
    warnings
}
