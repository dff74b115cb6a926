//! A host without a kubelet: node-mounter is a process of the host, with the account that the chart's `node` mode makes for it.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use harness::{Sidecar, eventually, mounts, objects};
use serde_json::{Value, json};

use crate::driver::{DRIVER, backend};
use crate::helm::{Helm, Release};
use crate::install::local;
use crate::site::Site;
use crate::tools;

const NODE: &str = "node2";
const ROOT: &str = "/var/lib/longshore-node2";
const NAMESPACE: &str = "longshore-install";
const ACCOUNT: &str = "longshore-node-mounter-node2";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_host_without_kubelet_is_served_with_the_rights_of_node_mode_and_no_others() -> Result<()> {
    let installs = [NAMESPACE];
    let site = Site::begin("node-mode", &installs).await?;
    let release = Release::of(Helm::Three, "longshore", NAMESPACE)?;
    release.install(&site, &values(&site))?;
    release.ready(&site).await?;
    let programs = started(&site, &kubeconfig(&site)?)?;
    eventually("node2 to have the driver", async || {
        let drivers = site.kubectl(&["get", "csinode", NODE, "-o", "jsonpath={.spec.drivers[*].name}"])?;
        ensure!(drivers == DRIVER, "its drivers are {drivers:?}");
        // The heartbeat after the one that found no Node yet.
        site.kubectl(&["get", "lease", NODE, "--namespace", "kube-node-lease"])?;
        Ok(())
    })
    .await?;

    site.apply(&[objects::claim("data", "local", "32Mi"), pod()])?;
    let path = eventually("the pod's volume to be mounted on node2", async || {
        let path = volume_path(&site)?;
        ensure!(mounts(&path)?.iter().any(|mount| mount.point == path), "nothing at {}", path.display());
        Ok(path)
    })
    .await?;
    std::fs::write(path.join("file"), "bytes")?;
    refused_what_is_not_its_own(&site)?;

    // Whoever ran its containers says that they have ended.
    site.here(&["delete", "pod", "user", "--grace-period=0", "--force"])?;
    eventually("the mount to be gone", async || {
        let left: Vec<_> = mounts(Path::new(ROOT))?.into_iter().filter(|mount| mount.point != Path::new(ROOT)).collect();
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .await?;
    site.nothing_left_of(DRIVER, || backend(&site)).await?;
    for mut program in programs {
        program.terminate().await?;
    }
    site.kubectl(&["delete", "node", NODE, "--wait"])?;
    release.uninstall(&site)?;
    site.end(&installs, &[]).await
}

/// Both nodes are this host and share its disk, so a volume has no place of its own.
fn values(site: &Site) -> Value {
    let mut values = local(site);
    values["local"]["topology"] = json!(false);
    values["local"]["nodeName"] = json!("node1");
    values["node"] = json!({"enabled": true, "credential": "token", "names": [NODE]});
    values
}

fn pod() -> Value {
    let mut pod = crate::work::pod("user", "data", "true");
    pod["spec"]["nodeSelector"] = json!({"kubernetes.io/hostname": NODE});
    pod
}

/// As an administrator would write it for the host: the address, the authority, and the account's token.
fn kubeconfig(site: &Site) -> Result<PathBuf> {
    let token = site.kubectl(&["create", "token", ACCOUNT, "--namespace", NAMESPACE, "--duration=1h"])?;
    let cluster = site.kubectl(&["config", "view", "--raw", "-o", "jsonpath={.clusters[0].cluster}"])?;
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "here", "cluster": serde_json::from_str::<Value>(&cluster)?}],
        "users": [{"name": "here", "user": {"token": token.trim()}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here"}}],
    });
    let path = site.cluster.run().join("install/node2.kubeconfig");
    std::fs::create_dir_all(site.cluster.run().join("install"))?;
    std::fs::write(&path, config.to_string())?;
    Ok(path)
}

