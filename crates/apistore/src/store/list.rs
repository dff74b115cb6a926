//! Lists: what is there now, or was at a version that the log still remembers, page by page.

use std::collections::BTreeMap;

use apimachinery::Status;

use super::Listing;
use super::state::{Collection, State};
use super::token::Token;
use super::txn::overlay;
use crate::{ListRequest, Object, VersionMatch};

const CONTINUE_EXPIRED: &str = "The provided continue parameter is too old to display a consistent list result. You can start a \
    new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
    results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or \
    deleted between the time the first chunk was returned and now may show up in the list.";
const LIST_EXPIRED: &str = "The resourceVersion for the provided list is too old.";

/// A list whose continue token has been read.
pub(crate) struct Plan {
    /// The version that must have been reached before the list can be made.
    pub(crate) wait_for: Option<u64>,
    /// `None`: whatever is there.
    exact: Option<u64>,
    /// The first key, relative to the prefix. Empty: from the beginning.
    start: String,
    resumed: bool,
}

impl Plan {
    /// # Errors
    /// 400 for a continue token that is none.
    pub(crate) fn of(request: &ListRequest) -> Result<Self, Status> {
        if let Some(token) = &request.resume {
            let Token { version, start } = Token::decode(token)?;
            return Ok(Self { wait_for: version, exact: version, start, resumed: true });
        }
        let (wait_for, exact) = match request.version {
            VersionMatch::Any => (None, None),
            VersionMatch::NotOlderThan(version) => (Some(version), None),
            VersionMatch::Exact(version) => (Some(version), Some(version)),
        };
        Ok(Self { wait_for, exact, start: String::new(), resumed: false })
    }

    /// The page.
    ///
    /// # Errors
    /// 410 for a version that is forgotten.
    pub(crate) fn list(&self, state: &State, request: &ListRequest) -> Result<Listing, Status> {
        let version = self.exact.unwrap_or(state.version());
        let prefix = request.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        let start = format!("{prefix}{}", self.start);
        let Some(collection) = state.find(&request.resource.storage_key()) else {
            // Nothing was ever here since the store was opened, and nothing is remembered from before.
            if version < state.floor() {
                return Err(self.expired(None));
            }
            return Ok(Listing { items: Vec::new(), version, resume: None, remaining: None });
        };
        if version == state.version() {
            return Ok(page(collection.range(&prefix, &start).cloned(), version, &prefix, request));
        }
        if !collection.log.covers(version) {
            return Err(self.expired(Some(&self.start)));
        }
        Ok(page(rewound(collection, version, &prefix, &start).into_iter(), version, &prefix, request))
    }

    fn expired(&self, start: Option<&str>) -> Status {
        if !self.resumed {
            return Status::expired(LIST_EXPIRED);
        }
        let start = start.unwrap_or(&self.start).to_owned();
        Status { resume: Some(Token { version: None, start }.encode()), ..Status::expired(CONTINUE_EXPIRED) }
    }
}

/// The objects as they were at `version`: the present, with what the log says happened since undone.
fn rewound(collection: &Collection, version: u64, prefix: &str, start: &str) -> Vec<Object> {
    let mut then: BTreeMap<&str, Option<&Object>> = BTreeMap::new();
    for entry in collection.log.since(version) {
        // The first change after that version knows what was there at that version.
        then.entry(entry.object.key()).or_insert(entry.previous.as_ref());
    }
    let changed = then.into_iter().filter(|(key, _)| key.starts_with(prefix) && *key >= start);
    overlay(collection.range(prefix, start).cloned(), changed)
}

/// As many of `objects` as are asked for, and how to go on.
fn page(objects: impl Iterator<Item = Object>, version: u64, prefix: &str, request: &ListRequest) -> Listing {
    let mut selected = objects.filter(|object| request.selection.matches(&request.resource, object)).peekable();
    let Some(limit) = request.limit else {
        return Listing { items: selected.collect(), version, resume: None, remaining: None };
    };
    let items: Vec<Object> = selected.by_ref().take(limit).collect();
    let (Some(last), true) = (items.last(), selected.peek().is_some()) else {
        return Listing { items, version, resume: None, remaining: None };
    };
    let resume = Some(super::resume(version, last, prefix));
    // Upstream counts keys, not matches, so it does not know under a selector.
    let remaining = request.selection.is_empty().then(|| selected.count() as u64);
    Listing { items, version, resume, remaining }
}
