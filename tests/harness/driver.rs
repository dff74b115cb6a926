//! One promise's own driver, with the sidecars that a vendor's chart would put beside it. Its controller is always at node1's socket;
//! the node that the promise is about has the driver registered.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use fake_driver::{Builder, FakeDriver};
use rustix::mount::{UnmountFlags, unmount};

use crate::api::Kind;
use crate::cluster::Cluster;
use crate::eventually::eventually;
use crate::host::mounts;
use crate::node::Node;
use crate::sidecar::Sidecar;

/// A driver and its processes.
pub struct Driver {
    /// As CSI has it.
    pub name: String,
    /// What it is made of.
    pub running: Running,
    node: Node,
    sidecars: BTreeMap<String, Sidecar>,
    logs: PathBuf,
}

/// The two drivers that promises use.
pub enum Running {
    /// In this process: the controller, and the node's where that is another, sharing a backend.
    Fake(Vec<FakeDriver>),
    /// A process for each, on one data folder, which all nodes (being one host) reach.
    Local(PathBuf),
}

/// How the sidecars are started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) verbosity: u8,
    pub(crate) provisioner: Vec<String>,
    pub(crate) local_driver: Vec<String>,
}

impl Driver {
    pub(crate) async fn fake(name: &str, node: Node, folder: &Path, tune: impl Fn(Builder, Node) -> Builder) -> Result<Self> {
        let data = folder.join("data");
        let mut drivers: Vec<FakeDriver> = Vec::new();
        for place in places(node) {
            let mut builder = tune(FakeDriver::builder(name).mount(data.clone()), place).node_id(place.name());
            if let Some(controller) = drivers.first() {
                builder = builder.beside(controller);
            }
            drivers.push(builder.start(socket(place, name)?).await?);
        }
        Ok(Self::new(name, node, folder, Running::Fake(drivers)))
    }

    pub(crate) fn local(cluster: &Cluster, name: &str, node: Node, folder: &Path, options: &Options) -> Result<Self> {
        let data = folder.join("data");
        let mut driver = Self::new(name, node, folder, Running::Local(data.clone()));
        for place in places(node) {
            let mut arguments = vec![
                format!("--endpoint=unix://{}", socket(place, name)?.display()),
                format!("--driver-name={name}"),
                format!("--node-id={}", place.name()),
                format!("--data-dir={}", data.display()),
                // All nodes are this host, so every volume can be reached from each.
                "--topology=false".to_owned(),
                format!("--v={}", options.verbosity),
            ];
            arguments.extend(options.local_driver.iter().cloned());
            driver.start_sidecar(cluster, "local-driver", &format!("local-driver-{}", place.name()), arguments)?;
        }
        Ok(driver)
    }

    fn new(name: &str, node: Node, folder: &Path, running: Running) -> Self {
        Self { name: name.to_owned(), running, node, sidecars: BTreeMap::new(), logs: folder.to_owned() }
    }

    /// Starts provisioner, attacher and registrar, and waits until the node has the driver.
    pub(crate) async fn start_sidecars(&mut self, cluster: &Cluster, options: &Options) -> Result<()> {
        let address = format!("--csi-address={}", Node::Kubelet.socket(&self.name).display());
        let verbosity = format!("--v={}", options.verbosity);
        for part in ["external-provisioner", "external-attacher"] {
            let mut arguments =
                vec![address.clone(), verbosity.clone(), format!("--kubeconfig={}", cluster.kubeconfig(part).display())];
            if part == "external-provisioner" {
                arguments.extend(options.provisioner.iter().cloned());
            }
            self.start_sidecar(cluster, part, part, arguments)?;
        }
        if self.node == Node::OwnMounter {
            let arguments = vec![
                format!("--kubeconfig={}", cluster.kubeconfig("node-mounter").display()),
                format!("--node-name={}", self.node.name()),
                format!("--root-dir={}", self.node.root().display()),
                "--register-node".to_owned(),
                verbosity.clone(),
            ];
            self.start_sidecar(cluster, "node-mounter", "node-mounter", arguments)?;
        }
        let socket = self.node.socket(&self.name);
        let arguments = vec![
            format!("--csi-address={}", socket.display()),
            format!("--kubelet-registration-path={}", socket.display()),
            format!("--plugin-registration-path={}", self.node.root().join("plugins_registry").display()),
            // A registrar whose driver is slow ends, and its pod's restart is the retry; here nobody restarts it.
            "--timeout=60s".to_owned(),
            verbosity,
        ];
        self.start_sidecar(cluster, "node-driver-registrar", "node-driver-registrar", arguments)?;
        self.await_registration(cluster, true).await
    }

