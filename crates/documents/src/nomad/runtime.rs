//! What a running task would know, put in where it is known before.
//!
//! Nomad replaces `${NAME}` in arguments, variables and destinations when a task starts. Names of the job are known here; of the node, only its name
//! and address are, and only where it runs: they become `$(NAME)`, which a pod's arguments and variables may hold.
//!
//! Upstream: Nomad `client/taskenv/env.go`: a name that nothing knows stays as it is, since it may be the shell's.

use std::collections::{BTreeMap, BTreeSet};

/// What is known only where a task runs, and which field of a pod knows it.
const POD_FIELDS: [(&str, &str, &str); 7] = [
    ("node.unique.name", "NOMAD_NODE_NAME", "spec.nodeName"),
    ("node.unique.id", "NOMAD_NODE_NAME", "spec.nodeName"),
    ("attr.unique.hostname", "NOMAD_NODE_NAME", "spec.nodeName"),
    ("attr.unique.network.ip-address", "NOMAD_HOST_IP", "status.hostIP"),
    ("NOMAD_ALLOC_ID", "NOMAD_ALLOC_ID", "metadata.uid"),
    ("NOMAD_SHORT_ALLOC_ID", "NOMAD_ALLOC_ID", "metadata.uid"),
    ("attr.unique.network.ip-address.0", "NOMAD_HOST_IP", "status.hostIP"),
];

/// The names of one task.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) values: BTreeMap<String, String>,
    /// The node's name, where the task is about to run here.
    pub(crate) node: Option<String>,
    /// The text is for a pod, where `$(NAME)` means something.
    pub(crate) pod: bool,
}

/// A text with what is known put in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Filled {
    pub(crate) text: String,
    /// Variables whose values a pod's fields are: `$(NAME)` in the text.
    pub(crate) fields: BTreeSet<(&'static str, &'static str)>,
}

impl Known {
    /// # Errors
    /// A name that only Nomad could resolve.
    pub(crate) fn fill(&self, text: &str) -> Result<Filled, String> {
        let mut filled = Filled::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, behind)) = after.split_once('}') else {
                filled.text.push_str(&self.plain(before));
                filled.text.push_str("${");
                rest = after;
                continue;
            };
            filled.text.push_str(&self.plain(before));
            match self.value(name.trim()) {
                Found::Value(value) => filled.text.push_str(&self.plain(&value)),
                Found::Field(variable, field) => {
                    filled.text.push_str(&format!("$({variable})"));
                    filled.fields.insert((variable, field));
                }
                Found::Nothing => filled.text.push_str(&format!("${{{name}}}")),
                Found::Elsewhere => {
                    return Err(format!("${{{name}}} is not known here: {}", known_names(name)));
                }
            }
            rest = behind;
        }
        filled.text.push_str(&self.plain(rest));
        Ok(filled)
    }

    /// A text without names, so that a pod's own syntax does not change it.
    ///
    /// Upstream: Kubernetes `third_party/forked/golang/expansion`: `$$` is `$`, `$(NAME)` a variable.
    pub(crate) fn plain(&self, text: &str) -> String {
        if !self.pod {
            return text.to_owned();
        }
        let mut plain = String::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            plain.push(letter);
            if letter == '$' && matches!(letters.peek(), Some('$' | '(')) {
                plain.push('$');
            }
        }
        plain
    }

    fn value(&self, name: &str) -> Found {
        let name = name.strip_prefix("env[\"").and_then(|name| name.strip_suffix("\"]")).unwrap_or(name);
        if let Some(value) = self.values.get(name) {
            return Found::Value(value.clone());
        }
        if let Some((_, variable, field)) = POD_FIELDS.iter().find(|(known, ..)| *known == name) {
            return match (&self.node, *variable) {
                (Some(node), "NOMAD_NODE_NAME") => Found::Value(node.clone()),
                _ => Found::Field(variable, field),
            };
        }
        let theirs = ["NOMAD_", "attr.", "node.", "meta.", "device.", "VAULT_"].iter().any(|prefix| name.starts_with(prefix));
        if theirs { Found::Elsewhere } else { Found::Nothing }
    }
}

enum Found {
    Value(String),
    Field(&'static str, &'static str),
    Nothing,
    Elsewhere,
}

fn known_names(name: &str) -> &'static str {
    match name.split(['.', '_']).next() {
        Some("meta") => "nodes have labels, no meta; put the value into a variable of the job",
        Some("attr" | "node" | "device") => {
            "of a node its name (attr.unique.hostname, node.unique.name) and its address are; put anything else into a variable"
        }
        _ if name.starts_with("NOMAD_PORT_") || name.starts_with("NOMAD_ADDR_") || name.starts_with("NOMAD_IP_") => {
            "ports are not given out; write the number"
        }
        _ => "put its value into a variable of the job",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        Known { values: BTreeMap::from([("NOMAD_ALLOC_INDEX".to_owned(), "2".to_owned())]), node: None, pod: true }
    }

    #[test]
    fn what_is_known_is_put_in_and_the_shells_own_stays() {
        let filled = known().fill("node-${NOMAD_ALLOC_INDEX} ${HOME} $x ${ ${").expect("known");
        assert_eq!(filled.text, "node-2 ${HOME} $x ${ ${");
        assert_eq!(known().fill("${env[\"NOMAD_ALLOC_INDEX\"]}").expect("known").text, "2");
    }

    #[test]
    fn the_nodes_name_is_the_pods_field_or_this_nodes() {
        let filled = known().fill("--nodeid=${attr.unique.hostname}").expect("known");
        assert_eq!(filled.text, "--nodeid=$(NOMAD_NODE_NAME)");
        assert_eq!(filled.fields, BTreeSet::from([("NOMAD_NODE_NAME", "spec.nodeName")]));
        let here = Known { node: Some("n1".to_owned()), ..known() };
        assert_eq!(here.fill("--nodeid=${node.unique.id}").expect("known").text, "--nodeid=n1");
    }

    #[test]
    fn a_pods_own_syntax_in_a_text_stays_text() {
        for (text, wanted) in [("$(date)", "$$(date)"), ("$$", "$$$"), ("a$b$", "a$b$"), ("$$(x)", "$$$$(x)")] {
            assert_eq!(known().fill(text).expect("known").text, wanted, "{text}");
        }
        assert_eq!(Known { pod: false, ..known() }.fill("$(date)").expect("known").text, "$(date)");
    }

    #[test]
    fn what_only_nomad_knows_is_refused_by_its_name() {
        for name in ["meta.rack", "attr.cpu.model", "NOMAD_PORT_http", "NOMAD_TOKEN", "device.model"] {
            let why = known().fill(&format!("a ${{{name}}} b")).expect_err("not known");
            assert!(why.contains(name), "{why}");
        }
    }
}
