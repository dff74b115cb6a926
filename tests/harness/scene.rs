//! The stage of one promise: a namespace, a driver with its sidecars, and the check at the end that nothing is left of any of it.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::{Context as _, Result, ensure};
use fake_driver::Builder;
use serde_json::{Value, json};

use crate::api::Kind;
use crate::cluster::Cluster;
use crate::driver::{Driver, Options, Running};
use crate::eventually::eventually;
use crate::host::{loops_beneath, mounts};
use crate::node::Node;
use crate::objects::name;
use crate::pod::PodBuilder;

/// A promise under way.
pub struct Scene {
    /// Where it plays.
    pub cluster: Cluster,
    /// The namespace, and the first label of the driver's name.
    pub name: String,
    /// The node its pods run on.
    pub node: Node,
    /// Its driver.
    pub driver: Driver,
    folder: PathBuf,
    /// Objects outside of the namespace, to be removed at the end.
    made: Mutex<Vec<(Kind, String)>>,
}

/// A promise to be.
#[must_use]
pub struct SceneBuilder {
    name: String,
    node: Node,
    options: Options,
}

// === impl SceneBuilder ===

impl SceneBuilder {
    /// How much the sidecars say. Default: 5.
    pub fn verbosity(mut self, verbosity: u8) -> Self {
        self.options.verbosity = verbosity;
        self
    }

    /// A flag for external-provisioner.
    pub fn provisioner(mut self, flag: &str) -> Self {
        self.options.provisioner.push(flag.to_owned());
        self
    }

    /// A flag for local-driver.
    pub fn local_driver(mut self, flag: &str) -> Self {
        self.options.local_driver.push(flag.to_owned());
        self
    }

    /// With a fake driver as it comes.
    pub async fn fake(self) -> Result<Scene> {
        self.fake_with(|builder, _| builder).await
    }

    /// With a fake driver that is told something on each node.
    pub async fn fake_with(self, tune: impl Fn(Builder, Node) -> Builder) -> Result<Scene> {
        let (cluster, folder) = self.prepare().await?;
        let driver = Driver::fake(&self.driver_name(), self.node, &folder, tune).await?;
        self.begin(cluster, folder, driver).await
    }

    /// With local-driver.
    pub async fn local(self) -> Result<Scene> {
        let (cluster, folder) = self.prepare().await?;
        let driver = Driver::local(&cluster, &self.driver_name(), self.node, &folder, &self.options)?;
        self.begin(cluster, folder, driver).await
    }

    fn driver_name(&self) -> String {
        format!("{}.longshore.dev", self.name)
    }

    async fn prepare(&self) -> Result<(Cluster, PathBuf)> {
        let cluster = Cluster::connect().await?;
        let folder = cluster.run().join("e2e").join(&self.name);
        fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
        cluster.api.create("", &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}})).await?;
        Ok((cluster, folder))
    }

    async fn begin(self, cluster: Cluster, folder: PathBuf, mut driver: Driver) -> Result<Scene> {
        driver.start_sidecars(&cluster, &self.options).await?;
        Ok(Scene { cluster, name: self.name, node: self.node, driver, folder, made: Mutex::default() })
    }
}

// === impl Scene ===

impl Scene {
    /// The promise's name is in every object's, so that a leftover says where it came from.
    pub fn of(promise: &str, node: Node) -> SceneBuilder {
        // The process id tells one run's scenes from another's on the same cluster.
        let name = format!("{promise}-{}-{}", node.short(), std::process::id());
        SceneBuilder { name, node, options: Options { verbosity: 5, ..Options::default() } }
    }

    /// Creates an object in the namespace, or outside of it if its kind is cluster-wide.
    pub async fn create(&self, object: &Value) -> Result<Value> {
        let created = self.cluster.api.create(&self.name, object).await?;
        if let Some(kind) = cluster_wide(object) {
            self.made.lock().expect("no panic holds it").push((kind, name(object).to_owned()));
        }
        Ok(created)
    }

