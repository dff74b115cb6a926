//! The real driver: directories, files and mounts of this host. Needs root, and says so where it is not.

use std::path::Path;

use clap::Parser as _;
use csc::Env;
use tokio::sync::oneshot;

use crate::rig::{Ran, ran};

struct Driver {
    dir: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
}

impl Driver {
    async fn start() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: mounts need root");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let (endpoint, data) = (dir.path().join("csi.sock"), dir.path().join("data"));
        let flags = local_driver::Flags::parse_from([
            "local-driver",
            &format!("--endpoint={}", endpoint.display()),
            &format!("--data-dir={}", data.display()),
            "--node-id=here",
        ]);
        let config = flags.config(None).unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            local_driver::serve(config, async { drop(stopped.await) }).await.unwrap();
        });
        let driver = Self { dir, stop: Some(stop), served };
        // The socket is there when a call gets through.
        while driver.run("i probe").await.code == 14 {
            tokio::task::yield_now().await;
        }
        Some(driver)
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    async fn run(&self, line: &str) -> Ran {
        let env = Env { endpoint: Some(self.path("csi.sock")), ..Env::default() };
        ran("csc", &line.split(' ').collect::<Vec<_>>(), &env, false).await
    }

    /// The output of a command that has to succeed.
    async fn out(&self, line: &str) -> String {
        let ran = self.run(line).await;
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        ran.out
    }

    async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).expect("it serves");
        }
        (&mut self.served).await.unwrap();
    }
}

#[tokio::test]
async fn a_volume_is_made_mounted_written_read_and_removed_by_hand() {
    let Some(driver) = Driver::start().await else { return };
    let made = driver.out("c new by-hand --cap SINGLE_NODE_WRITER,mount, --params type=directory --req-bytes 1048576").await;
    let id = made.split('"').nth(1).unwrap().to_owned();
    assert!(driver.out("c ls").await.contains(&id));
    let (staging, target) = (driver.path("staging"), driver.path("target"));
    std::fs::create_dir(&staging).unwrap();
    let cap = "--cap SINGLE_NODE_WRITER,mount,";
    driver.out(&format!("n stage {id} --staging-target-path {staging} {cap}")).await;
    driver.out(&format!("n mnt {id} --staging-target-path {staging} --target-path {target} {cap}")).await;
    std::fs::write(Path::new(&target).join("hello"), "there").unwrap();
    let stats = driver.out(&format!("n stats {id}:{target}:{staging}")).await;
    assert!(stats.lines().all(|line| line.starts_with(&format!("{id}\t{target}\t"))) && stats.contains("BYTES"), "{stats}");
    driver.out(&format!("n umount {id} --target-path {target}")).await;
    driver.out(&format!("n mnt {id} --staging-target-path {staging} --target-path {target} --read-only {cap}")).await;
    assert_eq!(std::fs::read_to_string(Path::new(&target).join("hello")).unwrap(), "there");
    assert!(std::fs::write(Path::new(&target).join("more"), "").is_err());
    driver.out(&format!("n umount {id} --target-path {target}")).await;
    driver.out(&format!("n unstage {id} --staging-target-path {staging}")).await;
    driver.out(&format!("c rm {id}")).await;
    assert_eq!(driver.out("c ls").await, "");
    driver.stop().await;
}

#[tokio::test]
async fn a_volume_that_is_not_there_is_told_in_the_drivers_words() {
    let Some(driver) = Driver::start().await else { return };
    let ran = driver.run("c get nowhere").await;
    assert!(ran.code == 5 && ran.err.contains("nowhere") && ran.err.contains("NotFound (5)"), "{ran:?}");
    driver.stop().await;
}
