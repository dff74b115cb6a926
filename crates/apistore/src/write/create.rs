//! POST, and every other way in which an object comes into being.

use apimachinery::{Cause, Status, managed, object};
use serde_json::Value;

use super::{Job, Reply};
use crate::object::key;
use crate::request::Answer;

/// How many generated names are tried.
const ATTEMPTS: u64 = 8;

/// What the server alone says.
const SYSTEM: [&str; 5] = ["uid", "creationTimestamp", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"];

impl Job<'_> {
    pub(super) fn create(&mut self, mut body: Value) -> Reply {
        self.identify(&mut body)?;
        self.decode(&mut body)?;
        self.place(&mut body)?;
        self.begin(body, |job, body| {
            job.with_reset(|reset| managed::track(None, body, &job.resource.schema, job.manager(), reset));
        })
    }

    /// Makes an object of a body that was decoded and placed. `own` notes who owns what, once the kind's defaults are there.
    pub(super) fn begin(&mut self, mut body: Value, own: impl FnOnce(&Self, &mut Value)) -> Reply {
        let metadata = object::metadata(&mut body);
        SYSTEM.iter().for_each(|field| drop(metadata.remove(*field)));
        let version = metadata.remove("resourceVersion");
        self.admit(object::name(&body))?;
        api_kinds::write::defaults(&self.resource, &mut body);
        own(self, &mut body);
        self.christen(&mut body);
        let metadata = object::metadata(&mut body);
        metadata.insert("uid".into(), self.env.uid().into());
        metadata.insert("creationTimestamp".into(), object::time(self.env.now));
        let mut new = self.check(None, body)?;
        if self.options.dry_run {
            // Nothing is stored, so nothing asks for the version, and the client sees its own.
            object::set(object::metadata(&mut new), "resourceVersion", version);
            self.taken(&new)?;
            return Ok((201, Answer::Object(self.object(new, 0))));
        }
        if version.as_ref().and_then(Value::as_str).is_some_and(|text| text.parse::<u64>().is_ok_and(|version| version > 0)) {
            return Err(Status::internal("resourceVersion should not be set on objects to be created"));
        }
        self.taken(&new)?;
        let stored = self.put(None, new);
        Ok((201, Answer::Object(stored)))
    }

    /// Whether the namespace takes new objects.
    ///
    /// Upstream: the NamespaceLifecycle admission plugin.
    fn admit(&self, name: &str) -> Result<(), Status> {
        if !self.resource.namespaced() {
            return Ok(());
        }
        let namespaces = apimachinery::GroupResource { group: String::new(), resource: "namespaces".to_owned() };
        let Some(namespace) = self.txn.get("namespaces", &self.namespace) else {
            return Err(Status::not_found(&namespaces, &self.namespace));
        };
        let namespace = namespace.value();
        if !object::deleting(&namespace) && object::text(&namespace, &["status", "phase"]) != "Terminating" {
            return Ok(());
        }
        let why = format!("unable to create new content in namespace {} because it is being terminated", self.namespace);
        let mut status = Status::forbidden(&self.resource.group_resource(), name, why);
        if let Some(details) = &mut status.details {
            details.causes.push(Cause {
                reason: "NamespaceTerminating".to_owned(),
                message: format!("namespace {} is being terminated", self.namespace),
                field: "metadata.namespace".to_owned(),
            });
        }
        Err(status)
    }

    /// Gives the object a name if it has none and asks for one. Names that are taken are tried past.
    fn christen(&self, body: &mut Value) {
        let prefix = object::meta(body, "generateName");
        if !object::name(body).is_empty() || prefix.is_empty() {
            return;
        }
        let free = |name: &String| self.txn.get(&self.storage_key, &key(&self.namespace, name)).is_none();
        let mut names = (0..ATTEMPTS).map(|attempt| self.env.name(prefix, attempt));
        let name = names.find(free).unwrap_or_else(|| self.env.name(prefix, 0));
        object::metadata(body).insert("name".into(), name.into());
    }

    /// 409 if there is one of that name.
    fn taken(&self, new: &Value) -> Result<(), Status> {
        let name = object::name(new);
        let Some(old) = self.txn.get(&self.storage_key, &key(&self.namespace, name)) else { return Ok(()) };
        let mut status = Status::already_exists(&self.resource.group_resource(), name);
        if object::deleting(&old.value()) {
            status.message = format!("object is being deleted: {}", status.message);
        }
        Err(status)
    }
}
