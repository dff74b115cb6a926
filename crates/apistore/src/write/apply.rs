//! Server-side apply: PATCH with the configuration that the object is to have.

use apimachinery::{Status, managed, object};
use serde_json::Value;

use super::{Job, Reply};
use crate::Validation;

impl Job<'_> {
    /// `body` is JSON already; what was odd about the YAML that it came from is noted as duplicates.
    pub(super) fn apply(&mut self, body: &[u8], force: bool) -> Reply {
        let config: Value = serde_json::from_slice(body)
            .map_err(|error| Status::bad_request(format!("error decoding YAML: error converting YAML to JSON: yaml: {error}")))?;
        self.configures(&config)?;
        self.twice()?;
        let old = self.stored();
        let stored = old.as_ref().map(|old| self.full(old));
        let (schema, manager) = (&self.resource.schema, self.manager());
        let mut new = self.with_reset(|reset| managed::apply(stored.as_ref(), &config, schema, manager, force, reset))?;
        self.decode_applied(&mut new)?;
        self.named(&new)?;
        self.place(&mut new)?;
        match (old, stored) {
            (Some(old), Some(stored)) => {
                // Without a version an apply is unconditional, whatever the kind asks of a PUT.
                if object::meta(&new, "resourceVersion").is_empty() {
                    object::metadata(&mut new).insert("resourceVersion".into(), old.version().to_string().into());
                }
                self.replace(&old, stored, new, false)
            }
            _ => {
                self.gone(&config)?;
                object::metadata(&mut new).remove("resourceVersion");
                let fields = object::metadata(&mut new).remove("managedFields");
                self.begin(new, |_, new| object::set(object::metadata(new), "managedFields", fields))
            }
        }
    }

    /// Keys that were there twice.
    fn twice(&mut self) -> Result<(), Status> {
        let mut twice = std::mem::take(&mut self.options.duplicates);
        match self.options.validation {
            Validation::Strict if !twice.is_empty() => Err(Status::bad_request(format!(
                "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  {}",
                twice.join("\n  ")
            ))),
            Validation::Strict | Validation::Ignore => Ok(()),
            Validation::Warn => {
                self.warnings.append(&mut twice);
                Ok(())
            }
        }
    }

    /// What was applied fits the schema; that it is also what Go can read shows here.
    fn decode_applied(&self, new: &mut Value) -> Result<(), Status> {
        let (namespace, name) = (object::namespace(new).to_owned(), object::name(new).to_owned());
        self.resource.schema.decode(new, &self.resource.kind).map(drop).map_err(|error| {
            let kind = format!("{}, Kind={}", go_version(&self.api_version), self.resource.kind);
            Status::internal(format!(
                "failed to convert new object ({namespace}/{name}; {kind}) to proper version: unable to convert unstructured object \
                 to {kind}: {error}"
            ))
        })
    }

    /// 409 for a configuration of an object that was here before, and is not any more.
    fn gone(&self, config: &Value) -> Result<(), Status> {
        match object::meta(config, "uid") {
            "" => Ok(()),
            uid => {
                let why = format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
                Err(Status::conflict(&self.resource.group_resource(), &self.name, why))
            }
        }
    }

    /// Whether this is a configuration of the kind that the URL names.
    fn configures(&self, config: &Value) -> Result<(), Status> {
        let (api_version, kind) = (object::text(config, &["apiVersion"]), object::text(config, &["kind"]));
        if api_version != self.api_version || kind != self.resource.kind {
            return Err(Status::bad_request(format!("invalid object type: {}, Kind={kind}", go_version(api_version))));
        }
        if object::at(config, &["metadata", "managedFields"]).is_some_and(|fields| !fields.is_null()) {
            return Err(Status::bad_request("metadata.managedFields must be nil"));
        }
        Ok(())
    }
}

/// As Go prints a group and version: with a slash between, even when the group is empty.
fn go_version(api_version: &str) -> String {
    if api_version.contains('/') { api_version.to_owned() } else { format!("/{api_version}") }
}
