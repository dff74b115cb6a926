//! Whether a body is what the URL says, and of the kind it should be.

use api_kinds::{Registry, Resource};
use apimachinery::{FieldError, GroupKind, Status, object};
use serde_json::Value;

use super::Job;
use crate::Validation;

const NAMESPACE_MISMATCH: &str = "the namespace of the provided object does not match the namespace sent on the request";

impl Job<'_> {
    /// Checks `kind` and `apiVersion` of a body and fills them in where they may be absent.
    pub(super) fn identify(&self, body: &mut Value) -> Result<(), Status> {
        let (kind, api_version) = (object::text(body, &["kind"]), object::text(body, &["apiVersion"]));
        if self.resource.custom.is_some() {
            self.identify_custom(body, kind, api_version)?;
        } else if (!kind.is_empty() && kind != self.resource.kind) || (!api_version.is_empty() && api_version != self.api_version)
        {
            let kind = if kind.is_empty() { &self.resource.kind } else { kind };
            let api_version = if api_version.is_empty() { &self.api_version } else { api_version };
            let (version, why) = foreign(self.txn.registry(), &self.resource, kind, api_version);
            let wanted = &self.resource.kind;
            return Err(Status::bad_request(format!("{kind} in version {version:?} cannot be handled as a {wanted}: {why}")));
        }
        self.entitle(body);
        Ok(())
    }

    /// Fills in `kind` and `apiVersion`.
    pub(super) fn entitle(&self, body: &mut Value) {
        let fields = object::fields(body);
        fields.insert("kind".into(), self.resource.kind.clone().into());
        fields.insert("apiVersion".into(), self.api_version.clone().into());
    }

    fn identify_custom(&self, body: &Value, kind: &str, api_version: &str) -> Result<(), Status> {
        let wanted = &self.resource.kind;
        let missing = match (kind, api_version) {
            ("", _) => "Kind",
            (_, "") => "apiVersion",
            _ => "",
        };
        if !missing.is_empty() {
            let text = body.to_string();
            let shown = excerpt(&text);
            return Err(Status::bad_request(format!(
                "the object provided is unrecognized (must be of type {wanted}): Object '{missing}' is missing in '{text}' ({shown})"
            )));
        }
        if api_version != self.api_version {
            return Err(Status::bad_request(format!(
                "the API version in the data ({api_version}) does not match the expected API version ({})",
                self.api_version
            )));
        }
        if kind != wanted {
            let group = self.resource.group.clone();
            let error = FieldError::invalid("kind", kind, format!("must be {wanted}"));
            return Err(Status::invalid(&GroupKind { group, kind: kind.to_owned() }, object::name(body), &[error]));
        }
        Ok(())
    }

    /// Reads a body as its kind: types are checked, what is unknown is dropped and reported as the request wants it.
    pub(super) fn decode(&mut self, body: &mut Value) -> Result<(), Status> {
        let unknown = self.resource.schema.decode(body, &self.resource.kind).map_err(|error| {
            let (kind, version) = (&self.resource.kind, &self.resource.version);
            Status::bad_request(format!("{kind} in version {version:?} cannot be handled as a {kind}: {error}"))
        })?;
        if let Some(complaint) = self.odd(unknown) {
            let (kind, version) = (&self.resource.kind, &self.resource.version);
            return Err(Status::bad_request(format!("{kind} in version {version:?} cannot be handled as a {kind}: {complaint}")));
        }
        Ok(())
    }

    /// What to do about unknown and duplicate fields: nothing, warnings, or the error that is returned.
    pub(super) fn odd(&mut self, unknown: Vec<String>) -> Option<String> {
        let mut odd = std::mem::take(&mut self.options.duplicates);
        odd.extend(unknown.into_iter().map(|path| format!("unknown field {path:?}")));
        match self.options.validation {
            Validation::Strict if !odd.is_empty() => Some(format!("strict decoding error: {}", odd.join(", "))),
            Validation::Strict | Validation::Ignore => None,
            Validation::Warn => {
                self.warnings.append(&mut odd);
                None
            }
        }
    }

    /// The namespace is the URL's. One of a cluster-scoped object is dropped.
    pub(super) fn place(&self, body: &mut Value) -> Result<(), Status> {
        if !self.resource.namespaced() {
            object::metadata(body).remove("namespace");
            return Ok(());
        }
        let namespace = object::namespace(body);
        if !namespace.is_empty() && namespace != self.namespace {
            return Err(Status::bad_request(NAMESPACE_MISMATCH));
        }
        object::metadata(body).insert("namespace".into(), self.namespace.clone().into());
        Ok(())
    }

    /// The name is the URL's.
    pub(super) fn named(&self, body: &Value) -> Result<(), Status> {
        let (name, wanted) = (object::name(body), &self.name);
        if name.is_empty() {
            return Err(Status::bad_request(format!(
                "the name of the object ({wanted} based on URL) was undeterminable: name must be provided"
            )));
        }
        if name != wanted {
            return Err(Status::bad_request(format!(
                "the name of the object ({name}) does not match the name on the URL ({wanted})"
            )));
        }
        Ok(())
    }
}

/// Whether a status write leaves all metadata alone. Most built-in kinds take labels, annotations and finalizers through it.
pub(super) fn status_keeps_metadata(resource: &Resource) -> bool {
    resource.custom.is_some() || resource.plural == "volumeattachments"
}

/// The version of a body of another kind, and why it cannot be read as the wanted one.
pub(super) fn foreign<'a>(registry: &Registry, wanted: &Resource, kind: &str, api_version: &'a str) -> (&'a str, String) {
    let version = api_version.rsplit('/').next().unwrap_or_default();
    if registry.of_kind(api_version, kind).is_none() {
        let why = format!("no kind {kind:?} is registered for version {api_version:?} in scheme \"pkg/runtime/scheme.go:111\"");
        return (version, why);
    }
    let package = match wanted.group.split('.').next() {
        None | Some("") => "core",
        Some(package) => package,
    };
    (version, format!("converting ({version}.{kind}) to ({package}.{}): unknown conversion", wanted.kind))
}

/// The first bytes of a text, as an error shows them.
fn excerpt(text: &str) -> String {
    let mut cut = text.len().min(30);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    if cut == text.len() { text.to_owned() } else { format!("{} ...", &text[..cut]) }
}
