//! Volume specification files: what `nomad volume create` and `nomad volume register` take.
//!
//! The same file serves both; one with an `external_id` names a volume that is there, and is registered.

mod capacity;

use std::collections::BTreeMap;

use csi_types::{AccessType, Segments, VolumeCapability};

use super::job::{ACCESS_MODES, ATTACHMENT_MODES, mount_options};
use super::reader::{Inner, Reader};
use crate::model::{Amount, Hidden, SecretValue, SpecKind, VolumeSpec};

/// A volume, and the namespace that it says it is in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Specification {
    pub(super) spec: VolumeSpec,
    pub(super) namespace: Option<String>,
}

/// Spec: CSI, size limits of identifiers.
const LONGEST_ID: usize = 128;

/// Reads one specification. `None` if there is a problem.
pub(super) fn specification(reader: Reader<'_>) -> Option<Specification> {
    if reader.choice("type", &[("csi", true), ("host", false)]) == Some(false) {
        reader.problem("type", "is host: folders of the host are not CSI volumes; local-driver makes volumes of them");
    }
    let id = reader.required("id");
    let external = reader.text("external_id").filter(|id| !id.is_empty());
    if external.as_ref().is_some_and(|id| id.len() > LONGEST_ID) {
        reader.problem("external_id", format!("is longer than the {LONGEST_ID} bytes that CSI allows"));
    }
    let name = reader.text("name").filter(|name| !name.is_empty());
    if name.is_none() && external.is_none() {
        reader.problem("name", "is required to create a volume; to register one that is there, give its external_id");
    }
    let plugin = reader.required("plugin_id");
    let capabilities = capabilities(&reader);
    let (required, preferred) = topologies(&reader);
    let secrets = reader.strings("secrets").into_iter().map(|(key, value)| (key, SecretValue::Value(Hidden::new(value))));
    let secrets: BTreeMap<_, _> = secrets.collect();
    let namespace = reader.text("namespace").filter(|namespace| !namespace.is_empty());
    let field = reader.path.clone();
    let kind = match external {
        Some(volume_id) => register(&reader, volume_id, &preferred),
        None => create(&reader),
    };
    reader.finish();
    let id = id?;
    Some(Specification {
        namespace,
        spec: VolumeSpec {
            name: name.unwrap_or_else(|| id.clone()),
            id,
            field,
            plugin: plugin?,
            kind,
            capabilities,
            required,
            preferred,
            secrets,
        },
    })
}

fn create(reader: &Reader<'_>) -> SpecKind {
    let (snapshot, clone) = (reader.text("snapshot_id"), reader.text("clone_id"));
    let full = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (snapshot, clone) = (full(snapshot), full(clone));
    if snapshot.is_some() && clone.is_some() {
        reader.problem("clone_id", "and snapshot_id are there: a volume has one source");
    }
    if !reader.strings("context").is_empty() {
        reader.problem(
            "context",
            "is what the plugin answers when a volume is created; with an external_id the volume is registered",
        );
    }
    SpecKind::Create { capacity: amount(reader), parameters: reader.strings("parameters"), snapshot, clone }
}

fn register(reader: &Reader<'_>, volume_id: String, preferred: &[Segments]) -> SpecKind {
    for field in ["snapshot_id", "clone_id"] {
        if reader.text(field).is_some_and(|id| !id.is_empty()) {
            reader.problem(field, "is the source of a volume that is created; with an external_id there is nothing to create");
        }
    }
    if !preferred.is_empty() {
        reader.problem("topology_request", "has preferred: where a volume that is there can be reached is no wish");
    }
    if !reader.strings("parameters").is_empty() {
        reader.warning("parameters", "has no effect: the volume is there already");
    }
    // Recorded only.
    let capacity = amount(reader);
    if capacity != Amount::default() {
        reader.warning("capacity_min", "is only shown: the volume has the size it has");
    }
    SpecKind::Register { volume_id, context: reader.strings("context") }
}

