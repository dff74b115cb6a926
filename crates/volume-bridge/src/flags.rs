//! `longshore serve`: what was typed or stands in the environment, and what it means.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use csi_client::Address;
use sidecar::{Dialect, Exit, GoDuration, LogFlags, Program};

use crate::bridge::{self, Scope};
use crate::csi;
use crate::environment::{Environment, Owner};
use crate::socket::Access;

/// Docker looks here first.
const PLUGINS: &str = "/run/docker/plugins";
const DEFAULT_NAME: &str = "longshore";
const SPECS: &str = "/etc/docker/plugins";

/// CSI gRPC and Docker's volume plugin API on one socket, for a built-in or any other CSI driver.
#[derive(Debug, Clone, Parser)]
pub struct Flags {
    /// Where to listen: unix:///path, a path, or with --allow-tcp tcp://host:port. Default: CSI_ENDPOINT, then
    /// unix:///run/docker/plugins/longshore.sock.
    #[arg(long, value_name = "ADDR", default_value = "")]
    pub endpoint: String,
    /// Accept tcp:// as endpoint. Whoever reaches it can do anything with all volumes: there is neither TLS nor a password.
    #[arg(long)]
    pub allow_tcp: bool,
    /// csi-vfs (directories), csi-blockdevices (filesystems of an enforced size), or where a driver listens: unix:///path or a path.
    /// Default: X_CSI_DRIVER, then csi-vfs.
    #[arg(long, value_name = "NAME|ADDR", default_value = "")]
    pub driver: String,
    /// REX-Ray's spelling of --driver.
    #[arg(long = "csiDriver", value_name = "NAME|ADDR", default_value = "")]
    pub csi_driver: String,
    /// Records of volumes, and the folders that they are mounted in.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/longshore/serve")]
    pub state_dir: PathBuf,
    /// What a built-in driver keeps. Default: the folder "data" in --state-dir.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where a relative secretsFile of a volume is looked for.
    #[arg(long, value_name = "DIR", default_value = "/etc/longshore/secrets")]
    pub secrets_dir: PathBuf,
    /// local, global, or auto: global if the driver's volumes can be reached from everywhere.
    #[arg(long, value_name = "SCOPE", default_value = "auto")]
    pub scope: String,
    /// Where to put the file that leads Docker to a socket outside of /run/docker/plugins; empty: nowhere. Default:
    /// /etc/docker/plugins if it exists.
    #[arg(long, value_name = "DIR")]
    pub plugin_spec_dir: Option<String>,
    /// What Docker calls the plugin, in that file. Default: longshore.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAME)]
    pub name: String,
    /// Serve CSI alone. X_CSI_NO_DOCKER does the same.
    #[arg(long)]
    pub no_docker: bool,
    /// REX-Ray's spelling of --no-docker.
    #[arg(long = "csiNoDocker")]
    pub csi_no_docker: bool,
    /// The deadline of a call to the driver that Docker waits for. Docker itself waits two minutes.
    #[arg(long, default_value = "60s")]
    pub timeout: GoDuration,
    /// Answer for drivers that refuse what they have done already, as the CSI specification demands of them.
    #[arg(long, default_value = "true")]
    pub idempotency: bool,
    /// Where to serve metrics at /metrics: host:port, or :port for all addresses. Empty: nowhere.
    #[arg(long, value_name = "ADDR", default_value = "")]
    pub http_endpoint: String,
    /// error, warn, info or debug, as REX-Ray has it. X_CSI_LOG_LEVEL and LOG_LEVEL say the same.
    #[arg(short = 'l', long, value_name = "LEVEL", default_value = "")]
    pub log_level: String,
    /// Tell which mount ids have what mounted at the bridge that runs, and exit.
    #[arg(long)]
    pub list_mounts: bool,
    /// Make the bridge that runs forget a mount id whose container is gone, and exit.
    #[arg(long, value_name = "VOLUME/ID", default_value = "")]
    pub forget_mount: String,
    /// The log.
    #[command(flatten)]
    pub logs: LogFlags,
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// An absolute path.
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
}

/// Who has the volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Driver {
    /// local-driver in this process.
    BuiltIn {
        /// `directory` or `loop`: what its volumes are unless they say otherwise.
        kind: &'static str,
        /// What it keeps.
        data_dir: PathBuf,
    },
    /// A driver on a socket.
    At(Address),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Serve until asked to stop.
    Serve,
    /// Tell mount ids.
    ListMounts,
    /// Forget one.
    ForgetMount {
        /// Of which volume.
        volume: String,
        /// Which.
        id: String,
    },
}

