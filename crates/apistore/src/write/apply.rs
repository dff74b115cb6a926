//! Server-side apply: PATCH with the configuration that the object is to have.

use apimachinery::{Status, managed, object};
use serde_json::Value;

use super::{Job, Reply};

impl Job<'_> {
    pub(super) fn apply(&mut self, body: &[u8], force: bool) -> Reply {
        let mut config: Value = serde_yaml::from_slice(body)
            .map_err(|error| Status::bad_request(format!("error decoding YAML: error converting YAML to JSON: yaml: {error}")))?;
        self.configures(&config)?;
        let old = self.stored();
        if old.is_some() && object::name(&config).is_empty() {
            object::metadata(&mut config).insert("name".into(), self.name.clone().into());
        }
        self.named(&config)?;
        self.place(&mut config)?;
        let schema = self.resource.schema.clone();
        let Some(old) = old else {
            object::metadata(&mut config).remove("resourceVersion");
            let manager = self.manager();
            let mut new = self.with_reset(|reset| managed::apply(None, &config, &schema, manager, force, reset))?;
            self.decode(&mut new)?;
            let fields = object::metadata(&mut new).remove("managedFields");
            return self.begin(new, |_, new| object::set(object::metadata(new), "managedFields", fields));
        };
        let stored = self.full(&old);
        let manager = self.manager();
        let mut new = self.with_reset(|reset| managed::apply(Some(&stored), &config, &schema, manager, force, reset))?;
        self.decode(&mut new)?;
        // Without a version an apply is unconditional, whatever the kind asks of a PUT.
        if object::meta(&new, "resourceVersion").is_empty() {
            object::metadata(&mut new).insert("resourceVersion".into(), old.version().to_string().into());
        }
        self.replace(&old, stored, new, false)
    }

    /// Whether this is a configuration of the kind that the URL names.
    fn configures(&self, config: &Value) -> Result<(), Status> {
        let (api_version, kind) = (object::text(config, &["apiVersion"]), object::text(config, &["kind"]));
        if api_version != self.api_version || kind != self.resource.kind {
            // As Go prints a GroupVersionKind: the group and the version with a slash between, even when the group is empty.
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            return Err(Status::bad_request(format!("invalid object type: {group}/{version}, Kind={kind}")));
        }
        if object::at(config, &["metadata", "managedFields"]).is_some_and(|fields| !fields.is_null()) {
            return Err(Status::bad_request("metadata.managedFields must be nil"));
        }
        Ok(())
    }
}