    fn start_sidecar(&mut self, cluster: &Cluster, program: &str, name: &str, arguments: Vec<String>) -> Result<()> {
        let environment = vec![
            // By this mark hack/cluster finds what a killed test run leaves.
            ("LONGSHORE_CLUSTER".to_owned(), cluster.run().display().to_string()),
            ("POD_NAMESPACE".to_owned(), "longshore-system".to_owned()),
        ];
        let log = self.logs.join(format!("{name}.log"));
        self.sidecars.insert(name.to_owned(), Sidecar::start(cluster.program(program)?, arguments, environment, log)?);
        Ok(())
    }

    async fn await_registration(&self, cluster: &Cluster, wanted: bool) -> Result<()> {
        let what = format!("driver {} to be {}registered on {}", self.name, if wanted { "" } else { "de" }, self.node.name());
        eventually(&what, async || {
            let csi_node = cluster.api.get(Kind::CSINode, "", self.node.name()).await?;
            let drivers = csi_node["spec"]["drivers"].as_array().cloned().unwrap_or_default();
            ensure!(drivers.iter().any(|driver| driver["name"] == self.name) == wanted, "CSINode {}", csi_node["spec"]);
            Ok(())
        })
        .await
    }

    /// One process, by the name of its program (with the node's name behind it, where each has one).
    pub fn sidecar(&mut self, name: &str) -> Result<&mut Sidecar> {
        self.sidecars.get_mut(name).with_context(|| format!("this driver has no sidecar {name}"))
    }

    /// All processes.
    pub fn sidecars(&mut self) -> impl Iterator<Item = (&str, &mut Sidecar)> {
        self.sidecars.iter_mut().map(|(name, sidecar)| (name.as_str(), sidecar))
    }

    /// Ends the sidecars in the order of a rollout: the registrar first, so that the node does not keep a driver that goes away.
    pub(crate) async fn end(&mut self, cluster: &Cluster) -> Result<()> {
        self.sidecar("node-driver-registrar")?.terminate().await?;
        self.await_registration(cluster, false).await?;
        for sidecar in self.sidecars.values_mut() {
            sidecar.terminate().await?;
        }
        for place in places(self.node) {
            fs::remove_dir_all(place.root().join("plugins").join(&self.name))?;
        }
        if self.node == Node::OwnMounter {
            cluster.api.delete(Kind::Node, "", self.node.name(), None).await?;
            // As a kubelet, it binds its root folder onto itself, to share what is mounted there, and leaves that behind. Our own
            // driver still listens at a socket in it, which keeps the mount busy.
            while mounts(&self.node.root())?.iter().any(|mount| mount.point == self.node.root()) {
                unmount(self.node.root(), UnmountFlags::DETACH)?;
            }
            fs::remove_dir_all(self.node.root())?;
        }
        Ok(())
    }

    /// The fake driver that the sidecars call: every request to the controller is in its recording.
    pub fn controller(&self) -> Result<&FakeDriver> {
        self.fakes()?.first().context("a driver without a controller")
    }

    /// The fake driver that the node calls, which may be the same.
    pub fn on_node(&self) -> Result<&FakeDriver> {
        self.fakes()?.last().context("a driver without a node")
    }

    fn fakes(&self) -> Result<&[FakeDriver]> {
        match &self.running {
            Running::Fake(drivers) => Ok(drivers),
            Running::Local(_) => anyhow::bail!("{} is not a fake", self.name),
        }
    }

    /// What the driver still has: volumes of the fake, files of the local one.
    pub fn volumes(&self) -> Result<Vec<String>> {
        match &self.running {
            Running::Fake(drivers) => Ok(drivers[0].volumes().iter().map(|volume| volume.id.to_string()).collect()),
            Running::Local(data) => match fs::read_dir(data.join("volumes")) {
                Ok(entries) => entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
                Err(error) => Err(error.into()),
            },
        }
    }
}

impl Drop for Driver {
    /// A promise that failed leaves no socket for a kubelet to dial for ever. What else is left of it is there to be looked at.
    fn drop(&mut self) {
        self.sidecars.clear();
        let _ = fs::remove_file(self.node.root().join("plugins_registry").join(format!("{}-reg.sock", self.name)));
        for place in places(self.node) {
            let _ = fs::remove_dir_all(place.root().join("plugins").join(&self.name));
        }
    }
}

/// Where the driver runs: beside the sidecars, and on the node.
fn places(node: Node) -> Vec<Node> {
    if node == Node::Kubelet { vec![node] } else { vec![Node::Kubelet, node] }
}

fn socket(node: Node, driver: &str) -> Result<PathBuf> {
    let socket = node.socket(driver);
    fs::create_dir_all(socket.parent().context("a socket without a folder")?)?;
    Ok(socket)
}
