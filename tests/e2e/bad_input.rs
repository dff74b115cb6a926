//! A mistake gets one clear sentence where its author looks, and is mended as soon as the world is.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use fake_driver::Mode;
use harness::{Cluster, Kind, Node, Scene, Sidecar, objects};
use serde_json::{Value, json};

/// A claim of this class and shape is refused with a Warning that has all these words, and no volume is made.
async fn refused(scene: &Scene, parameters: Value, change: impl Fn(&mut Value), words: &[&str]) -> Result<()> {
    let class = scene.class("bad", parameters).await?;
    let mut claim = objects::claim("data", &class, "1Gi");
    change(&mut claim);
    scene.create(&claim).await?;
    let message = scene.warned("data", words).await?;
    ensure!(!message.contains('\n'), "one sentence, not {message:?}");
    ensure!(scene.driver.volumes()?.is_empty(), "a volume was made: {:?}", scene.driver.volumes()?);
    ensure!(scene.volumes().await?.is_empty(), "a PV was made");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_reserved_key_is_named_on_the_claim() -> Result<()> {
    let scene = Scene::of("unknown-key", Node::Kubelet).fake().await?;
    refused(&scene, json!({"csi.storage.k8s.io/fstyp": "ext4"}), |_| (), &["csi.storage.k8s.io/fstyp"]).await?;
    scene.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_secret_reference_names_the_missing_half() -> Result<()> {
    let scene = Scene::of("half-secret", Node::Kubelet).fake().await?;
    let half = json!({"csi.storage.k8s.io/provisioner-secret-name": "a"});
    refused(&scene, half, |_| (), &["csi.storage.k8s.io/provisioner-secret-namespace"]).await?;
    scene.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_secret_is_named_and_its_arrival_is_enough() -> Result<()> {
    let scene = Scene::of("missing-secret", Node::Kubelet).fake().await?;
    let parameters = json!({
        "csi.storage.k8s.io/provisioner-secret-name": "absent",
        "csi.storage.k8s.io/provisioner-secret-namespace": "${pvc.namespace}",
    });
    refused(&scene, parameters, |_| (), &["absent", &scene.name]).await?;
    scene.create(&objects::secret("absent", "key", "value")).await?;
    scene.bound("data").await?;
    scene.delete_claim("data").await?;
    scene.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_size_that_the_driver_cannot_give_is_reported_with_the_drivers_reason() -> Result<()> {
    let scene = Scene::of("too-big", Node::Kubelet).fake_with(|builder, _| builder.capacity(1 << 20)).await?;
    refused(&scene, json!({}), |_| (), &["1073741824 bytes is more than the 1048576"]).await?;
    scene.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_mode_that_the_driver_lacks_is_reported() -> Result<()> {
    let scene =
        Scene::of("access-mode", Node::Kubelet).fake_with(|builder, _| builder.access_modes([Mode::SingleNodeWriter])).await?;
    let many = |claim: &mut Value| claim["spec"]["accessModes"] = json!(["ReadWriteMany"]);
    refused(&scene, json!({}), many, &["MULTI_NODE_MULTI_WRITER"]).await?;
    scene.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_that_appears_later_is_served() -> Result<()> {
    let scene = Scene::of("late-class", Node::Kubelet).fake().await?;
    scene.create(&objects::claim("data", &scene.unique("late"), "1Gi")).await?;
    scene.class("late", json!({})).await?;
    scene.bound("data").await?;
    ensure!(scene.get(Kind::PersistentVolumeClaim, "data").await?["status"]["phase"] == "Bound");
    scene.delete_claim("data").await?;
    scene.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_is_not_there_yet_is_waited_for_with_one_line() -> Result<()> {
    let cluster = Cluster::connect().await?;
    let folder = cluster.run().join("e2e").join(format!("no-socket-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    for program in ["external-provisioner", "external-attacher"] {
        let arguments = vec![
            format!("--csi-address={}", folder.join("no.sock").display()),
            format!("--kubeconfig={}", cluster.kubeconfig(program).display()),
        ];
        let mark = vec![("LONGSHORE_CLUSTER".to_owned(), cluster.run().display().to_string())];
        let mut sidecar = Sidecar::start(cluster.program(program)?, arguments, mark, folder.join(format!("{program}.log")))?;
        harness::eventually(&format!("{program} to say what it waits for"), async || {
            let log = sidecar.log()?;
            ensure!(log.contains("no.sock"), "it said {log:?}");
            Ok(())
        })
        .await?;
        ensure!(sidecar.alive(), "{program} did not wait: {}", sidecar.log()?);
        let lines = sidecar.log()?.lines().filter(|line| line.contains("no.sock")).count();
        ensure!(lines == 1, "{program} said it {lines} times: {}", sidecar.log()?);
        ensure!(sidecar.terminate().await? == Some(0), "{program} did not end in order: {}", sidecar.log()?);
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

#[tokio::test]
async fn a_flag_that_does_not_parse_is_one_sentence_and_usage_and_exit_2() -> Result<()> {
    let cluster = Cluster::connect().await?;
    for program in ["external-provisioner", "external-attacher", "node-driver-registrar", "livenessprobe", "node-mounter"] {
        for wrong in ["--no-such-flag", "--v=loud"] {
            let output = Command::new(cluster.program(program)?).arg(wrong).output().context(program)?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.code() == Some(2), "{program} {wrong}: {:?}\n{said}", output.status);
            let flag = wrong.trim_start_matches('-').split('=').next().context("a flag")?;
            ensure!(said.lines().next().is_some_and(|line| line.contains(flag)), "{program} {wrong} begins with {said:?}");
            ensure!(said.to_lowercase().contains("usage"), "{program} {wrong}: no usage in {said:?}");
        }
    }
    Ok(())
}
