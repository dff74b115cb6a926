//! `longshore up`: what was typed, and what it means.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Parser;
use csi_client::Address;
use csi_types::DriverName;
use sidecar::{Dialect, Exit, LogFlags, Program};

use super::medium::Medium;

/// Serves StorageClasses, claims, pods and volumes on this host, with no cluster. kubectl works against it.
#[derive(Debug, Clone, Parser)]
pub(crate) struct Flags {
    /// Where everything is kept. Default: /var/lib/longshore, or ~/.local/share/longshore without root.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where kubectl is served.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7443")]
    listen: SocketAddr,
    /// Manifests to apply, now and whenever they change: a file, or a folder of .yaml, .yml and .json files. Repeatable.
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR")]
    filename: Vec<PathBuf>,
    /// Another CSI driver of this host: its name and its socket. Repeatable.
    #[arg(long, value_name = "NAME=unix://SOCK")]
    driver: Vec<String>,
    /// Folder of CSIPluginInfo files, as Mesos agents have: their plugins are served here, and started if they say how.
    #[arg(long, value_name = "DIR")]
    csi_plugin_config_dir: Option<PathBuf>,
    /// Run the containers of pods as processes of this host, each in its own mount namespace. Images are not used.
    #[arg(long)]
    run_pods: bool,
    /// Take a claim and a pod through everything, tell each step, remove them again, and exit.
    #[arg(long)]
    demo: bool,
    /// Serve directories only, in a user and mount namespace of this process, which needs no root.
    #[arg(long)]
    rootless: bool,
    /// Where the log goes; "-" is stderr. Default: longshore.log in the data directory.
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    #[command(flatten)]
    logs: LogFlags,
}

/// What the flags mean.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Where everything is.
    pub(crate) data: Data,
    /// Where kubectl is served; port 0 takes any that is free.
    pub(crate) listen: SocketAddr,
    /// What to apply.
    pub(crate) manifests: Vec<PathBuf>,
    /// Drivers besides the built-in one.
    pub(crate) drivers: Vec<DriverSocket>,
    /// Plugin files.
    pub(crate) plugin_dir: Option<PathBuf>,
    /// Whether containers run.
    pub(crate) run_pods: bool,
    /// Whether to show and exit.
    pub(crate) demo: bool,
    /// What volumes of the default class are.
    pub(crate) medium: Medium,
}

/// A driver that somebody else runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DriverSocket {
    /// What it must call itself.
    pub(crate) name: DriverName,
    /// Where it listens.
    pub(crate) socket: PathBuf,
}

/// The data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Data(PathBuf);

