//! What was typed, and what it means.

use std::fs;
use std::path::PathBuf;

use clap::{ArgAction, Parser};

/// The name this driver has unless told otherwise.
pub const DRIVER_NAME: &str = "local.csi.longshore.dev";

/// A CSI driver for the disks a host has: directories, loop-backed filesystems, raw block.
#[derive(Clone, Debug, Parser)]
#[command(name = "local-driver", args_override_self = true)]
pub struct Flags {
    /// Socket to serve on, as a path or with unix://. Without the flag, the environment's CSI_ENDPOINT, then unix:///csi/csi.sock.
    #[arg(long)]
    pub endpoint: Option<String>,
    /// Name of the driver.
    #[arg(long, default_value = DRIVER_NAME)]
    pub driver_name: String,
    /// Id of this node; the hostname if empty.
    #[arg(long, default_value = "")]
    pub node_id: String,
    /// Directory that holds volumes, snapshots and records.
    #[arg(long, default_value = "/var/lib/longshore/local-driver")]
    pub data_dir: PathBuf,
    /// Services besides identity.
    #[arg(long, value_delimiter = ',', default_value = "controller,node")]
    pub services: Vec<String>,
    /// Topology key by which volumes are bound to this node.
    #[arg(long, default_value = "topology.local.csi.longshore.dev/host")]
    pub topology_key: String,
    /// Whether volumes are bound to this node at all.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = ArgAction::Set)]
    pub topology: bool,
    /// Most volumes that this node takes; 0 for no limit.
    #[arg(long, default_value_t = 0)]
    pub max_volumes_per_node: i64,
    /// Let sparse volumes promise more together than the disk has. Whoever fills it first then takes the room of the others.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set)]
    pub overcommit: bool,
    /// Claim PUBLISH_UNPUBLISH_VOLUME: volumes must be published to a node before it may stage them.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set)]
    pub controller_publish: bool,
    /// Let several nodes have a volume at once (the MULTI_NODE access modes). Only where all nodes that use the data directory are this
    /// host, or volumes are of type directory on a filesystem that the hosts share; a loop device on two hosts destroys its filesystem.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set)]
    pub multi_node: bool,
    /// Log verbosity; 5 adds every call, 6 everything.
    #[arg(short = 'v', long = "v", default_value_t = 2)]
    pub verbosity: u8,
}

/// Checked flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Path of the socket.
    pub socket: PathBuf,
    /// Name of the driver.
    pub driver_name: String,
    /// Id of this node.
    pub node_id: String,
    /// Directory that holds everything.
    pub data_dir: PathBuf,
    /// Serve the controller service.
    pub controller: bool,
    /// Serve the node service.
    pub node: bool,
    /// The topology key, if volumes are bound to nodes.
    pub topology_key: Option<String>,
    /// 0: no limit.
    pub max_volumes_per_node: i64,
    /// Do not keep room for what sparse volumes promise.
    pub overcommit: bool,
    /// Claim and demand ControllerPublishVolume.
    pub controller_publish: bool,
    /// Volumes may be with several nodes at once.
    pub multi_node: bool,
}

impl Flags {
    /// Checks what was typed, with CSI_ENDPOINT as the environment has it; the error is one sentence.
    pub fn config(self, environment: Option<String>) -> Result<Config, String> {
        let endpoint = self.endpoint.or(environment).unwrap_or_else(|| "unix:///csi/csi.sock".to_owned());
        let socket = PathBuf::from(endpoint.strip_prefix("unix://").or(endpoint.strip_prefix("unix:")).unwrap_or(&endpoint));
        if !socket.is_absolute() {
            return Err(format!("--endpoint is {endpoint:?}; it must be unix:// and an absolute path"));
        }
        let labels = self.driver_name.split('.').all(|label| {
            let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            !label.is_empty() && inner && !label.starts_with('-') && !label.ends_with('-')
        });
        if !labels || self.driver_name.len() > 63 {
            return Err(format!("--driver-name is {:?}; it must be a domain name of at most 63 characters", self.driver_name));
        }
        if !self.data_dir.is_absolute() {
            return Err(format!("--data-dir is {:?}; it must be an absolute path", self.data_dir));
        }
        let (mut controller, mut node) = (false, false);
        for service in self.services.iter().map(|service| service.trim()).filter(|service| !service.is_empty()) {
            match service {
                "controller" => controller = true,
                "node" => node = true,
                "identity" => {}
                other => return Err(format!("--services names {other:?}; known are controller and node")),
            }
        }
        if self.max_volumes_per_node < 0 {
            return Err(format!("--max-volumes-per-node is {}; it must not be negative", self.max_volumes_per_node));
        }
        if self.topology && self.topology_key.is_empty() {
            return Err("--topology-key is empty; name a key, or switch topology off with --topology=false".to_owned());
        }
        let node_id = if self.node_id.is_empty() { hostname()? } else { self.node_id };
        if node_id.len() > 192 {
            return Err(format!("--node-id has {} bytes; CSI allows 192", node_id.len()));
        }
        Ok(Config {
            socket,
            driver_name: self.driver_name,
            node_id,
            data_dir: self.data_dir,
            controller,
            node,
            topology_key: self.topology.then_some(self.topology_key),
            max_volumes_per_node: self.max_volumes_per_node,
            overcommit: self.overcommit,
            controller_publish: self.controller_publish,
            multi_node: self.multi_node,
        })
    }
}

fn hostname() -> Result<String, String> {
    match fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(name) if !name.trim().is_empty() => Ok(name.trim().to_owned()),
        _ => Err("this host has no name; give one with --node-id".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> Result<Config, String> {
        Flags::try_parse_from([&["local-driver"], arguments].concat()).map_err(|error| error.to_string())?.config(None)
    }

    #[test]
    fn the_defaults_are_a_whole_driver_on_this_host() {
        let config = config(&["--endpoint=unix:///run/csi.sock"]).unwrap();
        assert_eq!(config.socket, PathBuf::from("/run/csi.sock"));
        assert!(config.controller && config.node && !config.controller_publish);
        assert_eq!(config.topology_key.as_deref(), Some("topology.local.csi.longshore.dev/host"));
        assert!(!config.node_id.is_empty());
    }

    #[test]
    fn the_flag_beats_the_environment() {
        let socket = |arguments: &[&str]| {
            let flags = Flags::try_parse_from([&["local-driver"], arguments].concat()).unwrap();
            flags.config(Some("/run/from-env.sock".to_owned())).unwrap().socket
        };
        assert_eq!(socket(&[]), PathBuf::from("/run/from-env.sock"));
        assert_eq!(socket(&["--endpoint=/run/typed.sock"]), PathBuf::from("/run/typed.sock"));
    }

    #[test]
    fn services_can_be_split_and_topology_switched_off() {
        let config = config(&["--services=node", "--topology=false", "--node-id=a", "-v5"]).unwrap();
        assert!(!config.controller && config.node);
        assert_eq!((config.topology_key, config.node_id.as_str()), (None, "a"));
    }

    #[test]
    fn what_makes_no_sense_is_one_sentence_that_names_the_flag() {
        for (arguments, flag) in [
            (["--endpoint=tcp://0:1"], "--endpoint"),
            (["--driver-name=a_b"], "--driver-name"),
            (["--data-dir=data"], "--data-dir"),
            (["--services=nodes"], "--services"),
            (["--max-volumes-per-node=-1"], "--max-volumes-per-node"),
            (["--topology-key="], "--topology-key"),
        ] {
            assert!(config(&arguments).unwrap_err().contains(flag), "{flag}");
        }
    }
}
