//! What was typed.

use std::path::PathBuf;

use clap::Parser;
use fake_driver::{Builder, ControllerCap, Expansion, FakeDriver, GroupCap, Mode, NodeCap, PluginCap};

/// An in-memory CSI driver with a script of faults and a recording of every request. For tests.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Flags {
    /// Where to listen: unix:///path, or a path.
    #[arg(long, default_value = "unix:///csi/csi.sock", value_parser = socket)]
    endpoint: PathBuf,

    /// Name of the driver.
    #[arg(long, default_value = "fake.longshore.example")]
    driver_name: String,

    /// How the driver calls the node it runs on.
    #[arg(long, default_value = "node")]
    node_id: String,

    /// Where that node is: key=value,…
    #[arg(long, value_delimiter = ',', value_parser = pair)]
    topology: Vec<(String, String)>,

    /// How many volumes that node takes; 0: no limit.
    #[arg(long, default_value_t = 0)]
    max_volumes_per_node: i64,

    /// CSI names, comma separated; also ONLINE or OFFLINE, for volume expansion. Empty: none.
    #[arg(long, default_value = "CONTROLLER_SERVICE", value_parser = list::<Plugin>)]
    plugin_capabilities: List<Plugin>,

    /// CSI names, comma separated. Empty: none.
    #[arg(long, default_value = "CREATE_DELETE_VOLUME,PUBLISH_UNPUBLISH_VOLUME", value_parser = list::<ControllerCap>)]
    controller_capabilities: List<ControllerCap>,

    /// CSI names, comma separated. Empty: none.
    #[arg(long, default_value = "", value_parser = list::<GroupCap>)]
    group_controller_capabilities: List<GroupCap>,

    /// CSI names, comma separated. Empty: none.
    #[arg(long, default_value = "STAGE_UNSTAGE_VOLUME", value_parser = list::<NodeCap>)]
    node_capabilities: List<NodeCap>,

    /// CSI names of the access modes it has, comma separated. Empty: all.
    #[arg(long, default_value = "", value_parser = list::<Mode>)]
    access_modes: List<Mode>,

    /// Bytes in the backend. Default: without end.
    #[arg(long)]
    capacity: Option<i64>,

    /// Nodes that can be published to, comma separated. Empty: any.
    #[arg(long, default_value = "", value_parser = list::<String>)]
    known_nodes: List<String>,

    /// Keys that mutable parameters may have, comma separated. Default: any.
    #[arg(long, value_parser = list::<String>)]
    mutable_parameters: Option<List<String>>,

    /// A volume that is there from the start: id=bytes. May be repeated.
    #[arg(long, value_parser = volume)]
    volume: Vec<(String, i64)>,

    /// Believe in volumes that were not created here: for a node whose controller is another process.
    #[arg(long)]
    any_volume: bool,

    /// Fault script, YAML or JSON; read again on SIGHUP.
    #[arg(long)]
    pub(crate) script: Option<PathBuf>,

    /// Append every request to this file, a line of JSON each. Secrets are in it.
    #[arg(long)]
    record: Option<PathBuf>,

    /// Keep the volumes in this file, so that a killed driver still has them.
    #[arg(long)]
    state: Option<PathBuf>,

    /// Really mount: bind a folder per volume on the target path. Needs root and --data.
    #[arg(long, requires = "data")]
    mount: bool,

    /// The folder with the volumes' folders.
    #[arg(long)]
    data: Option<PathBuf>,

    /// Print the JSON schema of fault scripts and exit.
    #[arg(long)]
    pub(crate) print_script_schema: bool,
}

/// Names separated by commas; an empty text is an empty list, which clap's own delimiter cannot say.
#[derive(Debug, Clone)]
struct List<T>(Vec<T>);

/// Something with a name in the specification.
trait Named: Sized {
    fn named(name: &str) -> Option<Self>;
}

