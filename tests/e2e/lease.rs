//! A Lease changes hands between a Go holder and ours, either way, by the rules of client-go. The Go holder is a real
//! kube-controller-manager that is told to lead by the same Lease.

use anyhow::{Context as _, Result, ensure};
use harness::{Kind, Node, Scene, Sidecar, eventually};
use serde_json::Value;

const PACE: [&str; 3] =
    ["--leader-elect-lease-duration=6s", "--leader-elect-renew-deadline=4s", "--leader-elect-retry-period=1s"];

struct Stage {
    scene: Scene,
    lease: String,
}

impl Stage {
    fn go(&self) -> Result<Sidecar> {
        let cluster = &self.scene.cluster;
        let mut arguments: Vec<String> = PACE.map(str::to_owned).into();
        arguments.extend([
            format!("--kubeconfig={}", cluster.kubeconfig("admin").display()),
            format!("--leader-elect-resource-name={}", self.lease),
            format!("--leader-elect-resource-namespace={}", self.scene.name),
            // One that has nothing to do here.
            "--controllers=ttl-controller".to_owned(),
            "--secure-port=0".to_owned(),
        ]);
        Sidecar::start(cluster.run().join("bin/kube-controller-manager"), arguments, Vec::new(), self.log("go"))
    }

    fn ours(&self) -> Result<Sidecar> {
        let cluster = &self.scene.cluster;
        let mut arguments: Vec<String> = PACE.map(|flag| flag.replace("leader-elect", "leader-election")).into();
        arguments.extend([
            format!("--kubeconfig={}", cluster.kubeconfig("admin").display()),
            format!("--csi-address={}", self.scene.driver.controller()?.endpoint()),
            "--leader-election".to_owned(),
            format!("--leader-election-namespace={}", self.scene.name),
        ]);
        Sidecar::start(cluster.program("external-attacher")?, arguments, Vec::new(), self.log("ours"))
    }

    fn log(&self, name: &str) -> std::path::PathBuf {
        self.scene.cluster.run().join("e2e").join(&self.scene.name).join(format!("lease-{name}.log"))
    }

    async fn spec(&self) -> Result<Value> {
        Ok(self.scene.get(Kind::Lease, &self.lease).await?["spec"].take())
    }

    /// Waits for a holder that `is` the one.
    async fn held(&self, what: &str, is: impl Fn(&str) -> bool) -> Result<Value> {
        eventually(&format!("{what} to hold the lease"), async || {
            let spec = self.spec().await?;
            ensure!(is(spec["holderIdentity"].as_str().unwrap_or_default()), "{spec}");
            Ok(spec)
        })
        .await
    }
}

fn is_go(holder: &str) -> bool {
    // host_uuid; our identity is the host's name alone.
    holder.contains('_')
}

fn is_ours(holder: &str) -> bool {
    !holder.is_empty() && !is_go(holder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_changes_hands_between_a_go_holder_and_ours() -> Result<()> {
    let scene = Scene::of("lease", Node::Kubelet).fake().await?;
    let lease = format!("external-attacher-leader-{}", scene.driver.name.replace('.', "-"));
    let stage = Stage { scene, lease };

    let mut go = stage.go()?;
    let first = stage.held("the Go holder", is_go).await?;
    let mut ours = stage.ours()?;
    let transitions = eventually("three renewals while ours stands by", async || {
        ensure!(ours.log()?.contains("waiting for the lease"), "ours does not take part yet:\n{}", ours.log()?);
        let spec = stage.spec().await?;
        let renewed = |spec: &Value| spec["renewTime"].as_str().unwrap_or_default().get(..19).unwrap_or_default().to_owned();
        ensure!(renewed(&spec) > renewed(&first), "not renewed: {spec}");
        spec["leaseTransitions"].as_i64().context("a number")
    })
    .await?;
    ensure!(!ours.log()?.contains("became leader"), "ours took a lease that is renewed:\n{}", ours.log()?);

    go.kill()?;
    let taken = stage.held("ours", is_ours).await?;
    ensure!(taken["leaseTransitions"] == transitions + 1 && taken["leaseDurationSeconds"] == 6, "{taken}");

    let mut go = stage.go()?;
    eventually("the Go holder to wait", async || {
        ensure!(go.log()?.to_lowercase().matches("attempting to acquire leader lease").count() >= 2, "not yet");
        Ok(())
    })
    .await?;
    ensure!(ours.terminate().await? == Some(0), "SIGTERM is a clean end");
    let given = stage.held("the Go holder again", is_go).await?;
    ensure!(given["leaseTransitions"] == transitions + 2, "{given}");
    ensure!(ours.log()?.contains("released the lease"), "it was given back, not left to expire:\n{}", ours.log()?);
    go.kill()?;
    stage.scene.end().await
}
