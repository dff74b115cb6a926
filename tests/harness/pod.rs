//! A pod with one volume, and what runs in it. On kubelet's node that is a container; on node-mounter's node the harness runs the
//! same commands where the container's mount would be, because running processes is not node-mounter's job.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::api::Kind;
use crate::eventually::eventually;
use crate::host::mounts;
use crate::objects::uid;
use crate::scene::Scene;

/// A pod to be.
#[must_use]
pub struct PodBuilder<'a> {
    scene: &'a Scene,
    name: String,
    claim: String,
    read_only: bool,
    block: bool,
}

/// A pod with its volume.
pub struct Pod<'a> {
    scene: &'a Scene,
    name: String,
    claim: String,
    uid: String,
    block: bool,
}

/// What a command in a pod came to.
#[derive(Debug)]
pub struct Output {
    /// Whether it exited 0.
    pub ok: bool,
    /// Standard output and error, trimmed.
    pub text: String,
}

// === impl PodBuilder ===

impl<'a> PodBuilder<'a> {
    pub(crate) fn new(scene: &'a Scene, name: &str, claim: &str) -> Self {
        Self { scene, name: name.to_owned(), claim: claim.to_owned(), read_only: false, block: false }
    }

    /// The pod asks for its claim read-only.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// The claim is a raw device.
    pub fn block(mut self) -> Self {
        self.block = true;
        self
    }

    /// Creates it and does not wait.
    pub async fn create(self) -> Result<Pod<'a>> {
        let (field, attach) = match self.block {
            true => ("volumeDevices", json!([{"name": "data", "devicePath": "/dev/data"}])),
            false => ("volumeMounts", json!([{"name": "data", "mountPath": "/data"}])),
        };
        let mut container = json!({
            "name": "main", "image": "docker.io/longshore/busybox:1", "imagePullPolicy": "Never",
            // Process 1 ignores SIGTERM unless it says otherwise.
            "command": ["sh", "-c", "trap 'exit 0' TERM; sleep 1000000 & wait"],
        });
        container[field] = attach;
        let object = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": self.name},
            "spec": {
                "nodeSelector": {"kubernetes.io/hostname": self.scene.node.name()},
                "terminationGracePeriodSeconds": 1, "containers": [container],
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": self.claim, "readOnly": self.read_only}}],
            },
        });
        let created = self.scene.create(&object).await?;
        Ok(Pod { scene: self.scene, name: self.name, claim: self.claim, uid: uid(&created).to_owned(), block: self.block })
    }

    /// The one of this name that is there.
    pub async fn find(self) -> Result<Pod<'a>> {
        let found = self.scene.get(Kind::Pod, &self.name).await?;
        Ok(Pod { scene: self.scene, name: self.name, claim: self.claim, uid: uid(&found).to_owned(), block: self.block })
    }

    /// Creates it and waits until its process could use the volume.
    pub async fn start(self) -> Result<Pod<'a>> {
        let pod = self.create().await?;
        match pod.ready().await {
            Ok(()) => Ok(pod),
            Err(error) => bail!("{error:#}\n{}", pod.scene.events().await?),
        }
    }
}

// === impl Pod ===

impl Pod<'_> {
    /// Waits until its process could use the volume.
    pub async fn ready(&self) -> Result<()> {
        eventually(&format!("pod {} to have its volume", self.name), async || match self.scene.node.runs_containers() {
            true => {
                let pod = self.object().await?;
                let conditions = pod["status"]["conditions"].as_array().context("no conditions yet")?;
                let ready = conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
                ensure!(ready, "status {}", pod["status"]);
                Ok(())
            }
            false => {
                let path = self.path().await?;
                let there = if self.block { path.exists() } else { mounts(&path)?.iter().any(|mount| mount.point == path) };
                ensure!(there, "nothing at {}", path.display());
                Ok(())
            }
        })
        .await
    }

    /// The Pod as the API has it now.
    pub async fn object(&self) -> Result<Value> {
        self.scene.get(Kind::Pod, &self.name).await
    }

    /// Where the volume is on the host: a mounted folder, or a link to a device. The same place on both kinds of node.
    pub async fn path(&self) -> Result<PathBuf> {
        let claim = self.scene.get(Kind::PersistentVolumeClaim, &self.claim).await?;
        let volume = claim["spec"]["volumeName"].as_str().filter(|name| !name.is_empty()).context("the claim is not bound")?;
        let pod = self.scene.node.root().join("pods").join(&self.uid);
        Ok(match self.block {
            true => pod.join("volumeDevices/kubernetes.io~csi").join(volume),
            false => pod.join("volumes/kubernetes.io~csi").join(volume).join("mount"),
        })
    }

    /// Runs a shell command in the volume's folder; `$DATA` is the folder or the device.
    pub async fn sh(&self, command: &str) -> Result<Output> {
        let output = match self.scene.node.runs_containers() {
            true => {
                let prepare = if self.block { "DATA=/dev/data" } else { "DATA=/data; cd /data" };
                let namespace = format!("--namespace={}", self.scene.name);
                let whole = format!("{prepare}; {command}");
                self.scene.cluster.kubectl(&["exec", &namespace, &self.name, "--", "sh", "-c", &whole])?
            }
            false => {
                let path = self.path().await?;
                let mut shell = Command::new("/bin/busybox");
                shell.args(["sh", "-c", command]).env("DATA", &path);
                if !self.block {
                    shell.current_dir(&path);
                }
                shell.output()?
            }
        };
        let text = [output.stdout, output.stderr].concat();
        Ok(Output { ok: output.status.success(), text: String::from_utf8_lossy(&text).trim().to_owned() })
    }

    /// As [`Pod::sh`], for a command that must succeed; returns what it printed.
    pub async fn run(&self, command: &str) -> Result<String> {
        let output = self.sh(command).await?;
        ensure!(output.ok, "`{command}` in pod {} failed: {}", self.name, output.text);
        Ok(output.text)
    }

    /// Deletes it and waits until it and its mounts are gone.
    pub async fn delete(self) -> Result<()> {
        // Where no kubelet confirms that the containers ended, whoever ran them (here: the harness) says so by deleting at once.
        let grace = (!self.scene.node.runs_containers()).then_some(0);
        self.scene.cluster.api.delete(Kind::Pod, &self.scene.name, &self.name, grace).await?;
        eventually(&format!("pod {} to be gone", self.name), async || {
            let found = self.scene.cluster.api.find(Kind::Pod, &self.scene.name, &self.name).await?;
            ensure!(found.is_none_or(|pod| uid(&pod) != self.uid), "the API still has it");
            let left = mounts(&self.scene.node.root().join("pods").join(&self.uid))?;
            ensure!(left.is_empty(), "still mounted: {left:?}");
            Ok(())
        })
        .await
    }
}
