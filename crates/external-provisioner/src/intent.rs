//! What is written down of a CreateVolume before it is sent: the whole ask, so that whoever finds it sends the same call and
//! saves the same PersistentVolume. Of secrets it says which objects hold them.
//!
//! The format is our own and has a version: a record that is not understood word for word is not acted on.

mod places;

use std::collections::BTreeMap;
use std::sync::Arc;

use csi_types::{AccessMode, AccessType, Bytes, CsiAccessMode, DriverName, NodeName, VolumeCapability, VolumeMode, VolumeName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::places::Places;
use crate::ask::Ask;
use crate::view::{Reclaim, SecretRefs};

const VERSION: u32 = 1;
const RPC: &str = "CreateVolume";

/// A record, read.
pub(crate) struct Intent {
    pub(crate) ask: Arc<Ask>,
    pub(crate) started: Timestamp,
}

/// A record as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    v: u32,
    rpc: String,
    driver: DriverName,
    /// Which run of which provisioner began it. With `started`, no two records are the same.
    run: String,
    started: Timestamp,
    name: VolumeName,
    namespace: String,
    claim: String,
    #[serde(default, skip_serializing_if = "is_default")]
    version: u64,
    class: String,
    class_uid: String,
    #[serde(default, skip_serializing_if = "is_default")]
    node: Option<NodeName>,
    bytes: Bytes,
    modes: Vec<AccessMode>,
    csi_modes: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    volume_mode: Option<VolumeMode>,
    #[serde(default, skip_serializing_if = "is_default")]
    fs_type: String,
    #[serde(default, skip_serializing_if = "is_default")]
    mount_options: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    parameters: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "is_default")]
    mutable_parameters: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "is_default")]
    places: Option<Places>,
    #[serde(default, skip_serializing_if = "is_default")]
    placed: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    secrets: SecretRefs,
    #[serde(default, skip_serializing_if = "is_default")]
    reclaim: Option<Reclaim>,
    #[serde(default, skip_serializing_if = "is_default")]
    read_only: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    attributes_class: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    deprecated: Vec<String>,
}

/// Of which version a record is: the rest is read only if it is ours.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What is written down under the claim's uid.
pub(crate) fn write(ask: &Ask, driver: &DriverName, run: &str, started: Timestamp) -> Result<String, serde_json::Error> {
    let ask = ask.clone();
    let record = Record {
        v: VERSION,
        rpc: RPC.to_owned(),
        driver: driver.clone(),
        run: run.to_owned(),
        started,
        name: ask.name,
        namespace: ask.claim_namespace,
        claim: ask.claim_name,
        version: ask.claim_version,
        class: ask.class,
        class_uid: ask.class_uid,
        node: ask.selected_node,
        bytes: ask.required,
        modes: ask.access_modes,
        csi_modes: ask.capabilities.iter().map(|capability| csi_name(capability.access_mode).to_owned()).collect(),
        volume_mode: ask.volume_mode,
        fs_type: ask.fs_type,
        mount_options: ask.mount_options,
        parameters: ask.parameters,
        mutable_parameters: ask.mutable_parameters,
        places: ask.accessibility.map(|places| Places::pack(&places)),
        placed: ask.placed,
        secrets: ask.secrets,
        reclaim: ask.reclaim,
        read_only: ask.read_only,
        attributes_class: ask.attributes_class,
        deprecated: ask.deprecated,
    };
    serde_json::to_string(&record)
}

/// What a record says, or why it cannot be gone on from. `key` is what it stands under: the
/// claim's uid.
pub(crate) fn read(key: &str, text: &str, driver: &DriverName) -> Result<Intent, String> {
    let Version { v } = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if v != VERSION {
        return Err(format!("it is of version {v}, and this program knows version {VERSION}: a newer one has to settle it"));
    }
    let record: Record = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if record.rpc != RPC {
        return Err(format!("it is of rpc {:?}, expected {RPC:?}", record.rpc));
    }
    if record.driver != *driver {
        return Err(format!("it is of driver {}, and this is the provisioner of {driver}", record.driver));
    }
    let access_type = match record.volume_mode {
        Some(VolumeMode::Block) => AccessType::Block,
        _ => AccessType::Mount {
            fs_type: record.fs_type.clone(),
            mount_flags: record.mount_options.clone(),
            volume_mount_group: String::new(),
        },
    };
    let capability = |name: &String| {
        let access_mode = csi_mode(name).ok_or_else(|| format!("access mode {name:?} is not CSI's"))?;
        Ok::<_, String>(VolumeCapability { access_type: access_type.clone(), access_mode })
    };
    let ask = Ask {
        capabilities: record.csi_modes.iter().map(capability).collect::<Result<_, _>>()?,
        accessibility: record.places.map(Places::unpack).transpose()?,
        name: record.name,
        claim_namespace: record.namespace,
        claim_name: record.claim,
        claim_uid: key.to_owned(),
        claim_version: record.version,
        class: record.class,
        class_uid: record.class_uid,
        selected_node: record.node,
        required: record.bytes,
        parameters: record.parameters,
        mutable_parameters: record.mutable_parameters,
        secrets: record.secrets,
        access_modes: record.modes,
        volume_mode: record.volume_mode,
        fs_type: record.fs_type,
        mount_options: record.mount_options,
        reclaim: record.reclaim,
        read_only: record.read_only,
        placed: record.placed,
        attributes_class: record.attributes_class,
        deprecated: record.deprecated,
    };
    Ok(Intent { ask: Arc::new(ask), started: record.started })
}

const MODES: [CsiAccessMode; 7] = [
    CsiAccessMode::SingleNodeWriter,
    CsiAccessMode::SingleNodeReaderOnly,
    CsiAccessMode::MultiNodeReaderOnly,
    CsiAccessMode::MultiNodeSingleWriter,
    CsiAccessMode::MultiNodeMultiWriter,
    CsiAccessMode::SingleNodeSingleWriter,
    CsiAccessMode::SingleNodeMultiWriter,
];

/// Spec: CSI VolumeCapability.AccessMode.Mode.
fn csi_name(mode: CsiAccessMode) -> &'static str {
    match mode {
        CsiAccessMode::SingleNodeWriter => "SINGLE_NODE_WRITER",
        CsiAccessMode::SingleNodeReaderOnly => "SINGLE_NODE_READER_ONLY",
        CsiAccessMode::MultiNodeReaderOnly => "MULTI_NODE_READER_ONLY",
        CsiAccessMode::MultiNodeSingleWriter => "MULTI_NODE_SINGLE_WRITER",
        CsiAccessMode::MultiNodeMultiWriter => "MULTI_NODE_MULTI_WRITER",
        CsiAccessMode::SingleNodeSingleWriter => "SINGLE_NODE_SINGLE_WRITER",
        CsiAccessMode::SingleNodeMultiWriter => "SINGLE_NODE_MULTI_WRITER",
    }
}

fn csi_mode(name: &str) -> Option<CsiAccessMode> {
    MODES.into_iter().find(|mode| csi_name(*mode) == name)
}

#[cfg(test)]
mod tests;