fn amount(reader: &Reader<'_>) -> Amount {
    let bytes = |field: &str| {
        let text = reader.node(field)?.value.to_text()?;
        if text.is_empty() {
            return None;
        }
        let bytes = capacity::bytes(&text);
        if bytes.is_none() {
            reader.problem(field, format!("{text:?} is no size such as 10GiB (2^30) or 10G (10^9), below 2^63 bytes"));
        }
        bytes.filter(|bytes| *bytes > 0)
    };
    let amount = Amount { min: bytes("capacity_min"), max: bytes("capacity_max") };
    if let (Some(min), Some(max)) = (amount.min, amount.max)
        && max < min
    {
        reader.problem("capacity_max", format!("is {max} bytes, less than capacity_min, which is {min}"));
    }
    amount
}

fn capabilities(reader: &Reader<'_>) -> Vec<VolumeCapability> {
    let (fs_type, mount_flags) = mount_options(reader).unwrap_or_default();
    let mut capabilities: Vec<VolumeCapability> = Vec::new();
    for inner in reader.blocks("capability") {
        let capability = Reader::new("capability", reader.field("capability"), inner.at, &inner.body, reader.report);
        let mode = capability.choice("access_mode", &ACCESS_MODES);
        let block = capability.choice("attachment_mode", &ATTACHMENT_MODES);
        for field in ["access_mode", "attachment_mode"] {
            if !capability.has(field) {
                capability.problem(field, "is required");
            }
        }
        capability.finish();
        let (Some(access_mode), Some(block)) = (mode, block) else { continue };
        let access_type = if block {
            AccessType::Block
        } else {
            AccessType::Mount { fs_type: fs_type.clone(), mount_flags: mount_flags.clone(), volume_mount_group: String::new() }
        };
        let capability = VolumeCapability { access_mode, access_type };
        if capabilities.contains(&capability) {
            reader.report.problem(inner.at, reader.field("capability"), "is there twice");
        } else {
            capabilities.push(capability);
        }
    }
    if capabilities.is_empty() && !reader.has("capability") {
        reader.problem("capability", "is required: how the volume may be used");
    }
    capabilities
}

fn topologies(reader: &Reader<'_>) -> (Vec<Segments>, Vec<Segments>) {
    let Some(inner) = reader.block("topology_request") else { return (Vec::new(), Vec::new()) };
    let request = Reader::new("topology_request", reader.field("topology_request"), inner.at, &inner.body, reader.report);
    let found = (places(&request, "required"), places(&request, "preferred"));
    request.finish();
    found
}

/// `required { topology { segments { … } } … }`; the API has the topologies without the word.
fn places(request: &Reader<'_>, field: &'static str) -> Vec<Segments> {
    let mut places = Vec::new();
    for outer in request.blocks(field) {
        let list = Reader::new("topology_list", request.field(field), outer.at, &outer.body, request.report);
        let inner: Vec<Inner> = if list.has("segments") { vec![outer.clone()] } else { list.blocks("topology") };
        for topology in inner {
            let reader = Reader::new("topology", list.field("topology"), topology.at, &topology.body, request.report);
            let segments = reader.strings("segments");
            for key in segments.keys().filter(|key| !is_label(key)) {
                reader.problem("segments", format!("{key:?} is not the name of a label, as nodes have them"));
            }
            if segments.is_empty() {
                reader.problem("segments", "has no key: it would be everywhere");
            }
            places.push(Segments(segments));
            reader.finish();
        }
        if !list.has("segments") {
            list.finish();
        }
    }
    places
}

/// Whether Kubernetes takes it as the name of a label.
fn is_label(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let ends = |text: &str| edge(text.chars().next()) && edge(text.chars().last());
    let plain = |text: &str, marks: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c));
    let domain = |text: &str| text.len() <= 253 && plain(text, ".-") && ends(text) && text == text.to_lowercase();
    name.len() <= 63 && ends(name) && plain(name, "._-") && prefix.is_none_or(domain)
}
