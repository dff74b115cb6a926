use super::*;

const DONE: Verdict = Verdict::Done;
const FAIL: Verdict = Verdict::Failed;
const NEVER: Verdict = Verdict::Infeasible;
const FULL: Verdict = Verdict::Exhausted;
const MAYBE: Verdict = Verdict::MaybeRunning;

type Row = [Verdict; 17];

/// Columns by gRPC's number: Ok, Canceled, Unknown, InvalidArgument, DeadlineExceeded, NotFound, AlreadyExists, PermissionDenied,
/// ResourceExhausted, FailedPrecondition, Aborted, OutOfRange, Unimplemented, Internal, Unavailable, DataLoss, Unauthenticated.
fn table() -> Vec<(Rpc, Row)> {
    // A question changes nothing: whatever its error, nothing is left running that matters.
    // Spec: CSI Identity, ListVolumes, GetCapacity, Node/ControllerGetCapabilities have no side effects.
    let question = [DONE, FAIL, FAIL, FAIL, FAIL, FAIL, FAIL, FAIL, FAIL, FAIL, FAIL, FAIL, FAIL, FAIL, FAIL, FAIL, FAIL];

    // Spec: CSI CreateVolume: ABORTED "operation pending for volume"; RESOURCE_EXHAUSTED, "unable to provision in
    // `accessible_topology`", another topology may do; INVALID_ARGUMENT, the request itself is wrong, and no retry mends it.
    // ALREADY_EXISTS ("incompatible") and OUT_OF_RANGE end the attempt, but the volume in the way or the class may change.
    // Upstream: external-provisioner@0688604 `checkError`; lib v13 infeasible set.
    let create = [DONE, MAYBE, FAIL, NEVER, MAYBE, FAIL, FAIL, FAIL, FULL, FAIL, MAYBE, FAIL, FAIL, FAIL, MAYBE, FAIL, FAIL];

    // Spec: CSI DeleteVolume: FAILED_PRECONDITION "volume in use"; an unknown volume is OK, so NOT_FOUND is a driver's error.
    // Upstream: external-provisioner retries all of them alike; the split only says whether the driver may still be at it.
    let delete = [DONE, MAYBE, FAIL, FAIL, MAYBE, FAIL, FAIL, FAIL, FAIL, FAIL, MAYBE, FAIL, FAIL, FAIL, MAYBE, FAIL, FAIL];

    // Spec: CSI ControllerPublishVolume: ABORTED "operation pending"; RESOURCE_EXHAUSTED "max volumes attached". The last is counted
    // as running by everyone upstream: a proxy or a server's limit answers so while the call goes on.
    // Upstream: external-attacher `isFinalError`; csi-lib-utils; kubelet `isFinalError` for stage and publish.
    let change = [DONE, MAYBE, FAIL, FAIL, MAYBE, FAIL, FAIL, FAIL, MAYBE, FAIL, MAYBE, FAIL, FAIL, FAIL, MAYBE, FAIL, FAIL];

    // Spec: CSI NodeUnpublishVolume and NodeUnstageVolume may fail half way. Upstream: kubelet classifies no error of a teardown; any
    // of them leaves the mount uncertain, and the call is repeated. NOT_FOUND too: only OK means gone.
    let undo =
        [DONE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE];

    vec![
        (Rpc::Probe, question),
        (Rpc::GetPluginInfo, question),
        (Rpc::GetPluginCapabilities, question),
        (Rpc::ControllerGetCapabilities, question),
        (Rpc::CreateVolume, create),
        (Rpc::DeleteVolume, delete),
        (Rpc::ControllerPublishVolume, change),
        (Rpc::ControllerUnpublishVolume, change),
        (Rpc::ListVolumes, question),
        (Rpc::GetCapacity, question),
        (Rpc::NodeGetInfo, question),
        (Rpc::NodeGetCapabilities, question),
        (Rpc::NodeStageVolume, change),
        (Rpc::NodeUnstageVolume, undo),
        (Rpc::NodePublishVolume, change),
        (Rpc::NodeUnpublishVolume, undo),
    ]
}

#[test]
fn every_code_of_every_rpc_has_the_verdict_of_the_table() {
    let table = table();
    assert_eq!(table.iter().map(|(rpc, _)| *rpc).collect::<Vec<_>>(), Rpc::ALL);
    for (rpc, row) in table {
        for code in Code::ALL {
            assert_eq!(rpc.verdict(code), row[code.number() as usize], "{} {}", rpc.name(), code.name());
        }
    }
}

#[test]
fn the_name_is_the_last_part_of_the_path() {
    assert_eq!(Rpc::CreateVolume.name(), "CreateVolume");
    assert_eq!(Rpc::CreateVolume.full_method(), "/csi.v1.Controller/CreateVolume");
    assert_eq!(Rpc::NodeGetInfo.full_method(), "/csi.v1.Node/NodeGetInfo");
}

#[test]
fn codes_are_listed_by_number() {
    for (number, code) in Code::ALL.into_iter().enumerate() {
        assert_eq!(code.number(), number as i32);
    }
}
