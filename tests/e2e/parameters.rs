//! A class's parameters reach the driver as they are; what is meant for us does not.

use anyhow::{Context as _, Result, ensure};
use fake_driver::Rpc;
use harness::{Node, Scene, objects};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_parameters_arrive_exactly_and_a_reserved_key_never_does() -> Result<()> {
    let scene = Scene::of("parameters", Node::Kubelet).fake().await?;
    let wanted = json!({
        "tier": "gold", "empty": "", "UPPER.case/with-slash": "ünïcode ☃", "number": "007",
        "json": "{\"a\": [1, 2]}", "csi.storage.k8s.io": "not the prefix", "x.csi.storage.k8s.io/fstype": "not the prefix either",
    });
    let mut parameters = wanted.clone();
    let secret = [("provisioner", "a"), ("controller-publish", "b"), ("node-stage", "c"), ("node-publish", "d")];
    for (kind, name) in secret {
        parameters[format!("csi.storage.k8s.io/{kind}-secret-name")] = json!(name);
        parameters[format!("csi.storage.k8s.io/{kind}-secret-namespace")] = json!("${pvc.namespace}");
    }
    parameters["csi.storage.k8s.io/fstype"] = json!("ext4");
    scene.create(&objects::secret("a", "key", "value")).await?;
    let class = scene.class("all", parameters).await?;
    scene.create(&objects::claim("data", &class, "1Gi")).await?;
    scene.bound("data").await?;

    let requests = scene.driver.controller()?.requests_of(Rpc::CreateVolume);
    ensure!(requests.len() == 1, "{} calls for one claim", requests.len());
    let request = requests.first().context("no call")?.json();
    ensure!(request["parameters"] == wanted, "the driver got {}", request["parameters"]);
    ensure!(request["volume_capabilities"][0]["mount"]["fs_type"] == "ext4", "{}", request["volume_capabilities"]);
    ensure!(request["secrets"] == json!({"key": "value"}), "the provisioner's secret");

    scene.delete_claim("data").await?;
    scene.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_claims_name_arrives_only_when_asked_for() -> Result<()> {
    let scene = Scene::of("metadata", Node::Kubelet).provisioner("--extra-create-metadata").fake().await?;
    let class = scene.class("plain", json!({"tier": "gold"})).await?;
    scene.create(&objects::claim("data", &class, "1Gi")).await?;
    let volume = scene.bound("data").await?;

    let request = scene.driver.controller()?.requests_of(Rpc::CreateVolume).first().context("no call")?.json();
    let wanted = json!({
        "tier": "gold", "csi.storage.k8s.io/pvc/name": "data", "csi.storage.k8s.io/pvc/namespace": scene.name,
        "csi.storage.k8s.io/pv/name": objects::name(&volume),
    });
    ensure!(request["parameters"] == wanted, "the driver got {}", request["parameters"]);
    scene.delete_claim("data").await?;
    scene.end().await
}
