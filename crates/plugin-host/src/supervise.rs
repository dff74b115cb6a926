//! Plugins of this host, and their lives: those that are to be started are started, asked whether they are ready, started again
//! and ended; those of others are only asked.
//!
//! ```text
//!  set, remove ─> wanted ┐
//!  record, /proc ────────┼─ part.rs: View ─ plan.rs ─> start, probe, terminate, kill, forget ─> Served: driver, sockets
//!  volumes here ─────────┘
//! ```
//!
//! What we start outlives us: the next life finds it by its record (`record.rs`). A plugin stays registered while it is started
//! again; it is [`Change::Gone`] only when nobody asks for it any more and no volume of its driver is on this host.

mod cgroup;
mod docker;
mod endpoint;
mod error;
mod files;
mod fingerprint;
mod output;
mod part;
mod plan;
mod process;
mod record;
mod state;
mod told;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use csi_types::DriverName;
use rt::{Ctx, Shutdown};
use tokio::sync::Notify;

use crate::plugin::{How, Plugin, PluginId};
use docker::Daemon;
use files::Files;
use record::{Record, Run};
use state::State;

pub use told::{AliasError, Served, Trouble};

/// What is not the same for everyone.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where plugins have their sockets and we our records. Made if it is not there.
    pub dir: PathBuf,
    /// This node's name, which plugins may ask for.
    pub node: String,
    /// The folder in which volumes are mounted: containers see it under the same path, with mounts shared.
    pub mounts: PathBuf,
    /// The client of the Docker daemon, found by PATH if it has no slash.
    pub docker: PathBuf,
    /// Where the host has its control groups.
    pub cgroups: PathBuf,
    /// Drivers that this host has otherwise: no plugin may be one of them.
    pub taken: BTreeSet<DriverName>,
}

impl Config {
    /// With the programs and places of every host.
    pub fn new(dir: impl Into<PathBuf>, node: impl Into<String>, mounts: impl Into<PathBuf>) -> Self {
        let (docker, cgroups) = ("docker".into(), cgroup::ROOT.into());
        Self { dir: dir.into(), node: node.into(), mounts: mounts.into(), docker, cgroups, taken: BTreeSet::new() }
    }
}

/// Who knows which volumes are on this host.
pub trait Users: Send + Sync {
    /// How many volumes of this driver are staged, published or attached here, or may be. Asked often; must not wait.
    fn volumes_of(&self, driver: &DriverName) -> usize;
}

/// What the host tells of its plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A plugin can be called, for the first time or otherwise than before.
    Serves(Served),
    /// Nobody needs it any more, and it has ended.
    Gone(PluginId),
}

type Listener = Arc<dyn Fn(&Change) + Send + Sync>;

/// How long the first reading of files may take, before a name counts as unknown.
const SETTLING: Duration = Duration::from_secs(10);
/// After a plugin's time is over, what it did until then is said by who started it.
const VERDICT: Duration = Duration::from_secs(1);

/// All plugins of one folder of sockets. Cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    ctx: Ctx,
    config: Config,
    calls: csi_client::Metrics,
    shutdown: Shutdown,
    state: Mutex<State>,
    listeners: Mutex<Vec<Listener>>,
    users: OnceLock<Arc<dyn Users>>,
    /// Something of the state changed.
    changed: Notify,
}

impl Host {
    /// Takes over what an earlier life left in the folder. Nothing of it is ended before [`Host::settled`].
    ///
    /// # Errors
    /// The folder cannot be made or read: what runs would be started twice.
    pub async fn start(ctx: &Ctx, config: Config, calls: csi_client::Metrics, shutdown: Shutdown) -> io::Result<Self> {
        ctx.disk().make_dir(&config.dir).await?;
        let records = record::load(ctx, &config.dir).await?;
        let host = Self(Arc::new(Inner {
            ctx: ctx.clone(),
            config,
            calls,
            shutdown,
            state: Mutex::default(),
            listeners: Mutex::default(),
            users: OnceLock::new(),
            changed: Notify::new(),
        }));
        host.state().taken.clone_from(&host.0.config.taken);
        for (file, record) in records {
            let Some(id) = record.id() else { continue };
            let files = Files::of(&host.0.config.dir, &id, record.part);
            if files.record != file {
                tracing::warn!(file = %file.display(), "is a record of {id} under another name, and is left alone");
                continue;
            }
            host.state().found(&id, &record);
            host.live(id, record.part, Some(record));
        }
        Ok(host)
    }

    /// Asks for a plugin. Again with another description: what is otherwise is started again, on the same socket.
    pub fn set(&self, plugin: Plugin) {
        let (started, wake) = self.state().set(&plugin, |part| Files::of(&self.0.config.dir, &plugin.id, part).socket);
        wake.iter().for_each(|wake| wake.notify_one());
        for part in started {
            self.live(plugin.id.clone(), part, None);
        }
        self.tell();
    }

