//! Request and reply lines in gocsi's form: `/csi.v1.Identity/Probe: REQ 0001: Field=value, …`, without secrets.

use csi_proto::json::{Secrets, render_bytes};
use serde_json::Value;
use tonic::Status;

use super::method::Method;

/// Which lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lines {
    /// X_CSI_REQ_LOGGING.
    pub requests: bool,
    /// X_CSI_REP_LOGGING.
    pub replies: bool,
    /// Not X_CSI_LOG_DISABLE_VOL_CTX.
    pub contexts: bool,
}

impl Lines {
    pub(super) fn request(&self, method: &Method, id: u64, message: &[u8]) {
        if self.requests {
            let fields = self.fields(method.input.full_name(), message);
            tracing::info!(target: "csi", "{}: REQ {id:04}: {fields}", method.path);
        }
    }

    pub(super) fn reply(&self, method: &Method, id: u64, answer: Result<Option<&[u8]>, &Status>) {
        if !self.replies {
            return;
        }
        match answer {
            Ok(message) => {
                let fields = message.map(|message| self.fields(method.output.full_name(), message)).unwrap_or_default();
                tracing::info!(target: "csi", "{}: REP {id:04}: {fields}", method.path);
            }
            Err(status) => {
                tracing::info!(target: "csi", "{}: REP {id:04}: rpc error: code = {:?} desc = {}", method.path, status.code(), status.message());
            }
        }
    }

    /// Fields by name. Whatever is called a secret is left out, not only what the specification marks as one.
    fn fields(&self, full_name: &str, message: &[u8]) -> String {
        let Ok(Value::Object(fields)) = render_bytes(full_name, message, Secrets::Stripped) else { return String::new() };
        let shown = fields.iter().filter(|(name, value)| {
            let context = matches!(name.as_str(), "volume_context" | "publish_context");
            !name.contains("secret") && (self.contexts || !context) && !is_empty(value)
        });
        let shown: Vec<String> = shown.map(|(name, value)| format!("{}={}", go_name(name), plain(value))).collect();
        shown.join(", ")
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `volume_id` as `VolumeId`.
pub(super) fn go_name(field: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    field.split('_').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use csi_proto::csi::v1 as csi;
    use prost::Message as _;

    use super::*;

    #[test]
    fn a_line_has_the_fields_that_are_set_and_no_secret() {
        let request = csi::NodeStageVolumeRequest {
            volume_id: "v 1".into(),
            secrets: [("password".to_owned(), "hunter2".to_owned())].into(),
            volume_context: [("server".to_owned(), "nfs".to_owned())].into(),
            ..Default::default()
        };
        let fields = |contexts| {
            Lines { requests: true, replies: true, contexts }.fields("csi.v1.NodeStageVolumeRequest", &request.encode_to_vec())
        };
        assert_eq!(fields(false), "VolumeId=v 1");
        assert_eq!(fields(true), r#"VolumeContext={"server":"nfs"}, VolumeId=v 1"#);
    }
}
