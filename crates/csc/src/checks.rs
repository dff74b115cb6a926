//! `--with-spec-validation`: what CSI requires of a request and of an answer.
//!
//! Upstream: gocsi's spec validator, client side. Its limits of 128 bytes are not for paths (the kernel's 4096) and node ids
//! (256, CSI 1.8), which it refuses wrongly.

use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

/// What is required besides the specification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Checks {
    /// The specification itself. Any of the others switches it on.
    pub(crate) spec: bool,
    /// Secrets, in requests that have them.
    pub(crate) creds: bool,
    /// A volume context, in requests and volumes that have one.
    pub(crate) vol_context: bool,
    /// A publish context, in requests and answers that have one.
    pub(crate) pub_context: bool,
}

/// In bytes.
const STRING: usize = 128;
const NODE_ID: usize = 256;
const PATH: usize = 4096;
const MAP: usize = 4096;

impl Checks {
    /// What is wrong with a request.
    pub(crate) fn request(&self, message: &DynamicMessage, required: &[&str]) -> Result<(), String> {
        if !self.any() {
            return Ok(());
        }
        let also = [(self.creds, "secrets"), (self.vol_context, "volume_context"), (self.pub_context, "publish_context")];
        let also = also.iter().filter(|(on, _)| *on).map(|(_, name)| *name);
        for name in required.iter().copied().chain(also) {
            let field = message.descriptor().get_field_by_name(name);
            if field.is_some_and(|field| is_empty(message, &field)) {
                return Err(format!("required: {name}"));
            }
        }
        for field in message.descriptor().fields() {
            capability(&message.get_field(&field), &field)?;
        }
        sizes(message)
    }

    /// What is wrong with an answer.
    pub(crate) fn answer(&self, message: &DynamicMessage) -> Result<(), String> {
        if !self.any() {
            return Ok(());
        }
        let required: &[&str] = match message.descriptor().name() {
            "GetPluginInfoResponse" => &["name", "vendor_version"],
            "CreateVolumeResponse" | "ControllerGetVolumeResponse" => &["volume"],
            "CreateSnapshotResponse" | "GetSnapshotResponse" => &["snapshot"],
            "CreateVolumeGroupSnapshotResponse" | "GetVolumeGroupSnapshotResponse" => &["group_snapshot"],
            "ControllerExpandVolumeResponse" => &["capacity_bytes"],
            "NodeGetInfoResponse" => &["node_id"],
            "ControllerPublishVolumeResponse" if self.pub_context => &["publish_context"],
            _ => &[],
        };
        self.filled(message, required)?;
        self.parts(message)?;
        if message.descriptor().name() == "GetPluginInfoResponse"
            && let Some(Value::String(name)) = message.get_field_by_name("name").as_deref()
            && !is_plugin_name(name)
        {
            return Err(format!("name is {name:?}: expected a domain name of at most 63 bytes"));
        }
        sizes(message)
    }

    fn any(&self) -> bool {
        self.spec || self.creds || self.vol_context || self.pub_context
    }

    fn filled(&self, message: &DynamicMessage, required: &[&str]) -> Result<(), String> {
        for name in required {
            if message.descriptor().get_field_by_name(name).is_some_and(|field| is_empty(message, &field)) {
                return Err(format!("empty: {}.{name}", message.descriptor().name()));
            }
        }
        Ok(())
    }

    /// Volumes and snapshots wherever they stand.
    fn parts(&self, message: &DynamicMessage) -> Result<(), String> {
        let required: &[&str] = match message.descriptor().name() {
            "Volume" if self.vol_context => &["volume_id", "volume_context"],
            "Volume" => &["volume_id"],
            "Snapshot" => &["snapshot_id", "source_volume_id", "creation_time"],
            "VolumeGroupSnapshot" => &["group_snapshot_id", "creation_time"],
            _ => &[],
        };
        self.filled(message, required)?;
        message.fields().flat_map(|(_, value)| messages(value)).try_for_each(|part| self.parts(part))
    }
}

fn is_empty(message: &DynamicMessage, field: &FieldDescriptor) -> bool {
    !message.has_field(field)
}

/// A volume capability has both of its halves.
fn capability(value: &Value, field: &FieldDescriptor) -> Result<(), String> {
    if !field.name().starts_with("volume_capabilit") {
        return Ok(());
    }
    for capability in messages(value) {
        if !capability.has_field_by_name("access_mode") {
            return Err(format!("required: {}.access_mode", field.name()));
        }
        if !capability.has_field_by_name("block") && !capability.has_field_by_name("mount") {
            return Err(format!("required: {}.access_type", field.name()));
        }
    }
    Ok(())
}

fn messages(value: &Value) -> Vec<&DynamicMessage> {
    match value {
        Value::Message(message) => vec![message],
        Value::List(items) => items.iter().filter_map(Value::as_message).collect(),
        _ => Vec::new(),
    }
}

