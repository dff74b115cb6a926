//! What a pod gets that says nothing.

use apimachinery::object::{at, child, text};
use serde_json::{Map, Value, json};

use super::super::claim;

pub(super) fn defaults(new: &mut Value) {
    let ip = text(new, &["status", "podIP"]).to_owned();
    if !ip.is_empty() && at(new, &["status", "podIPs"]).is_none() {
        child(new, "status").insert("podIPs".to_owned(), json!([{"ip": ip}]));
    }
    let spec = child(new, "spec");
    // Two names of one thing; the newer wins.
    let account = ["serviceAccountName", "serviceAccount"].into_iter().find_map(|name| filled(spec, name));
    if let Some(account) = account {
        spec.insert("serviceAccountName".to_owned(), account.clone());
        spec.insert("serviceAccount".to_owned(), account);
    }
    for (field, value) in [
        ("restartPolicy", json!("Always")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("dnsPolicy", json!("ClusterFirst")),
        ("securityContext", json!({})),
        ("schedulerName", json!("default-scheduler")),
        ("enableServiceLinks", json!(true)),
    ] {
        default(spec, field, value);
    }
    // A negative period once meant "now", and is as good as.
    if spec.get("terminationGracePeriodSeconds").and_then(Value::as_i64).is_some_and(|grace| grace < 0) {
        spec.insert("terminationGracePeriodSeconds".to_owned(), 1.into());
    }
    if let Some(resources) = object(spec, "resources") {
        requests(resources);
    }
    let host_network = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for field in ["containers", "initContainers", "ephemeralContainers"] {
        for one in objects(spec.get_mut(field)) {
            container(one, host_network);
        }
    }
    objects(spec.get_mut("volumes")).for_each(volume);
}

/// Fills in a field that is absent, null or empty.
fn default(map: &mut Map<String, Value>, field: &str, value: Value) {
    if filled(map, field).is_none() {
        map.insert(field.to_owned(), value);
    }
}

fn filled(map: &Map<String, Value>, field: &str) -> Option<Value> {
    map.get(field).filter(|value| !value.is_null() && value.as_str() != Some("")).cloned()
}

fn objects(list: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    list.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn object<'a>(map: &'a mut Map<String, Value>, field: &str) -> Option<&'a mut Map<String, Value>> {
    map.get_mut(field).and_then(Value::as_object_mut)
}

fn container(container: &mut Map<String, Value>, host_network: bool) {
    let pull = pull_policy(container.get("image").and_then(Value::as_str).unwrap_or_default());
    default(container, "imagePullPolicy", pull.into());
    default(container, "terminationMessagePath", "/dev/termination-log".into());
    default(container, "terminationMessagePolicy", "File".into());
    default(container, "resources", json!({}));
    if let Some(resources) = object(container, "resources") {
        requests(resources);
    }
    for port in objects(container.get_mut("ports")) {
        default(port, "protocol", "TCP".into());
        if host_network && port.get("hostPort").and_then(Value::as_i64).unwrap_or(0) == 0 {
            let number = port.get("containerPort").cloned().unwrap_or(Value::Null);
            port.insert("hostPort".to_owned(), number);
        }
    }
    for variable in objects(container.get_mut("env")) {
        if let Some(field) = object(variable, "valueFrom").and_then(|from| object(from, "fieldRef")) {
            default(field, "apiVersion", "v1".into());
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = object(container, name) else { continue };
        for (field, value) in [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)] {
            if probe.get(field).and_then(Value::as_i64).unwrap_or(0) == 0 {
                probe.insert(field.to_owned(), value.into());
            }
        }
        if let Some(grpc) = object(probe, "grpc") {
            default(grpc, "service", "".into());
        }
        http(probe);
    }
    if let Some(lifecycle) = object(container, "lifecycle") {
        ["postStart", "preStop"].into_iter().for_each(|name| {
            if let Some(handler) = object(lifecycle, name) {
                http(handler);
            }
        });
    }
}

/// What is limited and not asked for is asked for.
fn requests(resources: &mut Map<String, Value>) {
    let Some(Value::Object(limits)) =
        resources.get("limits").filter(|limits| limits.as_object().is_some_and(|map| !map.is_empty())).cloned()
    else {
        return;
    };
    default(resources, "requests", json!({}));
    if let Some(requests) = object(resources, "requests") {
        for (name, limit) in limits {
            requests.entry(name).or_insert(limit);
        }
    }
}

fn http(handler: &mut Map<String, Value>) {
    if let Some(get) = object(handler, "httpGet") {
        default(get, "path", "/".into());
        default(get, "scheme", "HTTP".into());
    }
}

/// `latest` is pulled anew, whether it is said or meant.
fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = image.split_once('@').map_or((image, false), |(name, _)| (name, true));
    match name.rsplit('/').next().and_then(|last| last.split_once(':')) {
        Some((_, "latest")) => "Always",
        None if !digest && !name.is_empty() => "Always",
        _ => "IfNotPresent",
    }
}

fn volume(volume: &mut Map<String, Value>) {
    const MODE: i64 = 0o644;
    if volume.iter().all(|(field, value)| field == "name" || value.is_null()) {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = object(volume, source) {
            default(source, "defaultMode", MODE.into());
            objects(source.get_mut("items")).for_each(downward);
        }
    }
    for source in objects(object(volume, "projected").and_then(|projected| projected.get_mut("sources"))) {
        if let Some(token) = object(source, "serviceAccountToken") {
            default(token, "expirationSeconds", 3600.into());
        }
        objects(object(source, "downwardAPI").and_then(|source| source.get_mut("items"))).for_each(downward);
    }
    if let Some(path) = object(volume, "hostPath") {
        path.entry("type").or_insert("".into());
    }
    if let Some(image) = object(volume, "image") {
        let pull = pull_policy(image.get("reference").and_then(Value::as_str).unwrap_or_default());
        default(image, "pullPolicy", pull.into());
    }
    if let Some(template) = volume.get_mut("ephemeral").and_then(|source| source.get_mut("volumeClaimTemplate"))
        && template.is_object()
    {
        claim::spec_defaults(template);
    }
}

fn downward(item: &mut Map<String, Value>) {
    if let Some(field) = object(item, "fieldRef") {
        default(field, "apiVersion", "v1".into());
    }
}
