//! What tasks do, as it happens: what they say, how they end, and why one cannot start.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use pod_runner::Attempt;
use rt::Shutdown;

use super::objects::ObjectName;
use crate::up::words::{complain, say};
use crate::up::{Config, Host};

/// Between two looks at what tasks wrote.
const LOOK: Duration = Duration::from_millis(100);
/// How many looks there are between two at what the API tells people.
const TELL_EVERY: u32 = 5;

/// How it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Every task that is not started again has succeeded.
    Succeeded,
    /// A task failed, or none was started; why.
    Failed(String),
    /// Somebody wanted an end.
    Stopped,
}

/// Looks on.
pub(crate) struct Follower<'a> {
    host: &'a Host,
    config: &'a Config,
    client: Client,
    pods: Vec<ObjectName>,
    claims: Vec<ObjectName>,
    told: Told,
    looks: u32,
}

/// What has been told so far.
#[derive(Default)]
struct Told {
    /// Of each container of a pod: which start, and how much of what it wrote.
    read: BTreeMap<(String, String), (u32, u64)>,
    /// Starts whose end was told.
    ended: BTreeSet<(String, String, u32)>,
    warnings: BTreeMap<String, i32>,
}

impl<'a> Follower<'a> {
    /// Of these pods and claims.
    pub(crate) fn new(host: &'a Host, config: &'a Config, pods: Vec<ObjectName>, claims: Vec<ObjectName>) -> Self {
        Self { host, config, client: host.parts.client("longshore-run"), pods, claims, told: Told::default(), looks: 0 }
    }

    /// Until every task has ended for good (without tasks: until every claim has its volume), somebody wants the end, or the engine fails.
    ///
    /// # Errors
    /// The API cannot be read.
    pub(crate) async fn until_done(&mut self, stop: &Shutdown) -> anyhow::Result<Outcome> {
        loop {
            let pods = self.look().await?;
            if let Some(outcome) = self.outcome(&pods).await? {
                return Ok(outcome);
            }
            tokio::select! {
                biased;
                () = stop.requested() => return Ok(Outcome::Stopped),
                () = self.host.parts.shutdown.requested() => return Ok(Outcome::Stopped),
                () = self.host.parts.ctx.sleep(LOOK) => {}
            }
        }
    }

    /// Looks on while something is done: tasks may have last words.
    pub(crate) async fn meanwhile<T>(&mut self, done: impl Future<Output = T>) -> T {
        let mut done = std::pin::pin!(done);
        loop {
            tokio::select! {
                biased;
                result = &mut done => return result,
                () = self.host.parts.ctx.sleep(LOOK) => {}
            }
            // What cannot be read now was told of, or is about to be.
            let _ = self.look().await;
        }
    }

    async fn look(&mut self) -> anyhow::Result<Vec<Pod>> {
        let pods = self.pods().await?;
        let mut told = std::mem::take(&mut self.told);
        pods.iter().for_each(|pod| self.tell(pod, &mut told));
        let said = match self.looks % TELL_EVERY {
            0 => self.tell_warnings(&mut told).await,
            _ => Ok(()),
        };
        self.looks = self.looks.wrapping_add(1);
        self.told = told;
        said.map(|()| pods)
    }

    async fn pods(&self) -> anyhow::Result<Vec<Pod>> {
        let mut found = Vec::new();
        for ObjectName { namespace, name } in &self.pods {
            let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
            found.extend(pods.get_opt(name).await?);
        }
        Ok(found)
    }

    async fn outcome(&self, pods: &[Pod]) -> anyhow::Result<Option<Outcome>> {
        if self.pods.is_empty() {
            return self.claims_bound().await.map(|bound| bound.then_some(Outcome::Succeeded));
        }
        let phase = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
        if pods.iter().any(|pod| !matches!(phase(pod).as_str(), "Succeeded" | "Failed")) {
            return Ok(None);
        }
        let failed: Vec<String> = pods.iter().filter(|pod| phase(pod) == "Failed").map(ResourceExt::name_any).collect();
        Ok(Some(match failed.is_empty() {
            true => Outcome::Succeeded,
            false => Outcome::Failed(format!("failed: {}", failed.join(", "))),
        }))
    }

    async fn claims_bound(&self) -> anyhow::Result<bool> {
        for ObjectName { namespace, name } in &self.claims {
            let claims: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), namespace);
            let claim = claims.get_opt(name).await?;
            if claim.and_then(|claim| claim.status?.phase).is_none_or(|phase| phase != "Bound") {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the containers of a pod wrote since the last look, and which of them ended.
    fn tell(&self, pod: &Pod, told: &mut Told) {
        let (name, uid) = (pod.name_any(), pod.uid().unwrap_or_default());
        let spec = pod.spec.iter();
        let containers: Vec<_> = spec.flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers)).collect();
        for container in &containers {
            let label = if containers.len() == 1 { name.clone() } else { format!("{name}/{}", container.name) };
            let Ok(newest) = Attempt::newest(&self.config.data.pods(), &uid, &container.name) else { continue };
            let Some(newest) = newest else { continue };
            let key = (uid.clone(), container.name.clone());
            let (first, _) = told.read.get(&key).copied().unwrap_or_default();
            for number in first..=newest.number {
                let attempt = Attempt::of(&self.config.data.pods(), &uid, &container.name, number);
                // Its end first: what it wrote before that is there then.
                let exit = attempt.exit();
                let offset = match told.read.get(&key) {
                    Some((have, offset)) if *have == number => *offset,
                    _ => 0,
                };
                let (text, offset) = read_from(&attempt, offset, exit.is_some());
                text.lines().for_each(|line| say(&format!("{label} | {line}\n")));
                told.read.insert(key.clone(), (number, offset));
                if let Some(exit) = exit
                    && told.ended.insert((uid.clone(), container.name.clone(), number))
                {
                    let why = if exit.error.is_empty() { String::new() } else { format!(": {}", exit.error) };
                    complain(&format!("{label} ended with {}{why}\n", exit.code));
                }
            }
        }
    }

    /// Why something does not come about, in the words of whoever found out.
    async fn tell_warnings(&self, told: &mut Told) -> anyhow::Result<()> {
        let names: BTreeSet<&str> = self.pods.iter().chain(&self.claims).map(|it| it.name.as_str()).collect();
        let namespaces: BTreeSet<&str> = self.pods.iter().chain(&self.claims).map(|it| it.namespace.as_str()).collect();
        for namespace in namespaces {
            let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
            for event in events.list(&ListParams::default()).await? {
                let about = event.involved_object.name.as_deref().unwrap_or_default();
                if event.type_.as_deref() != Some("Warning") || !names.contains(about) {
                    continue;
                }
                let known = told.warnings.insert(event.uid().unwrap_or_default(), event.count.unwrap_or(1));
                // Once; that it goes on is seen by nothing else being told.
                if known.is_none() {
                    let text = |text: &Option<String>| text.clone().unwrap_or_default();
                    complain(&format!("{about}: {}: {}\n", text(&event.reason), text(&event.message)));
                }
            }
        }
        Ok(())
    }
}

/// The whole lines that were written after `offset`, and where they end. What has ended needs no line end.
fn read_from(attempt: &Attempt, offset: u64, ended: bool) -> (String, u64) {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(attempt.log()).and_then(|mut file| {
        file.seek(SeekFrom::Start(offset))?;
        file.read_to_end(&mut bytes)
    });
    if read.is_err() {
        return (String::new(), offset);
    }
    if !ended {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(whole);
    }
    let end = offset + bytes.len() as u64;
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}
