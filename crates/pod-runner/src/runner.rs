//! The controller of this node's pods: facts in, containers started and ended.

mod act;
mod observe;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use cluster::drive::{Controller, Engine, Pass, drive};
use cluster::{Event, EventType, Events, Keys, Regarding};
use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt};
use node_mounter::paths::Root;

use crate::error::Error;
use crate::plan::{Action, Next, Problem, Why, plan};
use crate::process::Supervisor;
use crate::record::{Attempt, names};

/// What is not the same for everyone.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whose pods.
    pub node: String,
    /// Where containers leave their logs and ends.
    pub pods: PathBuf,
    /// Where node-mounter says what is mounted.
    pub root: Root,
    /// The program that can be a shim: this one's own file.
    pub program: PathBuf,
}

/// What the runner needs around it.
#[derive(Clone)]
pub struct Surroundings {
    /// The API.
    pub client: Client,
    /// For `cluster::drive`.
    pub engine: Engine,
}

/// Runs pods until the shutdown. Containers go on after that, and are found again by the next life.
///
/// # Errors
/// The folder of containers cannot be read: what runs would be started twice.
pub async fn run(config: Config, around: Surroundings) -> anyhow::Result<()> {
    use anyhow::Context;
    let engine = around.engine.clone();
    let events = Events::new(&engine.ctx, around.client.clone(), "longshore", &config.node, &engine.metrics);
    let folder = config.pods.display().to_string();
    std::fs::create_dir_all(&config.pods).with_context(|| format!("cannot make {folder}"))?;
    let runner = Arc::new_cyclic(|me| Runner {
        me: me.clone(),
        keys: Arc::new(Keys::new(engine.ctx.clone())),
        client: around.client,
        ctx: engine.ctx.clone(),
        events,
        config,
        known: Mutex::default(),
    });
    runner.find_running().with_context(|| format!("cannot look for containers of an earlier life in {folder}"))?;
    let watching = engine.ctx.spawn("runnable-pods", runner.clone().watch(engine.shutdown.clone()));
    drive(runner.clone(), runner.keys.clone(), engine.clone()).await;
    drop(watching);
    let _ = engine.ctx.timeout(Duration::from_secs(2), runner.events.flush()).await;
    Ok(())
}

/// All pods of the node.
pub(crate) struct Runner {
    /// For the tasks that outlive a pass.
    me: Weak<Runner>,
    pub(crate) config: Config,
    pub(crate) client: Client,
    pub(crate) ctx: rt::Ctx,
    events: Events,
    /// Pods whose turn it is, by uid.
    keys: Arc<Keys<String>>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The API's pods, by uid. Nothing is ended for want of one before the first list is in.
    pods: BTreeMap<String, Arc<Pod>>,
    listed: bool,
    /// What runs, by uid and container.
    running: BTreeMap<(String, String), Running>,
    /// Pods that wait for volumes, and since when.
    awaiting: BTreeMap<String, rt::Instant>,
    /// Pods one of whose containers could not be told what to do at the last attempt, and why.
    unconfigured: BTreeMap<String, String>,
}

#[derive(Clone)]
struct Running {
    attempt: Attempt,
    supervisor: Supervisor,
    asked: bool,
    /// What the API was told.
    since: Timestamp,
}

impl Runner {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an earlier life left: supervisors that still run, and folders to look at.
    fn find_running(&self) -> std::io::Result<()> {
        let mut supervisors = Supervisor::all()?;
        for uid in names(&self.config.pods)? {
            for container in names(&self.config.pods.join(&uid))? {
                let Some(attempt) = Attempt::newest(&self.config.pods, &uid, &container)? else { continue };
                if let Some(supervisor) = supervisors.remove(&attempt.dir) {
                    let since = attempt.started().unwrap_or_else(|| self.ctx.timestamp());
                    self.runs(&uid, &container, Running { attempt, supervisor, asked: false, since });
                }
            }
            self.keys.add(uid);
        }
        Ok(())
    }

    /// Notes what runs, and waits for its end.
    fn runs(&self, uid: &str, container: &str, running: Running) {
        let (supervisor, attempt) = (running.supervisor, running.attempt.clone());
        let key = (uid.to_owned(), container.to_owned());
        self.known().running.insert(key.clone(), running);
        let Some(runner) = self.me.upgrade() else { return };
        self.ctx.spawn("container", async move {
            supervisor.ended().await;
            if attempt.exit().is_none() {
                // It was killed with everything in it, and could not say so itself.
                let exit = crate::record::Exit { code: 137, signal: Some(9), at: runner.ctx.timestamp(), error: String::new() };
                if let Err(error) = attempt.write_exit(&exit) {
                    tracing::error!(dir = %attempt.dir.display(), "cannot write how a container ended: {error}");
                }
            }
            runner.known().running.remove(&key);
            runner.keys.add(key.0);
        });
    }