macro_rules! named {
    ($($cap:ty),+) => { $(
        impl Named for $cap {
            fn named(name: &str) -> Option<Self> {
                Self::from_str_name(name).filter(|c| *c as i32 != 0)
            }
        }
    )+ };
}
named!(PluginCap, Expansion, ControllerCap, GroupCap, NodeCap, Mode);

impl Named for String {
    fn named(name: &str) -> Option<Self> {
        Some(name.to_owned())
    }
}

/// What a plugin announces for itself: services and the way of expansion, in one list as people think of it.
#[derive(Debug, Clone, Copy)]
enum Plugin {
    Service(PluginCap),
    Expansion(Expansion),
}

impl Named for Plugin {
    fn named(name: &str) -> Option<Self> {
        PluginCap::named(name).map(Self::Service).or_else(|| Expansion::named(name).map(Self::Expansion))
    }
}

fn list<T: Named>(text: &str) -> Result<List<T>, String> {
    let names = text.split(',').map(str::trim).filter(|n| !n.is_empty());
    let known = |n: &str| T::named(n).ok_or_else(|| format!("CSI 1.13 has no {n:?} here"));
    names.map(known).collect::<Result<_, _>>().map(List)
}

fn socket(text: &str) -> Result<PathBuf, String> {
    let path = text.strip_prefix("unix://").unwrap_or(text);
    if path.is_empty() || path.contains("://") {
        return Err("expected unix:///path or a path".to_owned());
    }
    Ok(path.into())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected key=value")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn volume(text: &str) -> Result<(String, i64), String> {
    let (id, bytes) = pair(text)?;
    let bytes = bytes.parse().map_err(|_| format!("{bytes:?} is not a number of bytes"))?;
    Ok((id, bytes))
}

impl Flags {
    /// The driver these flags describe, without its script, and where it listens.
    pub(crate) fn builder(self) -> (Builder, PathBuf) {
        let plugin = &self.plugin_capabilities.0;
        let services = plugin.iter().filter_map(|p| if let Plugin::Service(s) = p { Some(*s) } else { None });
        let expansion = plugin.iter().find_map(|p| if let Plugin::Expansion(e) = p { Some(*e) } else { None });
        let builder = FakeDriver::builder(self.driver_name)
            .plugin_caps(services)
            .expansion(expansion)
            .controller_caps(self.controller_capabilities.0)
            .group_caps(self.group_controller_capabilities.0)
            .node_caps(self.node_capabilities.0)
            .access_modes(self.access_modes.0)
            .capacity(self.capacity)
            .known_nodes(self.known_nodes.0)
            .any_volume(self.any_volume)
            .node_id(self.node_id)
            .topology(self.topology)
            .max_volumes_per_node(self.max_volumes_per_node)
            .record(self.record)
            .state(self.state)
            .mount(self.data.filter(|_| self.mount));
        let builder = match self.mutable_parameters {
            Some(keys) => builder.mutable_keys(keys.0),
            None => builder,
        };
        let builder = self.volume.into_iter().fold(builder, |b, (id, bytes)| b.volume(id, bytes));
        (builder, self.endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_csi_names_and_an_empty_list_is_none() {
        let flags = |args: &[&str]| Flags::try_parse_from([&["fake-driver"], args].concat());
        let parsed = flags(&["--plugin-capabilities=CONTROLLER_SERVICE,ONLINE", "--node-capabilities=", "--volume=a=5"]);
        let parsed = parsed.expect("flags");
        assert_eq!(parsed.plugin_capabilities.0.len(), 2);
        assert!(parsed.node_capabilities.0.is_empty());
        assert_eq!(parsed.volume, [("a".to_owned(), 5)]);
        assert_eq!(parsed.endpoint, PathBuf::from("/csi/csi.sock"));
        for wrong in ["--node-capabilities=FLY", "--node-capabilities=UNKNOWN", "--endpoint=tcp://1", "--volume=a", "--mount"] {
            assert!(flags(&[wrong]).is_err(), "{wrong}");
        }
    }
}
