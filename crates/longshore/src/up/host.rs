//! The parts of one host, started in the order in which they need each other.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use apistore::server::{self, Server};
use apistore::{Api, Store};
use cluster::drive::Engine;
use cluster::{Backoff, Caches, Leadership, Ledger, Watch};
use csi_types::DriverName;
use kube::Client;
use node_mounter::mounter::LinuxMounter;
use node_mounter::paths::Root;
use node_mounter::plugins::{FolderWatch, GrpcRegistration, KnownDrivers, Ready};
use node_mounter::{Edges, GrpcConnect, Work, agent};
use rt::{Ctx, Shutdown, Task};
use sidecar::Shell;

use super::drivers::{self, Defaults};
use super::flags::{Config, DriverSocket};
use super::plugins::{Controllers, Plugins};
use super::{bootstrap, words};

/// What every part is given. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) ctx: Ctx,
    pub(crate) shutdown: Shutdown,
    pub(crate) api: Api,
    pub(crate) store: Store,
    pub(crate) node: String,
    pub(crate) metrics: cluster::Metrics,
    pub(crate) provisioner_metrics: external_provisioner::Metrics,
    pub(crate) calls: csi_client::Metrics,
    pub(crate) ledger: Ledger,
    failure: Arc<Mutex<Option<anyhow::Error>>>,
}

impl Parts {
    /// The API, as this component: managedFields name it.
    pub(crate) fn client(&self, component: &str) -> Client {
        cluster::on(&self.ctx, self.api.clone(), component)
    }

    /// For one queue. There is nobody to share the lead with.
    pub(crate) fn engine(&self, queue: &str) -> Engine {
        Engine {
            ctx: self.ctx.clone(),
            leadership: Leadership::always(&self.ctx),
            ledger: self.ledger.clone(),
            metrics: self.metrics.clone(),
            workers: 10,
            backoff: Backoff { start: Duration::from_millis(100), max: Duration::from_secs(60) },
            shutdown: self.shutdown.clone(),
            queue: queue.to_owned(),
        }
    }

    /// The same parts, for something that may end earlier than everything else.
    pub(crate) fn until(&self, stop: Shutdown) -> Self {
        Self { shutdown: stop, ..self.clone() }
    }

    /// Runs a part. If it fails, everything stops, and its error is how the process ends.
    fn run(&self, name: &'static str, part: impl Future<Output = anyhow::Result<()>> + Send + 'static) -> Task {
        let parts = self.clone();
        self.ctx.spawn(name, async move {
            if let Err(error) = part.await {
                let error = error.context(format!("{name} stopped"));
                tracing::error!("{error:#}");
                parts.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                parts.shutdown.request();
            }
        })
    }
}

/// A host that serves.
pub(crate) struct Host {
    pub(crate) parts: Parts,
    pub(crate) caches: Caches,
    /// Where kubectl is served.
    pub(crate) address: SocketAddr,
    /// Plugins of other orchestrators' documents.
    pub(crate) plugins: plugin_host::Host,
    server: Server,
    tasks: Vec<Task>,
}

impl Host {
    /// Starts everything. When this returns, kubectl works, a default class exists, and the built-in driver takes claims.
    ///
    /// # Errors
    /// One sentence: a data directory in use or not ours, an address that is taken, a driver that is not what it was said to be.
    pub(crate) async fn start(config: &Config, shell: &Shell) -> anyhow::Result<Self> {
        let ctx = shell.ctx.clone();
        let data = &config.data;
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data.path());
        made.with_context(|| format!("cannot make the data directory {}", data.path().display()))?;
        let store = Store::open(&ctx, &data.objects()).await?;
        let parts = Parts {
            api: Api::new(store.clone()),
            store,
            node: node_name(),
            metrics: cluster::Metrics::new(),
            provisioner_metrics: external_provisioner::Metrics::new(),
            calls: csi_client::Metrics::new(),
            ledger: Ledger::new(),
            shutdown: shell.shutdown.clone(),
            failure: Arc::default(),
            ctx,
        };
        let listen = server::Config {
            dir: data.path().to_owned(),
            listen: Some(config.listen),
            socket: Some(data.api_socket()),
            kubeconfig: data.kubeconfig(),
            shutdown: parts.shutdown.clone(),
        };
        let server = server::serve(&parts.ctx, &parts.api, listen).await?;
        bootstrap::run(&parts.client("longshore"), &config.medium).await?;

