//! Where a volume's data is: exactly one of twenty-two.
//!
//! What still works is checked as upstream does: a driver's, a host's directory, a local disk, NFS. Of the plugins that
//! drivers have replaced only the required members are.

use apimachinery::FieldError;
use serde_json::{Map, Value};

use crate::kinds::validation::values::{get, text};
use crate::kinds::validation::{self, invalid, names};

/// One way to have data.
struct Kind {
    /// Its field in `spec`.
    field: &'static str,
    /// What errors call it, where that is something else: below it, and as a second one.
    names: (&'static str, &'static str),
    /// Which members must not be empty: what errors call them, and what they are called.
    required: &'static [&'static str],
    mount_options: bool,
}

const fn kind(field: &'static str, required: &'static [&'static str], mount_options: bool) -> Kind {
    Kind { field, names: (field, field), required, mount_options }
}

/// In upstream's order: the first one that is there is taken, every other is one too many.
const KINDS: [Kind; 22] = [
    kind("hostPath", &["path"], false),
    Kind { names: ("persistentDisk", "gcePersistentDisk"), ..kind("gcePersistentDisk", &["pdName"], true) },
    kind("awsElasticBlockStore", &["volumeID"], true),
    kind("glusterfs", &["endpoints", "path"], true),
    kind("flocker", &[], false),
    kind("nfs", &["server", "path"], true),
    kind("rbd", &["monitors", "image"], true),
    kind("quobyte", &["registry", "volume"], true),
    Kind { names: ("cephfs", "cephFS"), ..kind("cephfs", &["monitors"], true) },
    kind("iscsi", &["targetPortal", "iqn"], true),
    kind("cinder", &["volumeID"], true),
    kind("fc", &[], false),
    kind("flexVolume", &["driver"], false),
    kind("azureFile", &["secretName", "shareName"], true),
    kind("vsphereVolume", &["volumePath"], true),
    kind("photonPersistentDisk", &["pdID"], true),
    kind("portworxVolume", &["volumeID"], false),
    kind("azureDisk", &["diskName", "diskURI"], true),
    kind("scaleIO", &["gateway", "system", "volumeName"], false),
    kind("local", &["path"], false),
    kind("storageos", &["volumeName"], false),
    kind("csi", &[], false),
];

/// Whether the volume's plugin takes mount options from an annotation.
pub(super) fn takes_mount_options(spec: &Value) -> bool {
    KINDS.iter().any(|kind| kind.mount_options && get(spec, kind.field).is_some())
}

/// The source of a volume, to be compared: everything of the spec that is one.
pub(super) fn of(spec: &Value) -> Value {
    let sources = KINDS.iter().filter_map(|kind| Some((kind.field.to_owned(), get(spec, kind.field)?.clone())));
    Value::Object(sources.collect::<Map<_, _>>())
}

pub(super) fn defaults(spec: &mut Map<String, Value>) {
    let defaults: [(&str, &[(&str, Value)]); 5] = [
        ("hostPath", &[("type", "".into())]),
        ("iscsi", &[("iscsiInterface", "default".into())]),
        ("rbd", &[("pool", "rbd".into()), ("user", "admin".into()), ("keyring", "/etc/ceph/keyring".into())]),
        (
            "azureDisk",
            &[
                ("cachingMode", "ReadWrite".into()),
                ("kind", "Shared".into()),
                ("fsType", "ext4".into()),
                ("readOnly", false.into()),
            ],
        ),
        ("scaleIO", &[("storageMode", "ThinProvisioned".into()), ("fsType", "xfs".into())]),
    ];
    for (field, members) in defaults {
        let Some(source) = spec.get_mut(field).and_then(Value::as_object_mut) else { continue };
        for (member, value) in members {
            if source.get(*member).is_none_or(|known| known.is_null() || known.as_str() == Some("")) {
                source.insert((*member).to_owned(), value.clone());
            }
        }
    }
}

pub(super) fn validate(spec: &Value, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut found = false;
    for kind in &KINDS {
        let Some(source) = get(spec, kind.field) else { continue };
        // QUIRK: flexVolume is never one too many.
        if found && kind.field != "flexVolume" {
            errors.push(FieldError::forbidden(format!("{field}.{}", kind.names.1), "may not specify more than 1 volume type"));
            continue;
        }
        found = true;
        errors.extend(one(kind, source, &format!("{field}.{}", kind.names.0)));
        if kind.field == "local" && get(spec, "nodeAffinity").is_none() {
            errors.push(FieldError::required(format!("{field}.nodeAffinity"), "Local volume requires node affinity"));
        }
    }
    if !found {
        errors.push(FieldError::required(field, "must specify a volume type"));
    }
    errors
}

fn one(kind: &Kind, source: &Value, field: &str) -> Vec<FieldError> {
    let at = |name: &str| format!("{field}.{name}");
    let empty = |name: &str| match get(source, name) {
        None => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(value) => value.as_str().is_some_and(str::is_empty),
    };
    let missing = kind.required.iter().filter(|name| empty(name));
    let mut errors: Vec<FieldError> = missing.map(|name| FieldError::required(at(name), "")).collect();
    let path = text(source, "path");
    match kind.field {
        "hostPath" | "local" if errors.is_empty() => {
            if path.split('/').any(|part| part == "..") {
                errors.push(FieldError::invalid(at("path"), path, "must not contain '..'"));
            }
            if kind.field == "hostPath" {
                errors.extend(host_path_type(source, &at("type")));
            }
        }
        "nfs" if !path.starts_with('/') => {
            errors.push(FieldError::invalid(at("path"), path, "must be an absolute path"));
        }
        "flocker" if empty("datasetName") && empty("datasetUUID") => {
            errors.push(FieldError::required(field, "one of datasetName and datasetUUID is required"));
        }
        "fc" if empty("targetWWNs") && empty("wwids") => {
            errors.push(FieldError::required(at("targetWWNs"), "must specify either targetWWNs or wwids, but not both"));
        }
        "csi" => errors.extend(csi(source, field)),
        _ => {}
    }
    errors
}

fn host_path_type(source: &Value, field: &str) -> Option<FieldError> {
    const SUPPORTED: [&str; 8] =
        ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    let kind = text(source, "type");
    (!SUPPORTED.contains(&kind)).then(|| FieldError::not_supported(field, kind, &SUPPORTED))
}

fn csi(source: &Value, field: &str) -> Vec<FieldError> {
    // Staging's secret is not looked at, as upstream.
    const SECRETS: [&str; 4] =
        ["controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"];
    let mut errors = validation::driver_name(text(source, "driver"), &format!("{field}.driver"));
    if text(source, "volumeHandle").is_empty() {
        errors.push(FieldError::required(format!("{field}.volumeHandle"), ""));
    }
    for name in SECRETS {
        let Some(secret) = get(source, name) else { continue };
        for (member, rule) in [("name", names::subdomain as fn(&str) -> _), ("namespace", names::label)] {
            let field = format!("{field}.{name}.{member}");
            match text(secret, member) {
                "" => errors.push(FieldError::required(field, "")),
                value => errors.extend(invalid(&field, value, rule(value))),
            }
        }
    }
    errors
}
