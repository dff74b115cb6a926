//! What outlives processes: the API's objects, the backend, the node's kernel and disk; and what was seen of it all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use apistore::{Api, Store};
use fake_driver::{ControllerCap, NodeCap, Place as Spot, PluginCap, Response, Rpc, Settings};
use node_mounter::mounter::FakeMounter;
use node_mounter::paths::Root;
use rt::disk::MemoryDisk;
use rt::{Ctx, Disk};
use serde::Deserialize;

use crate::driver::{Backend, CallFault, DriverEvent, DriverHooks, Host, Plugin, Stage};
use crate::fault::{Deadly, FaultKind, Faults, Place};
use crate::laws::{self, Moment, Saying, Violation};
use crate::plan::Plan;
use crate::process::Slot;
use crate::trace::{Entry, Trace, What};

pub(crate) const DRIVER: &str = "sim.example.com";
pub(crate) const NODE: &str = "node-1";
/// The registration socket that is there from the start.
pub(crate) const SOCKET: &str = "sim-reg.sock";
pub(crate) const NAMESPACE: &str = "team";
/// Where the sidecars run.
pub(crate) const SYSTEM: &str = "kube-system";
/// Every value of every secret begins so; nothing else does.
pub(crate) const SECRET: &str = "s3cr3t-";
/// A run that asks the API more often than this goes round in circles.
const REQUESTS: u64 = 60_000;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct World(Arc<Inner>);

struct Inner {
    ctx: Ctx,
    plan: Plan,
    store: Store,
    api: Api,
    faults: Faults,
    backend: Arc<Backend>,
    /// The driver beside the sidecars, and the one on the node.
    controller: Plugin,
    plugin: Plugin,
    node: Mutex<Machine>,
    /// The registration sockets there, by when they were made.
    sockets: Mutex<BTreeMap<String, u64>>,
    /// Callers that die when their call gets so far.
    doomed: Mutex<BTreeMap<String, Deadly>>,
    /// Plain names of what is called after uids.
    names: Mutex<BTreeMap<String, String>>,
    trace: Mutex<Trace>,
    broken: Mutex<Vec<Violation>>,
    outages: Mutex<Outages>,
    requests: AtomicU64,
    slots: Mutex<BTreeMap<Arc<str>, Slot>>,
    memory: Mutex<laws::Memory>,
}

/// The node's machine.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) kernel: Arc<FakeMounter>,
    pub(crate) disk: Arc<MemoryDisk>,
}

/// Until when what is not to be had.
#[derive(Default)]
struct Outages {
    api: Duration,
    intents: Duration,
}

impl World {
    pub(crate) async fn new(plan: &Plan) -> Self {
        let ctx = Ctx::seeded(plan.seed, Arc::new(MemoryDisk::new()));
        let store = Store::in_memory(&ctx);
        let faults = Faults::new(ctx.clone(), plan.rates, plan.faults.clone(), plan.calm());
        let disk = Arc::new(MemoryDisk::new());
        let root = Root::new(Path::new("/var/lib/kubelet"));
        let _ = disk.make_dir(&root.plugins_registry()).await;
        let forbidden = if plan.shape.intents { Duration::ZERO } else { Duration::MAX };
        Self(Arc::new_cyclic(|inner: &Weak<Inner>| {
            let backend = Backend::new(&ctx, backend(plan), Arc::new(Hooks(inner.clone())));
            let machine = Machine { kernel: Arc::default(), disk };
            let place = place(plan);
            let host = Host { mounter: machine.kernel.clone(), disk: machine.disk.clone() };
            Inner {
                controller: Plugin::new(&backend, "controller", Spot::default(), None),
                plugin: Plugin::new(&backend, NODE, place, Some(host)),
                backend,
                api: Api::new(store.clone()),
                store,
                faults,
                node: Mutex::new(machine),
                sockets: Mutex::new(BTreeMap::from([(SOCKET.to_owned(), 1)])),
                doomed: Mutex::default(),
                names: Mutex::default(),
                trace: Mutex::default(),
                broken: Mutex::default(),
                outages: Mutex::new(Outages { intents: forbidden, ..Outages::default() }),
                requests: AtomicU64::new(0),
                slots: Mutex::default(),
                memory: Mutex::default(),
                plan: plan.clone(),
                ctx,
            }
        }))
    }

