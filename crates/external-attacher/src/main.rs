//! Attaches and detaches volumes of one CSI driver for VolumeAttachments. What it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    external_attacher::main(std::env::args_os().collect())
}
