//! Each secret arrives at the call that it is for, and in no log at any verbosity, no event and no object.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use fake_driver::{FakeDriver, Rpc};
use harness::{Node, Scene, objects, on_both_nodes};
use serde_json::json;

on_both_nodes!(each_secret_arrives_at_its_call_and_in_no_log_event_or_object, super::secrets);

const KINDS: [(&str, Rpc); 4] = [
    ("provisioner", Rpc::CreateVolume),
    ("controller-publish", Rpc::ControllerPublishVolume),
    ("node-stage", Rpc::NodeStageVolume),
    ("node-publish", Rpc::NodePublishVolume),
];

async fn secrets(node: Node) -> Result<()> {
    let mut scene = Scene::of("secrets", node).verbosity(10).fake().await?;
    let mut parameters = json!({});
    for (kind, _) in KINDS {
        scene.create(&objects::secret(kind, "password", &value(kind, node))).await?;
        parameters[format!("csi.storage.k8s.io/{kind}-secret-name")] = json!(kind);
        parameters[format!("csi.storage.k8s.io/{kind}-secret-namespace")] = json!("${pvc.namespace}");
    }
    let class = scene.class("secret", parameters).await?;
    scene.create(&objects::claim("data", &class, "1Gi")).await?;
    let pod = scene.pod("user", "data").start().await?;
    // While everything exists: what the API shows to whoever may read volumes, attachments and events.
    let objects = vec![
        ("the PersistentVolume".to_owned(), json!(scene.volumes().await?).to_string()),
        ("the VolumeAttachment".to_owned(), json!(scene.attachments().await?).to_string()),
        ("the events".to_owned(), scene.events().await?),
    ];
    pod.delete().await?;
    scene.delete_claim("data").await?;

    for (kind, rpc) in KINDS {
        let at = if rpc.service() == "Node" { scene.driver.on_node()? } else { scene.driver.controller()? };
        arrived(at, rpc, &value(kind, node))?;
    }
    // What was created with a secret is deleted with it, and detached with the one it was attached with.
    let fake = scene.driver.controller()?;
    arrived(fake, Rpc::DeleteVolume, &value("provisioner", node))?;
    arrived(fake, Rpc::ControllerUnpublishVolume, &value("controller-publish", node))?;

    let mut logs = scene.logs()?;
    let mounter = scene.cluster.run().join("logs/node-mounter.log");
    logs.push((
        "node-mounter".to_owned(),
        String::from_utf8_lossy(&fs::read(&mounter).context("node-mounter's log")?).into_owned(),
    ));
    for (name, text) in logs.into_iter().chain(objects) {
        ensure!(!text.is_empty(), "{name} said nothing, so nothing was looked at");
        for (kind, _) in KINDS {
            let line = text.lines().find(|line| line.contains(&value(kind, node)));
            ensure!(line.is_none(), "{name} shows the {kind} secret: {line:?}");
        }
    }
    scene.end().await
}

fn value(kind: &str, node: Node) -> String {
    format!("top-secret-{kind}-{}", node.name())
}

fn arrived(fake: &FakeDriver, rpc: Rpc, value: &str) -> Result<()> {
    let requests = fake.requests_of(rpc);
    ensure!(!requests.is_empty(), "no {}", rpc.name());
    for request in requests {
        ensure!(request.json()["secrets"] == json!({"password": value}), "{} did not carry its secret", rpc.name());
    }
    Ok(())
}
