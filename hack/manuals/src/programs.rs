//! The programs: their flags as they are typed, and what a page says besides.

mod words;

pub use words::CSI;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command, CommandFactory, ValueHint};
use sidecar::{Dialect, GoDuration};

/// One program.
pub struct Program {
    /// Its name: crate, binary, container.
    pub name: &'static str,
    /// Under which upstream's manifests call it.
    pub upstream: Option<&'static str>,
    /// Its flags, as Go's parsers read them.
    pub command: Command,
    /// How they are spelled.
    pub spelling: &'static str,
    /// Further sections of its page: title, paragraphs.
    pub sections: Vec<(&'static str, &'static [&'static str])>,
}

const STD: &str = "Flags have one dash or two. A value follows after = or as the next word; a flag that is true or false takes its value after = only, \
and is true without one. Reading stops at the first word that is no flag. The last of a repeated flag counts, unless it says otherwise.";
const PFLAG: &str = "Long flags have two dashes. A value follows after = or as the next word; a flag that is true or false takes its value after = only, \
and is true without one. The last of a repeated flag counts, unless it says otherwise.";
const CLAP: &str = "Long flags have two dashes. A value follows after = or as the next word; a flag that is true or false takes its value after = only, \
and is true without one. The last of a repeated flag counts.";

/// All of them.
pub fn programs() -> Vec<Program> {
    vec![
        of::<external_provisioner::flags::Flags>(
            "external-provisioner",
            Some("csi-provisioner"),
            "creates and deletes volumes of a CSI driver for PersistentVolumeClaims",
            vec![words::POD_NAMESPACE, words::SIDECAR_HTTP, words::LEASES_OF_PROVISIONER, words::EXIT],
        ),
        of::<external_attacher::Flags>(
            "external-attacher",
            Some("csi-attacher"),
            "attaches volumes of a CSI driver to nodes and detaches them, for VolumeAttachments",
            vec![words::POD_NAMESPACE, words::SIDECAR_HTTP, words::EXIT],
        ),
        of::<node_driver_registrar::Flags>(
            "node-driver-registrar",
            Some("csi-node-driver-registrar"),
            "registers a CSI driver with the kubelet or the node-mounter of its node",
            vec![words::REGISTRAR_FILES, words::REGISTRAR_HTTP, words::EXIT],
        ),
        of::<livenessprobe::Flags>(
            "livenessprobe",
            None,
            "answers HTTP health checks by asking a CSI driver",
            vec![words::PROBE_HTTP, words::EXIT],
        ),
        of::<node_mounter::Flags>(
            "node-mounter",
            None,
            "mounts and unmounts CSI volumes of pods on a node without a kubelet",
            vec![words::NODE_NAME, words::MOUNTER_FILES, words::MOUNTER_HTTP, words::EXIT],
        ),
        Program {
            name: "local-driver",
            upstream: None,
            command: shown(
                local_driver::Flags::command(),
                "is a CSI driver for the disks a host has: directories, filesystems of an enforced size, raw block",
            ),
            spelling: CLAP,
            sections: vec![words::CSI_ENDPOINT, words::DRIVER_FILES, words::EXIT],
        },
        Program {
            name: "longshore",
            upstream: None,
            command: longshore(),
            spelling: PFLAG,
            sections: vec![words::UP_FILES, words::EXIT],
        },
    ]
}

fn of<F: sidecar::Program>(
    name: &'static str,
    upstream: Option<&'static str>,
    about: &'static str,
    sections: Vec<(&'static str, &'static [&'static str])>,
) -> Program {
    let spelling = match F::DIALECT {
        Dialect::Std => STD,
        Dialect::Pflag => PFLAG,
    };
    Program { name, upstream, command: shown(F::command().name(name), about), spelling, sections }
}

fn longshore() -> Command {
    let about = |name: &str| match name {
        "up" => "serves StorageClasses, claims, pods and volumes on this host, with no cluster",
        "csi" => "calls a CSI driver by hand: every call of identity, controller, node and group controller",
        "serve" => "serves CSI volumes to Docker, and CSI itself, on one socket",
        "convert" => "writes Kubernetes manifests for documents of Marathon, Mesos and Nomad",
        "run" => "runs documents of Marathon, Mesos and Nomad on this host: their plugins, volumes and tasks",
        "status" => "shows claims, volumes, attachments and mounts as a tree, and why something waits",
        _ => "prints the version",
    };
    let command = shown(longshore::command(), "storage for containers, with or without a cluster").disable_help_subcommand(true);
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.iter().fold(command, |command, name| command.mut_subcommand(name, |sub| shown(sub, about(name))))
}

/// A flattened group leaves its own description, and upstream's booleans take values: both as people see them.
fn shown(command: Command, about: &'static str) -> Command {
    let version = sidecar::VERSION;
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).help("Print the flags and exit");
    let command = command.about(about).long_about(None::<&str>).version(version).disable_version_flag(true);
    command.mut_args(|arg| valued(typed(arg))).disable_help_flag(true).arg(help)
}

fn typed(arg: Arg) -> Arg {
    if !matches!(arg.get_action(), ArgAction::SetTrue) {
        return arg;
    }
    let arg = if arg.get_default_values().is_empty() { arg.default_value("false") } else { arg };
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_parser(clap::value_parser!(bool))
}

/// What stands for the value, by its type, where the flag does not say.
fn valued(arg: Arg) -> Arg {
    if !arg.get_action().takes_values() || arg.get_value_names().is_some_and(|names| !is_default(&arg, names)) {
        return arg;
    }
    let is = |parser: ValueParser| arg.get_value_parser().type_id() == parser.type_id();
    let name = if is(ValueParser::bool()) {
        "BOOL"
    } else if is(clap::value_parser!(GoDuration).into()) {
        "DURATION"
    } else if is(clap::value_parser!(u32).into())
        || is(clap::value_parser!(i32).into())
        || is(clap::value_parser!(i64).into())
        || is(clap::value_parser!(u8).into())
    {
        "N"
    } else if is(clap::value_parser!(f64).into()) {
        "RATE"
    } else {
        by_flag(arg.get_long().unwrap_or_default())
    };
    let empty = arg.get_default_values().iter().all(|value| value.is_empty());
    let hint = if name == "PATH" { ValueHint::AnyPath } else { ValueHint::Unknown };
    arg.value_name(name).value_hint(hint).allow_negative_numbers(name == "N").hide_default_value(empty)
}

/// What stands for a text, by what the flag is called.
fn by_flag(flag: &str) -> &'static str {
    match flag {
        "kubeconfig"
        | "data-dir"
        | "root-dir"
        | "state-dir"
        | "secrets-dir"
        | "plugin-spec-dir"
        | "manifest-dir"
        | "api-socket"
        | "plugin-registration-path"
        | "kubelet-registration-path" => "PATH",
        "csi-address" | "endpoint" | "http-endpoint" | "metrics-address" | "master" => "ADDR",
        "health-port" => "PORT",
        "namespace" | "leader-election-namespace" | "node-name" | "driver-name" | "node-id" => "NAME",
        "feature-gates" => "NAME=BOOL",
        "leader-election-labels" => "KEY:VALUE",
        "node-labels" => "KEY=VALUE",
        "vmodule" => "PATTERN=N",
        _ => "VALUE",
    }
}

/// clap's derive names a value after its field.
fn is_default(arg: &Arg, names: &[clap::builder::Str]) -> bool {
    names.iter().all(|name| name.as_str().eq_ignore_ascii_case(arg.get_id().as_str()))
}
