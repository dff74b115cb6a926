//! DELETE of a collection: every object that is selected, one by one, in one commit.

use apimachinery::Status;

use super::{Job, Reply};
use crate::request::{Answer, DeleteOptions};
use crate::store::Listing;
use crate::{Object, Selection};

impl Job<'_> {
    /// Answers with the objects as they were.
    pub(super) fn delete_collection(&mut self, options: &DeleteOptions, selection: &Selection, limit: Option<usize>) -> Reply {
        let prefix = if self.namespace.is_empty() { String::new() } else { format!("{}/", self.namespace) };
        let mut selected = self.txn.range(&self.storage_key, &prefix);
        selected.retain(|object| selection.matches(&self.resource, object));
        let page = selected.len().min(limit.unwrap_or(usize::MAX));
        let rest = selected.split_off(page);
        let version = self.txn.version();
        for object in &selected {
            self.delete_member(object, options)?;
        }
        let resume = match selected.last() {
            Some(last) if !rest.is_empty() => Some(crate::store::resume(version, last, &prefix)),
            _ => None,
        };
        let remaining = (!rest.is_empty() && selection.is_empty()).then_some(rest.len() as u64);
        Ok((200, Answer::List(Listing { items: selected, version, resume, remaining })))
    }

    fn delete_member(&mut self, object: &Object, options: &DeleteOptions) -> Result<(), Status> {
        object.name().clone_into(&mut self.name);
        let stored = self.full(object);
        self.doom(object, stored, options).map(drop)
    }
}
