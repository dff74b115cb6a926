//! SIGKILL at random moments under writes, over and over on one data directory: what was acknowledged is there afterwards, what was
//! not is there whole or not at all, and versions never go back.

mod model;
mod watcher;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::process::{Up, client, eventually, folder, longshore};
use model::Server;
use watcher::Watcher;
use writer::Writer;

const ROUNDS: u32 = 200;
const WRITERS: u64 = 8;
/// The longest that writers write in one life, from the first answer on.
const LONGEST_US: u64 = 120_000;

/// A small generator; the same seed makes the same choices, though not the same moments.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn seed() -> u64 {
    let given = std::env::var("LONGSHORE_SEED").ok().map(|text| text.parse().expect("LONGSHORE_SEED is a number"));
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    given.unwrap_or_else(now)
}

#[test]
#[ignore = "mounts, which needs root"]
fn whatever_was_acknowledged_outlives_two_hundred_kills() {
    let seed = seed();
    eprintln!("LONGSHORE_SEED={seed}");
    let mut dice = Dice::new(seed);
    let place = folder();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let mut writers: Vec<Writer> = (0..WRITERS).map(|number| Writer::new(number, seed)).collect();
    let mut watcher = Watcher::default();
    let (mut newest, mut acknowledged) = (0, 0);
    for round in 0..ROUNDS {
        // Some die before they are ready.
        if dice.below(8) == 0 {
            let mut child = longshore()
                .args(["up", "--listen=127.0.0.1:0"])
                .arg(format!("--data-dir={}", place.path().display()))
                .stdout(std::process::Stdio::null())
                .spawn()
                .expect("the program starts");
            std::thread::sleep(Duration::from_millis(dice.below(100)));
            child.kill().expect("it runs");
            child.wait().expect("it ended");
        }
        let up = Up::start(place.path(), &[]);
        let context = format!("LONGSHORE_SEED={seed}, round {round}");
        let judged = runtime.block_on(async {
            let server = Server::new(client(&up.kubeconfig()).await);
            let found = server.read().await;
            assert!(found.version >= newest, "{context}: version {} after {newest}", found.version);
            newest = found.version;
            for writer in &mut writers {
                writer.judge(&found, &context);
            }
            watcher.catch_up(&server, &found, &context).await;
            server
        });
        let server = Arc::new(judged);
        let running: Vec<_> = writers.drain(..).map(|writer| runtime.spawn(writer.write(server.clone()))).collect();
        let watching = runtime.spawn(watcher.follow(server.clone()));
        // Most often in the middle of writes, not while the first connection is made.
        if dice.below(8) > 0 {
            eventually("a write", || if server.writes() > 0 { Ok(()) } else { Err("none yet".to_owned()) });
        }
        std::thread::sleep(Duration::from_micros(dice.below(LONGEST_US)));
        up.kill();
        let ended = runtime.block_on(async { (join_all(running).await, watching.await) });
        writers = ended.0.into_iter().map(|writer| writer.expect("a writer ends well")).collect();
        watcher = ended.1.expect("the watcher ends well");
        newest = newest.max(watcher.version);
        newest = writers.iter().map(|writer| writer.newest).fold(newest, u64::max);
        acknowledged = writers.iter().map(|writer| writer.acknowledged).sum();
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("the mount table");
    let mounts = mounts.lines().filter(|line| line.contains(&*place.path().display().to_string())).count();
    eprintln!("{acknowledged} writes acknowledged; {} watches went on, {} relisted", watcher.resumed, watcher.relisted);
    assert!(acknowledged > u64::from(ROUNDS), "hardly anything was written: {acknowledged}");
    assert!(mounts < 10, "mounts pile up: {mounts}");
    runtime.block_on(nothing_is_left(&place));
}

/// A last life takes everything away again; what the provisioner made for claims that nobody wants any more goes with them.
async fn nothing_is_left(place: &tempfile::TempDir) {
    let up = tokio::task::block_in_place(|| Up::start(place.path(), &[]));
    let server = Server::new(client(&up.kubeconfig()).await);
    server.remove_everything().await;
    let volumes = place.path().join("volumes");
    for _ in 0..600 {
        if server.is_empty().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("claims or volumes are left, in {}:\n{}", volumes.display(), super::process::text(&up.ask(&["status"]).stdout));
}
