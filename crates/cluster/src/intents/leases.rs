//! The Leases that hold the records: read live and untyped, changed, and put back at the version they were read at.
//!
//! What was last read or written is kept, so that a commit is one request; a conflict makes it be read again. Only the annotation
//! of ours is touched. Rights: get, create and update on leases, which upstream's role has.

use std::collections::BTreeMap;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::core::{ApiResource, DynamicObject};
use kube::{Api, Client};

use super::packed::{ANNOTATION, Records, pack, unpack};
use super::state::{Sent, State};
use crate::client::chain;
use crate::live::{already_exists, is_conflict, is_not_found};

/// What the records of one Lease may come to. Kubernetes allows 256 KiB of annotations.
const ROOM: usize = 200 * 1024;
/// So much is written again and again, before another Lease is made. It is what the API server's work for a commit grows with.
const LIGHT: usize = 8 * 1024;
/// More are only made when these are full. So many are looked for at the start of a term, even if one between them is missing.
const LEASES: usize = 4;

/// Why a Lease could not be read or written.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// Somebody else wrote meanwhile: nothing was changed.
    Conflict { lease: String },
    /// The API understood, and will say the same the next time.
    Refused { verb: &'static str, lease: String, cause: String },
    /// It may work the next time, and may have taken effect this time.
    Failed { lease: String, cause: String },
}

pub(super) struct Leases {
    api: Api<DynamicObject>,
    resource: ApiResource,
    namespace: String,
    name: String,
    held: Vec<Held>,
}

struct Held {
    /// `None`: there is no such object.
    object: Option<DynamicObject>,
    /// What its annotation holds.
    records: Records,
    /// What it holds is not understood, and stays as it is.
    sealed: bool,
    /// It has not been written since, as far as we know.
    fresh: bool,
}

/// What a Lease would have to take when it is written.
#[derive(Default)]
struct Load {
    /// Bytes that stand there and stay.
    carried: usize,
    /// Bytes that come.
    added: usize,
    written: bool,
}

/// One Lease as it is to be written, and what that says of our keys.
pub(super) struct Write {
    pub(super) place: usize,
    pub(super) sent: Vec<Sent>,
    records: Records,
}

impl Leases {
    pub(super) fn new(client: Client, namespace: &str, name: &str) -> Self {
        let resource = ApiResource::erase::<Lease>(&());
        let api = Api::namespaced_with(client, namespace, &resource);
        Self { api, resource, namespace: namespace.to_owned(), name: name.to_owned(), held: Vec::new() }
    }

    pub(super) fn name(&self, place: usize) -> String {
        match place {
            0 => self.name.clone(),
            // A dot, which no name that is made of a driver's has: or it could be another driver's.
            place => format!("{}.{place}", self.name),
        }
    }

    fn full_name(&self, place: usize) -> String {
        format!("{}/{}", self.namespace, self.name(place))
    }

    /// Nothing is known any more.
    pub(super) fn forget(&mut self) {
        self.held.clear();
    }

    /// Everything has to be read again: those that are there, and the one that would be made next.
    pub(super) fn doubt(&mut self) {
        let next = self.held.iter().position(|held| held.object.is_none());
        for (place, held) in self.held.iter_mut().enumerate() {
            held.fresh = held.object.is_none() && Some(place) != next;
        }
    }

    /// The first that has to be read, or, with `on`, the one after the last, if it may be there.
    pub(super) fn unread(&self, on: bool) -> Option<usize> {
        let goes_on = self.held.len() < LEASES || self.held.last().is_some_and(|held| held.object.is_some());
        self.held.iter().position(|held| !held.fresh).or_else(|| (on && goes_on).then_some(self.held.len()))
    }

    /// Reads one. Returns whether it is known now: one that is not there is, if it was known before or is among the first.
    pub(super) async fn read(&mut self, place: usize) -> Result<bool, Trouble> {
        let read = self.api.get_opt(&self.name(place)).await.map_err(|error| self.trouble("get", place, error))?;
        let known = read.is_some() || place < self.held.len().max(LEASES);
        if known {
            self.keep(place, read);
        }
        Ok(known)
    }

