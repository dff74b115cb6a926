//! What a namespace that is going says of what is left in it. Pure; the words are upstream's, measured on 1.36.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What is left, and what could not be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Left {
    /// By `resource.group`, with the dot also where there is no group.
    pub(super) resources: BTreeMap<String, usize>,
    pub(super) finalizers: BTreeMap<String, usize>,
    pub(super) errors: Vec<String>,
}

impl Left {
    pub(super) fn is_nothing(&self) -> bool {
        self.resources.is_empty() && self.errors.is_empty()
    }
}

/// The new list of conditions. `None`: it says so already. Conditions of others stay as they are.
pub(super) fn conditions(have: &[Value], left: &Left, now: &str) -> Option<Vec<Value>> {
    let mut all = have.to_vec();
    let mut changed = false;
    for (kind, wrong, reason, message) in rows(left) {
        let status = if wrong { "True" } else { "False" };
        let mut new = json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": now});
        match all.iter_mut().find(|old| old["type"] == kind) {
            None => {
                all.push(new);
                changed = true;
            }
            Some(old) => {
                if old["status"] == new["status"] {
                    new["lastTransitionTime"] = old["lastTransitionTime"].clone();
                }
                changed |= *old != new;
                *old = new;
            }
        }
    }
    changed.then_some(all)
}

fn rows(left: &Left) -> [(&'static str, bool, &'static str, String); 5] {
    let row = |kind, wrong: Option<(&'static str, String)>, reason, message: &str| match wrong {
        Some((reason, message)) => (kind, true, reason, message),
        None => (kind, false, reason, message.to_owned()),
    };
    let list = |counts: &BTreeMap<String, usize>, word: &str| -> String {
        let items: Vec<String> = counts.iter().map(|(of, count)| format!("{of} {word} {count} resource instances")).collect();
        items.join(", ")
    };
    let failed = (!left.errors.is_empty()).then(|| {
        let (count, errors) = (left.errors.len(), left.errors.join(", "));
        ("ContentDeletionFailed", format!("Failed to delete all resource types, {count} remaining: {errors}"))
    });
    let remain = (!left.resources.is_empty())
        .then(|| ("SomeResourcesRemain", format!("Some resources are remaining: {}", list(&left.resources, "has"))));
    let held = (!left.finalizers.is_empty()).then(|| {
        let held = list(&left.finalizers, "in");
        ("SomeFinalizersRemain", format!("Some content in the namespace has finalizers remaining: {held}"))
    });
    [
        row("NamespaceDeletionDiscoveryFailure", None, "ResourcesDiscovered", "All resources successfully discovered"),
        row(
            "NamespaceDeletionGroupVersionParsingFailure",
            None,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        row(
            "NamespaceDeletionContentFailure",
            failed,
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        row("NamespaceContentRemaining", remain, "ContentRemoved", "All content successfully removed"),
        row("NamespaceFinalizersRemaining", held, "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
    ]
}
