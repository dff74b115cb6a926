//! A host without a kubelet: node-mounter is a process of the host, with what the chart's `node` mode makes for it: an account of
//! its own and a token, or the right to ask for a node's certificate.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
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

/// How the host proves who it is: `node.credential`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credential {
    Token,
    Certificate,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_host_without_kubelet_is_served_with_the_rights_of_node_mode_and_no_others() -> Result<()> {
    served("node-mode", Credential::Token).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_host_gets_and_renews_a_nodes_certificate_as_documented_and_is_served_with_it() -> Result<()> {
    served("node-certificate", Credential::Certificate).await
}

async fn served(promise: &str, credential: Credential) -> Result<()> {
    let installs = [NAMESPACE];
    let site = Site::begin(promise, &installs).await?;
    let release = Release::of(Helm::Three, "longshore", NAMESPACE)?;
    release.install(&site, &values(&site, credential))?;
    release.ready(&site).await?;
    let kubeconfig = match credential {
        Credential::Token => with_token(&site)?,
        Credential::Certificate => with_certificate(&site)?,
    };
    let programs = started(&site, &kubeconfig)?;
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
    match credential {
        Credential::Token => refused_what_is_not_its_own(&site)?,
        Credential::Certificate => refused_as_a_node(&site)?,
    }

    match credential {
        Credential::Token => {
            told_of_a_volume_that_cannot_be_mounted(&site).await?;
            // Nothing of it runs: the agent unmounts, and lets the API forget the pod.
            site.here(&["delete", "pod", "user", "--wait"])?;
        }
        Credential::Certificate => {
            site.here(&["delete", "pod", "user", "--grace-period=0", "--force"])?;
        }
    }
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
fn values(site: &Site, credential: Credential) -> Value {
    let mut values = local(site);
    values["local"]["topology"] = json!(false);
    values["local"]["nodeName"] = json!("node1");
    let credential = match credential {
        Credential::Token => "token",
        Credential::Certificate => "certificate",
    };
    values["node"] = json!({"enabled": true, "credential": credential, "names": [NODE]});
    values
}

fn pod() -> Value {
    let mut pod = crate::work::pod("user", "data", "true");
    pod["spec"]["nodeSelector"] = json!({"kubernetes.io/hostname": NODE});
    pod
}

/// As an administrator would write it for the host: the address, the authority, and the account's token.
fn with_token(site: &Site) -> Result<PathBuf> {
    let token = site.kubectl(&["create", "token", &account(), "--namespace", NAMESPACE, "--duration=1h"])?;
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

fn account() -> String {
    format!("longshore-node-mounter-{NODE}")
}

/// By the very commands of docs/install.md, in a folder of its own: first with the token of the bootstrap account, then once more
/// with the certificate that came of it.
fn with_certificate(site: &Site) -> Result<PathBuf> {
    let folder = site.cluster.run().join("install/etc-node2");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let authority =
        site.kubectl(&["-n", "kube-public", "get", "configmap", "kube-root-ca.crt", "-o", r"jsonpath={.data.ca\.crt}"])?;
    std::fs::write(folder.join("ca.crt"), authority)?;
    let token = site.kubectl(&["-n", NAMESPACE, "create", "token", "longshore-node-bootstrap", "--duration=10m"])?;
    std::fs::write(folder.join("bootstrap.token"), token.trim())?;
    let server = site.kubectl(&["config", "view", "--minify", "--raw", "-o", "jsonpath={.clusters[0].cluster.server}"])?;
    let documented = documented_commands("openssl ecparam")?
        .replace("/etc/longshore", &folder.display().to_string())
        .replace("NODE=edge-1 SERVER=https://…", &format!("NODE={NODE} SERVER={server}"));
    let certificate = folder.join("node.crt");
    tools::must(&site.cluster, "bash", &["-euo", "pipefail", "-c", &documented], "")?;
    let first = std::fs::read(&certificate)?;
    ensure!(!folder.join("bootstrap.token").exists(), "the bootstrap token is still there");

    let renewal: String = documented.lines().filter(|line| !line.starts_with("AS=")).map(|line| format!("{line}\n")).collect();
    let renewal = renewal.replace("# AS=", "AS=");
    tools::must(&site.cluster, "bash", &["-euo", "pipefail", "-c", &renewal], "")?;
    ensure!(std::fs::read(&certificate)? != first, "the certificate was not renewed");
    // What an administrator would leave to the controller manager, which forgets them after an hour.
    site.kubectl(&["delete", "certificatesigningrequests", "--all"])?;
    Ok(folder.join("node.kubeconfig"))
}

/// The block of commands in docs/install.md that has `mark` in it.
fn documented_commands(mark: &str) -> Result<String> {
    let page = std::fs::read_to_string(tools::path("docs/install.md")?)?;
    let block = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).find(|block| block.contains(mark));
    Ok(block.with_context(|| format!("docs/install.md has no commands with {mark}"))?.to_owned())
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

/// A filesystem that refuses its mount options: the pod's events say so, and a failure that comes again is counted, not said anew.
async fn told_of_a_volume_that_cannot_be_mounted(site: &Site) -> Result<()> {
    let mut class = objects::class("odd", DRIVER, json!({"type": "loop"}));
    class["mountOptions"] = json!(["no-such-option"]);
    let mut pod = crate::work::pod("stuck", "odd", "true");
    pod["spec"]["nodeSelector"] = json!({"kubernetes.io/hostname": NODE});
    site.apply(&[class, objects::claim("odd", "odd", "32Mi"), pod])?;
    site.told_again("stuck", "FailedMount", "no-such-option").await?;
    site.here(&["delete", "pod", "stuck", "--grace-period=0", "--force"])?;
    site.here(&["delete", "pvc", "odd", "--wait"])?;
    site.kubectl(&["delete", "storageclass", "odd"])?;
    Ok(())
}

/// Asked of the API server's own authorizer, since a refused request would look like a right that is missing.
fn refused_what_is_not_its_own(site: &Site) -> Result<()> {
    let user = format!("--as=system:serviceaccount:{NAMESPACE}:{}", account());
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

/// Tried, without keeping it: half of what keeps a node to its own is admission, which no review knows.
fn refused_as_a_node(site: &Site) -> Result<()> {
    let kubectl = site.cluster.run().join("bin/kubectl").display().to_string();
    let user = format!("--as=system:node:{NODE}");
    let patch = r#"--patch={"metadata":{"labels":{"example.com/mine":"yes"}}}"#;
    let dry = "--dry-run=server";
    for what in [
        &["patch", "node", "node1", patch, dry][..],
        &["patch", "node", "node1", "--subresource=status", patch, dry],
        &["delete", "node", "node1", dry],
        &["patch", "csinode", "node1", patch, dry],
        &["patch", "lease", "node1", "--namespace=kube-node-lease", patch, dry],
        &["get", "secrets", "--all-namespaces"],
        &["get", "persistentvolumes"],
        &["create", "token", "default", "--namespace=default"],
        &["delete", "persistentvolumes", "--all", dry],
    ] {
        let mut arguments = what.to_vec();
        arguments.extend([user.as_str(), "--as-group=system:nodes"]);
        let said = tools::run(&site.cluster, &kubectl, &arguments, "")?;
        ensure!(!said.ok && said.err.contains("orbidden"), "node2 did {what:?}: {}{}", said.out, said.err);
    }
    tools::must(&site.cluster, &kubectl, &["patch", "node", NODE, patch, dry, &user, "--as-group=system:nodes"], "")?;
    Ok(())
}