    /// What one of them held when it was last read or written.
    pub(super) fn records(&self, place: usize) -> Option<&Records> {
        self.held.get(place).map(|held| &held.records)
    }

    /// What has to be written so that what has begun stands in the Leases. What has ended goes with it, or, if `all`, everywhere.
    /// Notes in the state what may stand where from now on.
    pub(super) fn writes(&self, state: &mut State, all: bool) -> Vec<Write> {
        let mut writes = BTreeMap::new();
        let mut loads: Vec<Load> = (0..self.held.len()).map(|place| self.load(place, state)).collect();
        for (sent, place) in state.begun() {
            let place = place.unwrap_or_else(|| self.place_for(&sent, &loads));
            loads.resize_with(loads.len().max(place + 1), Load::default);
            loads[place].add(&sent);
            self.put(&mut writes, state, place, sent);
        }
        for (sent, place) in state.ended() {
            if all || writes.contains_key(&place) {
                self.put(&mut writes, state, place, sent);
            }
        }
        writes.into_values().collect()
    }

    /// A Lease that has little to carry along: all that stands in one is written each time, so that what has begun together and
    /// ends together is best by itself. A record of this key that is not ours stays what it is.
    fn place_for(&self, (key, text): &Sent, loads: &[Load]) -> usize {
        let size = bytes(key, text.as_deref());
        let usable = (0..loads.len()).filter(|place| loads[*place].room() >= size && self.takes(*place, key));
        let exists = |place: usize| self.held.get(place).is_some_and(|held| held.object.is_some());
        // The one that is written anyway, or one that is there and light, or the lightest.
        let order = |place: &usize| {
            let load = &loads[*place];
            (!load.written, load.carried > LIGHT, !exists(*place), load.carried)
        };
        match usable.min_by_key(order) {
            Some(place) if loads[place].written || loads[place].carried <= LIGHT || loads.len() >= LEASES => place,
            _ => loads.len(),
        }
    }

    /// Whether a new record with this key can stand in this Lease.
    fn takes(&self, place: usize, key: &str) -> bool {
        self.held.get(place).is_none_or(|held| !held.sealed && !held.records.contains_key(key))
    }

    fn load(&self, place: usize, state: &State) -> Load {
        let stays = self.records(place).into_iter().flatten().filter(|(key, text)| !state.has_ended(key, text));
        Load { carried: stays.map(|(key, text)| bytes(key, Some(text))).sum(), ..Load::default() }
    }

    fn put(&self, writes: &mut BTreeMap<usize, Write>, state: &mut State, place: usize, sent: Sent) {
        let records = || self.records(place).cloned().unwrap_or_default();
        let write = writes.entry(place).or_insert_with(|| Write { place, sent: Vec::new(), records: records() });
        state.sending(place, &sent);
        let (key, text) = &sent;
        match (text, write.records.get(&**key).is_none_or(|have| state.is_ours(key, have))) {
            (Some(text), true) => drop(write.records.insert(key.to_string(), text.to_string())),
            (None, true) => drop(write.records.remove(&**key)),
            (_, false) => {}
        }
        write.sent.push(sent);
    }

    /// Writes a record beside whatever there is, unless it is there already: for who does not lead.
    pub(super) async fn leave(&mut self, key: &str, text: &str) -> Result<(), Trouble> {
        self.doubt();
        while let Some(place) = self.unread(true) {
            if !self.read(place).await? {
                break;
            }
        }
        let stands = |place: &usize| self.records(*place).and_then(|have| have.get(key)).is_some_and(|have| have == text);
        if (0..self.held.len()).any(|place| stands(&place)) {
            return Ok(());
        }
        let size = |place| self.records(place).into_iter().flatten().map(|(key, text)| bytes(key, Some(text))).sum::<usize>();
        let has_room = |place: &usize| size(*place) + bytes(key, Some(text)) <= ROOM && self.takes(*place, key);
        let place = (0..self.held.len()).find(has_room).unwrap_or(self.held.len());
        let mut records = self.records(place).cloned().unwrap_or_default();
        records.insert(key.to_owned(), text.to_owned());
        self.write(&Write { place, sent: Vec::new(), records }).await
    }