    /// A name outside of the namespace that no other promise has.
    pub fn unique(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// A class of this driver's, by the name it then has.
    pub async fn class(&self, name: &str, parameters: Value) -> Result<String> {
        self.class_with(name, parameters, json!({})).await
    }

    /// As [`Scene::class`], with fields of its own.
    pub async fn class_with(&self, name: &str, parameters: Value, fields: Value) -> Result<String> {
        let name = self.unique(name);
        let mut class = crate::objects::class(&name, &self.driver.name, parameters);
        for (field, value) in fields.as_object().context("fields of a class")? {
            class[field] = value.clone();
        }
        self.create(&class).await?;
        Ok(name)
    }

    /// An object of the namespace.
    pub async fn get(&self, kind: Kind, name: &str) -> Result<Value> {
        self.cluster.api.get(kind, &self.name, name).await
    }

    /// A pod with this claim.
    pub fn pod(&self, name: &str, claim: &str) -> PodBuilder<'_> {
        PodBuilder::new(self, name, claim)
    }

    /// Waits until the claim is bound; the PV.
    pub async fn bound(&self, claim: &str) -> Result<Value> {
        let bound = eventually(&format!("claim {claim} to be bound"), async || {
            let object = self.get(Kind::PersistentVolumeClaim, claim).await?;
            ensure!(object["status"]["phase"] == "Bound", "status {}", object["status"]);
            let volume = object["spec"]["volumeName"].as_str().context("bound to no volume")?;
            self.cluster.api.get(Kind::PersistentVolume, "", volume).await
        })
        .await;
        match bound {
            Ok(volume) => Ok(volume),
            Err(error) => anyhow::bail!("{error:#}\n{}", self.events().await?),
        }
    }

