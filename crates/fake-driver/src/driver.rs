//! A running driver, and how to start one.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
};

use crate::{
    mounts::Mounts,
    observe::{Busy, Observer, Sight},
    record::{Record, Recorded},
    rpc::Rpc,
    script::{Judge, Script},
    serve::serve,
    settings::{ControllerCap, Expansion, GroupCap, Mode, NodeCap, Place, PluginCap, Settings},
    shell::{Shared, Shell, load, lock},
    socket::{Connections, listen},
    world::{Snapshot, Volume, World},
};

/// Why a driver did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The socket.
    #[error("cannot listen at {}", path.display())]
    Listen {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// One of the files it was given.
    #[error("cannot use {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// A driver to be.
#[derive(Debug, Clone)]
pub struct Builder {
    settings: Settings,
    node: String,
    place: Place,
    script: Script,
    volumes: Vec<(String, i64)>,
    record: Option<PathBuf>,
    state: Option<PathBuf>,
    mount: Option<PathBuf>,
    shared: Option<Shared>,
    observer: Option<Observer>,
    one_call_per_volume: bool,
}

/// A driver at work. Dropped, it stops.
#[derive(Debug)]
pub struct FakeDriver {
    shell: Arc<Shell>,
    connections: Connections,
    server: JoinHandle<Result<(), tonic::transport::Error>>,
    path: PathBuf,
}

// === impl Builder ===

impl Builder {
    /// Exactly these plugin capabilities. Default: CONTROLLER_SERVICE.
    #[must_use]
    pub fn plugin_caps(mut self, caps: impl IntoIterator<Item = PluginCap>) -> Self {
        self.settings.plugin = caps.into_iter().collect();
        self
    }

    /// Volumes grow online, offline, or (default) it does not say.
    #[must_use]
    pub fn expansion(mut self, expansion: impl Into<Option<Expansion>>) -> Self {
        self.settings.expansion = expansion.into();
        self
    }

    /// Exactly these controller capabilities. Default: CREATE_DELETE_VOLUME, PUBLISH_UNPUBLISH_VOLUME.
    #[must_use]
    pub fn controller_caps(mut self, caps: impl IntoIterator<Item = ControllerCap>) -> Self {
        self.settings.controller = caps.into_iter().collect();
        self
    }

    /// Exactly these group controller capabilities. Default: none.
    #[must_use]
    pub fn group_caps(mut self, caps: impl IntoIterator<Item = GroupCap>) -> Self {
        self.settings.group = caps.into_iter().collect();
        self
    }

    /// Exactly these node capabilities. Default: STAGE_UNSTAGE_VOLUME.
    #[must_use]
    pub fn node_caps(mut self, caps: impl IntoIterator<Item = NodeCap>) -> Self {
        self.settings.node = caps.into_iter().collect();
        self
    }

    /// Only these access modes. Default: all.
    #[must_use]
    pub fn access_modes(mut self, modes: impl IntoIterator<Item = Mode>) -> Self {
        self.settings.access_modes = modes.into_iter().collect();
        self
    }

    /// Bytes in the backend. Default: without end.
    #[must_use]
    pub fn capacity(mut self, bytes: impl Into<Option<i64>>) -> Self {
        self.settings.capacity = bytes.into();
        self
    }

    /// Only these nodes can be published to. Default: any.
    #[must_use]
    pub fn known_nodes<N: Into<String>>(mut self, nodes: impl IntoIterator<Item = N>) -> Self {
        self.settings.known_nodes = nodes.into_iter().map(Into::into).collect();
        self
    }

    /// Only these keys are mutable parameters; any other is InvalidArgument. Default: any.
    #[must_use]
    pub fn mutable_keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.settings.mutable_keys = Some(keys.into_iter().map(Into::into).collect());
        self
    }

    /// Believe in volumes that were not created here.
    #[must_use]
    pub fn any_volume(mut self, yes: bool) -> Self {
        self.settings.any_volume = yes;
        self
    }

    /// A pre-provisioned volume.
    #[must_use]
    pub fn volume(mut self, id: impl Into<String>, bytes: i64) -> Self {
        self.volumes.push((id.into(), bytes));
        self
    }

    /// How the driver calls the node it runs on. Default: `node`.
    #[must_use]
    pub fn node_id(mut self, id: impl Into<String>) -> Self {
        self.node = id.into();
        self
    }

    /// Where that node is.
    #[must_use]
    pub fn topology<K: Into<String>, V: Into<String>>(mut self, segments: impl IntoIterator<Item = (K, V)>) -> Self {
        self.place.topology = segments.into_iter().map(|(k, v)| (k.into(), v.into())).collect::<BTreeMap<_, _>>();
        self
    }

    /// How many volumes that node takes. Default: 0, no limit.
    #[must_use]
    pub fn max_volumes_per_node(mut self, max: i64) -> Self {
        self.place.max_volumes = max;
        self
    }

    /// The faults.
    #[must_use]
    pub fn script(mut self, script: impl Into<Script>) -> Self {
        self.script = script.into();
        self
    }

    /// Record to a file, a line of JSON per request, instead of memory.
    #[must_use]
    pub fn record(mut self, file: impl Into<Option<PathBuf>>) -> Self {
        self.record = file.into();
        self
    }

    /// Keep the volumes in a file, and start from it.
    #[must_use]
    pub fn state(mut self, file: impl Into<Option<PathBuf>>) -> Self {
        self.state = file.into();
        self
    }

    /// Really mount: a folder per volume under this one. Needs root.
    #[must_use]
    pub fn mount(mut self, data: impl Into<Option<PathBuf>>) -> Self {
        self.mount = data.into();
        self
    }

    /// Shows every call at its [moments](crate::Moment), in the driver's own task: the call waits for the observer.
    #[must_use]
    pub fn observe(mut self, look: impl Fn(&Sight<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Observer(Arc::new(look)));
        self
    }

    /// A call for a volume is Aborted while another one for it is under way, as the specification lets a driver do; this holds
    /// for calls whose caller is gone, too. Default: no.
    #[must_use]
    pub fn one_call_per_volume(mut self, yes: bool) -> Self {
        self.one_call_per_volume = yes;
        self
    }

    /// Share the backend of another driver in this process, and so its settings: the same driver on another node.
    #[must_use]
    pub fn beside(mut self, other: &FakeDriver) -> Self {
        self.shared = Some(Arc::clone(&other.shell.world));
        self
    }

    /// Listens at the socket, replacing a stale one, and serves.
    ///
    /// # Errors
    /// The socket or one of the files cannot be used.
    pub async fn start(self, socket: impl AsRef<Path>) -> Result<FakeDriver, StartError> {
        let path = socket.as_ref().to_owned();
        let file = |path: &Path, source| StartError::File { path: path.to_owned(), source };
        let world = self.shared.unwrap_or_else(|| Arc::new(Mutex::new(World::new(self.settings))));
        if let Some(state) = &self.state
            && let Some(facts) = load(state).map_err(|e| file(state, e))?
        {
            lock(&world).restore(facts);
        }
        lock(&world).add_node(self.node.clone(), self.place);
        for (id, bytes) in self.volumes {
            lock(&world).add_volume(id, bytes);
        }
        let record = Record::new(self.record.as_deref());
        let record = record.map_err(|e| file(self.record.as_deref().unwrap_or(Path::new("")), e))?;
        let mounts = self.mount.map(|data| Mounts::new(data.clone()).map_err(|e| file(&data, e))).transpose()?;
        let shell = Arc::new(Shell {
            node: self.node,
            world,
            judge: Mutex::new(Judge::new(self.script)),
            record: Mutex::new(record),
            heard: Notify::new(),
            running: Semaphore::new(0),
            observer: self.observer,
            busy: self.one_call_per_volume.then(Busy::default),
            mounts,
            state: self.state,
            saved: AtomicU64::new(0),
        });
        let listener = listen(&path).map_err(|source| StartError::Listen { path: path.clone(), source })?;
        let connections = Connections::default();
        let server = tokio::spawn(serve(Arc::clone(&shell), listener, connections.clone()));
        Ok(FakeDriver { shell, connections, server, path })
    }
}

