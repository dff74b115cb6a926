//! `helm install` gives a cluster a driver, and `helm uninstall` takes it away again.

use std::io::Write as _;
use std::time::Instant;

use anyhow::Result;
use harness::objects;
use serde_json::{Value, json};

use crate::driver::{DRIVER, backend};
use crate::helm::{Helm, Release};
use crate::site::Site;
use crate::work::{IMAGE, pod};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_3_installs_a_driver_that_keeps_data_and_uninstalls_all_of_it() -> Result<()> {
    installed(Helm::Three, "install-helm3").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_4_installs_a_driver_that_keeps_data_and_uninstalls_all_of_it() -> Result<()> {
    installed(Helm::Four, "install-helm4").await
}

async fn installed(helm: Helm, promise: &str) -> Result<()> {
    let installs = ["longshore-install"];
    let site = Site::begin(promise, &installs).await?;
    let release = Release::of(helm, "longshore", installs[0])?;
    let clock = Instant::now();
    release.install(&site, &local(&site))?;
    site.apply(&[objects::claim("first", "local", "32Mi"), pod("first", "first", "echo bytes >/data/file && sync")])?;
    site.done("first")?;
    // Past libtest's capture: a bar that is read, and nothing that decides.
    writeln!(
        std::io::stderr(),
        "from helm install to the first pod with data ({helm:?}): {:.1} s",
        clock.elapsed().as_secs_f64()
    )?;
    site.here(&["delete", "pod/first", "pvc/first", "--wait"])?;
    release.ready(&site).await?;
    release.test(&site)?;
    site.data_outlives_a_pod("local")?;
    site.nothing_left_of(DRIVER, || backend(&site)).await?;
    release.uninstall(&site)?;
    site.end(&installs, &[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_no_disk_has_room_for_goes_back_to_the_scheduler_and_says_why() -> Result<()> {
    let installs = ["longshore-install"];
    let site = Site::begin("no-room", &installs).await?;
    let release = Release::of(Helm::Four, "longshore", installs[0])?;
    release.install(&site, &local(&site))?;
    release.ready(&site).await?;
    site.apply(&[objects::claim("huge", "local", "500Ti"), pod("huge", "huge", "true")])?;
    site.told_again("huge", "ProvisioningFailed", "ResourceExhausted").await?;
    site.nothing_left_of(DRIVER, || backend(&site)).await?;
    release.uninstall(&site)?;
    site.end(&installs, &[]).await
}

/// The values of `local` mode, with the driver's data where the cluster's own are.
pub(crate) fn local(site: &Site) -> Value {
    json!({"local": {"enabled": true, "dataDir": site.cluster.run().join("volumes")}, "tests": {"image": IMAGE}})
}
