//! `kubectl apply -k`, and every example that the manifests come with.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use harness::eventually;

use crate::rights;
use crate::site::Site;
use crate::tools;

const NAMESPACE: &str = "longshore-system";

/// The driver's data where the manifests put them; on a test's host nobody else has any there.
const DATA: &str = "/var/lib/longshore";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apply_k_gives_an_empty_cluster_a_driver_and_each_example_does_what_it_says() -> Result<()> {
    ensure!(!Path::new(DATA).exists(), "{DATA} is there already: whose is it? This promise would remove it");
    let manifests = tools::path("manifests/local")?;
    // Empty means without the namespace too.
    tools::kubectl(&harness::Cluster::connect().await?, &["delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait"])?;
    let site = Site::begin("kustomize", &[]).await?;
    site.kubectl(&["apply", "-k", &manifests])?;
    for workload in tools::list(&site.cluster, "deployments,daemonsets", &["-n", NAMESPACE])? {
        let name = format!(
            "{}/{}",
            workload["kind"].as_str().unwrap_or_default(),
            workload["metadata"]["name"].as_str().unwrap_or_default()
        );
        site.kubectl(&["rollout", "status", &name, "-n", NAMESPACE, "--timeout=90s"])?;
    }
    rights::record(&site.cluster)?;
    site.data_outlives_a_pod("local")?;

    let mut examples: Vec<_> =
        fs::read_dir(tools::path("manifests/examples")?)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    examples.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    examples.sort();
    ensure!(!examples.is_empty(), "manifests/examples has no example");
    for example in &examples {
        works(&site, example).await.with_context(|| example.display().to_string())?;
    }

    site.kubectl(&["delete", "-k", &manifests, "--wait"])?;
    site.end(&[], &[]).await?;
    fs::remove_dir_all(DATA)?;
    tools::kubectl(&harness::Cluster::connect().await?, &["create", "namespace", NAMESPACE])?;
    Ok(())
}

/// Its claims are bound, its pods run or have ended well, and what it made goes when it goes.
async fn works(site: &Site, example: &Path) -> Result<()> {
    let file = example.display().to_string();
    site.here(&["apply", "-f", &file])?;
    eventually("its claims to be bound and its pods to be ready", async || {
        for pod in tools::list(&site.cluster, "pods", &["-n", &site.namespace])? {
            let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let ready = conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
            ensure!(
                ready || pod["status"]["phase"] == "Succeeded",
                "pod {}: {}",
                pod["metadata"]["name"],
                pod["status"]["phase"]
            );
        }
        for set in tools::list(&site.cluster, "statefulsets", &["-n", &site.namespace])? {
            ensure!(set["status"]["readyReplicas"] == set["spec"]["replicas"], "{}: {}", set["metadata"]["name"], set["status"]);
        }
        let claims = tools::list(&site.cluster, "pvc", &["-n", &site.namespace])?;
        let unbound: Vec<_> = claims.iter().filter(|claim| claim["status"]["phase"] != "Bound").collect();
        ensure!(unbound.is_empty(), "not bound: {unbound:?}");
        Ok(())
    })
    .await
    .with_context(|| site.here(&["get", "events", "--sort-by=.lastTimestamp"]).unwrap_or_default())?;
    site.here(&["delete", "-f", &file, "--wait"])?;
    // A StatefulSet's claims are its user's.
    site.here(&["delete", "pvc", "--all", "--wait"])?;
    eventually("its volumes to be gone", async || {
        let left = tools::list(&site.cluster, "pv", &[])?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .await
}
