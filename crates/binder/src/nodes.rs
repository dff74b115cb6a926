//! The taint of a node that is not ready: pods that are not on it yet stay away until it is.
//!
//! A Node is tainted when it is made, by admission; here the taint is taken away, and comes back, as the node's condition says.
//! Upstream: pkg/controller/nodelifecycle `doNoScheduleTaintingPass`, of which this is what one node needs: nobody evicts pods,
//! and a node that is lost takes this program with it.

use std::convert::Infallible;
use std::sync::Arc;

use cluster::drive::{Controller, Pass, drive};
use cluster::kinds::Node;
use cluster::patch::Change;
use cluster::{Key, Keys, Watch};
use csi_types::{Next, Reason};
use serde_json::{Value, json};

use crate::Part;
use crate::error::Error;
use crate::writes::write;

/// What must be cached for this controller.
pub(crate) fn watches() -> Vec<Watch> {
    vec![Watch::Nodes]
}

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const EFFECT: &str = "NoSchedule";

/// Runs until the shutdown is requested and every pass under way has ended.
pub(crate) async fn run(part: Part) {
    let keys = Arc::new(Keys::new(part.around.engine.ctx.clone()));
    keys.follow(&part.caches.nodes);
    let engine = part.engine("node_taints");
    drive(Arc::new(Nodes { part }), keys, engine).await;
}

struct Nodes {
    part: Part,
}

/// The facts about one node.
#[derive(Debug, Clone, PartialEq, Eq)]
struct View {
    node: Option<Arc<Node>>,
}

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    AddTaint,
    /// By its place in the list.
    RemoveTaint(usize),
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Gone,
    AsItShould,
}

fn plan(view: &View) -> Next<Action, Why, Infallible> {
    let Some(node) = &view.node else { return Next::Rest(Why::Gone) };
    let taint = node.taints.iter().position(|taint| &*taint.key == NOT_READY && &*taint.effect == EFFECT);
    match (node.not_ready, taint) {
        (true, None) => Next::Do(Action::AddTaint),
        (false, Some(at)) => Next::Do(Action::RemoveTaint(at)),
        (true, Some(_)) | (false, None) => Next::Rest(Why::AsItShould),
    }
}

/// Fails rather than touch a list that somebody changed meanwhile.
fn operations(node: &Node, action: &Action) -> Value {
    let taint = json!({ "key": NOT_READY, "effect": EFFECT });
    match action {
        Action::RemoveTaint(at) => json!([
            { "op": "test", "path": format!("/spec/taints/{at}/key"), "value": NOT_READY },
            { "op": "remove", "path": format!("/spec/taints/{at}") },
        ]),
        Action::AddTaint if node.taints.is_empty() => json!([
            { "op": "test", "path": "/spec/taints", "value": null },
            { "op": "add", "path": "/spec/taints", "value": [taint] },
        ]),
        Action::AddTaint => json!([{ "op": "add", "path": "/spec/taints/-", "value": taint }]),
    }
}

impl Controller for Nodes {
    const NAME: &'static str = "node_taints";
    type Key = Key;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Infallible;
    type Error = Error;

    fn observe(&self, key: &Key, _: Pass) -> View {
        View { node: self.part.caches.nodes.get(key.as_str()) }
    }

    fn plan(&self, view: &View) -> Next<Action, Why, Infallible> {
        plan(view)
    }

    async fn act(&self, _: &Key, view: &View, action: &Action) -> Result<(), Error> {
        let Some(node) = &view.node else { return Ok(()) };
        let change = Change::operations(operations(node, action));
        write(&self.part.around.client, &self.part.caches.nodes, &node.meta, "taint Node", change).await
    }

    async fn refused(&self, _: &Key, _: &View, problem: &Infallible) {
        match *problem {}
    }

    async fn failed(&self, _: &Key, _: &View, _: &Error) {}

    fn forget(&self, why: &Why) -> bool {
        *why == Why::Gone
    }
}

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Self::AddTaint => "add_taint",
            Self::RemoveTaint(_) => "remove_taint",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Self::Gone => "Gone",
            Self::AsItShould => "AsItShould",
        }
    }
}

#[cfg(test)]
mod tests {
    use cluster::Kind;

    use super::*;

    fn node(spec: Value, ready: Option<&str>) -> View {
        let conditions: Vec<Value> = ready.iter().map(|status| json!({ "type": "Ready", "status": status })).collect();
        let whole = json!({ "metadata": { "name": "n", "uid": "u" }, "spec": spec, "status": { "conditions": conditions } });
        let wire = serde_json::from_value(whole).expect("a node");
        View { node: Node::compact(wire).map(Arc::new) }
    }

    #[test]
    fn a_ready_node_loses_the_taint_it_was_made_with_and_no_other() {
        let taints = json!({ "taints": [{ "key": "mine", "effect": "NoSchedule" }, { "key": NOT_READY, "effect": EFFECT }] });
        let view = node(taints, Some("True"));
        assert_eq!(plan(&view), Next::Do(Action::RemoveTaint(1)));
        let operations = operations(view.node.as_ref().expect("a node"), &Action::RemoveTaint(1));
        assert_eq!(operations[1], json!({ "op": "remove", "path": "/spec/taints/1" }));
    }

    #[test]
    fn a_node_that_is_not_ready_is_tainted_once() {
        assert_eq!(plan(&node(json!({}), Some("False"))), Next::Do(Action::AddTaint));
        let tainted = json!({ "taints": [{ "key": NOT_READY, "effect": EFFECT }] });
        assert_eq!(plan(&node(tainted, Some("Unknown"))), Next::Rest(Why::AsItShould));
        assert_eq!(plan(&node(json!({}), Some("True"))), Next::Rest(Why::AsItShould));
        assert_eq!(plan(&View { node: None }), Next::Rest(Why::Gone));
    }
}
