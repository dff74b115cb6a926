//! `hack/bench footprint`: what every container of an installation keeps in memory, as pods under kubelet: at rest, and with N claims.
//!
//! Two numbers each. Resident memory is the process's own: the pages of its program, its heap, its stacks. The cgroup's is what the
//! node accounts to the container and what a limit would be held against: without pages that others have brought in, with the kernel's.

mod containers;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use harness::{Cluster, Kind, eventually_within, objects};
use serde_json::{Value, json};

use crate::say;
use containers::Container;

/// What to install, and how much to put on it.
#[derive(Debug, clap::Args)]
pub(crate) struct Footprint {
    /// Claims that are there, each bound to a volume, at the second look.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    claims: u32,
    /// Write the result here too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Which helm.
    #[arg(long, hide = true, default_value = "helm3")]
    helm: String,
    /// The chart.
    #[arg(long, hide = true)]
    chart: PathBuf,
}

const NAMESPACE: &str = "longshore-footprint";
const RELEASE: &str = "longshore";
const CLASS: &str = "longshore-footprint";
const DRIVER: &str = "local.csi.longshore.dev";

/// A thousand volumes on two processors that the API server, etcd and the controllers share.
const PATIENCE: Duration = Duration::from_secs(600);

/// Installs, looks, makes claims, looks, and takes everything away again.
pub(crate) async fn run(flags: &Footprint) -> Result<()> {
    let cluster = Cluster::connect().await?;
    let measured = measured(flags, &cluster).await;
    // Whatever happened, the cluster is left as it was.
    let cleared = clear_away(flags, &cluster).await;
    let (rest, loaded) = measured?;
    cleared?;
    tell(flags, &rest, &loaded)
}

async fn measured(flags: &Footprint, cluster: &Cluster) -> Result<(Vec<Container>, Vec<Container>)> {
    cluster.api.create("", &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})).await?;
    say("installing");
    let values = json!({"local": {"enabled": true, "dataDir": cluster.run().join("footprint")}}).to_string();
    helm(
        flags,
        cluster,
        &["install", RELEASE, &flags.chart.display().to_string(), "--wait", "--timeout=120s", "--values=-"],
        &values,
    )?;
    // A claim first: what a program needs for its first piece of work it keeps, and a driver that was never used is nobody's.
    cluster.api.create("", &class()).await?;
    let all = claims(cluster, 0, 1).await?;
    say(&format!("{all} claim is bound"));
    let rest = containers::all(cluster, NAMESPACE).await?;
    say(&format!("making {} claims", flags.claims));
    claims(cluster, 1, flags.claims).await?;
    Ok((rest, containers::all(cluster, NAMESPACE).await?))
}

/// Folders, and bound at once: a thousand filesystems would measure mkfs, and a thousand pods kubelet.
fn class() -> Value {
    objects::class(CLASS, DRIVER, json!({"type": "directory"}))
}

/// Makes claims `from..to` and waits until all are bound.
async fn claims(cluster: &Cluster, from: u32, to: u32) -> Result<usize> {
    for number in from..to {
        cluster.api.create(NAMESPACE, &objects::claim(&format!("claim-{number}"), CLASS, "1Mi")).await?;
    }
    eventually_within(PATIENCE, "every claim to be bound", async || {
        let all = cluster.api.list(Kind::PersistentVolumeClaim, NAMESPACE).await?;
        let bound = all.iter().filter(|claim| claim["status"]["phase"] == "Bound").count();
        ensure!(bound == to as usize, "{bound} of {to}");
        Ok(bound)
    })
    .await
}

async fn clear_away(flags: &Footprint, cluster: &Cluster) -> Result<()> {
    say("clearing away");
    cluster.kubectl(&["delete", "pvc", "--all", "--wait", "-n", NAMESPACE])?;
    let gone = eventually_within(PATIENCE, "every volume to be gone", async || {
        let left = cluster.api.list(Kind::PersistentVolume, "").await?;
        let left = left.iter().filter(|volume| volume["spec"]["storageClassName"] == CLASS).count();
        ensure!(left == 0, "{left} are left");
        Ok(())
    });
    let gone = gone.await;
    cluster.api.delete(Kind::StorageClass, "", CLASS, None).await?;
    let uninstalled = helm(flags, cluster, &["uninstall", RELEASE, "--wait", "--timeout=120s"], "");
    cluster.kubectl(&["delete", "namespace", NAMESPACE, "--wait"])?;
    gone.and(uninstalled)
}

fn helm(flags: &Footprint, cluster: &Cluster, arguments: &[&str], input: &str) -> Result<()> {
    let mut child = Command::new(&flags.helm)
        .args(arguments)
        .args(["--namespace", NAMESPACE])
        .env("KUBECONFIG", cluster.kubeconfig("admin"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("{}: is it on PATH? (eval \"$(hack/cluster env)\")", flags.helm))?;
    child.stdin.take().context("helm without stdin")?.write_all(input.as_bytes())?;
    let status = child.wait()?;
    ensure!(status.success(), "{} {} ended with {status}", flags.helm, arguments.join(" "));
    Ok(())
}

/// The table, and the JSON where it was asked for.
fn tell(flags: &Footprint, rest: &[Container], loaded: &[Container]) -> Result<()> {
    let mib = |bytes: u64| format!("{:.1}", bytes as f64 / f64::from(1 << 20));
    let mut out = std::io::stdout().lock();
    let images: std::collections::BTreeSet<_> = loaded.iter().map(|container| container.image.as_str()).collect();
    writeln!(out, "\nmemory of each container, MiB; images: {}\n", images.into_iter().collect::<Vec<_>>().join(", "))?;
    writeln!(out, "{:56}{:^20}{:^20}{:^20}", "", "with one claim", format!("with {} claims", flags.claims), "peak")?;
    writeln!(out, "{:56}{:>10}{:>10}{:>10}{:>10}{:>13}", "", "resident", "cgroup", "resident", "cgroup", "resident")?;
    let mut sums = [0; 5];
    for container in loaded {
        let before = rest.iter().find(|other| (&other.pod, &other.name) == (&container.pod, &container.name));
        let before = before.with_context(|| format!("{} {} was replaced meanwhile", container.pod, container.name))?;
        ensure!(before.pids == container.pids, "{} {} was restarted meanwhile", container.pod, container.name);
        let row = [before.resident, before.cgroup, container.resident, container.cgroup, container.peak];
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
        let [a, b, c, d, e] = row.map(mib);
        writeln!(out, "{:56}{a:>10}{b:>10}{c:>10}{d:>10}{e:>13}", format!("{} {}", container.pod, container.name))?;
    }
    let [a, b, c, d, e] = sums.map(mib);
    writeln!(out, "{:56}{a:>10}{b:>10}{c:>10}{d:>10}{e:>13}", "all")?;
    let Some(path) = &flags.json else { return Ok(()) };
    let document = json!({
        "claims": flags.claims,
        "at_rest": rest.iter().map(Container::to_json).collect::<Vec<_>>(),
        "with_claims": loaded.iter().map(Container::to_json).collect::<Vec<_>>(),
    });
    std::fs::write(path, format!("{document:#}\n")).with_context(|| path.display().to_string())
}
