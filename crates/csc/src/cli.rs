//! The command line, and what it means together with the environment.

pub(crate) mod args;

use std::ffi::OsString;
use std::str::FromStr;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use csi_client::{Address, Headers};
use csi_types::Secret;
use sidecar::GoDuration;

use crate::checks::Checks;
use crate::controller::Controller;
use crate::failure::Failure;
use crate::group::Group;
use crate::identity::Identity;
use crate::node::Node;
use crate::output::Form;
use crate::pairs;
use crate::session::Settings;
use crate::template::Template;
use args::switch;

/// Calls a CSI driver: every call of identity, controller, node and group controller, by hand.
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true, args_override_self = true, arg_required_else_help = true, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) service: Service,
}

/// CSI's services.
#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    /// Who the driver is: its name, version, services, and whether it is ready.
    #[command(subcommand, visible_aliases = ["i", "ident"])]
    Identity(Identity),
    /// Volumes and snapshots, wherever the driver's controller runs.
    #[command(subcommand, visible_alias = "c")]
    Controller(Controller),
    /// Volumes on the host of the driver's node service.
    #[command(subcommand, visible_alias = "n")]
    Node(Node),
    /// Snapshots of several volumes at one instant.
    #[command(subcommand, visible_alias = "g")]
    Group(Group),
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The driver: unix:///path, a path, absolute or relative, or tcp://host:port. Default: CSI_ENDPOINT.
    #[arg(short, long, global = true, value_name = "ADDR")]
    endpoint: Option<String>,
    /// How long one call may take, as 300ms, 15s, 1m30s.
    #[arg(short, long, global = true, value_name = "DURATION", default_value = "1m")]
    timeout: String,
    /// gRPC metadata to send with every call. Repeatable.
    #[arg(short, long, global = true, value_name = "KEY=VALUE[,KEY=VALUE]")]
    metadata: Vec<String>,
    /// How to show answers. Default: lines for csc and for pipes, a table on a terminal.
    #[arg(short, long, global = true, value_enum, value_name = "FORM")]
    output: Option<Shape>,
    /// Show answers by a template of Go's text/template: '{{range .Entries}}{{.Volume.VolumeId}}{{"\n"}}{{end}}'.
    #[arg(long, global = true, value_name = "TEMPLATE")]
    format: Option<String>,
    /// What is told on stderr besides errors: panic, fatal, error (nothing), warn, info (notes), debug (every call).
    #[arg(short, long, global = true, value_name = "LEVEL", default_value = "warn")]
    log_level: String,
    /// Tell every request on stderr, without its secrets.
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = switch!(), value_name = "BOOL")]
    with_request_logging: bool,
    /// Tell every answer on stderr.
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = switch!(), value_name = "BOOL")]
    with_response_logging: bool,
    /// Hold requests and answers to the specification: a request that breaks it is not sent.
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = switch!(), value_name = "BOOL")]
    with_spec_validation: bool,
    /// Refuse requests that could have secrets and have none. Switches validation on.
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = switch!(), value_name = "BOOL")]
    with_requires_creds: bool,
    /// Refuse requests and volumes without a volume context. Switches validation on.
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = switch!(), value_name = "BOOL")]
    with_requires_vol_context: bool,
    /// Refuse requests and answers without a publish context. Switches validation on.
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = switch!(), value_name = "BOOL")]
    with_requires_pub_context: bool,
    /// Only true: CSI endpoints are sockets without TLS.
    #[arg(short, long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = ArgAction::Set, value_parser = switch!(), value_name = "BOOL")]
    insecure: bool,
}

/// How answers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// As csc prints them.
    Lines,
    Table,
    /// An object per answer and line.
    Json,
}

/// What the environment says. Values of secrets are in here: it has no `Debug`.
#[derive(Default)]
pub struct Env {
    /// `CSI_ENDPOINT`
    pub endpoint: Option<String>,
    /// `X_CSI_SECRETS`: `k=v, "k2=v, 2"`.
    pub secrets: Option<String>,
    /// `X_CSI_DEBUG`, as Go reads a boolean.
    pub debug: Option<String>,
}

impl Env {
    /// That of this process.
    ///
    /// # Errors
    /// The name of a variable that is not UTF-8: without it a call would be another one.
    pub fn of_process() -> Result<Self, String> {
        let read = |name: &str| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!("{name} is not UTF-8, and CSI carries nothing else")),
        };
        Ok(Self { endpoint: read("CSI_ENDPOINT")?, secrets: read("X_CSI_SECRETS")?, debug: read("X_CSI_DEBUG")? })
    }
}

