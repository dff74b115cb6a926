//! Puts the parts together: [`run`] on this host, [`mount`] wherever time, the API and the edges come from.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use cluster::drive::{Engine, drive};
use cluster::kinds::Pod;
use cluster::{Backoff, Caches, ClientOptions, Events, Keys, Leadership, Ledger, Watch};
use csi_client::{Address, Client, ConnectOptions, Driver};
use csi_types::NodeName;
use kube::Client as KubeClient;
use plugin_host::Folder;
use rt::{Ctx, Shutdown};
use sidecar::{Http, Shell, VERSION};
use tracing::{info, warn};

use crate::agent::{self, Agent, Connect, Inner};
use crate::api;
use crate::flags::Config;
use crate::journal::Journal;
use crate::lock;
use crate::manifests::Manifests;
use crate::mounter::{Files, LinuxMounter, Mounter, share_root};
use crate::node::{Host, Keeper};
use crate::paths::Root;
use crate::plugins::{self, FolderWatch, GrpcRegistration, KnownDrivers, Plugins, Ready, Registration, Sockets};
use crate::pods::Pods;
use crate::recover::recover;
use crate::state::State;
use crate::volumes::Volumes;

/// What only a host has.
pub struct Edges {
    /// The kernel's mounts.
    pub mounter: Arc<dyn Mounter>,
    /// Links, device files, groups.
    pub files: Arc<dyn Files>,
    /// Drivers by their sockets.
    pub connect: Arc<dyn Connect>,
    /// The folder of registration sockets.
    pub sockets: Arc<dyn Sockets>,
    /// Registration itself.
    pub registration: Arc<dyn Registration>,
    /// What the Node says about the machine.
    pub host: Host,
}

/// What is under way after this long is left to the next life: the journal knows it.
const DRAIN: Duration = Duration::from_secs(10);

/// What is done, and how much of it at once.
pub struct Work {
    /// Volumes at once.
    pub workers: usize,
    /// Pods besides the API's.
    pub manifests: Option<PathBuf>,
}

/// What the engine needs besides.
pub struct Surroundings {
    /// Time, tasks, disk.
    pub ctx: Ctx,
    /// The wish to stop.
    pub shutdown: Shutdown,
    /// The API.
    pub client: KubeClient,
    /// Pods (this node's, or all) and CSIDrivers, being watched.
    pub caches: Caches,
    /// Counters.
    pub metrics: cluster::Metrics,
    /// Counters of volumes.
    pub operations: crate::Metrics,
    /// Why nothing happens.
    pub ledger: Ledger,
}

/// The program.
///
/// # Errors
/// What it cannot start without: a kubeconfig, a root directory, a journal that can be read and written.
pub async fn run(config: Config, shell: Shell) -> anyhow::Result<()> {
    let ctx = shell.ctx.clone();
    let (metrics, calls, ledger) = (cluster::Metrics::new(), csi_client::Metrics::new(), Ledger::new());
    let operations = crate::Metrics::default();
    shell.metrics.register(|registry| {
        metrics.register(registry);
        calls.register(registry);
        operations.register(registry);
    });
    let root = config.agent.root.clone();
    let _lock = lock::take(&ctx, &root.lock()).await.with_context(|| format!("cannot lock {}", root.lock().display()))?;
    let started = Arc::new(AtomicBool::new(false));
    serve_http(&config, &shell, &ledger, started.clone()).await?;
    let client = connect(&ctx, &config).await?;
    prepare_root(&ctx, &root).await?;
    let hosted = Hosted::start(&config, &ctx, &shell.shutdown, &calls).await?;
    let sockets = FolderWatch::new(ctx.clone(), root.plugins_registry());
    let known = KnownDrivers::new(hosted.ready.clone(), sockets, GrpcRegistration(ctx.clone()));
    let edges = Edges {
        mounter: Arc::new(LinuxMounter),
        files: Arc::new(LinuxMounter),
        connect: Arc::new(GrpcConnect { ctx: ctx.clone(), timeout: config.csi_timeout, metrics: calls }),
        sockets: known.clone(),
        registration: known,
        host: Host::read(),
    };
    let socket = match &config.api_socket {
        Some(path) => Some(api::bind(path).with_context(|| format!("cannot listen on --api-socket {}", path.display()))?),
        None => None,
    };
    let stop = shell.shutdown.clone();
    let on_start = move |agent: &Agent| {
        started.store(true, Ordering::SeqCst);
        hosted.serve(agent, &stop);
        if let Some(socket) = socket {
            agent.ctx.spawn("api", api::serve(agent.clone(), socket));
        }
    };
    let caches = Caches::start(&ctx, &client, watches(&config.agent.node), &metrics);
    let around = Surroundings { ctx, shutdown: shell.shutdown, client, caches, metrics, operations, ledger };
    let work = Work { workers: config.workers, manifests: config.manifest_dir };
    mount(config.agent, work, around, edges, on_start).await
}