    /// Asks no more for a plugin. It ends when no volume of its driver is on this host any more.
    pub fn remove(&self, id: &PluginId) {
        self.state().remove(id).iter().for_each(|wake| wake.notify_one());
        self.0.changed.notify_waiters();
    }

    /// Everything that is asked for at the start has been. `all`: nothing was left out because it could not be read, so what
    /// an earlier life started and nobody asks for may be ended.
    pub fn settled(&self, all: bool) {
        self.state().settled(all).iter().for_each(|wake| wake.notify_one());
        self.0.changed.notify_waiters();
    }

    /// Who knows which volumes are here. Until then, every driver's are taken to be. The first one stays.
    pub fn set_users(&self, users: Arc<dyn Users>) {
        let _ = self.0.users.set(users);
    }

    /// Calls `listener` for what serves now, and for every change from now on. It must not wait, and ask
    /// for no plugin itself.
    pub fn subscribe(&self, listener: impl Fn(&Change) + Send + Sync + 'static) {
        let listener: Listener = Arc::new(listener);
        // Whoever tells, waits for this: nothing is told twice or left out.
        let mut listeners = self.listeners();
        for served in self.state().told() {
            listener(&Change::Serves(served));
        }
        listeners.push(listener);
    }

    /// What serves now, by id.
    pub fn served(&self) -> Vec<Served> {
        self.state().told()
    }

    /// What each plugin that is asked for and does not serve waits for, or what is wrong with it.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.state().troubles()
    }

    /// The driver that a document means by an alias: `TYPE` or `TYPE/NAME`. Of several of one type, the type alone means the one
    /// that was given no name.
    ///
    /// # Errors
    /// No plugin has it, several do, or the plugin has not said yet which driver it is; each with what to do.
    pub fn driver_of(&self, alias: &str) -> Result<DriverName, AliasError> {
        self.state().driver_of(alias)
    }

    /// The driver that a document means, once its plugin serves. Waits for a plugin that is asked for at most as long as it may
    /// take to become ready. Cancel safe.
    ///
    /// # Errors
    /// As [`Host::driver_of`].
    pub async fn driver(&self, alias: &str) -> Result<DriverName, AliasError> {
        // A name that nobody has yet may be in a file that is not read yet.
        let all_known = self.until(|state| state.is_settled().then_some(()));
        let _ = self.0.ctx.timeout(SETTLING, all_known).await;
        let patience = self.state().patience(alias);
        let serves = self.until(|state| match state.driver_of(alias) {
            Err(AliasError::NotReady { .. }) => None,
            answer => Some(answer),
        });
        match self.0.ctx.timeout(patience + VERDICT, serves).await {
            Ok(answer) => answer,
            Err(_) => self.driver_of(alias),
        }
    }

    /// Looks after every change, until there is an answer. Cancel safe.
    async fn until<T>(&self, look: impl Fn(&State) -> Option<T>) -> T {
        loop {
            let changed = self.0.changed.notified();
            let answer = look(&self.state());
            match answer {
                Some(answer) => return answer,
                None => changed.await,
            }
        }
    }

    /// Waits until none of these plugins is here any more. Cancel safe.
    pub async fn gone(&self, ids: &BTreeSet<PluginId>) {
        loop {
            let changed = self.0.changed.notified();
            if !ids.iter().any(|id| self.state().knows(id)) {
                return;
            }
            changed.await;
        }
    }

    fn live(&self, id: PluginId, part: usize, record: Option<Record>) {
        let host = self.clone();
        self.0.ctx.spawn("plugin", part::live(host, id, part, record));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what has changed since it was told last.
    fn tell(&self) {
        let listeners = self.listeners();
        let changes = self.state().changes();
        for change in &changes {
            match change {
                Change::Serves(served) => tracing::info!(
                    plugin = %served.id, driver = %served.driver, node = served.node.is_some(), controller = served.controller.is_some(),
                    "the plugin serves"
                ),
                Change::Gone(id) => tracing::info!(plugin = %id, "the plugin is gone"),
            }
            listeners.iter().for_each(|listener| listener(change));
        }
        drop(listeners);
        self.0.changed.notify_waiters();
    }

    fn in_use(&self, driver: Option<&DriverName>) -> bool {
        match (driver, self.0.users.get()) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(driver), Some(users)) => users.volumes_of(driver) > 0,
        }
    }

    fn daemon(&self) -> Daemon {
        Daemon { program: self.0.config.docker.clone(), mounts: self.0.config.mounts.clone() }
    }
}

/// What runs before anything is started.
fn nothing(how: &How) -> Run {
    match how {
        How::Endpoint(_) => Run::Theirs,
        How::Process(_) | How::Docker(_) => Run::Nothing,
    }
}