// === impl FakeDriver ===

impl FakeDriver {
    /// A driver with this name.
    #[must_use]
    pub fn builder(name: impl Into<String>) -> Builder {
        Builder {
            settings: Settings::new(name),
            node: "node".to_owned(),
            place: Place::default(),
            script: Script::default(),
            volumes: Vec::new(),
            record: None,
            state: None,
            mount: None,
            shared: None,
            observer: None,
            one_call_per_volume: false,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.path
    }

    /// The address of the socket: `unix:///…`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// Every request so far, in order of arrival. Empty when recording to a file.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.shell.record).all().to_vec()
    }

    /// Those of one kind.
    #[must_use]
    pub fn requests_of(&self, rpc: Rpc) -> Vec<Recorded> {
        lock(&self.shell.record).all().iter().filter(|r| r.rpc() == rpc).cloned().collect()
    }

    /// Waits until the requests so far satisfy `enough`, and returns them; `None` after the timeout.
    pub async fn wait_for(&self, enough: impl Fn(&[Recorded]) -> bool, timeout: Duration) -> Option<Vec<Recorded>> {
        self.eventually(timeout, || {
            let record = lock(&self.shell.record);
            enough(record.all()).then(|| record.all().to_vec())
        })
        .await
    }

    /// Waits until the volumes satisfy `enough`, and returns them; `None` after the timeout.
    pub async fn wait_for_volumes(&self, enough: impl Fn(&[Volume]) -> bool, timeout: Duration) -> Option<Vec<Volume>> {
        self.eventually(timeout, || Some(self.volumes()).filter(|v| enough(v))).await
    }

