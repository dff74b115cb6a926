//! POST of a pod's binding: puts the pod on a node.

use apimachinery::{Details, GroupResource, Status, object};
use serde_json::{Value, json};

use super::{Job, Reply};
use crate::request::Answer;

impl Job<'_> {
    /// Upstream: pkg/registry/core/pod/storage, `setPodNodeAndMetadata` and `assignPod`.
    pub(super) fn bind(&mut self, body: Value) -> Reply {
        let name = object::name(&body);
        if name != self.name {
            return Err(Status::bad_request("name in URL does not match name in Binding object"));
        }
        let node = object::text(&body, &["target", "name"]).to_owned();
        let kind = object::text(&body, &["target", "kind"]);
        if !matches!(kind, "" | "Node") || node.is_empty() {
            let field = if node.is_empty() { "target.name" } else { "target.kind" };
            let error = if node.is_empty() {
                apimachinery::FieldError::required(field, "")
            } else {
                apimachinery::FieldError::not_supported(field, kind, &["Node", "<empty>"])
            };
            let kind = apimachinery::GroupKind { group: String::new(), kind: "Binding".to_owned() };
            return Err(Status::invalid(&kind, name, &[error]));
        }
        let old = self.stored().ok_or_else(|| self.not_found())?;
        let mut pod = self.full(&old);
        self.bindable(&pod)?;
        object::child(&mut pod, "spec").insert("nodeName".into(), node.into());
        if let Some(more) = object::at(&body, &["metadata", "annotations"]).and_then(Value::as_object) {
            let annotations = object::fields(object::metadata(&mut pod).entry("annotations").or_insert(Value::Null));
            annotations.extend(more.clone());
        }
        let now = object::time(self.env.now);
        let conditions = object::child(&mut pod, "status").entry("conditions").or_insert_with(|| json!([]));
        if let Value::Array(conditions) = conditions {
            conditions.retain(|condition| object::text(condition, &["type"]) != "PodScheduled");
            conditions.push(json!({
                "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now,
            }));
        }
        self.put(Some(&old), pod);
        Ok((201, Answer::Success(Details::default())))
    }

    /// 409 for a pod that has its node, or is going.
    fn bindable(&self, pod: &Value) -> Result<(), Status> {
        let (name, node) = (&self.name, object::text(pod, &["spec", "nodeName"]));
        let gated =
            object::at(pod, &["spec", "schedulingGates"]).and_then(Value::as_array).is_some_and(|gates| !gates.is_empty());
        let why = if object::deleting(pod) {
            format!("pod {name} is being deleted, cannot be assigned to a host")
        } else if !node.is_empty() {
            format!("pod {name} is already assigned to node {node:?}")
        } else if gated {
            format!("pod {name} has non-empty .spec.schedulingGates")
        } else {
            return Ok(());
        };
        let binding = GroupResource { group: String::new(), resource: "pods/binding".to_owned() };
        Err(Status::conflict(&binding, name, why))
    }
}
