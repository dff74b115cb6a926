//! Who owns whom: what the collector keeps of every object. Pure; knows neither the API nor time.
//!
//! An object without owners costs about 60 bytes: its uid, its kind, and hashes of its namespace and name (enough to see that an
//! owner reference with its uid speaks of something else; the API is asked before anything is done about it). One that has
//! owners, or whose deletion waits for its dependents, costs about 250 more: its name and its references.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cluster::Key;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use sha2::{Digest, Sha256};

use super::kinds::{KindId, Kinds};

/// Deletion waits until no dependent blocks it.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// Deletion waits until no dependent refers to it.
pub(crate) const ORPHAN: &str = "orphan";

/// A uid as a number: the API server's are UUIDs; of any other text it is a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Uid(u128);

/// Hashes of namespace and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    namespace: u32,
    name: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    kind: KindId,
    identity: Identity,
    more: Option<Box<More>>,
}

/// What is kept only of an object that the collector may have to do something about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct More {
    key: Key,
    deleting: bool,
    foreground: bool,
    orphan: bool,
    owners: Box<[Owner]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Owner {
    uid: Uid,
    name: u32,
    /// apiVersion and kind; shared by all references to that kind.
    of: Arc<(Box<str>, Box<str>)>,
    blocks: bool,
}

/// The facts about one object, as far as they are known without asking.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Facts {
    pub(crate) deleting: bool,
    pub(crate) foreground: bool,
    pub(crate) orphan: bool,
    pub(crate) owners: usize,
    /// Owners that are not known to be there, or that wait for this object to go.
    pub(crate) doubtful: usize,
    /// Dependents that its deletion in the foreground waits for.
    pub(crate) blocking: usize,
}

/// What a change means for others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    /// To be looked at again.
    pub(crate) wake: BTreeSet<Uid>,
}

#[derive(Default)]
pub(crate) struct Graph {
    nodes: BTreeMap<Uid, Node>,
    dependents: BTreeMap<Uid, BTreeSet<Uid>>,
    names: BTreeSet<Arc<(Box<str>, Box<str>)>>,
}

impl Uid {
    pub(crate) fn of(text: &str) -> Self {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        if digits.len() == 32
            && text.len() == 36
            && let Ok(number) = u128::from_str_radix(&digits, 16)
        {
            return Self(number);
        }
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        Self(hash.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }
}

impl std::fmt::Display for Uid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// FNV-1a.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Graph {
    /// What an object without owners costs, besides its uid.
    #[cfg(test)]
    pub(crate) const NODE_BYTES: usize = size_of::<Node>();

    /// An object was made or changed.
    pub(crate) fn apply(&mut self, kinds: &Kinds, kind: KindId, meta: &ObjectMeta) -> Changed {
        let Some(uid) = meta.uid.as_deref().map(Uid::of) else { return Changed::default() };
        let Some(new) = self.node(kind, meta) else { return Changed::default() };
        let old = self.nodes.insert(uid, new.clone());
        let mut changed = Changed::default();
        if old.as_ref() == Some(&new) {
            return changed;
        }
        let before = owners(old.as_ref());
        let after = owners(new.more.is_some().then_some(&new));
        for owner in before.difference(&after) {
            self.untie(*owner, uid);
            changed.wake.insert(*owner);
        }
        for owner in &after {
            self.dependents.entry(*owner).or_default().insert(uid);
        }
        // A dependent that blocks, or blocks no more, is news for an owner that waits.
        changed.wake.extend(after);
        let going = |node: &Node| node.more.as_ref().is_some_and(|more| more.deleting);
        if old.as_ref().is_none_or(|old| old.identity != new.identity || old.kind != new.kind || going(old) != going(&new)) {
            changed.wake.extend(self.dependents.get(&uid).into_iter().flatten());
        }
        changed.wake.insert(uid);
        self.settle(kinds, changed)
    }

    /// An object is gone.
    pub(crate) fn remove(&mut self, kinds: &Kinds, uid: Uid) -> Changed {
        let mut changed = Changed::default();
        let Some(old) = self.nodes.remove(&uid) else { return changed };
        for owner in owners(Some(&old)) {
            self.untie(owner, uid);
            changed.wake.insert(owner);
        }
        changed.wake.extend(self.dependents.get(&uid).into_iter().flatten());
        self.settle(kinds, changed)
    }

    /// A complete list of one kind is in: what is not in it is gone.
    pub(crate) fn retain(&mut self, kinds: &Kinds, kind: KindId, listed: &BTreeSet<Uid>) -> (Changed, bool) {
        let gone: Vec<Uid> =
            self.nodes.iter().filter(|(uid, node)| node.kind == kind && !listed.contains(uid)).map(|(uid, _)| *uid).collect();
        let any = !gone.is_empty();
        let wake = gone.into_iter().flat_map(|uid| self.remove(kinds, uid).wake).collect();
        (self.settle(kinds, Changed { wake }), any)
    }

    /// Everything that there may be something to do about.
    pub(crate) fn all(&self, kinds: &Kinds) -> BTreeSet<Uid> {
        self.nodes.iter().filter(|(_, node)| self.of_interest(kinds, node)).map(|(uid, _)| *uid).collect()
    }