/// Plugins by their files.
#[derive(Default)]
struct Hosted {
    ready: Arc<Ready>,
    plugins: Option<(plugin_host::Host, Folder)>,
}

impl Hosted {
    /// Takes over what an earlier life left running.
    async fn start(config: &Config, ctx: &Ctx, shutdown: &Shutdown, calls: &csi_client::Metrics) -> anyhow::Result<Self> {
        let Some(dir) = &config.plugin_dir else { return Ok(Self::default()) };
        let root = &config.agent.root;
        let of_host = plugin_host::Config::new(root.hosted_plugins(), config.agent.node.as_str(), root.path());
        let host = plugin_host::Host::start(ctx, of_host, calls.clone(), shutdown.clone()).await;
        let host = host.with_context(|| format!("cannot keep plugins in {}", root.hosted_plugins().display()))?;
        let folder = Folder::open(ctx, host.clone(), dir);
        let folder = folder.with_context(|| format!("--csi-plugin-config-dir: cannot read {}", dir.display()))?;
        Ok(Self { ready: Arc::default(), plugins: Some((host, folder)) })
    }

    fn serve(self, agent: &Agent, shutdown: &Shutdown) {
        let Some((host, folder)) = self.plugins else { return };
        host.set_users(Arc::new(plugins::NodeVolumes(agent.clone())));
        plugins::serve(&host, agent, &self.ready);
        let drivers = agent.caches.csi_drivers.clone();
        host.subscribe(move |change| {
            let plugin_host::Change::Serves(served) = change else { return };
            if drivers.get(served.driver.as_str()).is_none() {
                warn!(
                    plugin = %served.id, driver = %served.driver,
                    "the API has no CSIDriver of this name, so its volumes wait to be attached; if it attaches none, create one with attachRequired: false"
                );
            }
            if let Some(socket) = &served.controller {
                info!(plugin = %served.id, driver = %served.driver, socket = %socket.display(), "its controller service is for provisioner and attacher: give them this socket as --csi-address");
            }
        });
        agent.ctx.spawn("plugin-files", folder.run(shutdown.clone(), plugin_host::Said::log));
    }
}

/// What is watched for one node.
fn watches(node: &NodeName) -> [Watch; 2] {
    [Watch::PodsOnNode(node.to_string()), Watch::CsiDrivers]
}

/// The folder for registration sockets, and mounts that are seen here and there.
pub async fn prepare_root(ctx: &Ctx, root: &Root) -> anyhow::Result<()> {
    let registry = root.plugins_registry();
    ctx.disk().make_dir(&registry).await.with_context(|| format!("cannot make {}", registry.display()))?;
    let path = root.path().to_owned();
    let shared = ctx.blocking(move || share_root(&LinuxMounter, &path)).await;
    let path = root.path().display();
    if shared.with_context(|| format!("cannot make mounts below {path} visible to drivers and back (rshared)"))? {
        info!(root = %path, "was not on a shared mount: bound onto itself and shared");
    }
    Ok(())
}