/// What it all means. Has nothing left to parse.
#[derive(Debug, Clone)]
pub struct Config {
    /// What is to be done.
    pub job: Job,
    /// Where to listen.
    pub endpoint: Endpoint,
    /// Who may connect.
    pub access: Access,
    /// The socket's owner, still to be looked up.
    pub owner: Owner,
    /// Who has the volumes.
    pub driver: Driver,
    /// For calls that Docker waits for.
    pub timeout: Duration,
    /// Whether Docker is served.
    pub docker: bool,
    /// The folder and name of the file that leads Docker here, and whether somebody asked for it.
    pub spec: Option<(PathBuf, String, bool)>,
    /// Where metrics are served.
    pub metrics: Option<String>,
    /// Of Docker's volumes.
    pub bridge: bridge::Settings,
    /// Of the gRPC half.
    pub csi: csi::Settings,
}

impl Program for Flags {
    type Config = Config;
    const DIALECT: Dialect = Dialect::Pflag;
    const WORKERS: usize = 2;

    fn logs(&self) -> &LogFlags {
        &self.logs
    }

    fn config(self, notices: &mut Vec<String>) -> Result<Config, Exit> {
        self.meaning(&Environment::of_process(), Path::new(SPECS).is_dir(), notices)
    }
}

impl Flags {
    /// What it means in this environment. Pure but for the working directory, which relative paths are in.
    ///
    /// # Errors
    /// Flags or variables that cannot be honoured, each with a way out.
    pub fn meaning(self, env: &Environment, specs: bool, notices: &mut Vec<String>) -> Result<Config, Exit> {
        let said = env.read(notices)?;
        let endpoint = self.endpoint(env)?;
        let state_dir = absolute(&self.state_dir);
        if state_dir.starts_with("/var/lib/docker") {
            return Err(Exit::failed("--state-dir is in /var/lib/docker, which is Docker's own; choose another"));
        }
        if state_dir.to_str().is_none() {
            return Err(Exit::failed(format!("--state-dir is {}: CSI carries paths that are UTF-8 only", state_dir.display())));
        }
        if !self.timeout.is_positive() {
            return Err(Exit::failed(format!("--timeout is {}, it must be above zero", self.timeout)));
        }
        let driver = self.driver(env, said.native, &state_dir)?;
        let (parameters, address) = match &driver {
            Driver::BuiltIn { kind, .. } => (vec![("type".to_owned(), (*kind).to_owned())], "the built-in driver".to_owned()),
            Driver::At(address) => (Vec::new(), address.to_string()),
        };
        let built_in = matches!(driver, Driver::BuiltIn { .. }).then(|| parameters.clone());
        let memory = (self.idempotency && built_in.is_none()).then(|| state_dir.join("calls"));
        Ok(Config {
            job: self.job()?,
            access: said.access,
            owner: said.owner,
            spec: self.spec(&endpoint, specs)?,
            endpoint,
            driver,
            timeout: self.timeout.to_std(),
            metrics: Some(self.http_endpoint.clone()).filter(|address| !address.is_empty()),
            docker: !(self.no_docker || self.csi_no_docker || said.no_docker),
            bridge: bridge::Settings {
                secrets_dir: absolute(&self.secrets_dir),
                scope: self.scope()?,
                address,
                controller: said.mode.controller,
                node: said.mode.node,
                parameters,
                state_dir,
            },
            csi: csi::Settings {
                mode: said.mode,
                lines: said.lines,
                request_ids: said.request_ids,
                checks: said.checks,
                plugin_info: said.plugin_info,
                serial: said.serial,
                memory,
                built_in,
            },
        })
    }

    /// gocsi: a text without a scheme is a path, also a relative one.
    fn endpoint(&self, env: &Environment) -> Result<Endpoint, Exit> {
        let (name, text) = match self.endpoint.as_str() {
            "" => ("CSI_ENDPOINT", env.text("CSI_ENDPOINT").unwrap_or("unix:///run/docker/plugins/longshore.sock")),
            typed => ("--endpoint", typed),
        };
        if let Some(host) = text.strip_prefix("tcp://") {
            let port = host.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
            return match (port, self.allow_tcp) {
                (false, _) => Err(Exit::failed(format!("{name} is {text:?}, expected tcp://host:port"))),
                (true, false) => Err(Exit::failed(format!(
                    "{name} is {text:?}: whoever reaches that port could do anything with all volumes; use a unix socket, or say --allow-tcp"
                ))),
                (true, true) => Ok(Endpoint::Tcp(host.to_owned())),
            };
        }
        let path = text.strip_prefix("unix://").or_else(|| text.strip_prefix("unix:")).unwrap_or(text);
        if path.is_empty() || path.contains("://") {
            return Err(Exit::failed(format!("{name} is {text:?}, expected unix:///path, a path, or tcp://host:port")));
        }
        Ok(Endpoint::Unix(absolute(Path::new(path))))
    }

