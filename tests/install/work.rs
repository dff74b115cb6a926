//! What a user does with an installed driver: claims, pods, bytes.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use harness::{eventually, objects};
use serde_json::{Value, json};

use crate::site::Site;
use crate::tools;

pub(crate) const IMAGE: &str = "docker.io/longshore/busybox:1";

/// A pod that does one thing with its claim at /data, and ends.
pub(crate) fn pod(name: &str, claim: &str, command: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
            "containers": [{
                "name": "main", "image": IMAGE, "imagePullPolicy": "Never", "command": ["sh", "-ec", command],
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            }],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}],
        },
    })
}

impl Site {
    /// Waits until a pod has done its thing; fails with what it said if it could not.
    pub(crate) fn done(&self, pod: &str) -> Result<()> {
        let there = self.here(&["wait", &format!("pod/{pod}"), "--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s"]);
        there.map(|_| ()).with_context(|| {
            let tell = |arguments: &[&str]| self.here(arguments).unwrap_or_else(|error| format!("{error:#}"));
            format!("{}{}", tell(&["logs", pod]), tell(&["get", "events", "--sort-by=.lastTimestamp"]))
        })
    }

    /// Waits until an object's events have told of this at least twice: one that says the same is counted, one with other numbers is another.
    pub(crate) async fn told_again(&self, object: &str, reason: &str, says: &str) -> Result<()> {
        eventually(&format!("{object}'s {reason} to be told again"), async || {
            let events = tools::list(&self.cluster, "events", &["-n", &self.namespace])?;
            let told = events.iter().filter(|event| {
                let message = event["message"].as_str().unwrap_or_default();
                event["involvedObject"]["name"] == object && event["reason"] == reason && message.contains(says)
            });
            let times: u64 = told.map(|event| event["count"].as_u64().unwrap_or(1)).sum();
            ensure!(times > 1, "{times} times; events:\n{}", self.here(&["get", "events"])?);
            Ok(())
        })
        .await
    }

    /// A claim and two pods, one after the other: what the first wrote is what the second reads.
    pub(crate) fn data_outlives_a_pod(&self, class: &str) -> Result<()> {
        self.apply(&[objects::claim("kept", class, "32Mi"), pod("writer", "kept", "echo bytes >/data/file && sync")])?;
        self.done("writer")?;
        self.here(&["delete", "pod", "writer", "--wait"])?;
        self.apply(&[pod("reader", "kept", "grep bytes /data/file")])?;
        self.done("reader")?;
        self.here(&["delete", "pod/reader", "pvc/kept", "--wait"])?;
        Ok(())
    }

    /// Every claim of the namespace has a volume of its own, and the driver has these volumes and no other.
    pub(crate) async fn nothing_lost_or_doubled(
        &self,
        driver: &str,
        claims: usize,
        volumes: impl Fn() -> Result<usize>,
    ) -> Result<()> {
        eventually("every claim to have one volume", async || {
            let bound = tools::list(&self.cluster, "pvc", &["-n", &self.namespace])?;
            ensure!(bound.len() == claims, "{} claims of {claims}", bound.len());
            let names: BTreeSet<_> = bound.iter().filter_map(|claim| claim["spec"]["volumeName"].as_str()).collect();
            ensure!(names.len() == claims, "{} of {claims} claims have a volume of their own", names.len());
            let there = volumes_of(self, driver)?;
            let handles: BTreeSet<_> = there.iter().filter_map(|volume| volume["spec"]["csi"]["volumeHandle"].as_str()).collect();
            let backend = volumes()?;
            ensure!(
                (there.len(), handles.len(), backend) == (claims, claims, claims),
                "{claims} claims, {} PersistentVolumes, {} handles, {backend} volumes in the driver",
                there.len(),
                handles.len(),
            );
            Ok(())
        })
        .await
    }

    /// All claims go, and with them every volume.
    pub(crate) async fn nothing_left_of(&self, driver: &str, volumes: impl Fn() -> Result<usize>) -> Result<()> {
        self.here(&["delete", "pods,pvc", "--all", "--wait"])?;
        self.volumes_gone(driver, volumes).await
    }

    /// What its claims had is deleted in the cluster and in the driver.
    pub(crate) async fn volumes_gone(&self, driver: &str, volumes: impl Fn() -> Result<usize>) -> Result<()> {
        eventually("every volume to be gone", async || {
            let (left, backend) = (volumes_of(self, driver)?.len(), volumes()?);
            ensure!((left, backend) == (0, 0), "{left} PersistentVolumes, {backend} volumes in the driver");
            Ok(())
        })
        .await
    }
}

/// The PersistentVolumes of a driver.
pub(crate) fn volumes_of(site: &Site, driver: &str) -> Result<Vec<Value>> {
    let all = tools::list(&site.cluster, "pv", &[])?;
    Ok(all.into_iter().filter(|volume| volume["spec"]["csi"]["driver"] == driver).collect())
}