    pub(crate) fn ctx(&self) -> &Ctx {
        &self.0.ctx
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.0.plan
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn api(&self) -> Api {
        self.0.api.clone()
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// The driver's storage. Not to be held across an await.
    pub(crate) fn backend(&self) -> MutexGuard<'_, fake_driver::World> {
        self.0.backend.world()
    }

    /// The driver's process beside the sidecars, or on the node.
    pub(crate) fn plugin(&self, on_node: bool) -> &Plugin {
        if on_node { &self.0.plugin } else { &self.0.controller }
    }

    pub(crate) fn machine(&self) -> Machine {
        lock(&self.0.node).clone()
    }

    /// The records of the mounter's journal, whatever they say.
    pub(crate) fn journal(&self) -> impl Iterator<Item = (PathBuf, Vec<u8>)> {
        self.machine().disk.files().into_iter().filter(|(path, _)| path.to_string_lossy().contains("journal"))
    }

    /// The registration sockets on the node.
    pub(crate) fn sockets(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        lock(&self.0.sockets)
    }

    pub(crate) fn slots(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Slot>> {
        lock(&self.0.slots)
    }

    /// What laws remember from moment to moment.
    pub(crate) fn memory(&self) -> MutexGuard<'_, laws::Memory> {
        lock(&self.0.memory)
    }

    /// The machine starts anew: nothing is mounted, and the driver's half on this node has forgotten everything.
    pub(crate) fn reboot(&self) {
        let kernel: Arc<FakeMounter> = Arc::default();
        lock(&self.0.node).kernel = kernel.clone();
        self.0.plugin.power_off();
        self.0.plugin.power_on(kernel);
    }

    // What was seen.

    pub(crate) fn note(&self, who: &Arc<str>, what: What) {
        lock(&self.0.trace).0.push(Entry { at: self.0.ctx.now().0, who: who.clone(), what });
    }

    /// For what no process did.
    pub(crate) fn tell(&self, who: &str, what: What) {
        self.note(&who.into(), what);
    }

    pub(crate) fn trace(&self) -> Trace {
        std::mem::take(&mut *lock(&self.0.trace))
    }

    pub(crate) fn broke(&self, violation: Violation) {
        self.tell("law", What::Broke { law: violation.law, what: violation.what.clone() });
        lock(&self.0.broken).push(violation);
    }

    pub(crate) fn broken(&self) -> Vec<Violation> {
        lock(&self.0.broken).clone()
    }

    pub(crate) fn is_broken(&self) -> bool {
        !lock(&self.0.broken).is_empty()
    }

    fn look(&self, moment: &Moment<'_>) {
        if self.is_broken() {
            return;
        }
        if let Some(violation) = laws::look(self, moment) {
            self.broke(violation);
        }
    }

    /// A write was answered.
    pub(crate) fn written(&self, who: &str, key: &str, code: u16) {
        if (200..300).contains(&code) {
            if key.contains("leases longshore-intents-") {
                let open = crate::objects::intents(self.store()).into_keys().map(|uid| self.plain(&format!("pvc-{uid}")));
                self.tell("world", What::Did(format!("open intents: {}", open.collect::<Vec<_>>().join(", "))));
            }
            self.look(&Moment::Written { who, key });
        }
    }

    /// A read was answered.
    pub(crate) fn looked(&self, who: &str, key: &str) {
        self.look(&Moment::Looked { who, key });
    }

    /// A process sends this to the API, in these words.
    pub(crate) fn says(&self, saying: &Saying<'_>) {
        if self.0.requests.fetch_add(1, Ordering::Relaxed) == REQUESTS {
            let Saying { who, kind, .. } = saying;
            self.broke(Violation { law: "finite", what: format!("more than {REQUESTS} writes; the last is by {who} on {kind}") });
        }
        self.look(&Moment::Said(saying));
    }

    pub(crate) fn writes(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }

    // Names.

    /// From now on this is what it is called in keys and traces.
    pub(crate) fn call(&self, name: impl Into<String>, plain: impl Into<String>) {
        lock(&self.0.names).insert(name.into(), plain.into());
    }

    pub(crate) fn plain(&self, name: &str) -> String {
        lock(&self.0.names).get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// The plain name of what is about to be made. Attachments get theirs here.
    pub(crate) fn name_new(&self, kind: &str, body: &[u8]) -> String {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Made {
            metadata: crate::objects::Meta,
            spec: serde_json::Value,
        }
        if kind == "events" {
            return String::new();
        }
        let made: Made = serde_json::from_slice(body).unwrap_or_default();
        if kind == "volumeattachments" {
            let volume = made.spec["source"]["persistentVolumeName"].as_str().unwrap_or_default();
            self.call(&made.metadata.name, self.plain(volume).replacen("pv:", "va:", 1));
        }
        self.plain(&made.metadata.name)
    }

    // Outages.

    pub(crate) fn api_down(&self, time: Duration) {
        lock(&self.0.outages).api = self.0.ctx.now().0 + time;
    }

    pub(crate) fn forbid_intents(&self, time: Duration) {
        let mut outages = lock(&self.0.outages);
        outages.intents = outages.intents.max(self.0.ctx.now().0 + time);
    }

    /// Whether intents could be written all the time.
    pub(crate) fn intents_always(&self) -> bool {
        lock(&self.0.outages).intents.is_zero()
    }

    pub(crate) fn api_is_down(&self) -> bool {
        self.0.ctx.now().0 < lock(&self.0.outages).api
    }

    /// Whether this may not be done.
    pub(crate) fn forbids(&self, key: &str) -> bool {
        key.contains("leases longshore-intents-") && self.0.ctx.now().0 < lock(&self.0.outages).intents
    }

    /// SIGKILL.
    pub(crate) fn kill(&self, who: &str, why: &'static str) {
        let ctx = self.slots().get(who).map(|slot| slot.ctx.clone());
        let Some(ctx) = ctx.filter(|ctx| !ctx.is_dead()) else { return };
        self.tell(who, What::Killed(why));
        ctx.kill();
    }
}

/// What the driver tells, for as long as there is a world to tell it to.
struct Hooks(Weak<Inner>);

impl DriverHooks for Hooks {
    fn fault(&self, who: &str, rpc: Rpc, subject: &str) -> Option<CallFault> {
        let world = World(self.0.upgrade()?);
        let key: Arc<str> = format!("{who} {} {}", rpc.name(), world.plain(subject)).trim_end().into();
        let fault = world.faults().at(&key, Place::Call)?;
        world.tell(who, What::Went { key: key.clone(), wrong: format!("{fault:?}") });
        match fault {
            FaultKind::Call(fault) => Some(fault),
            FaultKind::Death(Deadly::Arrival) => {
                world.kill(who, "a call arrives");
                None
            }
            FaultKind::Death(later) => {
                lock(&world.0.doomed).insert(key.to_string(), later);
                None
            }
            FaultKind::Api(_) => None,
        }
    }

    fn event(&self, event: DriverEvent) {
        let Some(world) = self.0.upgrade().map(World) else { return };
        let DriverEvent { call, stage } = event;
        let (plain, rpc): (Arc<str>, _) = (world.plain(&call.subject).into(), call.rpc.name());
        let (who, request) = (&*call.who, &call.request);
        let dies = |at: Deadly| {
            let key = format!("{who} {rpc} {plain}");
            lock(&world.0.doomed).get(key.trim_end()) == Some(&at) && lock(&world.0.doomed).remove(key.trim_end()).is_some()
        };
        match stage {
            Stage::Sent => {
                world.note(&call.who, What::Sent { node: call.node.clone(), rpc, subject: plain });
                world.look(&Moment::Sent { who, request });
            }
            Stage::Applied(result) => {
                if let Ok(Response::CreateVolume(made)) = &result
                    && let Some(volume) = &made.volume
                {
                    world.call(&volume.volume_id, plain.to_string());
                }
                let refused = result.as_ref().err().map(ToString::to_string);
                world.note(&call.who, What::Applied { node: call.node.clone(), rpc, subject: plain.clone(), refused });
                if result.is_ok() {
                    world.look(&Moment::Applied { request });
                }
                if dies(Deadly::Effect) {
                    world.kill(who, "a call has its effect");
                }
            }
            Stage::Expired => world.note(&call.who, What::Expired { rpc, subject: plain }),
            Stage::Answered(_) => {
                if dies(Deadly::Answer) {
                    world.kill(who, "an answer of the driver leaves");
                }
            }
        }
    }
}

fn backend(plan: &Plan) -> fake_driver::World {
    let mut settings = Settings::new(DRIVER);
    if !plan.shape.attach {
        settings.controller.retain(|cap| *cap != ControllerCap::PublishUnpublishVolume);
    }
    if !plan.shape.stage {
        settings.node.retain(|cap| *cap != NodeCap::StageUnstageVolume);
    }
    if plan.shape.topology {
        settings.plugin.push(PluginCap::VolumeAccessibilityConstraints);
    }
    fake_driver::World::new(settings)
}

/// Where the node is, as the driver names it.
fn place(plan: &Plan) -> Spot {
    let zone = plan.shape.topology.then(|| (format!("topology.{DRIVER}/zone"), "zone-1".to_owned()));
    Spot { topology: zone.into_iter().collect(), max_volumes: 0 }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
