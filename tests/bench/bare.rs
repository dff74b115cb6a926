//! The yardstick: a client that has the claims in memory and posts what a provisioner posts, with nothing around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::{Event, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::jiff::Timestamp;
use kube::api::{ListParams, PostParams};
use kube::{Api, Client};
use serde_json::json;

use crate::site::{DRIVER, claims, events};

/// As many as external-provisioner's `--worker-threads` has by default.
pub(crate) const AT_ONCE: usize = 100;

/// When it began to post.
pub(crate) struct Began(pub(crate) Timestamp);

/// Reads the claims; then, with the clock running, posts a PersistentVolume and an event for each.
pub(crate) async fn provision(client: &Client) -> Result<Began> {
    let list = claims(client).list(&ListParams::default()).await.context("list claims")?;
    let (todo, next) = (Arc::new(list.items), Arc::new(AtomicUsize::new(0)));
    let began = Timestamp::now();
    let worker = || {
        let (client, todo, next) = (client.clone(), todo.clone(), next.clone());
        async move {
            while let Some(claim) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
                post(&client, claim).await?;
            }
            anyhow::Ok(())
        }
    };
    let workers: Vec<_> = (0..AT_ONCE).map(|_| tokio::spawn(worker())).collect();
    for worker in workers {
        worker.await??;
    }
    Ok(Began(began))
}

async fn post(client: &Client, claim: &PersistentVolumeClaim) -> Result<()> {
    let volumes: Api<PersistentVolume> = Api::all(client.clone());
    volumes.create(&PostParams::default(), &volume(claim)?).await.context("post PersistentVolume")?;
    events(client).create(&PostParams::default(), &success(claim)?).await.context("post event")?;
    Ok(())
}

/// What external-provisioner writes for a claim of the benchmark's class; `round::same_volumes` holds the two side by side.
fn volume(claim: &PersistentVolumeClaim) -> Result<PersistentVolume> {
    let meta = &claim.metadata;
    let name = format!("pvc-{}", meta.uid.as_deref().context("a claim without uid")?);
    Ok(serde_json::from_value(json!({
        "metadata": {
            "name": name,
            "annotations": {
                "pv.kubernetes.io/provisioned-by": DRIVER,
                "volume.kubernetes.io/provisioner-deletion-secret-name": "",
                "volume.kubernetes.io/provisioner-deletion-secret-namespace": "",
            },
            "finalizers": ["external-provisioner.volume.kubernetes.io/finalizer"],
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta.namespace, "name": meta.name,
                "uid": meta.uid, "resourceVersion": meta.resource_version,
            },
            "csi": {
                "driver": DRIVER,
                // As long as fake-driver's handles are.
                "volumeHandle": meta.uid,
                "volumeAttributes": {
                    "fake-driver/name": name,
                    "storage.kubernetes.io/csiProvisionerIdentity": format!("1700000000000-1234-{DRIVER}"),
                },
            },
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_ref()),
            "volumeMode": "Filesystem",
        },
    }))?)
}

fn success(claim: &PersistentVolumeClaim) -> Result<Event> {
    let meta = &claim.metadata;
    let (name, uid) = (meta.name.clone().unwrap_or_default(), meta.uid.clone().unwrap_or_default());
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Ok(serde_json::from_value(json!({
        "metadata": {"name": format!("{name}.{}", &uid[..16.min(uid.len())]), "namespace": meta.namespace},
        "involvedObject": {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta.namespace, "name": name, "uid": uid,
        },
        "type": "Normal",
        "reason": "ProvisioningSucceeded",
        "message": format!("Successfully provisioned volume pvc-{uid}"),
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": DRIVER, "host": "bench"},
        "reportingComponent": DRIVER,
        "reportingInstance": "bench",
    }))?)
}
