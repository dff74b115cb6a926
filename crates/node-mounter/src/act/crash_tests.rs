//! The agent is killed at every await of a mount and of an unmount, and started again: one mount in the end, and then none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use csi_client::{Call, Driver};
use csi_types::*;
use rt::Ctx;
use rt::disk::MemoryDisk;
use serde_json::json;
use test_api::TestApi;

use super::*;
use crate::journal::Stage;
use crate::mounter::{FakeMounter, Mounter};
use crate::observe::observe;
use crate::plan::{Why, plan};
use crate::pod::used;
use crate::recover::recover;
use crate::spec::of_volume;
use crate::state::{PodEntry, Registered, Wanted};
use crate::testing;

/// A driver that mounts in memory, and minds the order of its calls. It outlives the agent.
#[derive(Clone)]
struct Model {
    mounter: Arc<FakeMounter>,
    staged: Arc<Mutex<BTreeSet<String>>>,
    targets: Arc<Mutex<BTreeSet<String>>>,
}

impl Model {
    /// The caller may be gone before, between and after: the effect is all or nothing.
    fn call(&self, effect: impl FnOnce(&Model) + Send + 'static) -> Call<()> {
        let model = self.clone();
        Box::pin(async move {
            tokio::task::yield_now().await;
            effect(&model);
            tokio::task::yield_now().await;
            Ok(())
        })
    }

    fn mount(&self, at: &str) {
        let path = Path::new(at);
        if !self.mounter.table().expect("a table").is_mount_point(path) {
            self.mounter.bind(Path::new("/volume"), path).expect("mounted");
        }
    }

    fn unmount(&self, at: &str) {
        self.mounter.unmount(Path::new(at)).expect("unmounted");
    }
}

fn never<T>() -> Call<T> {
    Box::pin(async { panic!("not a node's call") })
}

impl Driver for Model {
    fn probe(&self) -> Call<bool> {
        never()
    }
    fn get_plugin_info(&self) -> Call<PluginInfo> {
        never()
    }
    fn get_plugin_capabilities(&self) -> Call<Vec<PluginCapability>> {
        never()
    }
    fn controller_get_capabilities(&self) -> Call<Vec<ControllerCapability>> {
        never()
    }
    fn create_volume(&self, _: CreateVolumeRequest) -> Call<CreatedVolume> {
        never()
    }
    fn delete_volume(&self, _: DeleteVolumeRequest) -> Call<()> {
        never()
    }
    fn controller_publish_volume(&self, _: ControllerPublishVolumeRequest) -> Call<BTreeMap<String, String>> {
        never()
    }
    fn controller_unpublish_volume(&self, _: ControllerUnpublishVolumeRequest) -> Call<()> {
        never()
    }
    fn list_volumes(&self, _: ListVolumesRequest) -> Call<PublishedVolumes> {
        never()
    }
    fn get_capacity(&self, _: GetCapacityRequest) -> Call<Capacity> {
        never()
    }
    fn node_get_info(&self) -> Call<NodeInfo> {
        never()
    }
    fn node_get_capabilities(&self) -> Call<Vec<NodeCapability>> {
        Box::pin(async { Ok(vec![NodeCapability::StageUnstageVolume]) })
    }
    fn node_stage_volume(&self, request: NodeStageVolumeRequest) -> Call<()> {
        self.call(move |model| {
            model.mount(&request.staging_target_path);
            model.staged.lock().expect("sound").insert(request.staging_target_path);
        })
    }
    fn node_unstage_volume(&self, request: NodeUnstageVolumeRequest) -> Call<()> {
        self.call(move |model| {
            assert!(model.targets.lock().expect("sound").is_empty(), "unstaged before it was unpublished");
            model.unmount(&request.staging_target_path);
            model.staged.lock().expect("sound").remove(&request.staging_target_path);
        })
    }
    fn node_publish_volume(&self, request: NodePublishVolumeRequest) -> Call<()> {
        self.call(move |model| {
            assert!(!model.staged.lock().expect("sound").is_empty(), "published before it was staged");
            model.mount(&request.target_path);
            model.targets.lock().expect("sound").insert(request.target_path);
        })
    }
    fn node_unpublish_volume(&self, request: NodeUnpublishVolumeRequest) -> Call<()> {
        self.call(move |model| {
            model.unmount(&request.target_path);
            model.targets.lock().expect("sound").remove(&request.target_path);
        })
    }
}

/// What survives a kill.
struct World {
    disk: Arc<MemoryDisk>,
    driver: Model,
    block: bool,
}

impl World {
    fn new(block: bool) -> Self {
        let mounter = Arc::new(FakeMounter::default());
        let driver = Model { mounter, staged: Arc::default(), targets: Arc::default() };
        Self { disk: Arc::new(MemoryDisk::new()), driver, block }
    }

