//! `local-driver`. What it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    local_driver::main(std::env::args_os().collect())
}