/// What is to be told.
#[derive(PartialEq, PartialOrd)]
enum Level {
    Errors,
    Notes,
    Calls,
}

impl Cli {
    /// Reads a command line of today, `argv[0]` included, which usage texts show.
    pub(crate) fn read(program: &str, words: Vec<String>) -> Result<Self, Failure> {
        let argv = std::iter::once(program.to_owned()).chain(words).map(OsString::from);
        let matches = Self::command().bin_name(program).try_get_matches_from(argv).map_err(|error| {
            let asked = !error.use_stderr();
            Failure::Clap { text: error.render().to_string().trim_end().to_owned(), asked }
        })?;
        Self::from_arg_matches(&matches).map_err(|error| Failure::Clap { text: error.to_string(), asked: false })
    }
}

impl Global {
    /// How to talk to the driver. `terminal`: people look at the output, and did not call the program csc.
    pub(crate) fn settings(&self, env: &Env) -> Result<Settings, Failure> {
        let usage = |sentence: String| Failure::Usage(sentence);
        if !self.insecure {
            return Err(usage("--insecure=false: CSI endpoints have no TLS; leave the flag out".to_owned()));
        }
        let debug = match env.debug.as_deref() {
            None | Some("") => false,
            Some(text) => sidecar::go_bool(text).map_err(|error| usage(format!("X_CSI_DEBUG is {text:?}: {error}")))?,
        };
        let level = match self.log_level.to_ascii_lowercase().as_str() {
            _ if debug => Level::Calls,
            "panic" | "fatal" | "error" => Level::Errors,
            "warn" | "warning" | "info" => Level::Notes,
            "debug" | "trace" => Level::Calls,
            other => {
                return Err(usage(format!("--log-level is {other:?}: expected panic, fatal, error, warn, info or debug")));
            }
        };
        let timeout =
            GoDuration::from_str(&self.timeout).map_err(|error| usage(format!("--timeout is {:?}: {error}", self.timeout)))?;
        if !timeout.is_positive() {
            return Err(usage(format!("--timeout is {:?}: expected a duration above 0, such as 15s", self.timeout)));
        }
        let metadata = pairs::pairs("--metadata", &self.metadata).map_err(usage)?;
        let headers = Headers::new(metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        Ok(Settings {
            endpoint: self.endpoint(env)?,
            timeout: timeout.to_std(),
            headers: headers.map_err(|error| usage(format!("--metadata: {error}")))?,
            secrets: secrets(env)?,
            checks: Checks {
                spec: self.with_spec_validation,
                creds: self.with_requires_creds,
                vol_context: self.with_requires_vol_context,
                pub_context: self.with_requires_pub_context,
            },
            log_requests: self.with_request_logging || level >= Level::Calls,
            log_answers: self.with_response_logging || level >= Level::Calls,
            notes: level >= Level::Notes,
        })
    }

    fn endpoint(&self, env: &Env) -> Result<Address, Failure> {
        let (whose, text) = match (&self.endpoint, &env.endpoint) {
            (Some(text), _) => ("--endpoint", text),
            (None, Some(text)) => ("CSI_ENDPOINT", text),
            (None, None) => ("CSI_ENDPOINT", &String::new()),
        };
        if text.is_empty() {
            return Err(Failure::Usage(
                "no endpoint: set CSI_ENDPOINT, or give --endpoint unix:///path/to/csi.sock, a path, or tcp://host:port"
                    .to_owned(),
            ));
        }
        Address::endpoint(text).map_err(|error| Failure::Usage(format!("{whose}: {error}")))
    }

    /// How to show answers. `people`: they look at the output, and did not call the program csc.
    pub(crate) fn form(&self, people: bool) -> Result<Form, Failure> {
        match (&self.format, self.output) {
            (Some(_), Some(_)) => Err(Failure::Usage("--format and --output both say how to show answers: give one".to_owned())),
            (Some(template), None) => Ok(Form::Template(Template::parse(template)?)),
            (None, Some(Shape::Lines)) => Ok(Form::Lines),
            (None, Some(Shape::Table)) => Ok(Form::Table),
            (None, Some(Shape::Json)) => Ok(Form::Json),
            (None, None) if people => Ok(Form::Table),
            (None, None) => Ok(Form::Lines),
        }
    }
}

fn secrets(env: &Env) -> Result<Secret, Failure> {
    pairs::secrets("X_CSI_SECRETS", env.secrets.as_deref().unwrap_or_default()).map_err(Failure::Usage)
}

#[cfg(test)]
mod tests;
