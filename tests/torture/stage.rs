//! What one round has for itself: a namespace, a class, a driver in this process, and the programs under test beside it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use fake_driver::FakeDriver;
use harness::{Api, Kind, eventually, objects};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::plan::{Fault, Part, Plan};
use crate::process::Process;
use crate::site::{SYSTEM_NAMESPACE, Site, driver_name, round_folder, round_name};
use crate::witness::{Strike, Witness, lateness};

/// The one claim of a round, its pod, and its VolumeAttachment where no controller makes one.
pub(crate) const CLAIM: &str = "data";
pub(crate) const POD: &str = "user";

/// One round's world.
pub(crate) struct Stage<'a> {
    pub(crate) site: &'a Site,
    pub(crate) plan: Plan,
    /// The namespace, the class, the node, and the first label of the driver.
    pub(crate) name: String,
    pub(crate) driver: Arc<FakeDriver>,
    pub(crate) witness: Arc<Witness>,
    pub(crate) processes: Vec<Arc<Process>>,
    pub(crate) folder: PathBuf,
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        // The driver and its observer know them too, and may be the last to go.
        for process in &self.processes {
            process.kill();
        }
    }
}

impl<'a> Stage<'a> {
    /// Everything up to the claim, which is the first thing that can go wrong.
    pub(crate) async fn set_up(site: &'a Site, plan: &Plan) -> Result<(Self, UnboundedReceiver<Strike>)> {
        let name = round_name(plan.number);
        let folder = round_folder(&site.folder, &name);
        let (sender, strikes) = unbounded_channel();
        let witness = Witness::new(plan, site.server, sender);
        let looking = Arc::clone(&witness);
        let builder = FakeDriver::builder(driver_name(&name))
            .node_id(&name)
            .one_call_per_volume(true)
            .script(lateness(plan))
            .observe(move |sight| looking.look(sight));
        let builder = if plan.part() == Part::Mounter { builder.mount(folder.join("volumes")) } else { builder };
        let plugin = folder.join("node/plugins").join(driver_name(&name));
        std::fs::create_dir_all(&plugin)?;
        // The mounter makes it too, but a registrar that is faster ends.
        std::fs::create_dir_all(folder.join("node/plugins_registry"))?;
        let driver = Arc::new(builder.start(plugin.join("csi.sock")).await?);
        witness.introduce_driver(&driver);
        let mut stage = Self { site, plan: plan.clone(), name, driver, witness, processes: Vec::new(), folder };
        stage.make_objects().await?;
        stage.start_processes().await?;
        Ok((stage, strikes))
    }

    pub(crate) fn api(&self) -> &Api {
        &self.site.cluster.api
    }

    pub(crate) fn driver_name(&self) -> String {
        driver_name(&self.name)
    }

    /// kubelet's root directory, of a node that has none.
    pub(crate) fn node_root(&self) -> PathBuf {
        self.folder.join("node")
    }

    async fn make_objects(&self) -> Result<()> {
        let (api, name) = (self.api(), self.name.as_str());
        api.create("", &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})).await?;
        api.create("", &objects::class(name, &self.driver_name(), json!({}))).await?;
        if self.plan.part() == Part::Attacher {
            // All that an attacher asks of a node.
            let csi_node = json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": name},
                "spec": {"drivers": [{"name": self.driver_name(), "nodeID": name, "topologyKeys": []}]},
            });
            api.create("", &csi_node).await?;
        }
        Ok(())
    }

    async fn start_processes(&mut self) -> Result<()> {
        let (part, programs) = (self.plan.part(), &self.site.programs);
        let replicas = if self.plan.fault == Fault::LeaseLost { 2 } else { 1 };
        for replica in 0..if part == Part::Provisioner { replicas } else { 1 } {
            let name = format!("external-provisioner-{replica}");
            self.start(&name, &programs.provisioner, self.sidecar_flags("external-provisioner", Part::Provisioner))?;
        }
        let attachers = match part {
            Part::Provisioner => 0,
            Part::Attacher => replicas,
            Part::Mounter => 1,
        };
        for replica in 0..attachers {
            let name = format!("external-attacher-{replica}");
            self.start(&name, &programs.attacher, self.sidecar_flags("external-attacher", Part::Attacher))?;
        }
        if part == Part::Mounter {
            self.start("node-mounter", &programs.mounter, self.mounter_flags())?;
            self.start("node-driver-registrar", &programs.registrar, self.registrar_flags())?;
        }
        self.witness.introduce_processes(self.processes.clone());
        if part == Part::Mounter { self.await_registration().await } else { Ok(()) }
    }

    fn start(&mut self, name: &str, program: &std::path::Path, arguments: Vec<String>) -> Result<()> {
        let log = self.folder.join(format!("{name}.log"));
        self.processes.push(Arc::new(Process::start(name, program, arguments, self.site.cluster.run(), log)?));
        Ok(())
    }

    /// Short waits, so that a round takes seconds; else what a chart gives them. Only upstream's flags.
    fn sidecar_flags(&self, account: &str, part: Part) -> Vec<String> {
        let mut flags = vec![
            format!("--csi-address={}", self.driver.socket().display()),
            format!("--kubeconfig={}", self.site.cluster.kubeconfig(account).display()),
            "--timeout=2s".to_owned(),
            "--retry-interval-start=100ms".to_owned(),
            "--retry-interval-max=2s".to_owned(),
            "--v=5".to_owned(),
        ];
        if self.plan.fault == Fault::LeaseLost && self.plan.part() == part {
            flags.extend([
                "--leader-election".to_owned(),
                format!("--leader-election-namespace={SYSTEM_NAMESPACE}"),
                "--leader-election-lease-duration=3s".to_owned(),
                "--leader-election-renew-deadline=2s".to_owned(),
                "--leader-election-retry-period=500ms".to_owned(),
            ]);
        }
        flags
    }

    fn mounter_flags(&self) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", self.site.cluster.kubeconfig("node-mounter").display()),
            format!("--node-name={}", self.name),
            format!("--root-dir={}", self.node_root().display()),
            "--register-node".to_owned(),
            "--node-status-update-frequency=1s".to_owned(),
            "--csi-timeout=2s".to_owned(),
            "--retry-interval-start=100ms".to_owned(),
            "--retry-interval-max=2s".to_owned(),
            "--v=5".to_owned(),
        ]
    }

    fn registrar_flags(&self) -> Vec<String> {
        vec![
            format!("--csi-address={}", self.driver.socket().display()),
            format!("--kubelet-registration-path={}", self.driver.socket().display()),
            format!("--plugin-registration-path={}", self.node_root().join("plugins_registry").display()),
            "--timeout=60s".to_owned(),
        ]
    }

    async fn await_registration(&self) -> Result<()> {
        eventually("the driver to be registered", async || {
            let csi_node = self.api().get(Kind::CSINode, "", &self.name).await?;
            let drivers = csi_node["spec"]["drivers"].as_array().context("no drivers")?;
            ensure!(drivers.iter().any(|driver| driver["name"] == self.driver_name()), "CSINode {}", csi_node["spec"]);
            Ok(())
        })
        .await
    }
}
