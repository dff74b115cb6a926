//! Namespaces: what every one of them has, and what is left in one that is going.
//!
//! A namespace has the ServiceAccount `default`, and, where the certificate that signs the API server's is known, the ConfigMap
//! `kube-root-ca.crt`; where it is not, there is none, because a wrong one would be worse. When it is deleted, its pods go first,
//! so that nothing loses its volumes under way, then everything else, then the namespace itself.
//!
//! Upstream: pkg/controller/namespace/deletion, pkg/controller/serviceaccount, pkg/controller/certificates/rootcacertpublisher.
//! What differs: the end of each object that was waited for is what makes us look again, not a clock; pods that hold up the
//! rest are named in the conditions.

mod conditions;
mod content;
mod plan;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cluster::drive::{Controller, Pass, drive};
use cluster::live::already_exists;
use cluster::{Backoff, Key, Keys, Watch};
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use rt::Instant;
use serde_json::json;

use crate::Part;
use crate::error::Error;
use crate::garbage::Seen;
use plan::{Action, Known, Memory, Next, View, Why, plan};

/// In `spec.finalizers`: the content has to go first.
const FINALIZER: &str = "kubernetes";
const ACCOUNT: &str = "default";
const ROOT_CA: &str = "kube-root-ca.crt";
/// What waits for something that tells of its end in no other way is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Somebody usually waits for a namespace's end, and a kind that went while it was swept is no reason to let them wait long.
const BACKOFF: Backoff = Backoff { start: Duration::from_millis(100), max: Duration::from_secs(5) };

/// What must be cached for this controller.
pub(crate) fn watches() -> Vec<Watch> {
    vec![Watch::Namespaces]
}

/// Runs until the shutdown is requested and every pass under way has ended.
pub(crate) async fn run(part: Part) {
    let engine = part.engine_with("namespace", BACKOFF);
    tokio::select! {
        biased;
        () = engine.shutdown.requested() => return,
        () = part.objects.kinds_known() => {}
    }
    let keys = Arc::new(Keys::new(engine.ctx.clone()));
    let namespaces = Arc::new(Namespaces { part: part.clone(), memory: Mutex::default(), swept: Mutex::default() });
    namespaces.subscribe(&keys);
    drive(namespaces, keys, engine).await;
}

struct Namespaces {
    part: Part,
    memory: Mutex<BTreeMap<Key, Memory>>,
    /// When each was swept last: what is remembered of that holds no longer than [`LOOK_AGAIN`].
    swept: Mutex<BTreeMap<Key, Instant>>,
}

impl Namespaces {
    fn subscribe(self: &Arc<Self>, keys: &Arc<Keys<Key>>) {
        keys.follow(&self.part.caches.namespaces);
        let (own, to) = (Arc::downgrade(self), keys.clone());
        self.part.objects.subscribe(move |seen| {
            let Some(own) = own.upgrade() else { return };
            match seen.namespace {
                Some(namespace) => own.seen(&Key::cluster(namespace), seen, &to),
                None if seen.gone && seen.name.is_none() => {
                    let all = own.part.caches.namespaces.all();
                    all.iter().for_each(|namespace| own.seen(&namespace.meta.key, seen, &to));
                }
                None => {}
            }
        });
    }

    /// Forgets what is not sure any more.
    fn seen(&self, namespace: &Key, seen: &Seen<'_>, keys: &Keys<Key>) {
        let is = |plural: &str, name: &str| seen.plural == plural && seen.name.is_none_or(|have| have == name);
        let going = self.part.caches.namespaces.get(namespace.as_str()).is_some_and(|namespace| namespace.meta.deleting);
        let lost = Memory {
            account: if seen.gone && is("serviceaccounts", ACCOUNT) { Known::No } else { Known::Yes },
            root_ca: if is("configmaps", ROOT_CA) { Known::No } else { Known::Yes },
            emptied: if seen.gone && going { Known::No } else { Known::Yes },
        };
        if lost == Memory::ALL {
            return;
        }
        self.remember(namespace, |memory| {
            for (have, lost) in
                [(&mut memory.account, lost.account), (&mut memory.root_ca, lost.root_ca), (&mut memory.emptied, lost.emptied)]
            {
                if lost == Known::No {
                    *have = Known::No;
                }
            }
        });
        keys.add(namespace.clone());
    }

    fn remember<T>(&self, namespace: &Key, change: impl FnOnce(&mut Memory) -> T) -> T {
        change(self.memory.lock().unwrap_or_else(PoisonError::into_inner).entry(namespace.clone()).or_default())
    }