/// The agent, and the driver with its registrar, as the host's own services.
fn started(site: &Site, kubeconfig: &Path) -> Result<Vec<Sidecar>> {
    let socket = Path::new(ROOT).join("plugins").join(DRIVER).join("csi.sock");
    for folder in [socket.parent().unwrap_or(Path::new(ROOT)), &Path::new(ROOT).join("plugins_registry")] {
        std::fs::create_dir_all(folder)?;
    }
    let start = |program: &str, arguments: Vec<String>| {
        // By this mark hack/cluster finds what a killed test run leaves.
        let environment = vec![("LONGSHORE_CLUSTER".to_owned(), site.cluster.run().display().to_string())];
        let log = site.cluster.run().join("logs").join(format!("install-{program}.log"));
        Sidecar::start(site.cluster.program(program)?, arguments, environment, log)
    };
    let mounter = vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--node-name={NODE}"),
        format!("--root-dir={ROOT}"),
        "--register-node".to_owned(),
        "--v=5".to_owned(),
    ];
    let driver = vec![
        format!("--endpoint=unix://{}", socket.display()),
        format!("--driver-name={DRIVER}"),
        format!("--node-id={NODE}"),
        format!("--data-dir={}", site.cluster.run().join("volumes").display()),
        "--topology=false".to_owned(),
        "--controller-publish".to_owned(),
        "--services=node".to_owned(),
    ];
    let registrar = vec![
        format!("--csi-address={}", socket.display()),
        format!("--kubelet-registration-path={}", socket.display()),
        format!("--plugin-registration-path={ROOT}/plugins_registry"),
        "--timeout=60s".to_owned(),
    ];
    Ok(vec![start("node-mounter", mounter)?, start("local-driver", driver)?, start("node-driver-registrar", registrar)?])
}

/// Where node-mounter is to mount the pod's volume: kubelet's layout.
fn volume_path(site: &Site) -> Result<PathBuf> {
    let uid = site.here(&["get", "pod", "user", "-o", "jsonpath={.metadata.uid}"])?;
    let volume = site.here(&["get", "pvc", "data", "-o", "jsonpath={.spec.volumeName}"])?;
    ensure!(!volume.is_empty(), "the claim is not bound");
    Ok(Path::new(ROOT).join("pods").join(uid).join("volumes/kubernetes.io~csi").join(volume).join("mount"))
}

/// Asked of the API server's own authorizer, since a refused request would look like a right that is missing.
fn refused_what_is_not_its_own(site: &Site) -> Result<()> {
    let user = format!("--as=system:serviceaccount:{NAMESPACE}:{ACCOUNT}");
    let kubectl = site.cluster.run().join("bin/kubectl").display().to_string();
    let may = |verb: &str, what: &str, more: &[&str]| -> Result<bool> {
        let mut arguments = vec!["auth", "can-i", verb, what, &user, "--quiet"];
        arguments.extend(more);
        Ok(tools::run(&site.cluster, &kubectl, &arguments, "")?.ok)
    };
    for (verb, what, more) in [
        ("patch", "nodes/node1", &[][..]),
        ("patch", "nodes/node1", &["--subresource=status"]),
        ("delete", "nodes/node1", &[]),
        ("delete", "nodes/node2", &[]),
        ("update", "csinodes.storage.k8s.io/node1", &[]),
        ("delete", "csinodes.storage.k8s.io/node1", &[]),
        ("patch", "leases.coordination.k8s.io/node1", &["--namespace=kube-node-lease"]),
        ("get", "secrets", &["--all-namespaces"]),
        ("list", "secrets", &["--all-namespaces"]),
        ("create", "pods", &["--all-namespaces"]),
        ("create", "serviceaccounts/default", &["--subresource=token", "--namespace=default"]),
        ("patch", "persistentvolumes", &[]),
        ("patch", "volumeattachments.storage.k8s.io", &[]),
    ] {
        ensure!(!may(verb, what, more)?, "node2's account may {verb} {what} {more:?}");
    }
    ensure!(may("patch", "nodes/node2", &[])?, "node2's account may not touch its own node");
    Ok(())
}
