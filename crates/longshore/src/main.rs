//! `longshore`. What it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    longshore::main()
}
