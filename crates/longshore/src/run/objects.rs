//! The objects of documents, in the API of this host for as long as the command runs.

use std::path::Path;

use documents::kubernetes::Object;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::runtime::wait::await_condition;
use located::Lines;
use serde_json::Value;

use crate::manifests::{Applier, Document, Problem};
use crate::up::Host;

/// Who owns the fields.
const MANAGER: &str = "longshore-run";

/// What is to be there.
#[derive(Default)]
pub(crate) struct Wanted(Vec<Entry>);

struct Entry {
    document: Document,
    /// It is there after the command, too.
    stays: bool,
}

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Wanted {
    /// Objects of one file, in an order in which they can be made. One that is there already is not there twice.
    pub(crate) fn add(&mut self, file: &Path, objects: Vec<Object>, stays: bool) {
        for object in objects {
            let object = object.body.to_json();
            if !self.0.iter().any(|entry| entry.document.object == object) {
                let document = Document { file: file.to_owned(), line: 1, lines: Lines::default(), object };
                self.0.push(Entry { document, stays });
            }
        }
    }

    /// Those of one kind.
    pub(crate) fn of_kind(&self, wanted: &str) -> Vec<ObjectName> {
        let found = self.0.iter().filter(|entry| kind(&entry.document) == wanted);
        found
            .map(|entry| ObjectName { namespace: text(&entry.document, "namespace"), name: text(&entry.document, "name") })
            .collect()
    }

    /// Makes everything. What is refused is told, and the rest is there.
    pub(crate) async fn apply(&self, host: &Host) -> Vec<Problem> {
        let documents = self.0.iter().map(|entry| entry.document.clone()).collect();
        self.applier(host).apply_documents(documents).await.problems
    }

    /// Takes away what does not stay: pods first, and when they have gone with their mounts, the rest in the reverse order.
    ///
    /// # Errors
    /// The first object that could not be deleted.
    pub(crate) async fn remove(&self, host: &Host) -> anyhow::Result<()> {
        let applier = self.applier(host);
        let goes = |pod: bool| {
            let here = self.0.iter().rev().filter(move |entry| !entry.stays && (kind(&entry.document) == "Pod") == pod);
            here.map(|entry| &entry.document)
        };
        for pod in goes(true) {
            applier.delete(pod).await?;
        }
        for ObjectName { namespace, name } in self.of_kind("Pod") {
            let pods: Api<Pod> = Api::namespaced(host.parts.client(MANAGER), &namespace);
            tokio::select! {
                biased;
                () = host.parts.shutdown.requested() => return Ok(()),
                gone = await_condition(pods, &name, |pod: Option<&Pod>| pod.is_none()) => drop(gone?),
            }
        }
        for object in goes(false) {
            applier.delete(object).await?;
        }
        Ok(())
    }

    fn applier(&self, host: &Host) -> Applier {
        let store = host.parts.store.clone();
        Applier::new(host.parts.client(MANAGER), move || store.registry())
    }
}

fn kind(document: &Document) -> &str {
    document.object["kind"].as_str().unwrap_or_default()
}

fn text(document: &Document, field: &str) -> String {
    let value: &Value = &document.object["metadata"][field];
    value.as_str().unwrap_or_default().to_owned()
}
