//! The stage of one promise: what the cluster had before, and the check at the end that it has nothing else and that nobody of
//! Longshore's was ever refused a right.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};
use harness::{Cluster, eventually, loops_beneath, mounts};
use serde_json::{Value, json};

use crate::audit::Audit;
use crate::tools;

/// A promise under way.
pub(crate) struct Site {
    pub(crate) cluster: Cluster,
    /// The promise's claims and pods live there.
    pub(crate) namespace: String,
    before: BTreeSet<String>,
    audit: Audit,
}

impl Site {
    /// Takes the inventory, and makes a namespace for the promise's own objects and one for each of `installs`.
    pub(crate) async fn begin(promise: &str, installs: &[&str]) -> Result<Self> {
        let cluster = Cluster::connect().await?;
        let before = inventory(&cluster)?;
        let audit = Audit::from_now(cluster.run())?;
        let site = Self { cluster, namespace: promise.to_owned(), before, audit };
        // Privileged, because a driver mounts: the level that a cluster's administrator grants to a CSI driver's namespace.
        for (namespace, level) in installs.iter().map(|name| (*name, "privileged")).chain([(promise, "baseline")]) {
            site.apply(&[json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": namespace, "labels": {"pod-security.kubernetes.io/enforce": level}},
            })])?;
        }
        Ok(site)
    }

    pub(crate) fn apply(&self, objects: &[Value]) -> Result<()> {
        let objects: Vec<_> = objects.iter().map(|object| self.placed(object)).collect();
        tools::apply(&self.cluster, &objects)
    }

    /// In the promise's namespace unless it says where, or has no place.
    fn placed(&self, object: &Value) -> Value {
        let mut object = object.clone();
        let placeless = ["Namespace", "StorageClass", "PersistentVolume", "CSIDriver", "Node", "CertificateSigningRequest"];
        if object["metadata"]["namespace"].is_null() && !placeless.contains(&object["kind"].as_str().unwrap_or_default()) {
            object["metadata"]["namespace"] = self.namespace.as_str().into();
        }
        object
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        tools::kubectl(&self.cluster, arguments)
    }

    /// kubectl in the promise's namespace.
    pub(crate) fn here(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["--namespace", self.namespace.as_str()];
        all.extend(arguments);
        self.kubectl(&all)
    }

    /// The namespaces go, and then the cluster and the host have what they had; `kept` is what the documentation says is kept,
    /// as `Kind/namespace/name` with a `*` at its end where the rest is free.
    pub(crate) async fn end(self, installs: &[&str], kept: &[&str]) -> Result<()> {
        let forbidden = self.audit.forbidden()?;
        self.kubectl(&["delete", "namespace", &self.namespace, "--wait"])?;
        // Before their namespaces take everything in them along.
        let cluster = &self.cluster;
        let left = harness::eventually_within(std::time::Duration::from_secs(20), "the installs to leave nothing", async || {
            let now = inventory(cluster)?;
            let left: Vec<String> = now
                .difference(&self.before)
                .filter(|object| !of_a_namespace(object, installs) && !kept.iter().any(|pattern| matches(pattern, object)))
                .cloned()
                .collect();
            ensure!(left.is_empty(), "left behind: {}", left.join(", "));
            Ok(())
        });
        left.await?;
        for namespace in installs {
            self.kubectl(&["delete", "namespace", namespace, "--wait"])?;
        }
        let gone: Vec<_> = self.before.difference(&inventory(cluster)?).cloned().collect();
        ensure!(gone.is_empty(), "taken along although others had made it: {}", gone.join(", "));
        nothing_on_the_host(cluster).await?;
        ensure!(forbidden.is_empty(), "requests that were refused for want of a right:\n{}", forbidden.join("\n"));
        Ok(())
    }
}

/// Every object that can be listed, as `Kind/namespace/name`. Events expire by themselves, and a node's Lease is its heartbeat.
fn inventory(cluster: &Cluster) -> Result<BTreeSet<String>> {
    let kinds = tools::kubectl(cluster, &["api-resources", "--verbs=list", "--output=name"])?;
    let kinds: Vec<_> = kinds.lines().filter(|kind| !kind.starts_with("events") && *kind != "componentstatuses").collect();
    let line = r#"jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{"\n"}{end}"#;
    let all = tools::kubectl(cluster, &["get", &kinds.join(","), "--all-namespaces", "--output", line])?;
    let ours = |object: &&str| !object.is_empty() && !object.starts_with("Lease/kube-node-lease/");
    Ok(all.lines().filter(ours).map(str::to_owned).collect())
}

/// The namespace, what Kubernetes itself puts into it, and what is documented to stay.
fn of_a_namespace(object: &str, namespaces: &[&str]) -> bool {
    namespaces.iter().any(|namespace| {
        // Leases are made by the processes and not by the chart: docs/install.md says that they stay.
        object.starts_with(&format!("Lease/{namespace}/"))
            || [
                format!("Namespace//{namespace}"),
                format!("ServiceAccount/{namespace}/default"),
                format!("ConfigMap/{namespace}/kube-root-ca.crt"),
            ]
            .contains(&object.to_owned())
    })
}

fn matches(pattern: &str, object: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => object.starts_with(start),
        None => pattern == object,
    }
}

/// No volume is mounted, no file is a device, no driver is registered.
async fn nothing_on_the_host(cluster: &Cluster) -> Result<()> {
    eventually("the host to have nothing of it", async || {
        for beneath in ["/var/lib/kubelet/plugins", "/var/lib/kubelet/pods"] {
            let left = mounts(Path::new(beneath))?;
            ensure!(left.is_empty(), "mounts: {left:?}");
        }
        let loops = loops_beneath(cluster.run())?;
        ensure!(loops.is_empty(), "loop devices: {loops:?}");
        let nodes = tools::list(cluster, "csinodes", &[])?;
        let drivers: Vec<_> =
            nodes.iter().flat_map(|node| node["spec"]["drivers"].as_array().cloned().unwrap_or_default()).collect();
        ensure!(drivers.is_empty(), "drivers that are still registered: {drivers:?}");
        Ok(())
    })
    .await
}