    /// The facts about an object. `None`: it is not there, or there is nothing that could ever be done about it.
    pub(crate) fn facts(&self, kinds: &Kinds, uid: Uid) -> Option<Facts> {
        let node = self.nodes.get(&uid)?;
        let more = node.more.as_ref()?;
        let waits_for_this = if more.deleting && more.foreground { self.waiting_for(uid) } else { BTreeSet::new() };
        let blocks = |dependent: &&Uid| {
            let owners = self.nodes.get(dependent).and_then(|node| node.more.as_ref()).map(|more| &more.owners);
            let mut owners = owners.into_iter().flatten();
            !waits_for_this.contains(dependent) && owners.any(|owner| owner.uid == uid && owner.blocks)
        };
        Some(Facts {
            deleting: more.deleting,
            foreground: more.foreground,
            orphan: more.orphan,
            owners: more.owners.len(),
            doubtful: more.owners.iter().filter(|owner| !self.solid(kinds, node, owner)).count(),
            blocking: self.dependents.get(&uid).into_iter().flatten().filter(blocks).count(),
        })
    }

    /// Kind and key of an object that [`Graph::facts`] knows.
    pub(crate) fn place(&self, uid: Uid) -> Option<(KindId, Key)> {
        let node = self.nodes.get(&uid)?;
        Some((node.kind, node.more.as_ref()?.key.clone()))
    }

    /// The objects that refer to this one, by its uid alone.
    pub(crate) fn dependents(&self, uid: Uid) -> Vec<Uid> {
        self.dependents.get(&uid).into_iter().flatten().copied().collect()
    }

    /// Whether there is an object with this uid in a namespace that is not the dependent's.
    pub(crate) fn is_elsewhere(&self, kinds: &Kinds, owner: Uid, namespace: &str) -> bool {
        self.nodes.get(&owner).is_some_and(|node| kinds.namespaced(node.kind) && node.identity.namespace != hash(namespace))
    }

    fn node(&mut self, kind: KindId, meta: &ObjectMeta) -> Option<Node> {
        let name = meta.name.as_deref()?;
        let namespace = meta.namespace.as_deref().filter(|namespace| !namespace.is_empty());
        let identity = Identity { namespace: hash(namespace.unwrap_or_default()), name: hash(name) };
        let has = |finalizer: &str| meta.finalizers.iter().flatten().any(|have| have == finalizer);
        let (deleting, foreground, orphan) = (meta.deletion_timestamp.is_some(), has(FOREGROUND), has(ORPHAN));
        let references = meta.owner_references.as_deref().unwrap_or_default();
        if references.is_empty() && !(deleting && (foreground || orphan)) {
            return Some(Node { kind, identity, more: None });
        }
        let owners = references.iter().map(|reference| Owner {
            uid: Uid::of(&reference.uid),
            name: hash(&reference.name),
            of: self.named(&reference.api_version, &reference.kind),
            blocks: reference.block_owner_deletion == Some(true),
        });
        let owners = owners.collect();
        let key = namespace.map_or_else(|| Key::cluster(name), |namespace| Key::namespaced(namespace, name));
        Some(Node { kind, identity, more: Some(Box::new(More { key, deleting, foreground, orphan, owners })) })
    }

    fn named(&mut self, api_version: &str, kind: &str) -> Arc<(Box<str>, Box<str>)> {
        let name = (api_version.into(), kind.into());
        if let Some(name) = self.names.get(&name) {
            return name.clone();
        }
        let name = Arc::new(name);
        self.names.insert(name.clone());
        name
    }

    /// The owner is there, is what the reference says, and does not wait for this object to go.
    fn solid(&self, kinds: &Kinds, of: &Node, owner: &Owner) -> bool {
        let (Some(node), Some(kind)) = (self.nodes.get(&owner.uid), kinds.find(&owner.of.0, &owner.of.1)) else { return false };
        let namespace = if kinds.namespaced(kind) { of.identity.namespace } else { hash("") };
        let waits = node.more.as_ref().is_some_and(|more| more.deleting && more.foreground);
        node.kind == kind && node.identity == Identity { namespace, name: owner.name } && !waits
    }

    /// Owners whose deletion waits for this object, at however many removes. What is among its dependents too would wait for
    /// ever: in a ring somebody has to go first.
    fn waiting_for(&self, uid: Uid) -> BTreeSet<Uid> {
        let mut found = BTreeSet::new();
        let mut next = vec![uid];
        while let Some(uid) = next.pop() {
            let owners = self.nodes.get(&uid).and_then(|node| node.more.as_ref()).map(|more| &more.owners);
            for owner in owners.into_iter().flatten().filter(|owner| owner.blocks) {
                let waits = self.nodes.get(&owner.uid).and_then(|node| node.more.as_ref());
                if waits.is_some_and(|more| more.deleting && more.foreground) && found.insert(owner.uid) {
                    next.push(owner.uid);
                }
            }
        }
        found
    }

    fn of_interest(&self, kinds: &Kinds, node: &Node) -> bool {
        let Some(more) = &node.more else { return false };
        match more.deleting {
            true => more.foreground || more.orphan,
            false => more.owners.iter().any(|owner| !self.solid(kinds, node, owner)),
        }
    }

    /// Of what might be woken, what there may be something to do about.
    fn settle(&self, kinds: &Kinds, mut changed: Changed) -> Changed {
        changed.wake.retain(|uid| self.nodes.get(uid).is_some_and(|node| self.of_interest(kinds, node)));
        changed
    }

    fn untie(&mut self, owner: Uid, dependent: Uid) {
        if let Some(dependents) = self.dependents.get_mut(&owner) {
            dependents.remove(&dependent);
            if dependents.is_empty() {
                self.dependents.remove(&owner);
            }
        }
    }
}

fn owners(node: Option<&Node>) -> BTreeSet<Uid> {
    node.and_then(|node| node.more.as_ref()).into_iter().flat_map(|more| more.owners.iter().map(|owner| owner.uid)).collect()
}
