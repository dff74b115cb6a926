//! What must be true, of every step and at rest. Each law is a function of what was seen; none looks into a process.

mod claims;
mod driver;
mod leaks;
mod node;
mod rest;
mod secrets;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use fake_driver::Request;

use crate::objects;
use crate::world::World;

pub(crate) use rest::unrest;

/// A law by its name, as violations and mutants call it.
pub type Law = &'static str;

/// A law was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub law: Law,
    /// What was seen.
    pub what: String,
}

/// What is being looked at.
pub(crate) enum Moment<'a> {
    /// A process sends a write to the API.
    Said(&'a Saying<'a>),
    /// A process has read an object.
    Looked { who: &'a str, key: &'a str },
    /// The API has done what a process asked.
    Written { who: &'a str, key: &'a str },
    /// A call leaves a process.
    Sent { who: &'a str, request: &'a Request },
    /// The backend has done it.
    Applied { request: &'a Request },
    /// Nothing is left to be done.
    Rest,
}

/// A write, in the words of who sends it.
pub(crate) struct Saying<'a> {
    pub(crate) who: &'a str,
    /// `CREATE`, `UPDATE`, `PATCH` or `DELETE`.
    pub(crate) verb: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) body: &'a [u8],
}

/// What laws remember from one moment to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Handles that an administrator has kept in the backend.
    pub(crate) kept: BTreeSet<String>,
    /// Handles of volumes that were to be kept only after they were released: DeleteVolume may have been on its way.
    pub(crate) retained_late: BTreeSet<String>,
    /// The node was called out of service once: whoever says so vouches that nothing runs there.
    pub(crate) out_of_service: bool,
    /// PersistentVolumes by uid, and the uid of the claim that each was given to.
    pub(crate) given: BTreeMap<String, String>,
    /// What a process last read of a PersistentVolume's reclaim policy, by its name and the volume's uid.
    pub(crate) looked: BTreeMap<(String, String), String>,
}

type Check = fn(&World, &Moment<'_>) -> Option<String>;

/// All laws of steps.
const LAWS: [(Law, Check); 16] = [
    ("no leak", leaks::named),
    ("intent before create", leaks::intent_before_create),
    ("no volume in use is deleted", leaks::deleted_in_use),
    ("no volume of a PersistentVolume is missing", leaks::missing),
    ("only leaders call", driver::only_leaders_call),
    ("attach before stage before publish", driver::up_in_order),
    ("unpublish before unstage before detach before delete", driver::down_in_order),
    ("one pod where one is allowed", driver::one_pod),
    ("in use before mounted", node::in_use),
    ("journal before mount", node::journaled),
    ("a claim in use stays", claims::in_use_stays),
    ("a claim keeps its volume", claims::keeps_its_volume),
    ("a volume is for one claim", claims::one_claim),
    ("writes are guarded", writes::guarded),
    ("secrets stay", secrets::stay),
    ("what rests is right", rest::right),
];

/// The first law that is broken.
pub(crate) fn look(world: &World, moment: &Moment<'_>) -> Option<Violation> {
    LAWS.iter().find_map(|(law, check)| Some(Violation { law, what: check(world, moment)? }))
}

/// The backend's volumes, as they are now.
fn backend(world: &World) -> Vec<fake_driver::Volume> {
    world.backend().volumes().cloned().collect()
}

fn volume(world: &World, id: &str) -> Option<fake_driver::Volume> {
    world.backend().volumes().find(|volume| volume.id == id).cloned()
}

/// The PersistentVolumes that name this handle.
fn names(world: &World, handle: &str) -> Vec<objects::Volume> {
    objects::volumes(world.store()).into_iter().filter(|volume| volume.spec.csi.volume_handle == handle).collect()
}
