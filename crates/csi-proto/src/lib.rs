//! CSI v1 and the kubelet's plugin registration as Rust types, generated from `proto/` (see `proto/SOURCES.md`).
//! Maps are ordered, and no `Debug` shows a field that the specification marks as secret.

pub mod json;

/// Package `csi`.
pub mod csi {
    /// Package `csi.v1`.
    #[allow(missing_docs, clippy::all, unreachable_pub, reason = "generated code")]
    pub mod v1 {
        tonic::include_proto!("csi.v1");
    }
}

/// Package `pluginregistration`: how a kubelet finds a driver.
#[allow(missing_docs, clippy::all, unreachable_pub, reason = "generated code")]
pub mod pluginregistration {
    tonic::include_proto!("pluginregistration");
}

/// The encoded `google.protobuf.FileDescriptorSet` of both files and what they import, extension options included.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

include!(concat!(env!("OUT_DIR"), "/secrets.rs"));
