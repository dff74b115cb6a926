//! The one binary: the whole of Longshore on one host, and what people ask of it.
//!
//! ```text
//!  longshore up      ─> up.rs       API store, binder, provisioner, attacher, mounter and driver in one process
//!  longshore serve   ─> volume-bridge  CSI and Docker's volume plugin API on one socket
//!  longshore convert ─> convert.rs  manifests of what documents of other orchestrators ask for
//!  longshore run     ─> run.rs      the same documents, run on this host
//!  longshore status  ─> status.rs   the tree of what exists, and why something waits
//!  longshore csi     ─> csc         a client for any CSI endpoint; also by the name csc
//!  external-provisioner, …          ─> programs.rs   by their own names, where they are links to this file
//! ```
#![forbid(unsafe_code)]

mod convert;
mod foreign;
mod manifests;
mod programs;
mod rootless;
mod run;
mod status;
mod up;

use std::ffi::OsString;
use std::process::ExitCode;

const HELP: &str = "\
Longshore: storage for containers, with or without a cluster.

Usage: longshore COMMAND [FLAGS]

Commands:
  up       serve StorageClasses, claims, pods and volumes on this host; --demo shows all of it and cleans up
  csi      call a CSI driver by hand; called by the name csc, the same with csc's output
  serve    serve CSI volumes to Docker, and CSI itself, on one socket
  convert  write manifests for what documents of Marathon, Mesos and Nomad ask for
  run      run such documents on this host: their plugins, volumes and tasks
  status   show claims, volumes, attachments and mounts of the cluster or host that a kubeconfig names
  version  print the version

longshore COMMAND --help tells a command's flags.
";

/// The commands and their flags, for whoever writes about them.
pub fn command() -> clap::Command {
    clap::Command::new("longshore").subcommands([
        up::command().name("up"),
        csc::command().name("csi"),
        <volume_bridge::Flags as clap::CommandFactory>::command().name("serve"),
        convert::command().name("convert"),
        run::command().name("run"),
        status::command().name("status"),
        clap::Command::new("version").about("Prints the version."),
    ])
}

/// The program, with the process's command line.
pub fn main() -> ExitCode {
    let mut argv: Vec<OsString> = std::env::args_os().collect();
    if let Some(program) = argv.first().and_then(|name| programs::by_name(name)) {
        return program(argv);
    }
    let command = if argv.len() > 1 { argv.remove(1) } else { OsString::new() };
    // What usage messages and logs call the program.
    argv[0] = format!("longshore {}", command.to_string_lossy()).into();
    match command.to_str() {
        Some("up") => up::main(argv),
        Some(pod_runner::shim::COMMAND) => pod_runner::shim::main(&argv[1..]),
        Some("csi") => csc::main(argv),
        Some("serve") => volume_bridge::main(argv),
        Some("convert") => convert::main(argv),
        Some("run") => run::main(argv),
        Some("status") => status::main(argv),
        Some("version" | "--version") => say(&format!("longshore {}\n", sidecar::VERSION)),
        Some("help" | "--help" | "-h") => say(HELP),
        Some("") => refuse(""),
        _ => refuse(&format!("longshore has no command {:?}\n\n", command.to_string_lossy())),
    }
}

/// A closed pipe is no reason to end differently.
fn say(text: &str) -> ExitCode {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
    ExitCode::SUCCESS
}

fn refuse(sentence: &str) -> ExitCode {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{sentence}{HELP}").as_bytes());
    ExitCode::from(2)
}
