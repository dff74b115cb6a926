//! The objects that the tree is made of: read once, or followed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use futures::StreamExt;
use k8s_openapi::api::core::v1::{Event, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::{StorageClass, VolumeAttachment};
use kube::api::ListParams;
use kube::runtime::watcher;
use kube::{Api, Client, Resource, ResourceExt};
use rt::{Ctx, Task};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

/// Everything that is shown, or that says why.
#[derive(Debug, Clone, Default)]
pub(crate) struct Objects {
    pub(crate) claims: Vec<PersistentVolumeClaim>,
    pub(crate) volumes: Vec<PersistentVolume>,
    pub(crate) classes: Vec<StorageClass>,
    pub(crate) attachments: Vec<VolumeAttachment>,
    pub(crate) pods: Vec<Pod>,
    pub(crate) events: Vec<Event>,
}

impl Objects {
    /// Reads all of it, page by page.
    ///
    /// # Errors
    /// The first kind that cannot be listed.
    pub(crate) async fn read(client: &Client) -> anyhow::Result<Self> {
        let (claims, volumes, classes, attachments, pods, events) = futures::try_join!(
            all(client),
            all(client),
            all(client),
            all(client),
            all(client),
            // Not everyone may read events; without them a reason or two is missing, and nothing else.
            async { Ok(all::<Event>(client).await.unwrap_or_default()) },
        )?;
        Ok(Self { claims, volumes, classes, attachments, pods, events })
    }
}

async fn all<K>(client: &Client) -> anyhow::Result<Vec<K>>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned,
{
    let api: Api<K> = Api::all(client.clone());
    let (mut objects, mut params) = (Vec::new(), ListParams::default().limit(500));
    loop {
        let page = api.list(&params).await.with_context(|| format!("cannot list {}", K::plural(&())))?;
        objects.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(objects),
        }
    }
}

/// The same objects, kept up to date.
pub(crate) struct Follower {
    ctx: Ctx,
    shared: Arc<Shared>,
    _tasks: Vec<Task>,
}

#[derive(Default)]
struct Shared {
    kinds: Mutex<Kinds>,
    changed: Notify,
}

#[derive(Default)]
struct Kinds {
    claims: BTreeMap<String, PersistentVolumeClaim>,
    volumes: BTreeMap<String, PersistentVolume>,
    classes: BTreeMap<String, StorageClass>,
    attachments: BTreeMap<String, VolumeAttachment>,
    pods: BTreeMap<String, Pod>,
    events: BTreeMap<String, Event>,
    trouble: Option<String>,
}

/// Changes come in bursts; a tree after each would flicker.
const SETTLE: Duration = Duration::from_millis(150);
/// Ages grow although nothing changes.
const AGES: Duration = Duration::from_secs(10);

impl Follower {
    pub(crate) fn start(ctx: &Ctx, client: &Client) -> Self {
        let shared = Arc::<Shared>::default();
        let tasks = vec![
            follow(ctx, client, &shared, |kinds| &mut kinds.claims),
            follow(ctx, client, &shared, |kinds| &mut kinds.volumes),
            follow(ctx, client, &shared, |kinds| &mut kinds.classes),
            follow(ctx, client, &shared, |kinds| &mut kinds.attachments),
            follow(ctx, client, &shared, |kinds| &mut kinds.pods),
            follow(ctx, client, &shared, |kinds| &mut kinds.events),
        ];
        Self { ctx: ctx.clone(), shared, _tasks: tasks }
    }

    /// Waits for changes, or until the ages shown are stale.
    pub(crate) async fn changed(&mut self) {
        let _ = self.ctx.timeout(AGES, self.shared.changed.notified()).await;
        self.ctx.sleep(SETTLE).await;
    }

    /// What is known now.
    ///
    /// # Errors
    /// A watch that cannot be opened: what is shown would be stale without a word.
    pub(crate) fn objects(&self) -> anyhow::Result<Objects> {
        let kinds = self.shared.lock();
        if let Some(trouble) = &kinds.trouble {
            anyhow::bail!("cannot go on watching: {trouble}");
        }
        Ok(Objects {
            claims: kinds.claims.values().cloned().collect(),
            volumes: kinds.volumes.values().cloned().collect(),
            classes: kinds.classes.values().cloned().collect(),
            attachments: kinds.attachments.values().cloned().collect(),
            pods: kinds.pods.values().cloned().collect(),
            events: kinds.events.values().cloned().collect(),
        })
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Kinds> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn follow<K>(ctx: &Ctx, client: &Client, shared: &Arc<Shared>, of: fn(&mut Kinds) -> &mut BTreeMap<String, K>) -> Task
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    let (api, shared) = (Api::<K>::all(client.clone()), shared.clone());
    let key = |object: &K| format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
    ctx.spawn("follow", async move {
        let mut events = std::pin::pin!(watcher(api, watcher::Config::default()));
        let mut listed = BTreeMap::new();
        while let Some(event) = events.next().await {
            let mut kinds = shared.lock();
            match event {
                Ok(watcher::Event::Init) => listed = BTreeMap::new(),
                Ok(watcher::Event::InitApply(object)) => drop(listed.insert(key(&object), object)),
                Ok(watcher::Event::InitDone) => *of(&mut kinds) = std::mem::take(&mut listed),
                Ok(watcher::Event::Apply(object)) => drop(of(&mut kinds).insert(key(&object), object)),
                Ok(watcher::Event::Delete(object)) => drop(of(&mut kinds).remove(&key(&object))),
                // Events may be forbidden; a lost connection is one that everybody sees.
                Err(_) if K::kind(&()) == "Event" => return,
                Err(error) => {
                    kinds.trouble = Some(cluster::chain(&error));
                    drop(kinds);
                    shared.changed.notify_one();
                    return;
                }
            }
            drop(kinds);
            shared.changed.notify_one();
        }
    })
}
