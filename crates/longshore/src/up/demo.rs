//! `--demo`: a claim and a pod through everything, each step told with its time, and nothing left afterwards.

mod leftovers;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim, Pod};
use kube::api::{DeleteParams, PostParams};
use kube::runtime::wait::{Condition, await_condition, conditions};
use kube::{Api, Client};
use node_mounter::paths::Root;
use rt::{Ctx, Instant, Shutdown};
use serde_json::json;

use super::flags::Config;
use super::host::Host;
use super::words::say;
use crate::status;

const NAMESPACE: &str = "longshore-demo";
const CLAIM: &str = "data";
const POD: &str = "writer";
const FILE: &str = "hello.txt";
const BYTES: &str = "these bytes came through a claim";

/// How long one step may take. mkfs and a container's start are well under a second; a loaded machine gets its time.
const PATIENCE: Duration = Duration::from_secs(60);

struct Demo<'a> {
    ctx: &'a Ctx,
    shutdown: &'a Shutdown,
    client: Client,
    config: &'a Config,
    began: Instant,
}

/// Runs it. When this returns, nothing of it is left.
///
/// # Errors
/// The first step that failed, or what is left.
pub(crate) async fn run(host: &Host, config: &Config) -> anyhow::Result<()> {
    let ctx = &host.parts.ctx;
    let demo =
        Demo { ctx, shutdown: &host.parts.shutdown, client: host.parts.client("longshore-demo"), config, began: ctx.now() };
    let result = demo.steps().await;
    if result.is_err() {
        // What a failed demo leaves would fail the next one, too.
        let _ = demo.remove().await;
    }
    result
}

