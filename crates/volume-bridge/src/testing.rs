//! A driver and a kernel in memory, which outlive the bridge; and lives of the bridge that are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use csi_client::{Call, CallError, Driver};
use csi_types::*;
use futures::future::BoxFuture;
use mountinfo::MountTable;
use rt::disk::MemoryDisk;
use rt::{Ctx, Shutdown};

use crate::bridge::{Bridge, Scope, Settings};
use crate::host::Host;
use crate::plugin::Plugin;

/// What the driver and the kernel hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// By name.
    pub(crate) volumes: BTreeMap<String, String>,
    pub(crate) attached: BTreeSet<String>,
    pub(crate) staged: BTreeSet<String>,
    /// Target paths.
    pub(crate) targets: BTreeSet<String>,
    /// Calls that reached the driver.
    pub(crate) calls: Vec<&'static str>,
}

/// Minds the order of its calls, and is idempotent.
#[derive(Clone, Default)]
pub(crate) struct Model {
    facts: Arc<Mutex<Facts>>,
    boot: Arc<Mutex<u32>>,
    /// Nobody answers.
    pub(crate) away: Arc<AtomicBool>,
}

impl Model {
    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The host starts anew: what was mounted is not, what was attached is.
    pub(crate) fn reboot(&self) {
        *self.boot.lock().unwrap_or_else(|e| e.into_inner()) += 1;
        let mut facts = self.facts();
        facts.staged.clear();
        facts.targets.clear();
    }

    /// The caller may be gone before, between and after: the effect is all or nothing.
    fn call<T: Send + 'static>(
        &self,
        rpc: Rpc,
        effect: impl FnOnce(&mut Facts) -> Result<T, (Code, &'static str)> + Send + 'static,
    ) -> Call<T> {
        let model = self.clone();
        Box::pin(async move {
            tokio::task::yield_now().await;
            if model.away.load(Ordering::SeqCst) {
                return Err(CallError { rpc, code: Code::Unavailable, message: "nobody is there".into(), unreachable: true });
            }
            let done = {
                let mut facts = model.facts();
                facts.calls.push(rpc.name());
                effect(&mut facts)
            };
            tokio::task::yield_now().await;
            done.map_err(|(code, message)| CallError { rpc, code, message: message.into(), unreachable: false })
        })
    }
}

impl Plugin for Model {
    fn driver(&self) -> &dyn Driver {
        self
    }

    fn volumes(&self) -> BoxFuture<'static, Result<Vec<CreatedVolume>, CallError>> {
        self.call(Rpc::ListVolumes, |facts| {
            let volume = |id: &String| CreatedVolume {
                handle: id.as_str().into(),
                capacity: Bytes(0),
                context: BTreeMap::new(),
                accessible_topology: Vec::new(),
                source: None,
            };
            Ok(facts.volumes.values().map(volume).collect())
        })
    }
}

impl Host for Model {
    fn mounts(&self) -> io::Result<MountTable> {
        let facts = self.facts();
        let line = |path: &String| format!("1 0 0:1 / {path} rw - x y rw\n");
        Ok(MountTable::parse(facts.targets.iter().map(line).collect::<String>().as_bytes()))
    }

    fn boot(&self) -> io::Result<String> {
        Ok(format!("boot-{}", self.boot.lock().unwrap_or_else(|e| e.into_inner())))
    }
}

fn need(held: bool, what: &'static str) -> Result<(), (Code, &'static str)> {
    if held { Ok(()) } else { Err((Code::FailedPrecondition, what)) }
}

