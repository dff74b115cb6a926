//! Requests and replies against the specification: X_CSI_SPEC_VALIDATION and its sisters. Messages are gocsi's.

use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use tonic::Status;

use super::log::go_name;
use super::method::{Method, text};

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checks {
    /// X_CSI_SPEC_REQ_VALIDATION.
    pub requests: bool,
    /// X_CSI_SPEC_REP_VALIDATION.
    pub replies: bool,
    /// Not X_CSI_SPEC_DISABLE_LEN_CHECK.
    pub lengths: bool,
    /// X_CSI_REQUIRE_STAGING_TARGET_PATH.
    pub staging_target_path: bool,
    /// X_CSI_REQUIRE_VOL_CONTEXT.
    pub volume_context: bool,
    /// X_CSI_REQUIRE_PUB_CONTEXT.
    pub publish_context: bool,
    /// X_CSI_REQUIRE_CREDS and its kind: calls by name.
    pub secrets: Vec<&'static str>,
}

const LONGEST: usize = 128;
const MOST_OF_A_MAP: usize = 4096;

impl Checks {
    /// # Errors
    /// INVALID_ARGUMENT, and which field.
    pub(super) fn request(&self, method: &Method, request: &DynamicMessage) -> Result<(), Status> {
        if !self.requests {
            return Ok(());
        }
        let filled = |field: &str| request.get_field_by_name(field).is_some_and(|value| !is_empty(&value));
        let present = |field: &str| match request.descriptor().get_field_by_name(field) {
            Some(descriptor) => request.has_field(&descriptor),
            None => false,
        };
        for field in self.required(&method.name, request) {
            if !filled(field) || (field == "volume_capability" && !present(field)) {
                return Err(Status::invalid_argument(format!("required: {}", go_name(field))));
            }
        }
        capabilities(request)?;
        if self.lengths { lengths(request) } else { Ok(()) }
    }

    fn required(&self, name: &str, request: &DynamicMessage) -> Vec<&'static str> {
        let mut fields = Vec::new();
        if request.descriptor().get_field_by_name("volume_id").is_some() {
            fields.push("volume_id");
        }
        fields.extend_from_slice(match name {
            "CreateVolume" => &["name", "volume_capabilities"],
            "ValidateVolumeCapabilities" => &["volume_capabilities"],
            "ControllerPublishVolume" => &["node_id", "volume_capability"],
            "NodeStageVolume" => &["staging_target_path", "volume_capability"],
            "NodeUnstageVolume" => &["staging_target_path"],
            "NodePublishVolume" => &["target_path", "volume_capability"],
            "NodeUnpublishVolume" => &["target_path"],
            "CreateSnapshot" => &["name", "source_volume_id"],
            "DeleteSnapshot" => &["snapshot_id"],
            _ => &[],
        });
        let publishes = matches!(name, "NodeStageVolume" | "NodePublishVolume");
        if self.staging_target_path && name == "NodePublishVolume" {
            fields.push("staging_target_path");
        }
        if self.volume_context && (publishes || matches!(name, "ControllerPublishVolume" | "ValidateVolumeCapabilities")) {
            fields.push("volume_context");
        }
        if self.publish_context && publishes {
            fields.push("publish_context");
        }
        if self.secrets.contains(&name) {
            fields.push("secrets");
        }
        fields
    }

    /// # Errors
    /// INTERNAL, and what is wrong with the driver's answer.
    pub(super) fn reply(&self, method: &Method, answer: &DynamicMessage) -> Result<(), Status> {
        if !self.replies {
            return Ok(());
        }
        let empty = |what: &str| Err(Status::internal(format!("empty: {what}")));
        match &*method.name {
            "CreateVolume" if id_of_volume(answer).is_empty() => empty("Volume.VolumeId"),
            "ListVolumes" => {
                let entries = answer.get_field_by_name("entries");
                let entries = entries.as_ref().and_then(|value| value.as_list()).unwrap_or_default();
                match entries.iter().position(|entry| entry.as_message().is_none_or(|entry| id_of_volume(entry).is_empty())) {
                    Some(at) => empty(&format!("Entries[{at}].Volume.VolumeId")),
                    None => Ok(()),
                }
            }
            "NodeGetInfo" if text(answer, "node_id").is_empty() => empty("NodeId"),
            "GetPluginInfo" => plugin_info(&text(answer, "name"), &text(answer, "vendor_version"), self.lengths),
            _ => Ok(()),
        }
    }
}

