//! A host of plugins in a folder of its own, and the plugin that it starts.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use csi_types::{DriverName, Secret};
use fake_driver::{FakeDriver, PluginCap};
use plugin_host::{
    Change, Command, Config, Environment, Host, How, Limits, Part, Plugin, PluginId, Process, Served, Service, Targets, Users,
};
use rt::{Ctx, Shutdown};

/// Long enough for a loaded machine; nothing waits that long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// What the plugin is given, and what must be nowhere else.
pub(crate) const SECRET: &str = "hunter2hunter2";

pub(crate) struct Rig {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) host: Host,
    pub(crate) volumes: Arc<Volumes>,
    pub(crate) changes: Arc<Mutex<Vec<Change>>>,
    shutdown: Shutdown,
}

/// How many volumes of any driver are on this host.
#[derive(Default)]
pub(crate) struct Volumes(pub(crate) AtomicUsize);

impl Users for Volumes {
    fn volumes_of(&self, _: &DriverName) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Rig {
    pub(crate) async fn new() -> Self {
        // A short path: the kernel takes 107 bytes for a socket.
        Self::on(tempfile::Builder::new().prefix("ph").tempdir_in("/tmp").expect("a folder")).await
    }

    pub(crate) async fn on(dir: tempfile::TempDir) -> Self {
        let (ctx, shutdown) = (Ctx::real(), Shutdown::new());
        let mut config = Config::new(dir.path().join("p"), "node-1", dir.path());
        config.docker = dir.path().join("docker");
        config.cgroups = dir.path().join("no-cgroups");
        let host = Host::start(&ctx, config, csi_client::Metrics::new(), shutdown.clone()).await.expect("a host");
        let (volumes, changes) = (Arc::new(Volumes::default()), Arc::<Mutex<Vec<Change>>>::default());
        host.set_users(volumes.clone());
        let told = changes.clone();
        host.subscribe(move |change| told.lock().expect("a lock").push(change.clone()));
        Self { dir, host, volumes, changes, shutdown }
    }

    /// The end of this life and the next one, on the same folder.
    pub(crate) async fn again(self) -> Self {
        self.shutdown.request();
        Self::on(self.dir).await
    }

    pub(crate) async fn served(&self, id: &str) -> Served {
        eventually(&format!("{id} serves"), || self.host.served().into_iter().find(|served| served.id.to_string() == id)).await
    }

    /// What is wrong with a plugin, once that has this word in it.
    pub(crate) async fn trouble(&self, id: &str, word: &str) -> String {
        let find = || {
            let troubles = self.host.troubles().into_iter();
            troubles
                .filter(|trouble| trouble.id.to_string() == id)
                .map(|trouble| trouble.reason)
                .find(|reason| reason.contains(word))
        };
        eventually(&format!("{id} has trouble with {word:?}"), find).await
    }

    pub(crate) fn was_gone(&self) -> bool {
        self.changes.lock().expect("a lock").iter().any(|change| matches!(change, Change::Gone(_)))
    }

    /// Ends everything that was started here.
    pub(crate) async fn end(self) {
        self.volumes.0.store(0, Ordering::SeqCst);
        self.host.settled(true);
        let ids = self.host.served().into_iter().map(|served| served.id);
        let ids: std::collections::BTreeSet<PluginId> =
            ids.chain(self.host.troubles().into_iter().map(|trouble| trouble.id)).collect();
        ids.iter().for_each(|id| self.host.remove(id));
        tokio::time::timeout(PATIENCE, self.host.gone(&ids)).await.expect("every plugin ends");
    }
}

/// Waits until there is one.
pub(crate) async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = std::time::Instant::now();
    loop {
        match look() {
            Some(found) => return found,
            None if begun.elapsed() > PATIENCE => panic!("never: {what}"),
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// A managed plugin: this program, as a driver.
pub(crate) fn plugin(id: &str, driver: &str, mode: &str) -> Plugin {
    let both = Service::ALL.into_iter().collect();
    let (kind, name) = id.split_once('/').unwrap_or((id, "default"));
    Plugin {
        id: PluginId::new(kind, name).expect("an id"),
        parts: vec![Part { services: both, how: How::Process(process(driver, mode)) }],
        health_timeout: Duration::from_secs(30),
        targets: Targets::default(),
    }
}

pub(crate) fn process(driver: &str, mode: &str) -> Process {
    let program = std::env::current_exe().expect("a program");
    let plain = [("PLUGIN_DRIVER", driver), ("PLUGIN_MODE", mode)];
    let plain: BTreeMap<String, String> = plain.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Process {
        command: Command::Shell(format!("exec {} --exact the_plugin --nocapture --test-threads=1", program.display())),
        environment: Environment {
            plain,
            secret: Secret::from_iter([("PLUGIN_TOKEN", SECRET)]),
            node_name: ["MESOS_AGENT_ID".to_owned()].into(),
        },
        user: None,
        limits: Limits::default(),
        working_dir: None,
        mount_dir: None,
    }
}

/// The processes that listen on this socket, or were started to.
pub(crate) fn pids(socket: &Path) -> Vec<i32> {
    let endpoint = format!("CSI_ENDPOINT=unix://{}", socket.display());
    let mut pids = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("it is there").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable == endpoint.as_bytes()) {
            pids.push(pid);
        }
    }
    pids
}

pub(crate) fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).expect("a number");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it runs");
}

/// Every file below a folder.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Serves as a driver until it is ended; does nothing in an ordinary test run.
pub(crate) fn be_the_plugin() {
    let Ok(endpoint) = std::env::var("CSI_ENDPOINT") else { return };
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let (driver, mode, token) = (variable("PLUGIN_DRIVER"), variable("PLUGIN_MODE"), variable("PLUGIN_TOKEN"));
    if driver.is_empty() {
        return;
    }
    let mut out = std::io::stderr();
    let node = variable("MESOS_AGENT_ID");
    writeln!(out, "the plugin starts on {node} with token {token}").expect("stderr");
    match mode.as_str() {
        "exits" => std::process::exit(3),
        "deaf" => loop {
            std::thread::park();
        },
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let builder = FakeDriver::builder(driver).node_id(node).plugin_caps([PluginCap::ControllerService]);
        let socket = endpoint.strip_prefix("unix://").expect("an endpoint");
        let driver = builder.start(socket).await.expect("the driver starts");
        if mode == "unready" {
            driver.set_ready(false);
        }
        std::future::pending::<()>().await;
    });
}