impl Data {
    /// In this folder. Mounts, sockets and certificates name it, whatever the working directory of whoever reads that.
    pub(crate) fn at(dir: &Path) -> Self {
        Self(std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The API's objects.
    pub(crate) fn objects(&self) -> PathBuf {
        self.0.join("objects.redb")
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.0.join("kubeconfig")
    }

    /// The API without TLS, for root on this host.
    pub(crate) fn api_socket(&self) -> PathBuf {
        self.0.join("api.sock")
    }

    /// The mounter's root, laid out as a kubelet's.
    pub(crate) fn kubelet(&self) -> PathBuf {
        self.0.join("kubelet")
    }

    /// The built-in driver's socket. Short: the kernel takes 107 bytes.
    pub(crate) fn driver_socket(&self) -> PathBuf {
        self.0.join("csi.sock")
    }

    /// What the built-in driver keeps.
    pub(crate) fn volumes(&self) -> PathBuf {
        self.0.join("volumes")
    }

    /// What containers leave: logs, exit codes.
    pub(crate) fn pods(&self) -> PathBuf {
        self.0.join("pods")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("longshore.log")
    }

    /// A path below it is too long for the kernel.
    fn check(&self) -> Result<(), Exit> {
        let longest = self.driver_socket();
        if longest.as_os_str().len() < SOCKET_PATH {
            return Ok(());
        }
        Err(Exit::failed(format!(
            "--data-dir is too long: {} would have {} bytes, and the kernel takes {} for a socket; choose a shorter one",
            longest.display(),
            longest.as_os_str().len(),
            SOCKET_PATH - 1
        )))
    }
}

/// Where the log goes; `None` is stderr.
pub(crate) fn log_file(flag: Option<&Path>, data: &Data) -> Option<PathBuf> {
    match flag {
        Some(path) if path == Path::new("-") => None,
        Some(path) => Some(path.to_owned()),
        None => Some(data.log()),
    }
}

impl Config {
    /// For documents that are run here: nothing but what they ask for.
    ///
    /// # Errors
    /// The data directory cannot be used.
    pub(crate) fn to_run(data: Data, listen: SocketAddr, plugin_dir: Option<PathBuf>) -> Result<Self, Exit> {
        data.check()?;
        Ok(Self {
            data,
            listen,
            manifests: Vec::new(),
            drivers: Vec::new(),
            plugin_dir,
            run_pods: true,
            demo: false,
            medium: Medium::of_host(),
        })
    }
}

/// The longest path that a unix socket may have, with its ending zero.
const SOCKET_PATH: usize = 108;

impl Flags {
    pub(crate) fn wants_namespace(&self) -> bool {
        self.rootless
    }

    pub(crate) fn is_demo(&self) -> bool {
        self.demo
    }

    pub(crate) fn names_data_dir(&self) -> bool {
        self.data_dir.is_some()
    }

    fn data(&self) -> Data {
        Data::at(&self.data_dir.clone().unwrap_or_else(|| default_dir(crate::rootless::inside(), |name| std::env::var_os(name))))
    }
}

fn default_dir(rootless: bool, env: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    if !rootless {
        return PathBuf::from("/var/lib/longshore");
    }
    let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data_home = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")));
    data_home.unwrap_or_else(|| PathBuf::from("/tmp")).join("longshore")
}

impl Program for Flags {
    type Config = Config;
    // kubectl's dialect: -f is a short flag.
    const DIALECT: Dialect = Dialect::Pflag;
    const TLS: bool = true;
    const WORKERS: usize = 2;

    fn logs(&self) -> &LogFlags {
        &self.logs
    }

    fn log_file(&self) -> Option<PathBuf> {
        log_file(self.log_file.as_deref(), &self.data())
    }

    fn config(self, _: &mut Vec<String>) -> Result<Config, Exit> {
        let data = self.data();
        data.check()?;
        let drivers: Vec<DriverSocket> = self.driver.iter().map(|text| driver(text)).collect::<Result<_, _>>()?;
        for (i, driver) in drivers.iter().enumerate() {
            let twice = drivers[..i].iter().any(|other| other.name == driver.name);
            if twice || driver.name.as_str() == local_driver::DRIVER_NAME {
                return Err(Exit::failed(format!(
                    "--driver names {} twice, or the built-in driver; each has one socket",
                    driver.name
                )));
            }
        }
        Ok(Config {
            data,
            listen: self.listen,
            manifests: self.filename,
            drivers,
            plugin_dir: self.csi_plugin_config_dir,
            run_pods: self.run_pods || self.demo,
            demo: self.demo,
            medium: Medium::of_host(),
        })
    }
}

fn driver(text: &str) -> Result<DriverSocket, Exit> {
    let refused = |why: &str| Exit::failed(format!("--driver is {text:?}, {why}; expected NAME=unix:///path/of/csi.sock"));
    let (name, address) = text.split_once('=').ok_or_else(|| refused("which has no ="))?;
    if node_mounter::paths::component(name).is_none() {
        return Err(refused("whose name is none"));
    }
    match Address::parse(address) {
        Ok(Address::Unix(socket)) if socket.is_absolute() => Ok(DriverSocket { name: name.into(), socket }),
        _ => Err(refused("whose address is no absolute path of a unix socket")),
    }
}

#[cfg(test)]
mod tests {
    use sidecar::parse;

    use super::*;

    fn config(args: &str) -> Result<Config, Exit> {
        let argv: Vec<_> = std::iter::once("longshore up").chain(args.split_whitespace()).map(OsString::from).collect();
        parse::<Flags>(Flags::DIALECT, argv)?.config(&mut Vec::new())
    }

    #[test]
    fn everything_has_a_default() {
        let config = config("").expect("no flags are needed");
        assert_eq!((config.data.path(), config.listen.port()), (Path::new("/var/lib/longshore"), 7443));
        assert!(!config.run_pods && !config.demo && config.drivers.is_empty());
    }

    #[test]
    fn a_demo_runs_its_pod() {
        assert!(config("--demo").expect("flags").run_pods);
    }

    #[test]
    fn drivers_are_named_with_their_sockets() {
        let config = config("--driver hostpath.csi.k8s.io=unix:///csi/csi.sock -f a.yaml -f b").expect("flags");
        let socket = PathBuf::from("/csi/csi.sock");
        assert_eq!(config.drivers, [DriverSocket { name: "hostpath.csi.k8s.io".into(), socket }]);
        assert_eq!(config.manifests, [PathBuf::from("a.yaml"), PathBuf::from("b")]);
    }

    #[test]
    fn what_makes_no_sense_is_one_sentence_that_names_the_flag() {
        let long = format!("--data-dir=/{}", "x".repeat(120));
        let twice = "--driver a=unix:///s --driver a=unix:///t";
        for args in ["--driver nonsense", "--driver a/b=unix:///s", "--driver a=tcp://h:1", twice, &long] {
            let refused = config(args).expect_err(args).to_string();
            assert!(refused.starts_with("--d"), "{refused}");
        }
    }

    #[test]
    fn without_root_everything_is_kept_at_home() {
        let env = |name: &str| (name == "HOME").then(|| OsString::from("/home/a"));
        assert_eq!(default_dir(true, env), PathBuf::from("/home/a/.local/share/longshore"));
        assert_eq!(default_dir(true, |_| Some(OsString::from("/data"))), PathBuf::from("/data/longshore"));
    }
}