    async fn eventually<T>(&self, timeout: Duration, look: impl Fn() -> Option<T>) -> Option<T> {
        let watch = async {
            loop {
                // Listening begins before the look, or a bell between the two would be missed.
                let heard = self.shell.heard.notified();
                tokio::pin!(heard);
                heard.as_mut().enable();
                if let Some(found) = look() {
                    return found;
                }
                heard.await;
            }
        };
        tokio::time::timeout(timeout, watch).await.ok()
    }

    /// All volumes of the backend, by id.
    #[must_use]
    pub fn volumes(&self) -> Vec<Volume> {
        lock(&self.shell.world).volumes().cloned().collect()
    }

    /// All snapshots of the backend, by id.
    #[must_use]
    pub fn snapshots(&self) -> Vec<Snapshot> {
        lock(&self.shell.world).snapshots().cloned().collect()
    }

    /// The handle that a volume of this name has or will have.
    #[must_use]
    pub fn volume_id(&self, name: &str) -> String {
        lock(&self.shell.world).volume_id(name)
    }

    /// Other faults from now on; counting starts anew.
    pub fn set_script(&self, script: impl Into<Script>) {
        *lock(&self.shell.judge) = Judge::new(script.into());
    }

    /// What Probe answers.
    pub fn set_ready(&self, ready: bool) {
        lock(&self.shell.world).set_ready(ready);
    }

    /// Cuts every connection; new ones are accepted.
    pub fn cut_connections(&self) {
        self.connections.cut_all();
    }

    /// Ends at once, calls under way included, and removes the socket.
    pub async fn stop(mut self) {
        self.end();
        // Only a cancelled task can come of it.
        let _ = (&mut self.server).await;
    }

    fn end(&self) {
        self.shell.running.close();
        self.server.abort();
        self.connections.cut_all();
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Drop for FakeDriver {
    fn drop(&mut self) {
        if !self.server.is_finished() {
            self.end();
        }
    }
}