    /// One life of the agent, with the pod there or not. Whether it came to rest before it was killed.
    async fn life(&self, wanted: bool, kill_at: Option<u64>) -> bool {
        let ctx = Ctx::seeded(1, self.disk.clone());
        if let Some(nth) = kill_at {
            ctx.kill_at_poll(nth);
        }
        // In a process of its own, which lives on.
        let client = TestApi::start(&Ctx::seeded(2, Arc::new(MemoryDisk::new()))).await.client();
        let agent = testing::agent_in(ctx.clone(), Path::new("/r"), self.driver.mounter.clone(), client).await;
        agent.caches.csi_drivers.replace(vec![testing::csi_driver(json!({"attachRequired": false}))]);
        let (block, driver) = (self.block, self.driver.clone());
        let rested = Arc::new(AtomicBool::new(false));
        let done = rested.clone();
        let task = ctx.clone();
        ctx.spawn("life", async move {
            let recovered = recover(&task, &agent.journal, &agent.config.root).await.expect("a journal");
            agent.state().records = recovered.records;
            know(&agent, driver, wanted, block);
            let keys: BTreeSet<_> = {
                let state = agent.state();
                state.records.keys().cloned().chain(state.volumes_of("uid-1")).collect()
            };
            for key in keys {
                work(&agent, &key).await;
            }
            done.store(true, Ordering::SeqCst);
        });
        let outside = Ctx::seeded(2, Arc::new(MemoryDisk::new()));
        while !rested.load(Ordering::SeqCst) && !ctx.is_dead() {
            outside.sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(ctx.panicked(), None);
        rested.load(Ordering::SeqCst)
    }

    fn mounts(&self) -> Vec<PathBuf> {
        let table = self.driver.mounter.table().expect("a table");
        table.0.into_iter().map(|mount| mount.target).collect()
    }

    fn files(&self) -> Vec<PathBuf> {
        self.disk.files().into_iter().map(|(path, _)| path).collect()
    }
}

fn know(agent: &Agent, driver: Model, wanted: bool, block: bool) {
    let info = NodeInfo { node_id: "n".into(), max_volumes_per_node: 0, accessible_topology: Segments::default() };
    let registered = Registered { driver: Arc::new(driver), socket: PathBuf::new(), info };
    let mut state = agent.state();
    state.drivers.insert("d.example.com".into(), registered);
    if !wanted {
        return;
    }
    let container = match block {
        true => json!({"name": "c", "volumeDevices": [{"name": "data", "devicePath": "/dev/data"}]}),
        false => json!({"name": "c", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}),
    };
    let pod = testing::pod(json!({"spec": {
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "claim-1"}}], "containers": [container],
    }}));
    let pv = testing::volume(json!({"spec": {"volumeMode": if block { "Block" } else { "Filesystem" }}}));
    let spec = Arc::new(of_volume(&pv, "ns/claim-1", "claim-uid", &used(&pod)[0]).expect("resolved"));
    let wants = Some(vec![Wanted { volume: "data".into(), spec }]);
    state.pods.insert("uid-1".into(), PodEntry { pod: Arc::new(pod), wants, unresolved: BTreeMap::new() });
}

async fn work(agent: &Agent, key: &VolumeKey) {
    loop {
        match plan(&observe(agent, key, agent.ctx.now())) {
            Next::Do(action) => act(agent, key, &action).await.unwrap_or_else(|error| panic!("{error}")),
            Next::Rest(Why::BackingOff(until)) => agent.ctx.sleep_until(until).await,
            Next::Rest(_) => return,
            Next::Refuse(problem) => panic!("{problem}"),
        }
    }
}

/// Every kill, first on the way in, then on the way out.
fn sweep(block: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let mut kills = 0;
        for nth in 1.. {
            let world = World::new(block);
            let survived_in = world.life(true, Some(nth)).await;
            assert!(world.life(true, None).await);
            let expected = if block { 3 } else { 2 };
            let mounts: BTreeSet<PathBuf> = world.mounts().into_iter().collect();
            assert_eq!((mounts.len(), world.mounts().len()), (expected, expected), "killed at {nth}: {:?}", world.mounts());

            let survived_out = world.life(false, Some(nth)).await;
            assert!(world.life(false, None).await);
            assert_eq!((world.mounts(), world.files()), (vec![], vec![]), "killed at {nth} on the way out");
            if survived_in && survived_out {
                break;
            }
            kills += 1;
        }
        assert!(kills > 20, "only {kills} kills: the calls do not suspend");
    });
}

#[test]
fn killed_at_any_await_a_filesystem_is_mounted_once_and_then_gone() {
    sweep(false);
}

#[test]
fn killed_at_any_await_a_device_is_mounted_once_and_then_gone() {
    sweep(true);
}

/// Killed on the way in, and the pod is gone when the agent comes back.
#[test]
fn killed_at_any_await_a_pod_that_never_returns_leaves_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        for nth in 1.. {
            let world = World::new(false);
            let survived = world.life(true, Some(nth)).await;
            assert!(world.life(false, None).await);
            assert_eq!((world.mounts(), world.files()), (vec![], vec![]), "killed at {nth}");
            if survived {
                return;
            }
        }
    });
}

#[test]
fn a_volume_that_rests_is_on_record_as_it_is() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let world = World::new(false);
        assert!(world.life(true, None).await);
        let (_, record) = world
            .files()
            .into_iter()
            .filter(|path| {
                path.extension().is_some_and(|ending| ending == "json") && path.starts_with("/r/plugins/longshore.node-mounter")
            })
            .find_map(|path| {
                let (_, content) = world.disk.files().into_iter().find(|(known, _)| *known == path)?;
                crate::journal::decode(&content).ok()
            })
            .expect("a record");
        assert!(record.stage == Stage::Yes && record.publishes.iter().all(|publish| publish.done));
    });
}
