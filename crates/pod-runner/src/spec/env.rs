//! The environment of a container, and what has to be looked up for it.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, EnvVarSource, ObjectFieldSelector, Pod};
use kube::ResourceExt;

/// ConfigMaps and Secrets that a pod names, as far as they exist. No `Debug`: Secrets are in it.
#[derive(Default)]
pub(crate) struct Looked {
    pub(crate) config_maps: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    pub(crate) secrets: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
}

/// The names that have to be looked up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) config_maps: BTreeSet<String>,
    pub(crate) secrets: BTreeSet<String>,
}

/// What a container's environment, and the pod's volumes, take from ConfigMaps and Secrets.
pub(crate) fn needs(pod: &Pod, container: &Container) -> Needs {
    let mut needs = Needs::default();
    for from in container.env_from.iter().flatten() {
        needs.config_maps.extend(from.config_map_ref.as_ref().map(|named| named.name.clone()));
        needs.secrets.extend(from.secret_ref.as_ref().map(|named| named.name.clone()));
    }
    for source in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
        needs.config_maps.extend(source.config_map_key_ref.as_ref().map(|key| key.name.clone()));
        needs.secrets.extend(source.secret_key_ref.as_ref().map(|key| key.name.clone()));
    }
    for volume in pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()) {
        needs.config_maps.extend(volume.config_map.as_ref().map(|named| named.name.clone()));
        needs.secrets.extend(volume.secret.as_ref().and_then(|named| named.secret_name.clone()));
    }
    needs
}

/// Used unless the pod sets it: a process without it finds nothing.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// All variables, in order; a later one may use those before it.
///
/// # Errors
/// A ConfigMap, a Secret or a key that is not there, and is not optional.
pub(crate) fn environment(pod: &Pod, container: &Container, looked: &Looked) -> Result<Vec<(String, String)>, String> {
    let mut env: Vec<(String, String)> = vec![("PATH".to_owned(), PATH.to_owned()), ("HOSTNAME".to_owned(), pod.name_any())];
    for from in container.env_from.iter().flatten() {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        let (kind, name, optional, all) = match (&from.config_map_ref, &from.secret_ref) {
            (Some(named), _) => ("ConfigMap", &named.name, named.optional, looked.config_maps.get(&named.name)),
            (None, Some(named)) => ("Secret", &named.name, named.optional, looked.secrets.get(&named.name)),
            (None, None) => continue,
        };
        match all {
            Some(all) => env.extend(all.iter().map(|(key, bytes)| (format!("{prefix}{key}"), lossy(bytes)))),
            None if optional == Some(true) => {}
            None => return Err(format!("{kind} {name} of envFrom does not exist")),
        }
    }
    for variable in container.env.iter().flatten() {
        let value = match &variable.value_from {
            None => {
                let known: BTreeMap<&str, &str> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                Some(expand(variable.value.as_deref().unwrap_or_default(), &known))
            }
            Some(source) => from(pod, source, looked).map_err(|why| format!("variable {}: {why}", variable.name))?,
        };
        env.extend(value.map(|value| (variable.name.clone(), value)));
    }
    // The last of a name holds.
    let mut seen = BTreeSet::new();
    let mut kept: Vec<(String, String)> = env.into_iter().rev().filter(|(name, _)| seen.insert(name.clone())).collect();
    kept.reverse();
    Ok(kept)
}

fn from(pod: &Pod, source: &EnvVarSource, looked: &Looked) -> Result<Option<String>, String> {
    if let Some(field) = &source.field_ref {
        return field_of(pod, field).map(Some);
    }
    let (kind, name, key, optional, all) = match (&source.config_map_key_ref, &source.secret_key_ref) {
        (Some(named), _) => ("ConfigMap", &named.name, &named.key, named.optional, looked.config_maps.get(&named.name)),
        (None, Some(named)) => ("Secret", &named.name, &named.key, named.optional, looked.secrets.get(&named.name)),
        (None, None) => return Err("its valueFrom is of a kind that this host does not have".to_owned()),
    };
    match all.and_then(|all| all.get(key)) {
        Some(bytes) => Ok(Some(lossy(bytes))),
        None if optional == Some(true) => Ok(None),
        None => Err(format!("{kind} {name} has no key {key}, or does not exist")),
    }
}

/// A field of the pod, for variables and for files of a downwardAPI volume.
///
/// # Errors
/// A field that cannot be asked for.
pub(crate) fn field_of(pod: &Pod, field: &ObjectFieldSelector) -> Result<String, String> {
    let (spec, status) = (pod.spec.as_ref(), pod.status.as_ref());
    let quoted = |kind: &str| field.field_path.strip_prefix(kind)?.strip_prefix("['")?.strip_suffix("']");
    if let Some(key) = quoted("metadata.labels") {
        return Ok(pod.labels().get(key).cloned().unwrap_or_default());
    }
    if let Some(key) = quoted("metadata.annotations") {
        return Ok(pod.annotations().get(key).cloned().unwrap_or_default());
    }
    let lines = |map: &BTreeMap<String, String>| map.iter().map(|(key, value)| format!("{key}={value:?}\n")).collect::<String>();
    Ok(match field.field_path.as_str() {
        "metadata.name" => pod.name_any(),
        "metadata.namespace" => pod.namespace().unwrap_or_default(),
        "metadata.uid" => pod.uid().unwrap_or_default(),
        "metadata.labels" => lines(pod.labels()),
        "metadata.annotations" => lines(pod.annotations()),
        "spec.nodeName" => spec.and_then(|spec| spec.node_name.clone()).unwrap_or_default(),
        "spec.serviceAccountName" => spec.and_then(|spec| spec.service_account_name.clone()).unwrap_or_default(),
        "status.hostIP" => status.and_then(|status| status.host_ip.clone()).unwrap_or_default(),
        "status.podIP" => status.and_then(|status| status.pod_ip.clone()).unwrap_or_default(),
        other => return Err(format!("fieldPath {other} cannot be asked for")),
    })
}

/// `$(NAME)` becomes the variable's value if there is one; `$$` is a dollar. Upstream: `third_party/forked/golang/expansion`.
pub(crate) fn expand(text: &str, known: &BTreeMap<&str, &str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        match rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            Some((name, after)) => {
                match known.get(name) {
                    Some(value) => out.push_str(value),
                    // An unknown one stays as it was written.
                    None => out.extend(["$(", name, ")"]),
                }
                rest = after;
            }
            None => out.push('$'),
        }
    }
    out + rest
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