    async fn watch(self: Arc<Self>, shutdown: rt::Shutdown) {
        let api: Api<Pod> = Api::all(self.client.clone());
        let config = watcher::Config::default().fields(&format!("spec.nodeName={}", self.config.node));
        let mut events = std::pin::pin!(watcher(api, config));
        let mut listed: BTreeMap<String, Arc<Pod>> = BTreeMap::new();
        loop {
            let event = tokio::select! {
                biased;
                () = shutdown.requested() => return,
                event = events.next() => event,
            };
            match event {
                None => return,
                Some(Ok(event)) => self.take_in(&mut listed, event),
                Some(Err(error)) => {
                    tracing::debug!("the watch of pods: {}", cluster::chain(&error));
                    self.ctx.sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    fn take_in(&self, listed: &mut BTreeMap<String, Arc<Pod>>, event: watcher::Event<Pod>) {
        let uid = |pod: &Pod| pod.uid().unwrap_or_default();
        let touched: BTreeSet<String> = {
            let mut known = self.known();
            match event {
                watcher::Event::Init => {
                    listed.clear();
                    BTreeSet::new()
                }
                watcher::Event::InitApply(pod) => {
                    listed.insert(uid(&pod), Arc::new(pod));
                    BTreeSet::new()
                }
                watcher::Event::InitDone => {
                    known.listed = true;
                    let before = std::mem::replace(&mut known.pods, std::mem::take(listed));
                    let folders = names(&self.config.pods).unwrap_or_default();
                    before.into_keys().chain(known.pods.keys().cloned()).chain(folders).collect()
                }
                watcher::Event::Apply(pod) => {
                    let uid = uid(&pod);
                    // The answer to a write of ours may be newer than what the watch brings.
                    if known.pods.get(&uid).is_none_or(|have| version(have) <= version(&pod)) {
                        known.pods.insert(uid.clone(), Arc::new(pod));
                    }
                    BTreeSet::from([uid])
                }
                watcher::Event::Delete(pod) => {
                    known.pods.remove(&uid(&pod));
                    BTreeSet::from([uid(&pod)])
                }
            }
        };
        touched.into_iter().for_each(|uid| self.keys.add(uid));
    }

    /// What people see of the pod.
    fn tell(&self, pod: &Pod, kind: EventType, reason: &'static str, message: String) {
        let regarding = Regarding {
            api_version: "v1".into(),
            kind: "Pod".into(),
            namespace: pod.namespace().unwrap_or_default(),
            name: pod.name_any(),
            uid: pod.uid().unwrap_or_default(),
        };
        self.events.publish(Event { regarding, kind, reason, message });
    }
}

impl Controller for Runner {
    const NAME: &'static str = "pod-runner";
    type Key = String;
    type View = observe::Seen;
    type Action = Action;
    type Why = Why;
    type Problem = Problem;
    type Error = Error;

    fn observe(&self, uid: &String, _: Pass) -> observe::Seen {
        observe::observe(self, uid)
    }

    fn plan(&self, seen: &observe::Seen) -> Next {
        plan(&seen.view)
    }

    async fn act(&self, uid: &String, seen: &observe::Seen, action: &Action) -> Result<(), Error> {
        act::act(self, uid, seen, action).await
    }

    async fn refused(&self, _: &String, seen: &observe::Seen, problem: &Problem) {
        if let Some(pod) = &seen.pod {
            self.tell(pod, EventType::Warning, "Failed", problem.to_string());
        }
    }

    async fn failed(&self, uid: &String, seen: &observe::Seen, error: &Error) {
        if matches!(error, Error::Configuration { .. }) {
            // Its status says so at the next attempt, and until one succeeds.
            self.known().unconfigured.insert(uid.clone(), cluster::chain(error));
        }
        if let Some(pod) = &seen.pod
            && !matches!(error, Error::Api { .. })
        {
            self.tell(pod, EventType::Warning, "Failed", cluster::chain(error));
        }
    }

    fn look_again(&self, why: &Why) -> Option<Duration> {
        match why {
            // The mounter writes a file when a volume is there.
            Why::AwaitsVolumes => Some(self.volumes_due()),
            Why::Grace(left) | Why::BackOff(left) => Some((*left).max(Duration::from_millis(10))),
            Why::Runs | Why::Ended | Why::Initializes | Why::Leaves | Why::Gone => None,
        }
    }

    fn forget(&self, why: &Why) -> bool {
        *why == Why::Gone
    }
}

fn version(pod: &Pod) -> u64 {
    pod.resource_version().and_then(|version| version.parse().ok()).unwrap_or(0)
}

/// A volume that comes, comes soon; one that does not is looked for less often.
const SOON: Duration = Duration::from_millis(20);
const LATER: Duration = Duration::from_secs(1);
const PATIENT: Duration = Duration::from_secs(5);

impl Runner {
    fn volumes_due(&self) -> Duration {
        let now = self.ctx.now();
        let newest = self.known().awaiting.values().max().copied();
        match newest.map(|since| now.since(since)) {
            Some(waited) if waited < PATIENT => SOON,
            _ => LATER,
        }
    }
}
