//! `livenessprobe`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sidecar::run::<livenessprobe::Flags, _>(livenessprobe::run)
}
