//! The page that introduced CSI to Kubernetes (January 2018): its class, claim and pod, as printed, and its pre-provisioned volume.
//!
//! Edited are the driver's name, which Kubernetes refuses with its slash today, and the image, which no machine without a network has.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use fake_driver::Rpc;
use harness::{Cluster, Kind, Node, Scene};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_of_the_page_that_introduced_csi_end_in_a_pod_that_reads_and_writes() -> Result<()> {
    let folder = Cluster::connect().await?.run().join("e2e/kubernetes-document");
    fs::create_dir_all(&folder)?;
    let scene = Scene::of("document", Node::Kubelet).fake().await?;
    let apply = |name: &str, edit: &dyn Fn(String) -> String| -> Result<()> {
        let printed = concat!(env!("CARGO_MANIFEST_DIR"), "/documents/kubernetes");
        let text = fs::read_to_string(format!("{printed}/{name}.yaml"))?;
        let edited = folder.join(format!("{name}.yaml"));
        fs::write(&edited, edit(text.replace("com.example.team/csi-driver", &scene.driver.name)))?;
        let said = scene.cluster.kubectl(&["apply", "--namespace", &scene.name, "-f", &edited.display().to_string()])?;
        ensure!(said.status.success(), "{name}: {}", String::from_utf8_lossy(&said.stderr));
        Ok(())
    };
    let as_printed = |text: String| text;

    apply("storage-class", &as_printed)?;
    apply("claim", &as_printed)?;
    scene.bound("my-request-for-storage").await?;
    let request = scene.driver.controller()?.requests_of(Rpc::CreateVolume).first().context("no call")?.json();
    ensure!(request["parameters"] == json!({"type": "pd-ssd"}), "the driver got {}", request["parameters"]);
    apply("pod", &|text| {
        let command = "command: [sh, -c, \"trap 'exit 0' TERM; sleep 1000000 & wait\"]";
        // The other node of this cluster runs no containers.
        let node = format!("spec:\n  nodeSelector: {{kubernetes.io/hostname: {}}}\n", scene.node.name());
        let text = text.replacen("spec:\n", &node, 1);
        text.replace("image: dockerfile/nginx", &format!("image: docker.io/longshore/busybox:1\n      {command}"))
    })?;
    let pod = scene.pod("my-pod", "my-request-for-storage").find().await?;
    pod.ready().await?;
    pod.run("cd /var/www/html && echo hello > index.html && sync && grep hello index.html").await?;
    pod.delete().await?;
    scene.delete_claim("my-request-for-storage").await?;

    // Judged by the API server and not kept: what such a volume does is promised in preprovisioned.rs.
    let edited = folder.join("pre-provisioned.yaml");
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/documents/kubernetes/pre-provisioned.yaml"))?;
    for (name, taken) in [(scene.driver.name.as_str(), true), ("com.example.team/csi-driver", false)] {
        fs::write(&edited, text.replace("com.example.team/csi-driver", name))?;
        let said = scene.cluster.kubectl(&["apply", "--dry-run=server", "-f", &edited.display().to_string()])?;
        ensure!(said.status.success() == taken, "{name}: {}", String::from_utf8_lossy(&said.stderr));
    }
    scene.cluster.api.delete(Kind::StorageClass, "", "fast-storage", None).await?;
    scene.end().await
}