/// The engine: recovers, then keeps node, plugins, pods and volumes until the shutdown. Volumes stay mounted after that.
///
/// # Errors
/// A journal that cannot be read: without it nothing may be torn down, nor reported unused.
pub async fn mount(
    config: agent::Config,
    work: Work,
    around: Surroundings,
    edges: Edges,
    ready: impl FnOnce(&Agent),
) -> anyhow::Result<()> {
    let Surroundings { ctx, shutdown, client, caches, metrics, operations, ledger } = around;
    let journal = Journal::open(ctx.clone(), config.root.journal()).await;
    let journal = journal.with_context(|| format!("cannot make {}", config.root.journal().display()))?;
    let recovered = recover(&ctx, &journal, &config.root).await;
    let recovered = recovered.with_context(|| format!("cannot read the journal in {}", config.root.journal().display()))?;

    let watches = watches(&config.node);
    operations.held(recovered.held.len());
    let agent = Agent::new(Inner {
        metrics: operations,
        events: Events::new(&ctx, client.clone(), "node-mounter", config.node.as_str(), &metrics),
        volumes: Arc::new(Keys::new(ctx.clone())),
        pods: Arc::new(Keys::new(ctx.clone())),
        state: State { records: recovered.records, held: recovered.held, ..State::default() }.into(),
        status_due: Default::default(),
        caches: caches.clone(),
        mounter: edges.mounter,
        files: edges.files,
        connect: edges.connect,
        ctx: ctx.clone(),
        config,
        client,
        journal,
    });
    tokio::select! {
        biased;
        () = shutdown.requested() => return Ok(()),
        () = caches.synced(&watches) => {}
    }
    info!(node = %agent.config.node, "pods and CSIDrivers are in step with the API server");
    ready(&agent);
    listen(&agent);

    let keeper = Arc::new(Keeper::new(agent.clone(), edges.host));
    let plugins = Plugins::new(agent.clone(), keeper.clone(), edges.sockets, edges.registration);
    let mut tasks = Vec::new();
    tasks.push(ctx.spawn("node", {
        let (keeper, shutdown) = (keeper.clone(), shutdown.clone());
        async move { keeper.run(shutdown).await }
    }));
    if agent.config.register_node {
        let (keeper, shutdown) = (keeper.clone(), shutdown.clone());
        tasks.push(ctx.spawn("node-lease", async move { keeper.renew_lease(shutdown).await }));
    }
    tasks.push(ctx.spawn("plugins", plugins.run(shutdown.clone())));
    if let Some(folder) = work.manifests {
        let mut manifests = Manifests::new(agent.clone(), folder);
        // Before the first plan: its pods' volumes must not look unwanted.
        manifests.look().await;
        tasks.push(ctx.spawn("manifests", manifests.run(shutdown.clone())));
    }
    wake_all(&agent).await;

    let engine = |queue: &str, workers, backoff| Engine {
        ctx: ctx.clone(),
        leadership: Leadership::always(&ctx),
        ledger: ledger.clone(),
        metrics: metrics.clone(),
        workers,
        backoff,
        shutdown: shutdown.clone(),
        queue: queue.to_owned(),
    };
    // A claim that is not there yet may be there in a second; nobody will tell us.
    let of_pods = Backoff { start: agent.config.backoff.start, max: agent.config.backoff.max.min(Duration::from_secs(15)) };
    let passes = async {
        futures::join!(
            drive(Arc::new(Volumes(agent.clone())), agent.volumes.clone(), engine("volumes", work.workers, agent.config.backoff)),
            drive(Arc::new(Pods(agent.clone())), agent.pods.clone(), engine("pods", work.workers.min(10), of_pods)),
        );
        for mut task in tasks {
            task.ended().await;
        }
    };
    tokio::select! {
        biased;
        () = passes => {}
        () = async { shutdown.requested().await; ctx.sleep(DRAIN).await } => {
            info!("calls to drivers are still under way; what they may do is in the journal");
        }
    }
    let _ = ctx.timeout(Duration::from_secs(2), agent.events.flush()).await;
    info!("stopped; volumes stay mounted, and their records stay in the journal");
    Ok(())
}

