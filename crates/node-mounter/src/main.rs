//! `node-mounter`. What it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    node_mounter::main(std::env::args_os().collect())
}
