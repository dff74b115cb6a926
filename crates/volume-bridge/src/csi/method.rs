//! Which call a path is, by the descriptors of `csi.proto`.

use csi_proto::json::POOL;
use prost_reflect::{DynamicMessage, MessageDescriptor};

/// A CSI call that this version knows. One that it does not know is passed on without a look.
#[derive(Debug, Clone)]
pub(super) struct Method {
    /// `/csi.v1.Controller/CreateVolume`
    pub(super) path: String,
    /// `CreateVolume`
    pub(super) name: String,
    pub(super) input: MessageDescriptor,
    pub(super) output: MessageDescriptor,
}

impl Method {
    /// `None`: unknown, or a stream.
    pub(super) fn of(path: &str) -> Option<Self> {
        let (service, name) = path.strip_prefix('/')?.split_once('/')?;
        let method = POOL.get_service_by_name(service)?.methods().find(|method| method.name() == name)?;
        if method.is_client_streaming() || method.is_server_streaming() {
            return None;
        }
        Some(Self { path: path.to_owned(), name: name.to_owned(), input: method.input(), output: method.output() })
    }

    /// The request's fields. `None`: it is none.
    pub(super) fn request(&self, bytes: &[u8]) -> Option<DynamicMessage> {
        DynamicMessage::decode(self.input.clone(), bytes).ok()
    }

    /// The answer's fields. `None`: it is none.
    pub(super) fn answer(&self, bytes: &[u8]) -> Option<DynamicMessage> {
        DynamicMessage::decode(self.output.clone(), bytes).ok()
    }

    /// Whether it changes a volume. Such a call runs to its end, whatever becomes of who made it: what the driver did is written down.
    pub(super) fn changes(&self) -> bool {
        matches!(
            &*self.name,
            "CreateVolume"
                | "DeleteVolume"
                | "ControllerPublishVolume"
                | "ControllerUnpublishVolume"
                | "NodeStageVolume"
                | "NodeUnstageVolume"
                | "NodePublishVolume"
                | "NodeUnpublishVolume"
        )
    }
}

/// A text field; empty if it is not there.
pub(super) fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_calls_are_found_and_others_are_not_looked_at() {
        let method = Method::of("/csi.v1.Node/NodePublishVolume").expect("known");
        assert_eq!((method.name.as_str(), method.changes()), ("NodePublishVolume", true));
        assert!(!Method::of("/csi.v1.Identity/Probe").expect("known").changes());
        for other in ["/csi.v1.SnapshotMetadata/GetMetadataDelta", "/csi.v2.Node/X", "/grpc.health.v1.Health/Check", "", "/x"] {
            assert!(Method::of(other).is_none(), "{other}");
        }
    }
}