    fn swept(&self) -> MutexGuard<'_, BTreeMap<Key, Instant>> {
        self.swept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ensure_account(&self, namespace: &str) -> Result<(), Error> {
        let api: Api<ServiceAccount> = Api::namespaced(self.part.around.client.clone(), namespace);
        let mut account = ServiceAccount::default();
        account.metadata.name = Some(ACCOUNT.into());
        match api.create(&PostParams::default(), &account).await {
            Ok(_) => Ok(()),
            Err(error) if already_exists(&error) => Ok(()),
            Err(source) => Err(Error::Api { attempt: "create ServiceAccount", object: format!("{namespace}/{ACCOUNT}"), source }),
        }
    }

    async fn ensure_root_ca(&self, namespace: &str, certificate: &str) -> Result<(), Error> {
        let api: Api<ConfigMap> = Api::namespaced(self.part.around.client.clone(), namespace);
        let object = || format!("{namespace}/{ROOT_CA}");
        let read = api.get_opt(ROOT_CA).await;
        let read = read.map_err(|source| Error::Api { attempt: "read ConfigMap", object: object(), source })?;
        let data = BTreeMap::from([("ca.crt".to_owned(), certificate.to_owned())]);
        let written = match read {
            Some(have) if have.data.as_ref() == Some(&data) => return Ok(()),
            Some(have) => {
                let stale = have.data.into_iter().flatten().map(|(key, _)| (key, json!(null)));
                let mut fields: serde_json::Map<_, _> = stale.collect();
                fields.insert("ca.crt".into(), json!(certificate));
                api.patch(ROOT_CA, &PatchParams::default(), &Patch::Merge(json!({"data": fields}))).await
            }
            None => {
                let mut map = ConfigMap { data: Some(data), ..ConfigMap::default() };
                map.metadata.name = Some(ROOT_CA.into());
                map.metadata.annotations = Some([(ABOUT.0.to_owned(), ABOUT.1.to_owned())].into());
                api.create(&PostParams::default(), &map).await
            }
        };
        match written {
            Ok(_) => Ok(()),
            Err(source) => Err(Error::Api { attempt: "write ConfigMap", object: object(), source }),
        }
    }
}

/// Upstream's, since people look for it.
const ABOUT: (&str, &str) = (
    "kubernetes.io/description",
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service \
     IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
);

impl Controller for Namespaces {
    const NAME: &'static str = "namespaces";
    type Key = Key;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Infallible;
    type Error = Error;

    fn observe(&self, key: &Key, pass: Pass) -> View {
        let namespace = self.part.caches.namespaces.get(key.as_str());
        if namespace.is_none() {
            self.memory.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
            self.swept().remove(key);
        }
        let stale = self.swept().get(key).is_some_and(|at| pass.now.since(*at) >= LOOK_AGAIN);
        if stale {
            self.swept().remove(key);
            self.remember(key, |memory| memory.emptied = Known::No);
        }
        let memory = match namespace.is_some() {
            true => self.remember(key, |memory| *memory),
            false => Memory::default(),
        };
        let view = View {
            exists: namespace.is_some(),
            deleting: namespace.as_ref().is_some_and(|namespace| namespace.meta.deleting),
            held: namespace.is_some_and(|namespace| namespace.finalizers.iter().any(|have| **have == *FINALIZER)),
            has_root_ca: self.part.config.root_ca.is_some(),
            memory,
        };
        if let csi_types::Next::Do(action) = plan(&view) {
            self.remember(key, |memory| *memory.of(action) = Known::Looking);
        }
        view
    }

    fn plan(&self, view: &View) -> Next {
        plan(view)
    }

    async fn act(&self, key: &Key, _: &View, action: &Action) -> Result<(), Error> {
        match action {
            Action::EnsureAccount => self.ensure_account(key.name()).await?,
            Action::EnsureRootCa => {
                let certificate = self.part.config.root_ca.as_deref().unwrap_or_default();
                self.ensure_root_ca(key.name(), certificate).await?;
            }
            Action::Empty => {
                self.empty(key).await?;
                self.swept().insert(key.clone(), self.part.around.engine.ctx.now());
            }
        }
        self.remember(key, |memory| {
            let known = memory.of(*action);
            if *known == Known::Looking {
                *known = Known::Yes;
            }
        });
        Ok(())
    }

    async fn refused(&self, _: &Key, _: &View, problem: &Infallible) {
        match *problem {}
    }

    async fn failed(&self, _: &Key, _: &View, _: &Error) {}

    fn look_again(&self, why: &Why) -> Option<Duration> {
        matches!(why, Why::NotEmpty).then_some(LOOK_AGAIN)
    }

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::Gone | Why::Active)
    }
}

#[cfg(test)]
mod tests;