impl Demo<'_> {
    async fn steps(&self) -> anyhow::Result<()> {
        let namespace = json!({ "metadata": { "name": NAMESPACE } });
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces
            .create(&PostParams::default(), &serde_json::from_value(namespace)?)
            .await
            .context("cannot make a namespace")?;

        let volume = self.claim().await?;
        let path = self.pod(&volume).await?;
        self.show(&path).await?;
        self.remove().await?;
        self.nothing_left(&volume)?;
        say(&format!("\nThat was all of it, in {} ms. `longshore up` serves the same to kubectl.\n", self.elapsed(self.began)));
        Ok(())
    }

    /// A claim becomes a volume.
    async fn claim(&self) -> anyhow::Result<PersistentVolume> {
        self.step("A claim asks for 64 MiB of the default StorageClass.");
        let began = self.ctx.now();
        let claim = json!({
            "metadata": { "name": CLAIM },
            "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "64Mi" } } },
        });
        let claims: Api<PersistentVolumeClaim> = self.namespaced();
        claims.create(&PostParams::default(), &serde_json::from_value(claim)?).await.context("cannot make the claim")?;
        let bound = |claim: Option<&PersistentVolumeClaim>| {
            claim.and_then(|claim| claim.status.as_ref()?.phase.as_deref()).is_some_and(|phase| phase == "Bound")
        };
        let claim = self.wait(claims, CLAIM, bound, "the claim to be bound").await?;
        let name = claim.and_then(|claim| claim.spec?.volume_name).context("the bound claim names no volume")?;
        let volume = Api::<PersistentVolume>::all(self.client.clone()).get(&name).await.context("cannot read the volume")?;
        let source = volume.spec.as_ref().and_then(|spec| spec.csi.as_ref()).context("the volume is not of a CSI driver")?;
        self.done(
            began,
            &format!("CreateVolume made {} at {}; the claim is bound to {name}", source.volume_handle, source.driver),
        );
        Ok(volume)
    }

    /// A pod writes to it.
    async fn pod(&self, volume: &PersistentVolume) -> anyhow::Result<PathBuf> {
        self.step("A pod mounts it at /data and writes a file.");
        let began = self.ctx.now();
        let command = format!("echo '{BYTES}' > /data/{FILE} && sync /data/{FILE} && exec sleep 3600");
        let pod = json!({
            "metadata": { "name": POD },
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [{
                    "name": "sh",
                    // Images are not used here; it is what a cluster would take.
                    "image": "busybox",
                    "command": ["/bin/sh", "-c", command],
                    "volumeMounts": [{ "name": "data", "mountPath": "/data" }],
                }],
                "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": CLAIM } }],
            },
        });
        let pods: Api<Pod> = self.namespaced();
        let made: Pod =
            pods.create(&PostParams::default(), &serde_json::from_value(pod)?).await.context("cannot make the pod")?;
        self.wait(pods, POD, conditions::is_pod_running(), "the pod to run").await?;
        let uid = made.metadata.uid.context("the pod has no uid")?;
        let name = volume.metadata.name.clone().unwrap_or_default();
        let path = Root::new(self.config.data.kubelet()).publish_path(&uid, &name).join(FILE);
        self.done(began, "NodeStageVolume and NodePublishVolume mounted it; the container runs");
        Ok(path)
    }

    /// The bytes, and the tree of what exists.
    async fn show(&self, path: &std::path::Path) -> anyhow::Result<()> {
        self.step("The bytes are on the disk of this host:");
        let deadline = self.ctx.now() + PATIENCE;
        let bytes = loop {
            // The container runs; its first command takes a moment more.
            match std::fs::read_to_string(path) {
                Ok(bytes) if bytes.trim_end() == BYTES => break bytes,
                _ if self.ctx.now() < deadline => self.ctx.sleep(Duration::from_millis(5)).await,
                Ok(bytes) => bail!("{} holds {bytes:?}, and should hold {BYTES:?}", path.display()),
                Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
            }
        };
        say(&format!("     {}\n     {}\n", path.display(), bytes.trim_end()));
        self.step("`longshore status` shows what exists:");
        let tree = status::tree(&self.client, Some(NAMESPACE), self.ctx.timestamp()).await?;
        tree.lines().for_each(|line| say(&format!("     {line}\n")));
        Ok(())
    }

    /// Everything goes, in the reverse order.
    async fn remove(&self) -> anyhow::Result<()> {
        self.step("The pod, the claim and the namespace are deleted again.");
        let began = self.ctx.now();
        self.delete::<Pod>(self.namespaced(), POD, "the pod to end").await?;
        self.done(began, "the container ended; NodeUnpublishVolume and NodeUnstageVolume unmounted the volume");
        let began = self.ctx.now();
        let volumes: Api<PersistentVolume> = Api::all(self.client.clone());
        let claims: Api<PersistentVolumeClaim> = self.namespaced();
        let name = claims.get_opt(CLAIM).await?.and_then(|claim| claim.spec?.volume_name);
        self.delete(claims, CLAIM, "the claim to go").await?;
        if let Some(name) = name {
            let gone = |volume: Option<&PersistentVolume>| volume.is_none();
            self.wait(volumes, &name, gone, "the volume to go").await?;
        }
        self.delete::<Namespace>(Api::all(self.client.clone()), NAMESPACE, "the namespace to go").await?;
        self.done(began, "DeleteVolume removed the backing file; claim, volume and namespace are gone");
        Ok(())
    }

    async fn delete<K>(&self, api: Api<K>, name: &str, what: &str) -> anyhow::Result<()>
    where
        K: kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned + Send + 'static,
    {
        match api.delete(name, &DeleteParams::default()).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("cannot delete {name}")),
        }
        self.wait(api, name, |object: Option<&K>| object.is_none(), what).await.map(drop)
    }

    /// Asks the host, not the API.
    fn nothing_left(&self, volume: &PersistentVolume) -> anyhow::Result<()> {
        let left = leftovers::of(&self.config.data)?;
        if !left.is_empty() {
            bail!("the demo left something of {}: {}", volume.metadata.name.as_deref().unwrap_or_default(), left.join("; "));
        }
        self.step("Nothing is left: no mount, no loop device, no backing file, no record.");
        Ok(())
    }

    /// Until it is so, the patience is over, or somebody wants the process to end.
    async fn wait<K>(&self, api: Api<K>, name: &str, until: impl Condition<K>, what: &str) -> anyhow::Result<Option<K>>
    where
        K: kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned + Send + 'static,
    {
        let waited = tokio::select! {
            biased;
            () = self.shutdown.requested() => bail!("interrupted while waiting for {what}"),
            waited = self.ctx.timeout(PATIENCE, await_condition(api, name, until)) => waited,
        };
        match waited {
            Ok(Ok(object)) => Ok(object),
            Ok(Err(error)) => Err(error).with_context(|| format!("cannot wait for {what}")),
            Err(elapsed) => {
                let tree = status::tree(&self.client, Some(NAMESPACE), self.ctx.timestamp()).await.unwrap_or_default();
                bail!("waited in vain for {what}: {elapsed}\n{tree}")
            }
        }
    }

    fn namespaced<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    fn step(&self, sentence: &str) {
        say(&format!("\n{:>6} ms  {sentence}\n", self.elapsed(self.began)));
    }

    fn done(&self, began: Instant, sentence: &str) {
        say(&format!("{:>6} ms  after {} ms: {sentence}.\n", self.elapsed(self.began), self.elapsed(began)));
    }

    fn elapsed(&self, began: Instant) -> u128 {
        self.ctx.now().since(began).as_millis()
    }
}
