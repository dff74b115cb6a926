//! `hack/bench apistore`: the API of `longshore up` beside a real kube-apiserver with etcd, in the same run, on the same disk, by
//! the same client, with the same durability: an answered write is on the disk on both sides.
//!
//! Sides alternate, so that a host that gets slower or faster does not favour one.

mod load;
mod server;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use harness::eventually_within;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::Api;
use kube::api::ListParams;

use crate::say;
use load::{Load, Measured};
use server::{Ours, Server, Upstream};

/// What to measure, and where things are.
#[derive(Debug, clap::Args)]
pub(crate) struct Apistore {
    /// ConfigMaps of about 1 KiB that are made, read, listed and patched.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    objects: u32,
    /// Claims that are provisioned and bound on `longshore up`, to see what each costs in memory. 0: none.
    #[arg(long, default_value_t = 10_000)]
    claims: u32,
    /// Turns of each side; the result is the median.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// Write the result here too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where longshore and fake-driver are.
    #[arg(long, hide = true)]
    programs: PathBuf,
    /// Where etcd and kube-apiserver are.
    #[arg(long, hide = true)]
    kubernetes: PathBuf,
    /// Where both sides keep their data.
    #[arg(long, hide = true)]
    folder: PathBuf,
}

/// A driver that makes volumes in memory, so that it is not its disk that is measured.
const DRIVER: &str = "bench.longshore.example";

/// Runs it.
pub(crate) async fn run(flags: &Apistore) -> Result<()> {
    let mut sides = [Vec::new(), Vec::new()];
    let turns = flags.rounds * 2;
    for number in 0..turns {
        let ours = number % 4 == 1 || number % 4 == 2;
        say(&format!("turn {} of {turns}: {}", number + 1, if ours { "longshore up" } else { "kube-apiserver and etcd" }));
        let folder = flags.folder.join(number.to_string());
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let measured = match ours {
            true => turn(flags, Ours::start(&flags.programs, &folder, &[]).await?).await?,
            false => turn(flags, Upstream::start(&flags.kubernetes, &folder).await?).await?,
        };
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        sides[usize::from(ours)].push(measured);
    }
    let claims = match flags.claims {
        0 => None,
        claims => Some(bound_claims(flags, claims).await?),
    };
    let [upstream, ours] = sides;
    table::tell(flags, &upstream, &ours, claims.as_ref())
}

/// One side's turn: at rest, under load, and what was there afterwards.
async fn turn(flags: &Apistore, server: impl Server) -> Result<Measured> {
    let load = Load::new(server.client()?, flags.objects);
    // What start-up leaves to do is not what rest looks like.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let rest = server.memory()?;
    let idle_before = server.cpu_secs()?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle = (server.cpu_secs()? - idle_before) / 5.0;
    let before = server.cpu_secs()?;
    let mut measured = load.run().await?;
    measured.cpu_secs = server.cpu_secs()? - before;
    measured.ready_ms = server.ready_ms();
    measured.memory_at_rest = rest;
    measured.memory_loaded = server.memory()?;
    measured.idle_cpu = idle;
    measured.disk = server.disk()?;
    server.stop().await?;
    Ok(measured)
}

/// What claims cost on one host.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) count: u32,
    pub(crate) secs: f64,
    pub(crate) memory_at_rest: u64,
    pub(crate) memory_bound: u64,
    pub(crate) ready_ms_after: u128,
}

/// All at once, of a driver that answers at once, until each is bound; and a start with all of them.
async fn bound_claims(flags: &Apistore, count: u32) -> Result<Claims> {
    say(&format!("{count} claims on longshore up"));
    let folder = flags.folder.join("claims");
    std::fs::create_dir_all(&folder)?;
    let driver = server::fake_driver(&flags.programs, &folder, DRIVER)?;
    let flag = format!("--driver={DRIVER}=unix://{}", driver.socket.display());
    let ours = Ours::start(&flags.programs, &folder, &[&flag]).await?;
    let client = ours.client()?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let memory_at_rest = ours.memory()?;
    let began = std::time::Instant::now();
    load::make_claims(&client, DRIVER, count).await?;
    let claims: Api<PersistentVolumeClaim> = Api::default_namespaced(client);
    eventually_within(Duration::from_secs(1200), "all claims to be bound", async || {
        let (mut bound, mut params) = (0, ListParams::default().limit(2_000));
        loop {
            let page = claims.list(&params).await?;
            let is_bound = |claim: &&PersistentVolumeClaim| {
                claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound")
            };
            bound += page.items.iter().filter(is_bound).count();
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => break,
            }
        }
        ensure!(bound == count as usize, "{bound} of {count} are bound");
        Ok(())
    })
    .await?;
    let secs = began.elapsed().as_secs_f64();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let memory_bound = ours.memory()?;
    ours.stop().await?;
    let again = Ours::start(&flags.programs, &folder, &[&flag]).await?;
    let ready_ms_after = again.ready_ms();
    again.stop().await?;
    drop(driver);
    std::fs::remove_dir_all(&folder)?;
    Ok(Claims { count, secs, memory_at_rest, memory_bound, ready_ms_after })
}
