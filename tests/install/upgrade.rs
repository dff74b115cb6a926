//! An upgrade happens while people work. Claims and pods go through, and what is mounted stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use harness::objects;
use serde_json::json;

use crate::driver::{DRIVER, backend};
use crate::helm::{Helm, Release};
use crate::install::local;
use crate::site::Site;
use crate::work::{pod, volumes_of};

/// People who make a claim, use it in a pod, and go on to the next.
const PEOPLE: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn an_upgrade_and_a_rollback_under_load_lose_and_double_nothing_with_helm_3() -> Result<()> {
    upgraded(Helm::Three, "upgrade-helm3").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn an_upgrade_and_a_rollback_under_load_lose_and_double_nothing_with_helm_4() -> Result<()> {
    upgraded(Helm::Four, "upgrade-helm4").await
}

async fn upgraded(helm: Helm, promise: &str) -> Result<()> {
    let installs = ["longshore-install"];
    let site = Arc::new(Site::begin(promise, &installs).await?);
    let release = Release::of(helm, "longshore", installs[0])?;
    release.install(&site, &local(&site))?;
    release.ready(&site).await?;
    // Its volume stays mounted all the way through.
    let stays = "echo bytes >/data/file; trap 'exit 0' TERM; while :; do date >>/data/log; sleep 1; done";
    site.apply(&[objects::claim("stays", "local", "32Mi"), pod("stays", "stays", stays)])?;
    site.here(&["wait", "pod/stays", "--for=condition=Ready", "--timeout=60s"])?;

    let (enough, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let people: Vec<_> = (0..PEOPLE)
        .map(|_| {
            let (site, enough, made) = (Arc::clone(&site), Arc::clone(&enough), Arc::clone(&made));
            tokio::task::spawn_blocking(move || {
                while !enough.load(Ordering::Relaxed) {
                    let name = format!("work-{}", made.fetch_add(1, Ordering::Relaxed));
                    site.apply(&[objects::claim(&name, "local", "16Mi"), pod(&name, &name, "echo bytes >/data/file && sync")])?;
                    site.done(&name)?;
                }
                anyhow::Ok(())
            })
        })
        .collect();

    let before = generations(&site, installs[0])?;
    release.upgrade(&site, &changed(&site))?;
    release.ready(&site).await?;
    let between = generations(&site, installs[0])?;
    ensure!(before != between, "the upgrade replaced no pod: {before:?}");
    release.rollback(&site)?;
    release.ready(&site).await?;
    ensure!(between != generations(&site, installs[0])?, "the rollback replaced no pod: {between:?}");
    enough.store(true, Ordering::Relaxed);
    for person in people {
        person.await??;
    }

    let claims = made.load(Ordering::Relaxed) + 1;
    site.nothing_lost_or_doubled(DRIVER, claims, || backend(&site)).await?;
    ensure!(
        site.here(&["exec", "stays", "--", "cat", "/data/file"])?.trim() == "bytes",
        "the volume that stayed has lost its bytes"
    );
    let restarts = site.here(&["get", "pod", "stays", "-o", "jsonpath={.status.containerStatuses[0].restartCount}"])?;
    ensure!(restarts == "0", "the pod that stayed was restarted {restarts} times");
    site.nothing_left_of(DRIVER, || backend(&site)).await?;
    release.uninstall(&site)?;
    Arc::into_inner(site).expect("everybody who had it has ended").end(&installs, &[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn volumes_outlive_an_uninstall_and_the_next_install_serves_them() -> Result<()> {
    let installs = ["longshore-install"];
    let site = Site::begin("reinstall", &installs).await?;
    let release = Release::of(Helm::Three, "longshore", installs[0])?;
    release.install(&site, &local(&site))?;
    site.apply(&[objects::claim("kept", "local", "32Mi"), pod("writer", "kept", "echo bytes >/data/file && sync")])?;
    site.done("writer")?;
    site.here(&["delete", "pod", "writer", "--wait"])?;
    release.uninstall(&site)?;
    ensure!((volumes_of(&site, DRIVER)?.len(), backend(&site)?) == (1, 1), "the uninstall took a volume along");

    release.install(&site, &local(&site))?;
    site.apply(&[pod("reader", "kept", "grep bytes /data/file")])?;
    site.done("reader")?;
    site.nothing_left_of(DRIVER, || backend(&site)).await?;
    release.uninstall(&site)?;
    site.end(&installs, &[]).await
}

/// More to say, and one more of each controller.
fn changed(site: &Site) -> serde_json::Value {
    let mut values = local(site);
    values["local"]["v"] = json!(5);
    values["provisioner"] = json!({"v": 5});
    values["local"]["controller"] = json!({"replicas": 2});
    values
}

/// Which pods there are: the uid of each.
fn generations(site: &Site, namespace: &str) -> Result<Vec<String>> {
    let uids =
        site.kubectl(&["get", "pods", "-n", namespace, "-o", r#"jsonpath={range .items[*]}{.metadata.uid}{"\n"}{end}"#])?;
    let mut uids: Vec<_> = uids.lines().map(str::to_owned).collect();
    uids.sort();
    Ok(uids)
}
