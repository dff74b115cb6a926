//! What an error of a driver means for what we do next.

/// gRPC's 17 codes. Ours, so that nothing above `csi-client` knows tonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names and numbers are gRPC's own")]
#[repr(u8)]
pub enum Code {
    Ok = 0,
    Canceled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

impl Code {
    /// All of them, by number.
    pub const ALL: [Code; 17] = [
        Code::Ok,
        Code::Canceled,
        Code::Unknown,
        Code::InvalidArgument,
        Code::DeadlineExceeded,
        Code::NotFound,
        Code::AlreadyExists,
        Code::PermissionDenied,
        Code::ResourceExhausted,
        Code::FailedPrecondition,
        Code::Aborted,
        Code::OutOfRange,
        Code::Unimplemented,
        Code::Internal,
        Code::Unavailable,
        Code::DataLoss,
        Code::Unauthenticated,
    ];

    /// gRPC's number, which is also VolumeAttachment's `attachError.errorCode`.
    pub fn number(self) -> i32 {
        self as i32
    }

    /// Go's spelling, as in logs, events and the label `grpc_status_code`.
    pub fn name(self) -> &'static str {
        match self {
            Code::Ok => "OK",
            Code::Canceled => "Canceled",
            Code::Unknown => "Unknown",
            Code::InvalidArgument => "InvalidArgument",
            Code::DeadlineExceeded => "DeadlineExceeded",
            Code::NotFound => "NotFound",
            Code::AlreadyExists => "AlreadyExists",
            Code::PermissionDenied => "PermissionDenied",
            Code::ResourceExhausted => "ResourceExhausted",
            Code::FailedPrecondition => "FailedPrecondition",
            Code::Aborted => "Aborted",
            Code::OutOfRange => "OutOfRange",
            Code::Unimplemented => "Unimplemented",
            Code::Internal => "Internal",
            Code::Unavailable => "Unavailable",
            Code::DataLoss => "DataLoss",
            Code::Unauthenticated => "Unauthenticated",
        }
    }
}

/// The RPCs whose errors we judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are CSI's own")]
pub enum Rpc {
    Probe,
    GetPluginInfo,
    GetPluginCapabilities,
    ControllerGetCapabilities,
    CreateVolume,
    DeleteVolume,
    ControllerPublishVolume,
    ControllerUnpublishVolume,
    ListVolumes,
    GetCapacity,
    NodeGetInfo,
    NodeGetCapabilities,
    NodeStageVolume,
    NodeUnstageVolume,
    NodePublishVolume,
    NodeUnpublishVolume,
}

/// What to do after a call came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It worked.
    Done,
    /// It did not, and the driver is not working on it any more.
    Failed,
    /// It cannot work as asked: try again slowly, or when the request changes.
    Infeasible,
    /// There is no room where it was asked for; elsewhere there may be.
    Exhausted,
    /// Nobody knows: the driver may still be working on it, or may have done it.
    MaybeRunning,
}

impl Rpc {
    /// All of them, in the order of the specification.
    pub const ALL: [Rpc; 16] = [
        Rpc::Probe,
        Rpc::GetPluginInfo,
        Rpc::GetPluginCapabilities,
        Rpc::ControllerGetCapabilities,
        Rpc::CreateVolume,
        Rpc::DeleteVolume,
        Rpc::ControllerPublishVolume,
        Rpc::ControllerUnpublishVolume,
        Rpc::ListVolumes,
        Rpc::GetCapacity,
        Rpc::NodeGetInfo,
        Rpc::NodeGetCapabilities,
        Rpc::NodeStageVolume,
        Rpc::NodeUnstageVolume,
        Rpc::NodePublishVolume,
        Rpc::NodeUnpublishVolume,
    ];

    /// CSI's name, as in logs.
    pub fn name(self) -> &'static str {
        self.full_method().rsplit('/').next().unwrap_or_default()
    }

    /// The path of the call, which is also the label `method_name`.
    pub fn full_method(self) -> &'static str {
        match self {
            Rpc::Probe => "/csi.v1.Identity/Probe",
            Rpc::GetPluginInfo => "/csi.v1.Identity/GetPluginInfo",
            Rpc::GetPluginCapabilities => "/csi.v1.Identity/GetPluginCapabilities",
            Rpc::ControllerGetCapabilities => "/csi.v1.Controller/ControllerGetCapabilities",
            Rpc::CreateVolume => "/csi.v1.Controller/CreateVolume",
            Rpc::DeleteVolume => "/csi.v1.Controller/DeleteVolume",
            Rpc::ControllerPublishVolume => "/csi.v1.Controller/ControllerPublishVolume",
            Rpc::ControllerUnpublishVolume => "/csi.v1.Controller/ControllerUnpublishVolume",
            Rpc::ListVolumes => "/csi.v1.Controller/ListVolumes",
            Rpc::GetCapacity => "/csi.v1.Controller/GetCapacity",
            Rpc::NodeGetInfo => "/csi.v1.Node/NodeGetInfo",
            Rpc::NodeGetCapabilities => "/csi.v1.Node/NodeGetCapabilities",
            Rpc::NodeStageVolume => "/csi.v1.Node/NodeStageVolume",
            Rpc::NodeUnstageVolume => "/csi.v1.Node/NodeUnstageVolume",
            Rpc::NodePublishVolume => "/csi.v1.Node/NodePublishVolume",
            Rpc::NodeUnpublishVolume => "/csi.v1.Node/NodeUnpublishVolume",
        }
    }

    /// What this code from this call means. Total, and the only place that decides it.
    ///
    /// The reasons, call by call, stand beside the table that tests this.
    pub fn verdict(self, code: Code) -> Verdict {
        use Code::{Aborted, Canceled, DeadlineExceeded, InvalidArgument, ResourceExhausted, Unavailable};
        match (self, code) {
            (_, Code::Ok) => Verdict::Done,

            (Rpc::CreateVolume, ResourceExhausted) => Verdict::Exhausted,
            (Rpc::CreateVolume, InvalidArgument) => Verdict::Infeasible,
            (Rpc::CreateVolume | Rpc::DeleteVolume, Canceled | DeadlineExceeded | Unavailable | Aborted) => Verdict::MaybeRunning,

            (
                Rpc::ControllerPublishVolume | Rpc::ControllerUnpublishVolume | Rpc::NodeStageVolume | Rpc::NodePublishVolume,
                Canceled | DeadlineExceeded | Unavailable | Aborted | ResourceExhausted,
            ) => Verdict::MaybeRunning,

            (Rpc::NodeUnstageVolume | Rpc::NodeUnpublishVolume, _) => Verdict::MaybeRunning,

            _ => Verdict::Failed,
        }
    }
}

#[cfg(test)]
mod tests;
