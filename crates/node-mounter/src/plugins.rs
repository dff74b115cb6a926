//! Drivers come and go by their sockets in `plugins_registry`, as with a kubelet, so that an unmodified registrar finds us.
//!
//! ```text
//!  socket ─ scan ─> table ─> GetInfo ─ NodeGetInfo ─ Node and CSINode ─ NotifyRegistrationStatus
//! ```
//!
//! The folder is scanned on a timer; inotify only makes it sooner. So a lost event costs seconds, where upstream misses the
//! plugin until it restarts.

mod hosted;
mod known;
mod registration;
mod table;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use csi_client::Driver;
use csi_types::{DriverName, NodeInfo};
use rt::Shutdown;
use tokio::sync::Notify;
use tracing::{debug, info, warn};

use crate::agent::Agent;
use crate::node::{Keeper, label_conflict};
use crate::state::Registered;
use cluster::chain;
pub use hosted::{NodeVolumes, serve};
pub use known::{KnownDrivers, Ready};
pub use registration::{Announced, GrpcRegistration, Refusal, Registration};
pub use table::{SocketId, Step, Table};
pub use watch::{FolderWatch, Sockets};

/// How long a lost inotify event is not missed.
const RESCAN: Duration = Duration::from_secs(2);

/// Registers and deregisters drivers.
pub struct Plugins {
    agent: Agent,
    keeper: Arc<Keeper>,
    sockets: Arc<dyn Sockets>,
    registration: Arc<dyn Registration>,
    table: std::sync::Mutex<Table>,
    changed: Notify,
}

/// Why a socket's driver could not be registered.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Nothing that trying again will change: the plugin is told, and its registrar restarts it.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// It may work next time. The plugin is not told: a registrar that is told so exits.
    #[error("{0}")]
    NotNow(String),
}

impl Plugins {
    /// Nothing is looked at yet.
    pub fn new(agent: Agent, keeper: Arc<Keeper>, sockets: Arc<dyn Sockets>, registration: Arc<dyn Registration>) -> Arc<Self> {
        Arc::new(Self { agent, keeper, sockets, registration, table: Default::default(), changed: Notify::new() })
    }

    /// Until the shutdown. Drivers stay registered after that: their volumes are still here.
    pub async fn run(self: Arc<Self>, shutdown: Shutdown) {
        loop {
            let seen = self.sockets.scan().await;
            let (steps, due) = {
                let mut table = self.table();
                let now = self.agent.ctx.now();
                (table.look(&seen, now), table.next_try())
            };
            for step in steps {
                match step {
                    Step::Deregister(driver, socket) => self.deregister(&driver, &socket).await,
                    Step::Register(socket) => {
                        let plugins = self.clone();
                        self.agent.ctx.spawn("register-plugin", async move { plugins.register(&socket).await });
                    }
                }
            }
            let wait = due.map_or(RESCAN, |due| RESCAN.min(due - self.agent.ctx.now()).max(Duration::from_millis(10)));
            tokio::select! {
                biased;
                () = shutdown.requested() => return,
                () = self.changed.notified() => {}
                () = self.sockets.changed() => {}
                () = self.agent.ctx.sleep(wait) => {}
            }
        }
    }

    async fn register(&self, socket: &Path) {
        let result = self.try_register(socket).await;
        match &result {
            Ok(driver) => {
                info!(driver = %driver, socket = %socket.display(), "registered");
                self.agent.retry_volumes_of(driver);
                if let Err(error) = self.registration.notify(socket, Ok(())).await {
                    debug!(socket = %socket.display(), "the plugin was not told that it is registered: {error}");
                }
            }
            Err(failure) => {
                warn!(socket = %socket.display(), "cannot register this plugin: {failure}");
                if let Failure::Refused(refusal) = failure
                    && let Err(error) = self.registration.notify(socket, Err(refusal)).await
                {
                    debug!(socket = %socket.display(), "the plugin was not told that it is refused: {error}");
                }
            }
        }
        self.table().finished(socket, result.ok(), self.agent.ctx.now());
        self.changed.notify_one();
    }

    async fn try_register(&self, socket: &Path) -> Result<DriverName, Failure> {
        let announced = self.registration.info(socket).await.map_err(Failure::NotNow)?;
        let driver = announced.check()?;
        let endpoint: PathBuf = if announced.endpoint.is_empty() { socket.to_owned() } else { announced.endpoint.clone().into() };
        let connection = self.agent.connect.connect(&endpoint);
        let info = self.node_info(&driver, &*connection).await?;
        let node_unseen = self.agent.state().node.uid.is_empty();
        if node_unseen {
            self.keeper.sync().await.map_err(|error| Failure::NotNow(chain(&error)))?;
        }
        let conflict = label_conflict(&self.agent.state().node.labels, &info);
        if let Some(conflict) = conflict {
            return Err(Refusal::Topology(conflict).into());
        }
        let registered = Registered { driver: connection, socket: socket.to_owned(), info };
        let before = self.agent.state().drivers.insert(driver.clone(), registered);
        if let Err(error) = self.keeper.install(&driver).await {
            // The API does not know it: nothing may be relied on. What was registered before goes on.
            let mut state = self.agent.state();
            match before {
                Some(before) => state.drivers.insert(driver.clone(), before),
                None => state.drivers.remove(&driver),
            };
            return Err(Failure::NotNow(chain(&error)));
        }
        Ok(driver)
    }

    async fn node_info(&self, name: &DriverName, driver: &dyn Driver) -> Result<NodeInfo, Failure> {
        driver.node_get_info().await.map_err(|error| Failure::NotNow(format!("driver {name}: {}", chain(&error))))
    }

    /// By the socket, not by the name alone: another socket may have taken the driver over meanwhile.
    async fn deregister(&self, driver: &DriverName, socket: &Path) {
        let mine = {
            let mut state = self.agent.state();
            let mine = state.drivers.get(driver).is_some_and(|registered| registered.socket == socket);
            if mine {
                state.drivers.remove(driver);
                state.dropped.insert(driver.clone());
            }
            mine
        };
        if mine {
            info!(driver = %driver, socket = %socket.display(), "its registration socket is gone: deregistered");
            self.agent.status_due.notify_one();
        }
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(|e| e.into_inner())
    }
}

#[cfg(test)]
mod tests;