    fn driver(&self, env: &Environment, native: Option<bool>, state_dir: &Path) -> Result<Driver, Exit> {
        let flag = |name, value: &'_ str| (!value.is_empty()).then(|| (name, value.to_owned()));
        let typed = flag("--driver", &self.driver).or_else(|| flag("--csiDriver", &self.csi_driver));
        let given = typed.or_else(|| env.text("X_CSI_DRIVER").map(|text| ("X_CSI_DRIVER", text.to_owned())));
        let (name, text) = match (given, native) {
            (Some(given), _) => given,
            (None, Some(false)) => ("X_CSI_NATIVE=false", "libstorage".to_owned()),
            (None, _) => ("the default", "csi-vfs".to_owned()),
        };
        let data_dir = self.data_dir.as_deref().map_or_else(|| state_dir.join("data"), absolute);
        match text.as_str() {
            "csi-vfs" => return Ok(Driver::BuiltIn { kind: "directory", data_dir }),
            "csi-blockdevices" => return Ok(Driver::BuiltIn { kind: "loop", data_dir }),
            "libstorage" => {
                return Err(Exit::failed(format!(
                    "{name} asks for libstorage, which ended with REX-Ray; use csi-vfs or csi-blockdevices, which are built in, or start the \
                     CSI driver of your storage and give its socket: X_CSI_DRIVER=unix:///path/of/csi.sock"
                )));
            }
            _ => {}
        }
        if let Some(path) = text.strip_prefix("unix://").or_else(|| text.strip_prefix("unix:")).filter(|path| !path.is_empty()) {
            return Ok(Driver::At(Address::Unix(absolute(Path::new(path)))));
        }
        if text.contains('/') && !text.contains("://") || text.ends_with(".sock") {
            return Ok(Driver::At(Address::Unix(absolute(Path::new(&text)))));
        }
        match Address::parse(&text) {
            Ok(address @ Address::Tcp(_)) if self.allow_tcp => Ok(Driver::At(address)),
            _ => Err(Exit::failed(format!(
                "{name} is {text:?}: built in are csi-vfs and csi-blockdevices; any other driver runs by itself and is given by its socket, \
                 unix:///path/of/csi.sock"
            ))),
        }
    }

    fn scope(&self) -> Result<Scope, Exit> {
        match self.scope.as_str() {
            "auto" => Ok(Scope::Auto),
            "local" => Ok(Scope::Local),
            "global" => Ok(Scope::Global),
            other => Err(Exit::failed(format!("--scope is {other:?}, expected auto, local or global"))),
        }
    }

    fn spec(&self, endpoint: &Endpoint, specs: bool) -> Result<Option<(PathBuf, String, bool)>, Exit> {
        let Endpoint::Unix(socket) = endpoint else { return Ok(None) };
        let folder = match &self.plugin_spec_dir {
            Some(none) if none.is_empty() => return Ok(None),
            Some(folder) => Some((absolute(Path::new(folder)), true)),
            None => specs.then(|| (PathBuf::from(SPECS), false)),
        };
        if self.name.is_empty() || self.name.starts_with('.') || self.name.contains('/') {
            return Err(Exit::failed(format!("--name is {:?}, expected the name of a plugin", self.name)));
        }
        let found = socket.starts_with(PLUGINS) && self.plugin_spec_dir.is_none();
        Ok(folder.filter(|_| !found).map(|(folder, asked)| (folder, self.name.clone(), asked)))
    }

    fn job(&self) -> Result<Job, Exit> {
        match (self.list_mounts, self.forget_mount.as_str()) {
            (false, "") => Ok(Job::Serve),
            (true, "") => Ok(Job::ListMounts),
            (true, _) => Err(Exit::failed("--list-mounts and --forget-mount exclude each other")),
            (false, text) => match text.rsplit_once('/') {
                Some((volume, id)) if !volume.is_empty() && !id.is_empty() => {
                    Ok(Job::ForgetMount { volume: volume.to_owned(), id: id.to_owned() })
                }
                _ => Err(Exit::failed(format!("--forget-mount is {text:?}, expected VOLUME/ID; --list-mounts tells both"))),
            },
        }
    }
}

/// Mounts and sockets name it, whatever the working directory of whoever reads that.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests;
