//! PATCH: the stored object, changed by a document, and from there on an update.

use apimachinery::{FieldError, GroupKind, Status, patch};
use serde_json::Value;

use super::{Job, Reply};
use crate::Patch;

impl Job<'_> {
    pub(super) fn patch(&mut self, kind: Patch, body: &[u8]) -> Reply {
        if let Patch::Apply { force } = kind {
            return self.apply(body, force);
        }
        let old = self.stored().ok_or_else(|| self.not_found())?;
        let stored = self.full(&old);
        let mut new = match kind {
            Patch::Json => patch::json(&stored, body)?,
            Patch::Merge => patch::merge(&stored, body)?,
            Patch::Strategic => patch::strategic(&stored, body, &self.resource.schema)?,
            Patch::Apply { .. } => unreachable!("applied above"),
        };
        self.decode_patched(&mut new)?;
        self.named(&new)?;
        self.place(&mut new)?;
        self.replace(&old, stored, new, true)
    }

    /// Reads what a patch made as its kind.
    fn decode_patched(&mut self, new: &mut Value) -> Result<(), Status> {
        let shown = new.to_string();
        self.identify(new)
            .map_err(|status| if self.resource.custom.is_some() { status } else { refused(&shown, &status.message) })?;
        let unknown =
            self.resource.schema.decode(new, &self.resource.kind).map_err(|error| refused(&shown, &error.to_string()))?;
        match self.odd(unknown) {
            Some(complaint) => Err(refused(&shown, &complaint)),
            None => Ok(()),
        }
    }
}

/// 422 for a patch whose result is no object of its kind. Upstream leaves the kind and the name out.
fn refused(patched: &str, why: &str) -> Status {
    let kind = GroupKind { group: String::new(), kind: String::new() };
    Status::invalid(&kind, "", &[FieldError::invalid("patch", patched, why)])
}
