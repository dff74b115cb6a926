//! What every controller's process does before its first pass and after its last: driver, cluster, lease, HTTP, drain.
//!
//! ```text
//! Setup ─ start() ─> wait for the driver ─> capabilities ─> caches, events, election ─> Sidecar
//! Sidecar.engine() ─> cluster::drive(…) until the shutdown ─> Sidecar.finish(): flush events, give the lease back
//! ```

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cluster::drive::Engine;
use cluster::{Backoff, Caches, ClientOptions, Elector, Events, Leadership, LeaseConfig, Ledger, Watch};
use csi_client::{Address, ConnectOptions, Driver};
use csi_types::{DriverInfo, sanitize_driver_name};
use kube::Client;
use rt::{Ctx, Shutdown, Task};
use tracing::info;

use crate::flags::{HttpConfig, KubeConfig, LeaderElectionConfig};
use crate::{Http, Shell, VERSION, pod_namespace};

/// What a controller's flags say about its surroundings.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The program: user agent, and what logs and `/debug/why` call it.
    pub name: &'static str,
    /// `--csi-address`.
    pub csi_address: Address,
    /// The deadline of every CSI call.
    pub timeout: Duration,
    /// How to reach the API server.
    pub kube: KubeConfig,
    /// `--master`, where upstream has it.
    pub server: Option<String>,
    /// `None`: no election, everybody acts.
    pub election: Option<LeaderElectionConfig>,
    /// The Lease's name for a driver's name.
    pub lease_name: fn(&str) -> String,
    /// The component that events come from, for a driver's name.
    pub event_source: fn(&str) -> String,
    /// The HTTP server.
    pub http: HttpConfig,
}

/// A process that is ready to run controllers.
pub struct Sidecar {
    /// Time, tasks, disk.
    pub ctx: Ctx,
    /// Requested by SIGTERM.
    pub shutdown: Shutdown,
    /// The API server. The election has a client of its own.
    pub client: Client,
    /// The driver, ready.
    pub driver: Arc<dyn Driver>,
    /// What it can do.
    pub info: DriverInfo,
    /// Where events are put.
    pub events: Events,
    /// Why nothing happens.
    pub ledger: Ledger,
    calls: csi_client::Client,
    leadership: Leadership,
    metrics: cluster::Metrics,
    namespace: String,
    election: Option<(Task, Shutdown)>,
    readiness: Readiness,
}

/// What a controller is given besides its own configuration and the caches. It cannot tell whether it is alone in its process.
#[derive(Clone)]
pub struct Surroundings {
    /// The API server.
    pub client: Client,
    /// Where events are put.
    pub events: Events,
    /// The driver, ready.
    pub driver: Arc<dyn Driver>,
    /// What it can do.
    pub info: DriverInfo,
    /// For `cluster::drive`.
    pub engine: Engine,
    /// Where objects of our own are, as the Lease that we lead by.
    pub namespace: String,
}

/// What `/readyz` answers: what this process waits for, or what pauses it.
#[derive(Clone)]
struct Readiness(Arc<Mutex<Phase>>);

enum Phase {
    WaitsFor(&'static str),
    Runs { driver: csi_client::Client, caches: Caches },
}

impl Readiness {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Phase::WaitsFor("the CSI driver"))))
    }

    fn is(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    fn check(&self) -> Result<(), String> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Phase::WaitsFor(what) => Err(format!("waiting for {what}")),
            Phase::Runs { driver, .. } if !driver.is_reached() => Err("the CSI driver cannot be reached".to_owned()),
            Phase::Runs { caches, .. } => caches.in_step(),
        }
    }
}

impl Setup {
    /// Waits for the driver, learns what it can do, and takes part in the election. `None` if the shutdown came first.
    ///
    /// # Errors
    /// One sentence for the end of the process: an address, a kubeconfig or an endpoint that cannot be used.
    pub async fn start(self, shell: &Shell) -> anyhow::Result<Option<Sidecar>> {
        let shutdown = shell.shutdown.clone();
        tokio::select! {
            biased;
            () = shutdown.requested() => Ok(None),
            sidecar = self.start_undisturbed(shell) => sidecar.map(Some),
        }
    }

    async fn start_undisturbed(self, shell: &Shell) -> anyhow::Result<Sidecar> {
        let ctx = shell.ctx.clone();
        let metrics = cluster::Metrics::new();
        let calls = csi_client::Metrics::new();
        shell.metrics.register(|registry| {
            metrics.register(registry);
            calls.register(registry);
        });
        let readiness = Readiness::new();
        let ledger = Ledger::new();
        let health = Arc::new(Mutex::new(None));
        self.serve(shell, &readiness, &ledger, &health).await?;

        let options = ConnectOptions { address: self.csi_address.clone(), timeout: self.timeout, metrics: calls.clone() };
        let driver = csi_client::Client::connect(&ctx, options).await;
        csi_client::wait_ready(&ctx, &driver).await;
        let info = csi_client::driver_info(&driver).await?;
        let name = info.name.as_str();
        calls.set_driver(name);
        info!(driver = name, plugin = ?info.plugin, controller = ?info.controller, "the driver is ready");
        readiness.is(Phase::WaitsFor("the Kubernetes API"));

        let client = cluster::connect(&ctx, &self.client_options()).await?;
        let host = host_name();
        // Where requests are limited, events have a bucket of their own, or a storm of them would hold up real work.
        let lane = match self.kube.rate {
            Some(_) => cluster::connect(&ctx, &self.client_options()).await?,
            None => client.clone(),
        };
        let events = Events::new(&ctx, lane, (self.event_source)(name), &host, &metrics);
        let namespace = self.namespace();
        let (leadership, election) = match &self.election {
            None => (Leadership::always(&ctx), None),
            Some(election) => {
                let config = self.lease(election, namespace.clone(), name, &host);
                let own = cluster::connect(&ctx, &ClientOptions { rate: None, ..self.client_options() }).await?;
                let elector = Elector::new(&ctx, own, config, events.clone(), &metrics);
                let (leadership, release) = (elector.leadership(), Shutdown::new());
                let task = ctx.spawn("elector", elector.run(release.clone()));
                (leadership, Some((task, release)))
            }
        };
        *health.lock().unwrap_or_else(PoisonError::into_inner) = Some(leadership.clone());
        let shutdown = shell.shutdown.clone();
        Ok(Sidecar {
            driver: Arc::new(driver.clone()),
            calls: driver,
            ctx,
            shutdown,
            client,
            info,
            events,
            ledger,
            leadership,
            metrics,
            namespace,
            election,
            readiness,
        })
    }

