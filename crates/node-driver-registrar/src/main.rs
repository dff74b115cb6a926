//! `csi-node-driver-registrar`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sidecar::run::<node_driver_registrar::Flags, _>(node_driver_registrar::run)
}
