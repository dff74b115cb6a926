//! Provisions and deletes volumes of one CSI driver for PersistentVolumeClaims. What it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    external_provisioner::main(std::env::args_os().collect())
}