    async fn serve(
        &self,
        shell: &Shell,
        readiness: &Readiness,
        ledger: &Ledger,
        health: &Arc<Mutex<Option<Leadership>>>,
    ) -> anyhow::Result<()> {
        let Some(listen) = &self.http.listen else { return Ok(()) };
        let (ready, why, clock) = (readiness.clone(), ledger.clone(), shell.ctx.clone());
        let mut http = Http::new()
            .metrics(&self.http.metrics_path, &shell.metrics)
            .ready(self.name, move || ready.check())
            .why(move |object| object.and_then(|object| tell(&why, &clock, object)));
        if self.http.leader_health && self.election.is_some() {
            let health = health.clone();
            http = http.leader_health(move || match &*health.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(leadership) => leadership.health(),
                None => Ok(()),
            });
        }
        let flag = if self.http.leader_health { "--http-endpoint" } else { "--metrics-address" };
        http.serve(&shell.ctx, flag, listen).await?;
        Ok(())
    }

    fn client_options(&self) -> ClientOptions {
        ClientOptions {
            kubeconfig: self.kube.kubeconfig.clone(),
            server: self.server.clone(),
            rate: self.kube.rate,
            user_agent: format!("{}/{VERSION}", self.name),
        }
    }

    /// Where upstream's role grants rights on Leases.
    fn namespace(&self) -> String {
        self.election.as_ref().and_then(|election| election.namespace.clone()).unwrap_or_else(pod_namespace)
    }

    fn lease(&self, election: &LeaderElectionConfig, namespace: String, driver: &str, host: &str) -> LeaseConfig {
        LeaseConfig {
            namespace,
            name: (self.lease_name)(driver),
            identity: sanitize_driver_name(host),
            labels: election.labels.clone(),
            lease_duration: election.lease_duration,
            renew_deadline: election.renew_deadline,
            retry_period: election.retry_period,
        }
    }
}

impl Sidecar {
    /// Starts the watches and waits until everything has been listed once. `None` if the shutdown came first.
    pub async fn caches(&self, watches: &[Watch]) -> Option<Caches> {
        let caches = Caches::start(&self.ctx, &self.client, watches.iter().cloned(), &self.metrics);
        tokio::select! {
            biased;
            () = self.shutdown.requested() => return None,
            () = caches.synced(watches) => {}
        }
        self.readiness.is(Phase::Runs { driver: self.calls.clone(), caches: caches.clone() });
        info!("caches are in step with the API server");
        Some(caches)
    }

    /// What `cluster::drive` needs for one queue.
    pub fn engine(&self, queue: &str, workers: usize, backoff: Backoff) -> Engine {
        Engine {
            ctx: self.ctx.clone(),
            leadership: self.leadership.clone(),
            ledger: self.ledger.clone(),
            metrics: self.metrics.clone(),
            workers,
            backoff,
            shutdown: self.shutdown.clone(),
            queue: queue.to_owned(),
        }
    }

    /// What a controller is given, with the engine of its (first) queue.
    pub fn surroundings(&self, queue: &str, workers: usize, backoff: Backoff) -> Surroundings {
        Surroundings {
            client: self.client.clone(),
            events: self.events.clone(),
            driver: self.driver.clone(),
            info: self.info.clone(),
            engine: self.engine(queue, workers, backoff),
            namespace: self.namespace.clone(),
        }
    }

    /// All passes have ended: delivers what events are left, and gives the lease back so that the next one need not wait.
    pub async fn finish(self) {
        let _ = self.ctx.timeout(Duration::from_secs(5), self.events.flush()).await;
        if let Some((mut task, release)) = self.election {
            release.request();
            task.ended().await;
        }
        // What the lease's last event was.
        let _ = self.ctx.timeout(Duration::from_secs(1), self.events.flush()).await;
    }
}

fn tell(ledger: &Ledger, clock: &Ctx, object: &str) -> Option<String> {
    let now = clock.now();
    let line = |entry: cluster::Entry| {
        let cluster::Entry { controller, next, word, detail, since, times } = entry;
        let age = now.since(since).as_secs();
        let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        format!("{controller}: {next} {word}{detail} (for {age}s, {times} times)\n")
    };
    let lines: String = ledger.why(object).into_iter().map(line).collect();
    (!lines.is_empty()).then_some(lines)
}

/// The host's name, which in a pod is the pod's.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
