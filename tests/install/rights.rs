//! The rights that Longshore's service accounts have, held against what they asked for: what was granted and never needed is too much,
//! and what was needed is granted once, so that a rule taken away is a request refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use harness::Cluster;
use serde_json::{Value, json};

use crate::audit::{Audit, Request};
use crate::tools;

/// One verb on one resource for one account: what a rule is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    user: String,
    /// `ClusterRole name` or `Role namespace/name`.
    role: String,
    /// Where; empty: everywhere.
    namespace: String,
    group: String,
    resource: String,
    verb: String,
    /// Which objects; empty: all.
    names: Vec<String>,
}

/// Rights that are needed on days that no test can wait for, or that come by chance: whose, the resource, the verb, and which day that is.
const RARE: &[(&str, &str, &str, &str)] = &[
    (
        "controller",
        "volumeattributesclasses.storage.k8s.io",
        "get",
        "the driver can modify volumes, and a claim names a VolumeAttributesClass",
    ),
    ("controller", "events.", "patch", "the same failure happens again, word for word: its event is counted up"),
    ("node-mounter", "csinodes.storage.k8s.io", "delete", "the CSINode is of a Node of the same name that is gone"),
    (
        "node-bootstrap",
        "certificatesigningrequests/nodeclient.certificates.k8s.io",
        "create",
        "asked about by the controller manager, in a review: without it, no request is approved",
    ),
];

impl Right {
    fn covers(&self, request: &Request) -> bool {
        let is = |granted: &str, asked: &str| granted == "*" || granted == asked;
        self.user == request.user
            && (self.namespace.is_empty() || self.namespace == request.namespace)
            && is(&self.group, &request.group)
            && is(&self.resource, &request.resource)
            && is(&self.verb, &request.verb)
            && (self.names.is_empty() || self.names.contains(&request.name))
    }

    /// The same right in every release: releases differ in names and namespaces alone.
    fn kind(&self) -> (String, String, String, String) {
        let account = self.user.rsplit(':').next().unwrap_or_default();
        let program = PROGRAMS.iter().find(|program| account.contains(**program)).copied().unwrap_or(account);
        let scope = if self.namespace.is_empty() { "everywhere" } else { "in one namespace" };
        (program.to_owned(), format!("{}.{}", self.resource, self.group), self.verb.clone(), scope.to_owned())
    }

    /// Word for word, whichever rule says it: one account may be two programs'.
    fn same(&self, other: &Self) -> bool {
        Self { role: String::new(), ..self.clone() } == Self { role: String::new(), ..other.clone() }
    }

    fn rare(&self) -> bool {
        let (program, resource, verb, _) = self.kind();
        RARE.iter().any(|(whose, what, how, _)| (*whose, *what, *how) == (program.as_str(), resource.as_str(), verb.as_str()))
    }
}

/// What an account's name says of whose it is, in every release and in the plain manifests.
const PROGRAMS: [&str; 5] = ["controller", "node-mounter", "node-bootstrap", "external-provisioner", "external-attacher"];

/// Keeps what is granted now, for [`every_right_was_needed_and_none_twice`] at the end of the run.
pub(crate) fn record(cluster: &Cluster) -> Result<()> {
    let mut known = recorded(cluster)?;
    known.extend(granted(cluster)?);
    let rows: Vec<Value> = known.iter().map(to_json).collect();
    fs::create_dir_all(store(cluster).parent().context("a file in no folder")?)?;
    fs::write(store(cluster), Value::from(rows).to_string())?;
    Ok(())
}

fn store(cluster: &Cluster) -> PathBuf {
    cluster.run().join("install/rights.json")
}

fn to_json(right: &Right) -> Value {
    let Right { user, role, namespace, group, resource, verb, names } = right;
    json!([user, role, namespace, group, resource, verb, names])
}