fn id_of_volume(message: &DynamicMessage) -> String {
    let volume = message.get_field_by_name("volume");
    volume.as_ref().and_then(|value| value.as_message()).map(|volume| text(volume, "volume_id")).unwrap_or_default()
}

/// Every capability says how and by whom.
fn capabilities(request: &DynamicMessage) -> Result<(), Status> {
    let missing = |what: &str| Err(Status::invalid_argument(format!("required: {what}")));
    let set = |capability: &DynamicMessage, field: &str| {
        capability.descriptor().get_field_by_name(field).is_some_and(|field| capability.has_field(&field))
    };
    let one = |capability: &DynamicMessage| {
        let mode = capability
            .get_field_by_name("access_mode")
            .and_then(|mode| mode.as_message()?.get_field_by_name("mode")?.as_enum_number());
        if mode.unwrap_or(0) == 0 {
            return missing("AccessMode");
        }
        if set(capability, "block") || set(capability, "mount") { Ok(()) } else { missing("AccessType") }
    };
    let many = request.get_field_by_name("volume_capabilities");
    for capability in many.as_ref().and_then(|value| value.as_list()).unwrap_or_default() {
        capability.as_message().map_or(Ok(()), one)?;
    }
    let single = request.get_field_by_name("volume_capability");
    match single.as_ref().and_then(|value| value.as_message()) {
        Some(capability) if set(request, "volume_capability") => one(capability),
        _ => Ok(()),
    }
}

/// Values are never in the message: they may be secrets.
fn lengths(request: &DynamicMessage) -> Result<(), Status> {
    let exceeds = |what: String, max: usize, size: usize| {
        Err(Status::invalid_argument(format!("exceeds size limit: {what}: max={max}, size={size}")))
    };
    for (field, value) in request.fields() {
        let name = go_name(field.name());
        match value {
            Value::String(text) if text.len() > LONGEST => return exceeds(name, LONGEST, text.len()),
            Value::Map(entries) => {
                let mut total = 0;
                for (key, value) in entries {
                    let (key, value) = (key.as_str().unwrap_or_default().len(), value.as_str().unwrap_or_default().len());
                    if key > LONGEST {
                        return exceeds(format!("{name}[key]"), LONGEST, key);
                    }
                    if value > LONGEST {
                        return exceeds(format!("{name}[value]"), LONGEST, value);
                    }
                    total += key + value;
                }
                if total > MOST_OF_A_MAP {
                    return exceeds(name, MOST_OF_A_MAP, total);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Spec: CSI GetPluginInfo: a domain name of at most 63 characters; and gocsi's form of a version.
fn plugin_info(name: &str, version: &str, length: bool) -> Result<(), Status> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    let ends = rest.bytes().next_back().is_some_and(word);
    let inner = rest.bytes().all(|byte| word(byte) || matches!(byte, b'-' | b'.'));
    if first.is_empty() || !first.bytes().all(word) || !ends || !inner {
        return Err(Status::internal(format!("invalid: Name={name:?}: expected a domain name such as csi.example.com")));
    }
    if length && name.len() > 63 {
        return Err(Status::internal(format!("exceeds size limit: Name: max=63, size={}", name.len())));
    }
    let numbers = version.strip_prefix('v').unwrap_or(version).split('-').next().unwrap_or_default();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if numbers.split('.').count() != 3 || !numbers.split('.').all(digits) || version.ends_with('-') {
        return Err(Status::internal(format!("invalid: VendorVersion={version:?}: expected a version such as v1.2.3")));
    }
    Ok(())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