/// Pods and CSIDrivers wake whom they concern.
fn listen(agent: &Agent) {
    let on_pod = agent.clone();
    agent.caches.pods.subscribe(move |change| {
        let (touched, volumes) = {
            let mut state = on_pod.state();
            let mut volumes = std::collections::BTreeSet::new();
            // Caches that are shared hold pods of no node and of other nodes too.
            let ours = |pod: &Option<Arc<Pod>>| pod.clone().filter(|pod| *pod.node == *on_pod.config.node.as_str());
            let (old, new) = (ours(&change.old), ours(&change.new));
            for pod in [&old, &new].into_iter().flatten() {
                volumes.extend(state.volumes_of(&pod.meta.uid));
            }
            (state.note_pod(old.as_ref(), new.as_ref()), volumes)
        };
        on_pod.wake_pods(touched);
        on_pod.wake_volumes(volumes);
    });
    let on_driver = agent.clone();
    agent.caches.csi_drivers.subscribe(move |change| {
        let Some(key) = change.key() else { return };
        let volumes = on_driver.state().volumes_by(&key.name().into());
        on_driver.wake_volumes(volumes);
        // Whether a volume is attachable decides whether it is reported in use.
        on_driver.status_due.notify_one();
    });
}

/// Everything that an earlier life may have left: volumes by their records, pods by their folders.
async fn wake_all(agent: &Agent) {
    let records: Vec<_> = agent.state().records.keys().cloned().collect();
    agent.wake_volumes(records);
    let folders = agent.ctx.disk().list(&agent.config.root.pods()).await.unwrap_or_default();
    let uid = |folder: &std::path::PathBuf| Some(folder.file_name()?.to_str()?.to_owned());
    agent.wake_pods(folders.iter().filter_map(uid));
}

/// Drivers on this host.
pub struct GrpcConnect {
    /// Time and tasks.
    pub ctx: Ctx,
    /// The deadline of one call.
    pub timeout: Duration,
    /// Counters of calls.
    pub metrics: csi_client::Metrics,
}

impl Connect for GrpcConnect {
    fn connect(&self, endpoint: &Path) -> Arc<dyn Driver> {
        let address = Address::Unix(endpoint.to_owned());
        Arc::new(Client::lazy(&self.ctx, ConnectOptions { address, timeout: self.timeout, metrics: self.metrics.clone() }))
    }
}

async fn connect(ctx: &Ctx, config: &Config) -> anyhow::Result<KubeClient> {
    let options = ClientOptions {
        kubeconfig: config.kube.kubeconfig.clone(),
        server: None,
        rate: config.kube.rate.map(|rate| cluster::limits::Rate { qps: rate.qps, burst: rate.burst }),
        user_agent: format!("node-mounter/{VERSION}"),
    };
    Ok(cluster::connect(ctx, &options).await?)
}

async fn serve_http(config: &Config, shell: &Shell, ledger: &Ledger, started: Arc<AtomicBool>) -> anyhow::Result<()> {
    let Some(listen) = &config.http.listen else { return Ok(()) };
    let (ledger, clock) = (ledger.clone(), shell.ctx.clone());
    let why = move |object: Option<&str>| {
        let lines = object.map(|object| ledger.why(object)).unwrap_or_default();
        let line = |entry: cluster::Entry| {
            let age = clock.now().since(entry.since).as_secs();
            format!("{}: {} {} {} (for {age}s, {} times)\n", entry.controller, entry.next, entry.word, entry.detail, entry.times)
        };
        (!lines.is_empty()).then(|| lines.into_iter().map(line).collect())
    };
    let ready = move || match started.load(Ordering::SeqCst) {
        true => Ok(()),
        false => Err("waiting for the Kubernetes API".to_owned()),
    };
    let http = Http::new().metrics(&config.http.metrics_path, &shell.metrics).ready("start-up", ready).why(why);
    http.serve(&shell.ctx, "--http-endpoint", listen).await?;
    Ok(())
}
