//! What every host has from the start: namespaces, the built-in driver, and a default class.
//!
//! Only what is missing is made: what a person has changed stays as it is.

use anyhow::Context;
use csi_types::DriverName;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::storage::v1::{CSIDriver, StorageClass};
use kube::api::PostParams;
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::medium::Medium;

/// Upstream's first namespaces; node-mounter's heartbeat needs the last.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// The class of claims that name none.
pub(crate) const DEFAULT_CLASS: &str = "local";

/// Makes what is missing.
///
/// # Errors
/// The API refused an object that should be right.
pub(crate) async fn run(client: &Client, medium: &Medium) -> anyhow::Result<()> {
    let namespaces = NAMESPACES.map(|name| make::<Namespace>(client, json!({ "metadata": { "name": name } })));
    let classes: Vec<_> = classes(medium).into_iter().map(|class| make::<StorageClass>(client, class)).collect();
    // Together: they share one write to the disk.
    let made = futures::join!(
        futures::future::try_join_all(namespaces),
        futures::future::try_join_all(classes),
        make::<CSIDriver>(client, driver())
    );
    made.0?;
    made.1?;
    made.2?;
    Ok(())
}

/// A driver that only mounts: nothing is attached for it. A CSIDriver that is there stays as it is.
///
/// # Errors
/// The API refused an object that should be right.
pub(crate) async fn node_only(client: &Client, driver: &DriverName) -> anyhow::Result<()> {
    let object = json!({ "metadata": { "name": driver.as_str() }, "spec": { "attachRequired": false } });
    make::<CSIDriver>(client, object).await
}

async fn make<K>(client: &Client, object: Value) -> anyhow::Result<()>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Serialize,
{
    let what = format!("{} {}", K::kind(&()), object["metadata"]["name"]);
    let typed: K = serde_json::from_value(object).with_context(|| format!("{what} is malformed"))?;
    match Api::<K>::all(client.clone()).create(&PostParams::default(), &typed).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot make {what}")),
    }
}

fn classes(medium: &Medium) -> Vec<Value> {
    let directory = class("local-directory", "directory", false);
    match medium {
        Medium::Directory(_) => vec![class(DEFAULT_CLASS, "directory", true)],
        Medium::Loop => vec![class(DEFAULT_CLASS, "loop", true), directory],
    }
}

/// Bound at once: on one host there is no node to wait for.
fn class(name: &str, kind: &str, default: bool) -> Value {
    json!({
        "metadata": {
            "name": name,
            "annotations": { "storageclass.kubernetes.io/is-default-class": default.to_string() },
        },
        "provisioner": local_driver::DRIVER_NAME,
        "parameters": { "type": kind },
        "volumeBindingMode": "Immediate",
        "reclaimPolicy": "Delete",
        // Nobody grows volumes here yet; a larger claim is refused rather than accepted and never served.
        "allowVolumeExpansion": false,
    })
}

/// A disk of this host needs no attaching.
fn driver() -> Value {
    json!({
        "metadata": { "name": local_driver::DRIVER_NAME },
        "spec": {
            "attachRequired": false,
            "podInfoOnMount": true,
            "fsGroupPolicy": "File",
            "volumeLifecycleModes": ["Persistent", "Ephemeral"],
        },
    })
}
