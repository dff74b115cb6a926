//! Plugins of `--csi-plugin-config-dir`: their node services are the mounter's, and what they have of a controller is served here.
//!
//! ```text
//!  plugin_host::Host ─ Serves, Gone ─┬─ node_mounter::plugins::serve     node service: registered by its socket
//!                                    ├─ drivers::control                 controller service: provisioner, attacher
//!                                    └─ CSIDriver, attachRequired: false  neither attached nor provisioned
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, ensure};
use cluster::Caches;
use csi_types::{DriverName, PluginCapability};
use node_mounter::agent::Agent;
use node_mounter::plugins::{self, NodeVolumes, Ready};
use plugin_host::{Change, Folder, Host, PluginId, Said, Served, Users};
use rt::{Shutdown, Task};

use super::bootstrap;
use super::drivers::{self, Defaults};
use super::host::Parts;
use super::words::complain;

/// The plugins of this host. Nothing of them is served before [`Plugins::serve`].
pub(crate) struct Plugins {
    pub(crate) host: Host,
    folder: Option<Folder>,
}

impl Plugins {
    /// Takes over what an earlier life left running. `taken`: drivers that this host has otherwise.
    ///
    /// # Errors
    /// One sentence: the folder of plugin files cannot be read, or that of sockets not be made.
    pub(crate) async fn start(
        parts: &Parts,
        sockets: PathBuf,
        mounts: &Path,
        taken: impl IntoIterator<Item = DriverName>,
        files: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let mut config = plugin_host::Config::new(&sockets, parts.node.as_str(), mounts);
        config.taken = taken.into_iter().collect();
        let host = Host::start(&parts.ctx, config, parts.calls.clone(), parts.shutdown.clone()).await;
        let host = host.with_context(|| format!("cannot keep plugins in {}", sockets.display()))?;
        let open = |dir: &Path| {
            let folder = Folder::open(&parts.ctx, host.clone(), dir);
            folder.with_context(|| format!("--csi-plugin-config-dir: cannot read {}", dir.display()))
        };
        let folder = files.map(open).transpose()?;
        Ok(Self { host, folder })
    }

    /// From now on, what the files say is served by this agent, and by controllers of this process.
    pub(crate) fn serve(self, agent: &Agent, ready: &Arc<Ready>, controllers: &Arc<Controllers>) {
        let (parts, caches) = (&controllers.parts, controllers.caches.clone());
        self.host.set_users(Arc::new(Volumes { node: NodeVolumes(agent.clone()), caches }));
        plugins::serve(&self.host, agent, ready);
        let served = controllers.clone();
        self.host.subscribe(move |change| served.changed(change));
        match self.folder {
            Some(folder) => drop(parts.ctx.spawn("plugin-files", folder.run(parts.shutdown.clone(), told))),
            None => self.host.settled(true),
        }
    }
}

/// Into the log, and to whoever started us.
fn told(said: &Said) {
    said.log();
    said.problems.iter().for_each(|problem| complain(&format!("{problem}\n")));
    said.warnings.iter().for_each(|warning| complain(&format!("{warning}\n")));
}

/// What is mounted here, and what is still to be detached: a controller is needed for that.
struct Volumes {
    node: NodeVolumes,
    caches: Caches,
}

impl Users for Volumes {
    fn volumes_of(&self, driver: &DriverName) -> usize {
        let attachments = self.caches.attachments.all();
        self.node.volumes_of(driver) + attachments.iter().filter(|attachment| *attachment.attacher == *driver.as_str()).count()
    }
}

/// Provisioners and attachers of plugins that have a controller service.
pub(crate) struct Controllers {
    parts: Parts,
    caches: Caches,
    defaults: Arc<Defaults>,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    /// What each plugin's work was begun for, and how it is ended.
    plugins: BTreeMap<PluginId, (DriverName, Option<PathBuf>, Shutdown)>,
    tasks: Vec<Task>,
}

impl Controllers {
    pub(crate) fn new(parts: Parts, caches: Caches, defaults: Arc<Defaults>) -> Arc<Self> {
        Arc::new(Self { parts, caches, defaults, running: Mutex::default() })
    }

    /// Until the shutdown, and until everything of them has ended.
    pub(crate) async fn finished(self: Arc<Self>) -> anyhow::Result<()> {
        self.parts.shutdown.requested().await;
        let tasks = std::mem::take(&mut self.running().tasks);
        for mut task in tasks {
            task.ended().await;
        }
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(self: &Arc<Self>, change: &Change) {
        let mut running = self.running();
        running.tasks.retain(|task| !task.is_finished());
        match change {
            Change::Serves(Served { id, driver, controller, .. }) => {
                let known = running.plugins.get(id);
                if known.is_some_and(|(known, socket, _)| known == driver && socket == controller) {
                    return;
                }
                let stop = Shutdown::new();
                let before = running.plugins.insert(id.clone(), (driver.clone(), controller.clone(), stop.clone()));
                if let Some((.., before)) = before {
                    before.request();
                }
                let (controllers, id, driver, socket) = (self.clone(), id.clone(), driver.clone(), controller.clone());
                running.tasks.push(self.parts.ctx.spawn("plugin-controllers", async move {
                    let done = match &socket {
                        Some(socket) => controllers.control(&driver, socket, stop).await,
                        None => bootstrap::node_only(&controllers.parts.client("longshore"), &driver).await,
                    };
                    if let Err(error) = done {
                        tracing::error!(plugin = %id, %driver, "{error:#}");
                    }
                }));
            }
            Change::Gone(id) => {
                if let Some((.., stop)) = running.plugins.remove(id) {
                    stop.request();
                }
            }
        }
    }

    /// Provisions and attaches by this socket until `stop`, or the shutdown.
    async fn control(&self, driver: &DriverName, socket: &Path, stop: Shutdown) -> anyhow::Result<()> {
        let (all, own) = (self.parts.shutdown.clone(), stop.clone());
        let _stops = self.parts.ctx.spawn("plugin-stop", async move {
            tokio::select! {
                biased;
                () = own.requested() => {}
                () = all.requested() => own.request(),
            }
        });
        let parts = self.parts.until(stop.clone());
        let started = tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            started = drivers::reach(&parts, socket) => started?,
        };
        let (client, info) = started;
        ensure!(
            info.plugin.contains(&PluginCapability::ControllerService),
            "its file lists CONTROLLER_SERVICE, and GetPluginCapabilities on {} does not: take it out of the file, or mend the plugin",
            socket.display()
        );
        ensure!(info.name == *driver, "on {} it calls itself {}", socket.display(), info.name);
        drivers::control(&parts, &self.caches, client, info, &self.defaults).await;
        Ok(())
    }
}
