//! Which kinds of objects are served, and under which of their versions they are watched.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::discovery::{ApiResource, Discovery, Scope, verbs};
use kube::{Client, Error};

/// A kind, by its place in the order in which kinds were first seen. Never given to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KindId(u16);

/// One resource of one group, in the version that its group prefers.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) api: ApiResource,
    pub(crate) namespaced: bool,
    /// `deletecollection` is offered.
    pub(crate) sweepable: bool,
}

/// Everything that is served.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kinds {
    /// Also what is served no more: its id stays taken.
    known: Vec<Arc<Served>>,
    served: BTreeMap<(String, String), KindId>,
    names: BTreeMap<(String, String), KindId>,
}

/// What discovery said: resources by group and plural, and the kinds of every version.
#[derive(Debug, Default)]
pub(crate) struct Discovered {
    pub(crate) resources: BTreeMap<(String, String), Served>,
    pub(crate) names: BTreeMap<(String, String), (String, String)>,
}

/// What is served otherwise than before.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) new: Vec<KindId>,
    /// Served no more, or in another version.
    pub(crate) gone: Vec<KindId>,
}

/// Asks the API server what it serves.
pub(crate) async fn discover(client: &Client) -> Result<Discovered, Error> {
    // Two requests; a server from before Kubernetes 1.26 needs one for every group.
    let discovery = match Discovery::new(client.clone()).run_aggregated().await {
        Ok(discovery) => discovery,
        Err(_) => Discovery::new(client.clone()).run().await?,
    };
    let mut found = Discovered::default();
    for group in discovery.groups_alphabetical() {
        let preferred = group.preferred_version_or_latest();
        let others = group.versions().filter(|version| *version != preferred);
        for version in std::iter::once(preferred).chain(others) {
            for (api, capabilities) in group.versioned_resources(version) {
                let needed = [verbs::LIST, verbs::WATCH, verbs::DELETE];
                // Events are of no interest to upstream's collector either: they own nothing and have no owners.
                if api.plural == "events" || !needed.iter().all(|verb| capabilities.supports_operation(verb)) {
                    continue;
                }
                let id = (api.group.clone(), api.plural.clone());
                found.names.insert((api.api_version.clone(), api.kind.clone()), id.clone());
                let namespaced = capabilities.scope == Scope::Namespaced;
                let sweepable = capabilities.supports_operation(verbs::DELETE_COLLECTION);
                found.resources.entry(id).or_insert(Served { api, namespaced, sweepable });
            }
        }
    }
    Ok(found)
}

impl Kinds {
    /// Takes in what is served now. `None`: nothing has changed.
    pub(crate) fn update(&mut self, found: Discovered) -> Option<Update> {
        let stays = |id: KindId, name: &(String, String)| {
            let same = |served: &Served| {
                let known = &self.known[usize::from(id.0)];
                served.api == known.api && served.namespaced == known.namespaced
            };
            found.resources.get(name).is_some_and(same)
        };
        let gone: Vec<(String, String)> =
            self.served.iter().filter(|(name, id)| !stays(**id, name)).map(|(name, _)| name.clone()).collect();
        let gone: Vec<KindId> = gone.iter().filter_map(|name| self.served.remove(name)).collect();
        let mut new = Vec::new();
        for (name, served) in found.resources {
            let Ok(next) = u16::try_from(self.known.len()) else { break };
            self.served.entry(name).or_insert_with(|| {
                self.known.push(Arc::new(served));
                new.push(KindId(next));
                KindId(next)
            });
        }
        let id = |(name, resource)| Some((name, *self.served.get(&resource)?));
        let names = found.names.into_iter().filter_map(id).collect();
        let changed = names != self.names || !new.is_empty() || !gone.is_empty();
        self.names = names;
        changed.then_some(Update { new, gone })
    }

    /// The kind that an owner reference names.
    pub(crate) fn find(&self, api_version: &str, kind: &str) -> Option<KindId> {
        self.names.get(&(api_version.to_owned(), kind.to_owned())).copied()
    }

    pub(crate) fn namespaced(&self, id: KindId) -> bool {
        self.served(id).namespaced
    }

    pub(crate) fn served(&self, id: KindId) -> &Arc<Served> {
        &self.known[usize::from(id.0)]
    }

    /// All that are served now, by group and plural.
    pub(crate) fn all(&self) -> impl Iterator<Item = (KindId, &Arc<Served>)> {
        self.served.values().map(|id| (*id, self.served(*id)))
    }
}
