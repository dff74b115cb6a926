//! The Leases that hold the records: read live and untyped, changed, and put back at the version they were read at.
//!
//! What was last read or written is kept, so that a commit is one request; a conflict makes it be read again. Only annotations
//! of ours are touched. Rights: get, create and update on leases, which upstream's role has.

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::core::{ApiResource, DynamicObject};
use kube::{Api, Client};

use super::state::{Annotations, PREFIX, Sent, State, annotation};
use crate::client::chain;
use crate::live::{already_exists, is_conflict, is_not_found};

/// What the annotations of one Lease may come to. Kubernetes allows 256 KiB.
const ROOM: usize = 200 * 1024;

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
    /// It has not been written since, as far as we know.
    fresh: bool,
}

/// One Lease as it is to be written, and what that says of our keys.
pub(super) struct Write {
    pub(super) place: usize,
    pub(super) sent: Vec<Sent>,
    object: DynamicObject,
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

    /// Everything has to be read again.
    pub(super) fn doubt(&mut self) {
        self.held.iter_mut().for_each(|held| held.fresh = false);
    }

    /// The first that has to be read, or the number after the last.
    pub(super) fn unread(&self) -> usize {
        self.held.iter().position(|held| !held.fresh).unwrap_or(self.held.len())
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.held.len()
    }

    /// Reads one. Returns whether it is there.
    pub(super) async fn read(&mut self, place: usize) -> Result<bool, Trouble> {
        let read = self.api.get_opt(&self.name(place)).await.map_err(|error| self.trouble("get", place, error))?;
        let there = read.is_some();
        if there || place < self.held.len() {
            self.keep(place, read);
        }
        Ok(there)
    }

    /// What one of them held when it was last read or written.
    pub(super) fn annotations(&self, place: usize) -> Option<&Annotations> {
        self.held.get(place)?.object.as_ref()?.metadata.annotations.as_ref()
    }

    /// What has to be written so that the Leases say what is wanted. Notes in the state what may stand where from now on.
    pub(super) fn writes(&self, state: &mut State) -> Vec<Write> {
        let mut writes: Vec<Write> = Vec::new();
        let mut room: Vec<usize> = (0..self.held.len()).map(|place| ROOM.saturating_sub(self.size(place))).collect();
        for (sent, place) in state.wanted() {
            let (key, text) = &sent;
            let name = annotation(key);
            let stands = place.and_then(|place| self.annotations(place)?.get(&name));
            let size = text.as_ref().map_or(0, |text| name.len() + text.len());
            let place = match place {
                Some(place) => place,
                // A record of this key that is not ours stays what it is.
                None => (0..room.len())
                    .find(|place| room[*place] >= size && self.annotations(*place).is_none_or(|have| !have.contains_key(&name)))
                    .unwrap_or(room.len()),
            };
            room.resize(room.len().max(place + 1), ROOM);
            let frees = stands.filter(|have| state.is_ours(key, have)).map_or(0, |have| name.len() + have.len());
            room[place] = (room[place] + frees).saturating_sub(size);
            state.sending(place, &sent);
            let write = match writes.iter_mut().position(|write| write.place == place) {
                Some(at) => &mut writes[at],
                None => {
                    writes.push(Write { place, sent: Vec::new(), object: self.object(place) });
                    let last = writes.len() - 1;
                    &mut writes[last]
                }
            };
            let annotations = write.object.metadata.annotations.get_or_insert_default();
            match (text, annotations.get(&name).is_none_or(|have| state.is_ours(key, have))) {
                (Some(text), true) => drop(annotations.insert(name, text.to_string())),
                (None, true) => drop(annotations.remove(&name)),
                (_, false) => {}
            }
            write.sent.push(sent);
        }
        writes.sort_by_key(|write| write.place);
        writes
    }

    /// Writes a record beside whatever there is, unless it is there already: for who does not lead.
    pub(super) async fn leave(&mut self, key: &str, text: &str) -> Result<(), Trouble> {
        self.doubt();
        loop {
            let place = self.unread();
            let known = place < self.held.len();
            if !self.read(place).await? && !known {
                break;
            }
        }
        let name = annotation(key);
        let stands = |place: &usize| self.annotations(*place).and_then(|have| have.get(&name));
        if (0..self.held.len()).any(|place| stands(&place).is_some_and(|have| have == text)) {
            return Ok(());
        }
        let has_room = |place: &usize| self.size(*place) + name.len() + text.len() <= ROOM;
        let place = (0..self.held.len()).find(|place| has_room(place) && stands(place).is_none()).unwrap_or(self.held.len());
        let mut object = self.object(place);
        object.metadata.annotations.get_or_insert_default().insert(name, text.to_owned());
        self.write(&Write { place, sent: Vec::new(), object }).await
    }

    /// Writes one. On success it is known again what it holds.
    pub(super) async fn write(&mut self, write: &Write) -> Result<(), Trouble> {
        let (place, params) = (write.place, PostParams::default());
        let exists = write.object.metadata.resource_version.is_some();
        let written = match exists {
            true => self.api.replace(&self.name(place), &params, &write.object).await,
            false => self.api.create(&params, &write.object).await,
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

    fn keep(&mut self, place: usize, object: Option<DynamicObject>) {
        let object = object.map(|mut object| {
            // Left out of a write, they stay what they are.
            object.metadata.managed_fields = None;
            object
        });
        self.reach(place);
        self.held[place] = Held { object, fresh: true };
    }

    fn reach(&mut self, place: usize) {
        while self.held.len() <= place {
            self.held.push(Held { object: None, fresh: false });
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

    fn size(&self, place: usize) -> usize {
        self.annotations(place).map_or(0, |annotations| annotations.iter().map(|(name, text)| name.len() + text.len()).sum())
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

/// Whether a record can have this key: it becomes part of an annotation's name.
pub(super) fn is_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    let inner = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
    let ends = [bytes.first(), bytes.last()].into_iter().all(|b| b.is_some_and(u8::is_ascii_alphanumeric));
    ends && bytes.len() <= 63 && bytes.iter().all(inner)
}

/// Whether a record fits into a Lease at all.
pub(super) fn fits(key: &str, text: &str) -> bool {
    PREFIX.len() + key.len() + text.len() <= ROOM
}