    /// Every event of the namespace, a line each: what a user would look at first.
    pub async fn events(&self) -> Result<String> {
        let events = self.cluster.api.list(Kind::Event, &self.name).await?;
        let line = |event: &Value| {
            let object = &event["involvedObject"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!(
                "  {} {}/{}: {}: {}",
                text(&event["type"]),
                text(&object["kind"]),
                text(&object["name"]),
                text(&event["reason"]),
                text(&event["message"])
            )
        };
        Ok(events.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    /// Waits for a Warning on an object whose message has all these words.
    pub async fn warned(&self, object: &str, words: &[&str]) -> Result<String> {
        eventually(&format!("a Warning on {object} that says {words:?}"), async || {
            let events = self.cluster.api.list(Kind::Event, &self.name).await?;
            let said = |event: &&Value| {
                let message = event["message"].as_str().unwrap_or_default();
                event["type"] == "Warning"
                    && event["involvedObject"]["name"] == object
                    && words.iter().all(|word| message.contains(word))
            };
            match events.iter().find(said) {
                Some(event) => Ok(event["message"].as_str().unwrap_or_default().to_owned()),
                None => anyhow::bail!("events:\n{}", self.events().await?),
            }
        })
        .await
    }

    /// PVs of this driver.
    pub async fn volumes(&self) -> Result<Vec<Value>> {
        let all = self.cluster.api.list(Kind::PersistentVolume, "").await?;
        Ok(all.into_iter().filter(|volume| volume["spec"]["csi"]["driver"] == self.driver.name).collect())
    }

    /// VolumeAttachments of this driver.
    pub async fn attachments(&self) -> Result<Vec<Value>> {
        let all = self.cluster.api.list(Kind::VolumeAttachment, "").await?;
        Ok(all.into_iter().filter(|attachment| attachment["spec"]["attacher"] == self.driver.name).collect())
    }

    /// Deletes a claim and waits until its volume is gone from the API and the driver too.
    pub async fn delete_claim(&self, claim: &str) -> Result<()> {
        let object = self.get(Kind::PersistentVolumeClaim, claim).await?;
        let volume = object["spec"]["volumeName"].as_str().unwrap_or_default().to_owned();
        self.cluster.api.delete(Kind::PersistentVolumeClaim, &self.name, claim, None).await?;
        eventually(&format!("claim {claim} and its volume to be gone"), async || {
            ensure!(self.cluster.api.find(Kind::PersistentVolumeClaim, &self.name, claim).await?.is_none(), "the claim is there");
            let left = self.volumes().await?;
            ensure!(!left.iter().any(|pv| name(pv) == volume), "PersistentVolume {volume} is there");
            Ok(())
        })
        .await
    }

    /// Ends the promise: deletes what it made, in a user's order, and fails if anything is left of it anywhere.
    pub async fn end(mut self) -> Result<()> {
        let api = &self.cluster.api;
        let grace = (!self.node.runs_containers()).then_some(0);
        for pod in api.list(Kind::Pod, &self.name).await? {
            api.delete(Kind::Pod, &self.name, name(&pod), grace).await?;
        }
        for claim in api.list(Kind::PersistentVolumeClaim, &self.name).await? {
            api.delete(Kind::PersistentVolumeClaim, &self.name, name(&claim), None).await?;
        }
        let made = std::mem::take(&mut *self.made.lock().expect("no panic holds it"));
        for (_, volume) in made.iter().filter(|(kind, _)| *kind == Kind::PersistentVolume) {
            api.delete(Kind::PersistentVolume, "", volume, None).await?;
        }
        if let Err(error) = eventually("nothing to be left", async || self.nothing_left().await).await {
            anyhow::bail!("{error:#}\n{}", self.events().await?);
        }
        for (kind, name) in made {
            api.delete(kind, "", &name, None).await?;
        }
        api.delete(Kind::Namespace, "", &self.name, None).await?;
        self.driver.end(&self.cluster).await?;
        fs::remove_dir_all(&self.folder)?;
        Ok(())
    }

    /// Whether the API, the mount table, the loop devices and the driver know nothing of this promise any more.
    pub async fn nothing_left(&self) -> Result<()> {
        let pods = self.cluster.api.list(Kind::Pod, &self.name).await?;
        ensure!(pods.is_empty(), "pods: {:?}", pods.iter().map(name).collect::<Vec<_>>());
        let volumes = self.volumes().await?;
        ensure!(volumes.is_empty(), "PersistentVolumes: {volumes:?}");
        let attachments = self.attachments().await?;
        ensure!(attachments.is_empty(), "VolumeAttachments: {attachments:?}");
        let in_driver = self.driver.volumes()?;
        ensure!(in_driver.is_empty(), "volumes in the driver: {in_driver:?}");
        let loops = loops_beneath(&self.folder)?;
        ensure!(loops.is_empty(), "loop devices: {loops:?}");
        for node in [Node::Kubelet, self.node] {
            let ours = |text: &str| text.contains(&self.driver.name) || text.contains(&*self.folder.to_string_lossy());
            let left: Vec<_> =
                mounts(&node.root())?.into_iter().filter(|m| ours(&m.point.to_string_lossy()) || ours(&m.source)).collect();
            ensure!(left.is_empty(), "mounts on {}: {left:?}", node.name());
        }
        Ok(())
    }

    /// All that the sidecars said, and to whom it belongs.
    pub fn logs(&mut self) -> Result<Vec<(String, String)>> {
        self.driver.sidecars().map(|(name, sidecar)| Ok((name.to_owned(), sidecar.log()?))).collect()
    }

    /// Whether the driver is local-driver, and where its data are.
    pub fn local_data(&self) -> Option<&PathBuf> {
        match &self.driver.running {
            Running::Local(data) => Some(data),
            Running::Fake(_) => None,
        }
    }
}

fn cluster_wide(object: &Value) -> Option<Kind> {
    match object["kind"].as_str()? {
        "PersistentVolume" => Some(Kind::PersistentVolume),
        "StorageClass" => Some(Kind::StorageClass),
        "CSIDriver" => Some(Kind::CSIDriver),
        _ => None,
    }
}