fn sizes(message: &DynamicMessage) -> Result<(), String> {
    for (field, value) in message.fields() {
        let name = field.name();
        let refused =
            |size: usize, most: usize| Err(format!("exceeds size limit: {name} has {size} bytes, and CSI allows {most}"));
        let most = match name {
            "node_id" => NODE_ID,
            path if path.ends_with("_path") => PATH,
            // A driver's own words, and places in its lists.
            "message" | "reason" | "starting_token" | "next_token" => usize::MAX,
            _ => STRING,
        };
        match value {
            Value::String(text) if text.len() > most => return refused(text.len(), most),
            Value::Map(map) => {
                let length = |value: Option<&str>| value.map_or(0, str::len);
                let size = map.iter().map(|(key, value)| length(key.as_str()) + length(value.as_str())).sum();
                if size > MAP {
                    return refused(size, MAP);
                }
            }
            other => messages(other).into_iter().try_for_each(sizes)?,
        }
    }
    Ok(())
}

/// Spec: CSI GetPluginInfoResponse.name.
fn is_plugin_name(name: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    name.len() <= 63
        && edge(name.chars().next())
        && edge(name.chars().next_back())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
}

#[cfg(test)]
mod tests {
    use csi_proto::csi::v1 as csi;
    use csi_proto::json::POOL;
    use prost::{Message, Name};

    use super::*;
    use crate::calls::Call;

    fn dynamic<M: Message + Name>(message: &M) -> DynamicMessage {
        let descriptor = POOL.get_message_by_name(&M::full_name()).unwrap();
        DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).unwrap()
    }

    fn asked<C: Call>(checks: Checks, request: &C) -> Result<(), String> {
        checks.request(&dynamic(request), C::REQUIRED)
    }

    const SPEC: Checks = Checks { spec: true, creds: false, vol_context: false, pub_context: false };

    #[test]
    fn nothing_is_checked_unless_asked_for() {
        assert_eq!(asked(Checks::default(), &csi::CreateVolumeRequest::default()), Ok(()));
        assert_eq!(Checks::default().answer(&dynamic(&csi::CreateVolumeResponse::default())), Ok(()));
    }

    #[test]
    fn a_request_without_what_csi_requires_is_not_sent() {
        let mut request = csi::CreateVolumeRequest { name: "a".into(), ..Default::default() };
        assert_eq!(asked(SPEC, &request), Err("required: volume_capabilities".into()));
        request.volume_capabilities.push(csi::VolumeCapability::default());
        assert_eq!(asked(SPEC, &request), Err("required: volume_capabilities.access_mode".into()));
        request.volume_capabilities = vec!["1,block".parse::<crate::capability::Capability>().unwrap().0];
        assert_eq!(asked(SPEC, &request), Ok(()));
        request.name = "x".repeat(129);
        assert!(asked(SPEC, &request).unwrap_err().starts_with("exceeds size limit: name has 129 bytes"));
    }

    #[test]
    fn credentials_and_contexts_are_required_where_there_is_a_place_for_them() {
        let creds = Checks { creds: true, ..Checks::default() };
        let mut delete = csi::DeleteVolumeRequest { volume_id: "v".into(), ..Default::default() };
        assert_eq!(asked(creds, &delete), Err("required: secrets".into()));
        delete.secrets.insert("k".into(), "v".into());
        assert_eq!(asked(creds, &delete), Ok(()));
        assert_eq!(asked(creds, &csi::NodeUnpublishVolumeRequest { volume_id: "v".into(), target_path: "/t".into() }), Ok(()));
        let contexts = Checks { pub_context: true, ..Checks::default() };
        assert_eq!(
            contexts.answer(&dynamic(&csi::ControllerPublishVolumeResponse::default())),
            Err("empty: ControllerPublishVolumeResponse.publish_context".into())
        );
    }

    #[test]
    fn an_answer_without_an_id_is_refused_wherever_it_stands() {
        let volume = |id: &str| Some(csi::Volume { volume_id: id.into(), ..Default::default() });
        assert_eq!(SPEC.answer(&dynamic(&csi::CreateVolumeResponse { volume: volume("v") })), Ok(()));
        assert_eq!(
            SPEC.answer(&dynamic(&csi::CreateVolumeResponse::default())),
            Err("empty: CreateVolumeResponse.volume".into())
        );
        let entry = csi::list_volumes_response::Entry { volume: volume(""), status: None };
        let list = csi::ListVolumesResponse { entries: vec![entry], next_token: String::new() };
        assert_eq!(SPEC.answer(&dynamic(&list)), Err("empty: Volume.volume_id".into()));
        let info =
            |name: &str| csi::GetPluginInfoResponse { name: name.into(), vendor_version: "1".into(), ..Default::default() };
        assert_eq!(SPEC.answer(&dynamic(&info("a.example-1"))), Ok(()));
        assert!(SPEC.answer(&dynamic(&info("a/b"))).is_err());
    }
}
