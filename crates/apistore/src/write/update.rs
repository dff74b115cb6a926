//! PUT, and what every change of an object that is there has in common.

use apimachinery::{FieldError, GroupKind, Status, managed, object};
use serde_json::Value;

use super::{Job, Reply};
use crate::Object;

impl Job<'_> {
    pub(super) fn update(&mut self, mut body: Value) -> Reply {
        self.identify(&mut body)?;
        self.decode(&mut body)?;
        self.named(&body)?;
        self.place(&mut body)?;
        let Some(old) = self.stored() else {
            if !self.resource.creates_on_update || self.subresource != api_kinds::Subresource::Main {
                return Err(self.not_found());
            }
            self.same_uid(&Value::Null, &body)?;
            object::metadata(&mut body).remove("resourceVersion");
            return self.begin(body, |job, body| {
                job.with_reset(|reset| managed::track(None, body, &job.resource.schema, job.manager(), reset));
            });
        };
        let stored = self.full(&old);
        self.same_uid(&stored, &body)?;
        self.replace(&old, stored, body, true)
    }

    /// Puts `new`, decoded and placed, in the place of an object. `stored` is [`Job::full`] of `old`.
    pub(super) fn replace(&mut self, old: &Object, stored: Value, mut new: Value, track: bool) -> Reply {
        self.same_version(old, &new)?;
        let metadata = object::metadata(&mut new);
        metadata.insert("resourceVersion".into(), old.version().to_string().into());
        metadata.remove("selfLink");
        api_kinds::write::defaults(&self.resource, &mut new);
        if track {
            let (schema, manager) = (&self.resource.schema, self.manager());
            self.with_reset(|reset| managed::track(Some(&stored), &mut new, schema, manager, reset));
        }
        let new = self.check(Some(&stored), new)?;
        Ok((200, self.settle(old, &stored, new)))
    }

    /// 409 if the writer means an object that was here before this one.
    fn same_uid(&self, stored: &Value, body: &Value) -> Result<(), Status> {
        let (wanted, uid) = (object::meta(body, "uid"), object::meta(stored, "uid"));
        if wanted.is_empty() || wanted == uid {
            return Ok(());
        }
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: \
             UID in precondition: {wanted}, UID in object meta: {uid}",
            self.etcd_key()
        );
        Err(Status::conflict(&self.resource.group_resource(), &self.name, why))
    }

    /// What the real server would store it under; part of a message.
    fn etcd_key(&self) -> String {
        let place = match (&self.resource.custom, self.resource.plural.as_str()) {
            (Some(_), plural) => format!("{}/{plural}", self.resource.group),
            (None, "customresourcedefinitions") => "apiextensions.k8s.io/customresourcedefinitions".to_owned(),
            (None, "nodes") => "minions".to_owned(),
            (None, plural) => plural.to_owned(),
        };
        format!("/registry/{place}/{}", crate::object::key(&self.namespace, &self.name))
    }

    /// 409 if the writer has not seen the stored state. Without a version a write is unconditional, where the kind allows that.
    fn same_version(&self, old: &Object, new: &Value) -> Result<(), Status> {
        let text = object::meta(new, "resourceVersion");
        let version = match text {
            "" => 0,
            _ => text.parse().map_err(|_| Status::internal(format!("strconv.ParseUint: parsing {text:?}: invalid syntax")))?,
        };
        if version == 0 && self.resource.needs_version {
            let kind = GroupKind { group: self.resource.group.clone(), kind: self.resource.plural.clone() };
            let error = FieldError::invalid("metadata.resourceVersion", 0, "must be specified for an update");
            return Err(Status::invalid(&kind, &self.name, &[error]));
        }
        if version != 0 && version != old.version() {
            return Err(Status::modified(&self.resource.group_resource(), &self.name));
        }
        Ok(())
    }
}