    /// Writes one. On success it is known again what it holds.
    pub(super) async fn write(&mut self, write: &Write) -> Result<(), Trouble> {
        let (place, params) = (write.place, PostParams::default());
        let mut object = self.object(place);
        let annotations = object.metadata.annotations.get_or_insert_default();
        match write.records.is_empty() {
            true => drop(annotations.remove(ANNOTATION)),
            false => drop(annotations.insert(ANNOTATION.to_owned(), pack(&write.records))),
        }
        let exists = object.metadata.resource_version.is_some();
        let written = match exists {
            true => self.api.replace(&self.name(place), &params, &object).await,
            false => self.api.create(&params, &object).await,
        };
        match written {
            Ok(written) => {
                self.keep(place, Some(written));
                Ok(())
            }
            Err(error) => {
                // One that was to be created may be there now.
                self.reach(place);
                self.held[place].fresh = false;
                // Of a Lease that is gone the API says 404, as of a namespace that is: creating it will tell.
                if is_conflict(&error) || already_exists(&error) || exists && is_not_found(&error) {
                    return Err(Trouble::Conflict { lease: self.full_name(place) });
                }
                Err(self.trouble(if exists { "update" } else { "create" }, place, error))
            }
        }
    }

    fn keep(&mut self, place: usize, mut object: Option<DynamicObject>) {
        let text = object.as_mut().and_then(|object| {
            // Left out of a write, they stay what they are.
            object.metadata.managed_fields = None;
            object.metadata.annotations.as_mut()?.remove(ANNOTATION)
        });
        let read = text.as_deref().map_or_else(|| Ok(Records::new()), unpack);
        self.reach(place);
        self.held[place] = match read {
            Ok(records) => Held { object, records, sealed: false, fresh: true },
            // The owner is asked about it under the annotation's name, and cannot read it either.
            Err(_) => Held {
                object,
                records: Records::from([(ANNOTATION.to_owned(), text.unwrap_or_default())]),
                sealed: true,
                fresh: true,
            },
        };
    }

    fn reach(&mut self, place: usize) {
        while self.held.len() <= place {
            self.held.push(Held { object: None, records: Records::new(), sealed: false, fresh: false });
        }
    }

    fn object(&self, place: usize) -> DynamicObject {
        if let Some(object) = self.held.get(place).and_then(|held| held.object.clone()) {
            return object;
        }
        let mut object = DynamicObject::new(&self.name(place), &self.resource);
        object.metadata.namespace = Some(self.namespace.clone());
        // No holder and no times: nobody leads by it.
        object.data = serde_json::json!({"spec": {}});
        object
    }

    fn trouble(&self, verb: &'static str, place: usize, error: kube::Error) -> Trouble {
        let (lease, cause) = (self.full_name(place), chain(&error));
        match &error {
            kube::Error::Api(status) if matches!(status.code, 400 | 403 | 404 | 405 | 413 | 422) => {
                Trouble::Refused { verb, lease, cause }
            }
            _ => Trouble::Failed { lease, cause },
        }
    }
}

// === impl Load ===

impl Load {
    fn room(&self) -> usize {
        ROOM.saturating_sub(self.carried + self.added)
    }

    fn add(&mut self, (key, text): &Sent) {
        self.added += bytes(key, text.as_deref());
        self.written = true;
    }
}

/// A record's, at most: what others say too is said once.
fn bytes(key: &str, text: Option<&str>) -> usize {
    text.map_or(0, |text| key.len() + text.len())
}

/// Whether a record can have this key.
pub(super) fn is_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    let inner = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
    let ends = [bytes.first(), bytes.last()].into_iter().all(|b| b.is_some_and(u8::is_ascii_alphanumeric));
    ends && bytes.len() <= 63 && bytes.iter().all(inner)
}

/// Whether a record fits into a Lease at all.
pub(super) fn fits(key: &str, text: &str) -> bool {
    bytes(key, Some(text)) <= ROOM
}