fn recorded(cluster: &Cluster) -> Result<BTreeSet<Right>> {
    let Ok(text) = fs::read_to_string(store(cluster)) else { return Ok(BTreeSet::new()) };
    let rows: Vec<Value> = serde_json::from_str(&text)?;
    Ok(rows
        .iter()
        .map(|row| {
            let text = |at: usize| row[at].as_str().unwrap_or_default().to_owned();
            Right {
                user: text(0),
                role: text(1),
                namespace: text(2),
                group: text(3),
                resource: text(4),
                verb: text(5),
                names: texts(&row[6]),
            }
        })
        .collect())
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Everything that is bound to a service account which is not Kubernetes' own.
fn granted(cluster: &Cluster) -> Result<Vec<Right>> {
    let key = |kind: &str, object: &Value| {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        format!("{kind} {namespace}/{}", object["metadata"]["name"].as_str().unwrap_or_default())
    };
    let mut rules = BTreeMap::new();
    for role in tools::list(cluster, "clusterroles,roles", &[])? {
        rules.insert(key(role["kind"].as_str().unwrap_or_default(), &role), role["rules"].clone());
    }
    let mut rights = Vec::new();
    for binding in tools::list(cluster, "clusterrolebindings,rolebindings", &[])? {
        let bound_in = binding["metadata"]["namespace"].as_str().unwrap_or_default();
        let kind = binding["roleRef"]["kind"].as_str().unwrap_or_default();
        let place = if kind == "ClusterRole" { "" } else { bound_in };
        let role = format!("{kind} {place}/{}", binding["roleRef"]["name"].as_str().unwrap_or_default());
        for subject in binding["subjects"].as_array().into_iter().flatten() {
            let namespace = subject["namespace"].as_str().unwrap_or_default();
            if subject["kind"] != "ServiceAccount" || namespace.starts_with("kube-") {
                continue;
            }
            let user = format!("system:serviceaccount:{namespace}:{}", subject["name"].as_str().unwrap_or_default());
            for rule in rules.get(&role).and_then(Value::as_array).into_iter().flatten() {
                for group in texts(&rule["apiGroups"]) {
                    for resource in texts(&rule["resources"]) {
                        for verb in texts(&rule["verbs"]) {
                            rights.push(Right {
                                user: user.clone(),
                                role: role.clone(),
                                namespace: bound_in.to_owned(),
                                group: group.clone(),
                                resource: resource.clone(),
                                verb,
                                names: texts(&rule["resourceNames"]),
                            });
                        }
                    }
                }
            }
        }
    }
    Ok(rights)
}

/// Last of the run, when every other promise has been kept: see hack/test.
#[tokio::test]
async fn every_right_was_needed_and_none_twice() -> Result<()> {
    let cluster = Cluster::connect().await?;
    let rights = recorded(&cluster)?;
    ensure!(!rights.is_empty(), "nothing was installed before: run the other promises first, on the same cluster");
    let mut asked: Vec<Request> = Audit::of_all(cluster.run()).requests()?;
    asked.sort();
    asked.dedup();
    // A right is needed if some request is allowed by it alone: without it, that request is refused.
    let needed: BTreeSet<_> = rights
        .iter()
        .filter(|right| {
            let others: Vec<_> = rights.iter().filter(|other| !right.same(other)).collect();
            asked.iter().any(|request| right.covers(request) && !others.iter().any(|other| other.covers(request)))
        })
        .map(Right::kind)
        .collect();
    let superfluous: BTreeSet<_> = rights
        .iter()
        .filter(|right| !needed.contains(&right.kind()) && !right.rare())
        .map(|right| {
            let (program, resource, verb, scope) = right.kind();
            format!("{program}: {verb} {resource} {scope} ({})", right.role)
        })
        .collect();
    let superfluous: Vec<_> = superfluous.into_iter().collect();
    ensure!(superfluous.is_empty(), "granted, and no request needed it:\n{}", superfluous.join("\n"));
    Ok(())
}

#[test]
fn a_right_covers_what_rbac_says_it_covers() {
    let user = "system:serviceaccount:a:x";
    let right = Right {
        user: user.to_owned(),
        role: String::new(),
        namespace: "a".to_owned(),
        group: String::new(),
        resource: "secrets".to_owned(),
        verb: "get".to_owned(),
        names: vec!["one".to_owned()],
    };
    let request = |namespace: &str, resource: &str, name: &str| Request {
        user: user.to_owned(),
        verb: "get".to_owned(),
        group: String::new(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        code: 200,
    };
    assert!(right.covers(&request("a", "secrets", "one")));
    assert!(!right.covers(&request("b", "secrets", "one")), "another namespace");
    assert!(!right.covers(&request("a", "secrets", "two")), "another name");
    assert!(!right.covers(&request("a", "secrets/status", "one")), "a subresource is a resource of its own");
}
