//! `node-mounter`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sidecar::run::<node_mounter::Flags, _>(node_mounter::run)
}