impl Driver for Model {
    fn probe(&self) -> Call<bool> {
        self.call(Rpc::Probe, |_| Ok(true))
    }
    fn get_plugin_info(&self) -> Call<PluginInfo> {
        self.call(Rpc::GetPluginInfo, |_| Ok(PluginInfo { name: "model.example.com".into(), vendor_version: "1.0.0".into() }))
    }
    fn get_plugin_capabilities(&self) -> Call<Vec<PluginCapability>> {
        self.call(Rpc::GetPluginCapabilities, |_| Ok(vec![PluginCapability::ControllerService]))
    }
    fn controller_get_capabilities(&self) -> Call<Vec<ControllerCapability>> {
        use ControllerCapability::{CreateDeleteVolume, ListVolumes, PublishUnpublishVolume};
        self.call(Rpc::ControllerGetCapabilities, |_| Ok(vec![CreateDeleteVolume, ListVolumes, PublishUnpublishVolume]))
    }
    fn create_volume(&self, request: CreateVolumeRequest) -> Call<CreatedVolume> {
        self.call(Rpc::CreateVolume, move |facts| {
            let id = format!("id-of-{}", request.name);
            facts.volumes.insert(request.name.to_string(), id.clone());
            Ok(CreatedVolume {
                handle: id.into(),
                capacity: request.required,
                context: BTreeMap::new(),
                accessible_topology: Vec::new(),
                source: None,
            })
        })
    }
    fn delete_volume(&self, request: DeleteVolumeRequest) -> Call<()> {
        self.call(Rpc::DeleteVolume, move |facts| {
            let free = facts.attached.is_empty() && facts.staged.is_empty() && facts.targets.is_empty();
            need(free, "deleted while it is in use")?;
            facts.volumes.retain(|_, id| id.as_str() != request.handle.as_str());
            Ok(())
        })
    }
    fn controller_publish_volume(&self, request: ControllerPublishVolumeRequest) -> Call<BTreeMap<String, String>> {
        self.call(Rpc::ControllerPublishVolume, move |facts| {
            need(facts.volumes.values().any(|id| id == request.handle.as_str()), "attached before it was created")?;
            facts.attached.insert(request.handle.to_string());
            Ok(BTreeMap::from([("device".to_owned(), "sdb".to_owned())]))
        })
    }
    fn controller_unpublish_volume(&self, request: ControllerUnpublishVolumeRequest) -> Call<()> {
        self.call(Rpc::ControllerUnpublishVolume, move |facts| {
            need(facts.staged.is_empty(), "detached while it is staged")?;
            facts.attached.remove(request.handle.as_str());
            Ok(())
        })
    }
    fn list_volumes(&self, _: ListVolumesRequest) -> Call<PublishedVolumes> {
        self.call(Rpc::ListVolumes, |_| Ok(PublishedVolumes::default()))
    }
    fn get_capacity(&self, _: GetCapacityRequest) -> Call<Capacity> {
        self.call(Rpc::GetCapacity, |_| Ok(Capacity { available: Bytes(0), maximum_volume_size: None }))
    }
    fn node_get_info(&self) -> Call<NodeInfo> {
        let info = NodeInfo { node_id: "n".into(), max_volumes_per_node: 0, accessible_topology: Segments::default() };
        self.call(Rpc::NodeGetInfo, move |_| Ok(info))
    }
    fn node_get_capabilities(&self) -> Call<Vec<NodeCapability>> {
        self.call(Rpc::NodeGetCapabilities, |_| Ok(vec![NodeCapability::StageUnstageVolume]))
    }
    fn node_stage_volume(&self, request: NodeStageVolumeRequest) -> Call<()> {
        self.call(Rpc::NodeStageVolume, move |facts| {
            need(facts.attached.contains(request.handle.as_str()), "staged before it was attached")?;
            need(request.publish_context.contains_key("device"), "the publish context is lost")?;
            facts.staged.insert(request.staging_target_path);
            Ok(())
        })
    }
    fn node_unstage_volume(&self, request: NodeUnstageVolumeRequest) -> Call<()> {
        self.call(Rpc::NodeUnstageVolume, move |facts| {
            need(facts.targets.is_empty(), "unstaged while it is published")?;
            facts.staged.remove(&request.staging_target_path);
            Ok(())
        })
    }
    fn node_publish_volume(&self, request: NodePublishVolumeRequest) -> Call<()> {
        self.call(Rpc::NodePublishVolume, move |facts| {
            need(facts.staged.contains(&request.staging_target_path), "published before it was staged")?;
            facts.targets.insert(request.target_path);
            Ok(())
        })
    }
    fn node_unpublish_volume(&self, request: NodeUnpublishVolumeRequest) -> Call<()> {
        self.call(Rpc::NodeUnpublishVolume, move |facts| {
            facts.targets.remove(&request.target_path);
            Ok(())
        })
    }
}

/// What survives a kill.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) disk: Arc<MemoryDisk>,
    pub(crate) model: Model,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { disk: Arc::new(MemoryDisk::new()), model: Model::default() }
    }

    /// A bridge in a process of its own, and what it is told to do. Whether that ended before the kill. Call in a paused runtime.
    pub(crate) async fn life(
        &self,
        kill_at: Option<u64>,
        work: impl FnOnce(Bridge) -> BoxFuture<'static, ()> + Send + 'static,
    ) -> bool {
        let ctx = Ctx::seeded(1, self.disk.clone());
        if let Some(nth) = kill_at {
            ctx.kill_at_poll(nth);
        }
        let ended = Arc::new(AtomicBool::new(false));
        let (done, own, world) = (ended.clone(), ctx.clone(), self.clone());
        ctx.spawn("life", async move {
            work(world.open(&own).await).await;
            done.store(true, Ordering::SeqCst);
        });
        let outside = Ctx::seeded(2, Arc::new(MemoryDisk::new()));
        while !ended.load(Ordering::SeqCst) && !ctx.is_dead() {
            outside.sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(ctx.panicked(), None);
        ended.load(Ordering::SeqCst)
    }

    pub(crate) async fn open(&self, ctx: &Ctx) -> Bridge {
        let settings = Settings {
            state_dir: "/state".into(),
            secrets_dir: "/secrets".into(),
            scope: Scope::Auto,
            address: "the model".into(),
            controller: true,
            node: true,
            parameters: Vec::new(),
        };
        let (model, host) = (Arc::new(self.model.clone()), Arc::new(self.model.clone()));
        Bridge::open(ctx, settings, model, host, &Shutdown::new()).await.expect("a journal")
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.disk.files().into_iter().map(|(path, _)| path).collect()
    }

    /// Neither in the driver, nor in the kernel, nor on disk.
    pub(crate) fn assert_nothing_left(&self, when: &str) {
        let facts = Facts { calls: Vec::new(), ..self.model.facts().clone() };
        assert_eq!(facts, Facts::default(), "{when}");
        assert_eq!(self.files(), Vec::<PathBuf>::new(), "{when}");
    }
}

/// Runs on a paused clock.
pub(crate) fn paused<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(work)
}
