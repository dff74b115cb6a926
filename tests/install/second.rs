//! One cluster, several installs: each has its own driver, namespace and rights, and no two have one driver.

use std::fs;

use anyhow::{Result, ensure};
use harness::objects;
use serde_json::{Value, json};

use crate::driver::{DRIVER, backend};
use crate::helm::{Helm, Release};
use crate::install::local;
use crate::site::Site;
use crate::work::{pod, volumes_of};

const SECOND: &str = "second.csi.example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_install_with_other_values_serves_beside_the_first() -> Result<()> {
    let installs = ["longshore-install", "longshore-second"];
    let site = Site::begin("second", &installs).await?;
    let first = Release::of(Helm::Three, "longshore", installs[0])?;
    first.install(&site, &local(&site))?;
    // Its class names secrets, which its account may read because the values name them, and no others.
    site.apply(&[objects::secret("provision", "key", "one"), objects::secret("publish", "key", "two")])?;
    let second = Release::of(Helm::Four, "other", installs[1])?;
    second.install(&site, &other(&site))?;
    first.ready(&site).await?;
    second.ready(&site).await?;
    second.test(&site)?;

    for (class, driver) in [("local", DRIVER), ("second", SECOND)] {
        site.apply(&[objects::claim(class, class, "32Mi"), pod(class, class, "echo bytes >/data/file && sync")])?;
        site.done(class)?;
        ensure!(volumes_of(&site, driver)?.len() == 1, "{class}'s volume is not {driver}'s");
    }
    let files = fs::read_dir(site.cluster.run().join("second/volumes"))?.count();
    ensure!(files == 1, "the second driver has {files} volumes");

    // The first goes; the second does not mind.
    site.here(&["delete", "pod/local", "pvc/local", "--wait"])?;
    site.volumes_gone(DRIVER, || backend(&site)).await?;
    first.uninstall(&site)?;
    site.here(&["delete", "pod/second", "--wait"])?;
    site.apply(&[pod("reader", "second", "grep bytes /data/file")])?;
    site.done("reader")?;
    site.here(&["delete", "pod/reader", "pvc/second", "--wait"])?;
    site.nothing_left_of(SECOND, || Ok(fs::read_dir(site.cluster.run().join("second/volumes"))?.count())).await?;
    second.uninstall(&site)?;
    site.end(&installs, &[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_install_of_one_driver_is_refused_by_the_name_of_the_release_that_holds_it() -> Result<()> {
    let installs = ["longshore-install", "longshore-second"];
    let site = Site::begin("refused", &installs).await?;
    let first = Release::of(Helm::Three, "holder", installs[0])?;
    first.install(&site, &local(&site))?;
    for helm in [Helm::Three, Helm::Four] {
        let said = Release::of(helm, "late", installs[1])?.try_install(&site, &local(&site))?;
        ensure!(!said.ok, "{helm:?} installed a second {DRIVER}: {}", said.out);
        for part in [DRIVER, "\"holder\"", "\"longshore-install\""] {
            ensure!(said.err.contains(part), "{helm:?}'s refusal does not say {part}: {}", said.err);
        }
    }
    first.ready(&site).await?;
    first.uninstall(&site)?;
    site.end(&installs, &[]).await
}

/// Another driver, more replicas, folders instead of filesystems, another verbosity, secrets by name.
fn other(site: &Site) -> Value {
    let secret = |name: &str| format!("{}/{name}", site.namespace);
    json!({
        "local": {
            "enabled": true, "driverName": SECOND, "dataDir": site.cluster.run().join("second"), "v": 5,
            "controller": {"replicas": 2}, "overcommit": true, "maxVolumesPerNode": 50,
            "storageClasses": [{
                "name": "second",
                "volumeBindingMode": "Immediate",
                "parameters": {
                    "type": "directory",
                    "csi.storage.k8s.io/provisioner-secret-name": "provision",
                    "csi.storage.k8s.io/provisioner-secret-namespace": site.namespace,
                    "csi.storage.k8s.io/controller-publish-secret-name": "publish",
                    "csi.storage.k8s.io/controller-publish-secret-namespace": site.namespace,
                },
            }],
        },
        "provisioner": {"loggingFormat": "json", "timeout": "30s", "volumeNamePrefix": "other", "extraCreateMetadata": true},
        "attacher": {"httpEndpoint": ""},
        "secrets": {"names": [secret("provision"), secret("publish")]},
        "tests": {"image": crate::work::IMAGE},
    })
}