        let mut watches = binder::watches();
        watches.extend([
            Watch::Claims,
            Watch::Volumes,
            Watch::Classes,
            Watch::CsiNodes,
            Watch::Nodes,
            Watch::Pods,
            Watch::CsiDrivers,
        ]);
        watches.extend(external_attacher::WATCHES);
        let caches = Caches::start(&parts.ctx, &parts.client("longshore"), watches.clone(), &parts.metrics);
        caches.synced(&watches).await;

        let root = Root::new(data.kubelet());
        let taken = config.drivers.iter().map(|driver| driver.name.clone()).chain([local_driver::DRIVER_NAME.into()]);
        let plugins = Plugins::start(&parts, root.hosted_plugins(), root.path(), taken, config.plugin_dir.as_deref()).await?;
        let (address, tasks) = (server.address().unwrap_or(config.listen), Vec::new());
        let mut host = Self { address, parts, caches, plugins: plugins.host.clone(), server, tasks };
        host.bind();
        let (known, defaults) = host.drivers(config)?;
        host.mount(config, known, plugins, defaults).await?;
        if config.run_pods {
            host.run_pods(config)?;
        }
        host.driver_registered(&local_driver::DRIVER_NAME.into()).await;
        Ok(host)
    }

    fn bind(&mut self) {
        let Parts { node, .. } = &self.parts;
        let surroundings =
            binder::Surroundings { client: self.parts.client("longshore-binder"), engine: self.parts.engine("binder") };
        let (config, caches) = (binder::Config::new(node.clone()), self.caches.clone());
        self.tasks.push(self.parts.run("binder", async move {
            binder::controller(config, surroundings, &caches).await;
            Ok(())
        }));
    }

    /// The built-in driver in this process, and the controllers of all.
    fn drivers(&mut self, config: &Config) -> anyhow::Result<(Arc<Ready>, Arc<Defaults>)> {
        let own = DriverSocket { name: local_driver::DRIVER_NAME.into(), socket: config.data.driver_socket() };
        let local = local_driver::Config {
            socket: own.socket.clone(),
            driver_name: own.name.to_string(),
            node_id: self.parts.node.clone(),
            data_dir: config.data.volumes(),
            controller: true,
            node: true,
            // There is one node, and it is this one.
            topology_key: None,
            max_volumes_per_node: 0,
            overcommit: false,
            controller_publish: false,
            multi_node: false,
        };
        let stop = self.parts.shutdown.clone();
        self.tasks.push(self.parts.run("local-driver", async move {
            local_driver::serve(local, async move { stop.requested().await }).await?;
            Ok(())
        }));
        let (ready, defaults) = (Arc::new(Ready::default()), Arc::new(Defaults::new()?));
        for DriverSocket { name, socket } in std::iter::once(own).chain(config.drivers.iter().cloned()) {
            let (caches, ready, defaults) = (self.caches.clone(), ready.clone(), defaults.clone());
            self.tasks.push(self.parts.run("driver", drivers::serve(self.parts.clone(), caches, ready, name, socket, defaults)));
        }
        Ok((ready, defaults))
    }

    /// The mounter, which also keeps the Node.
    async fn mount(
        &mut self,
        config: &Config,
        known: Arc<Ready>,
        plugins: Plugins,
        defaults: Arc<Defaults>,
    ) -> anyhow::Result<()> {
        let ctx = self.parts.ctx.clone();
        let root = Root::new(config.data.kubelet());
        node_mounter::prepare_root(&ctx, &root).await?;
        let sockets = FolderWatch::new(ctx.clone(), root.plugins_registry());
        let registration = KnownDrivers::new(known.clone(), sockets, GrpcRegistration(ctx.clone()));
        let connect = GrpcConnect { ctx: ctx.clone(), timeout: Duration::from_secs(120), metrics: self.parts.calls.clone() };
        let edges = Edges {
            mounter: Arc::new(LinuxMounter),
            files: Arc::new(LinuxMounter),
            connect: Arc::new(connect),
            sockets: registration.clone(),
            registration,
            host: node_mounter::node::Host::read(),
        };
        let agent = agent::Config {
            node: self.parts.node.as_str().into(),
            root,
            register_node: true,
            node_labels: Vec::new(),
            node_status_update_frequency: Duration::from_secs(10),
            backoff: Backoff { start: Duration::from_millis(500), max: Duration::from_secs(122) },
            republish_every: Duration::from_secs(60),
        };
        let around = node_mounter::Surroundings {
            ctx,
            shutdown: self.parts.shutdown.clone(),
            client: self.parts.client("node-mounter"),
            caches: self.caches.clone(),
            metrics: self.parts.metrics.clone(),
            operations: node_mounter::Metrics::default(),
            ledger: self.parts.ledger.clone(),
        };
        let work = Work { workers: 100, manifests: None };
        let controllers = Controllers::new(self.parts.clone(), self.caches.clone(), defaults);
        self.tasks.push(self.parts.run("plugin-controllers", controllers.clone().finished()));
        let serve = move |agent: &agent::Agent| plugins.serve(agent, &known, &controllers);
        self.tasks.push(self.parts.run("node-mounter", node_mounter::mount(agent, work, around, edges, serve)));
        Ok(())
    }

    /// Containers as processes of this host.
    fn run_pods(&mut self, config: &Config) -> anyhow::Result<()> {
        let runner = pod_runner::Config {
            node: self.parts.node.clone(),
            pods: config.data.pods(),
            root: Root::new(config.data.kubelet()),
            program: std::env::current_exe()
                .context("cannot find this program's own file, which becomes the shim of containers")?,
        };
        let around = pod_runner::Surroundings { client: self.parts.client("pod-runner"), engine: self.parts.engine("pods") };
        self.tasks.push(self.parts.run("pod-runner", pod_runner::run(runner, around)));
        Ok(())
    }

    /// Whether volumes of this driver can be mounted here.
    pub(crate) fn has_driver(&self, driver: &str) -> bool {
        let nodes = self.caches.csi_nodes.all();
        nodes.iter().any(|node| node.drivers.iter().any(|have| *have.name == *driver))
    }

    /// Waits until claims of this driver can be mounted here, or until something stopped.
    async fn driver_registered(&self, driver: &DriverName) {
        let registered = Arc::new(tokio::sync::Notify::new());
        let (notify, name) = (registered.clone(), driver.clone());
        self.caches.csi_nodes.subscribe(move |change| {
            let listed = |node: &Arc<cluster::kinds::CsiNode>| node.drivers.iter().any(|driver| *driver.name == *name.as_str());
            if change.new.as_ref().is_some_and(listed) {
                notify.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = self.parts.shutdown.requested() => {}
            () = registered.notified() => {}
        }
    }

    /// Until SIGTERM, SIGINT, or the failure of a part; then all parts end what they are doing.
    ///
    /// # Errors
    /// What the part failed of.
    pub(crate) async fn until_stopped(self) -> anyhow::Result<()> {
        self.parts.shutdown.requested().await;
        words::say("stopping\n");
        for mut task in self.tasks {
            task.ended().await;
        }
        let plugins: Vec<String> = self.plugins.served().iter().map(|served| served.id.to_string()).collect();
        if !plugins.is_empty() {
            tracing::info!(?plugins, "plugins go on, as volumes do; those of files are found again at the next start");
        }
        self.server.finished().await;
        // The next process on this directory need not wait for us.
        self.parts.store.close().await;
        match self.parts.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// The host's name, as a Kubernetes name can be.
pub(crate) fn node_name() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
    let clean: String = host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let clean = clean.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if clean.is_empty() { "localhost".to_owned() } else { clean.to_owned() }
}
