//! PATCH: the stored object, changed by a document, and from there on an update.

use apimachinery::{FieldError, GroupKind, Status, json, object, patch};
use serde_json::Value;

use super::body::foreign;
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
        // A strategic patch is made of a typed object, so it cannot change the type; errors show the patch, not what came of it.
        let shown = if kind == Patch::Strategic {
            self.entitle(&mut new);
            patch::shown(&serde_json::from_slice(body).unwrap_or_default())
        } else {
            new.to_string()
        };
        self.note_duplicates(kind, body);
        self.decode_patched(&mut new, &shown)?;
        self.named(&new)?;
        self.place(&mut new)?;
        self.replace(&old, stored, new, true)
    }

    /// Keys of the patch that are there twice.
    fn note_duplicates(&mut self, kind: Patch, body: &[u8]) {
        let read = json::read(body, true).unwrap_or_default();
        let what = if kind == Patch::Json { "json patch duplicate field" } else { "duplicate field" };
        self.options.duplicates.extend(read.duplicates.iter().map(|path| format!("{what} {path:?}")));
    }

    /// Reads what a patch made as its kind. `shown`: what an error shows.
    fn decode_patched(&mut self, new: &mut Value, shown: &str) -> Result<(), Status> {
        if self.resource.custom.is_some() {
            self.identify(new)?;
        } else {
            self.same_type(new).map_err(|why| refused(shown, &why))?;
        }
        let unknown =
            self.resource.schema.decode(new, &self.resource.kind).map_err(|error| refused(shown, &error.to_string()))?;
        match self.odd(unknown) {
            Some(complaint) => Err(refused(shown, &complaint)),
            None => Ok(()),
        }
    }

    /// A patch may leave the type out, but not change it.
    fn same_type(&self, new: &mut Value) -> Result<(), String> {
        let or = |field: &str, otherwise: &str| match object::text(new, &[field]) {
            "" => otherwise.to_owned(),
            text => text.to_owned(),
        };
        let (kind, api_version) = (or("kind", &self.resource.kind), or("apiVersion", &self.api_version));
        if kind != self.resource.kind || api_version != self.api_version {
            return Err(foreign(self.txn.registry(), &self.resource, &kind, &api_version).1);
        }
        self.entitle(new);
        Ok(())
    }
}

/// 422 for a patch whose result is no object of its kind. Upstream leaves the kind and the name out.
fn refused(patched: &str, why: &str) -> Status {
    let kind = GroupKind { group: String::new(), kind: String::new() };
    Status::invalid(&kind, "", &[FieldError::invalid("patch", patched, why)])
}
