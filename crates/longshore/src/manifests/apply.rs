//! Applies documents to the API of this host, and says what is wrong with those that it refuses.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use api_kinds::{Registry, Resource};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::core::{ApiResource, GroupVersionKind, Status};
use kube::{Api, Client};
use serde_json::Value;

use super::document::{Document, Problem, read};

/// Who owns the fields that manifests set.
const MANAGER: &str = "longshore-manifests";

/// Applies manifests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Applier {
    client: Client,
    registry: Arc<dyn Fn() -> Arc<Registry> + Send + Sync>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How many documents are applied.
    pub(crate) applied: usize,
    /// What is wrong with the others.
    pub(crate) problems: Vec<Problem>,
}

impl Applier {
    /// `registry` tells what kinds are served at the moment.
    pub(crate) fn new(client: Client, registry: impl Fn() -> Arc<Registry> + Send + Sync + 'static) -> Self {
        Self { client, registry: Arc::new(registry) }
    }

    /// Applies everything in these files and folders, in their order. Idempotent. What is no longer in them is not deleted.
    pub(crate) async fn apply(&self, paths: &[PathBuf]) -> Outcome {
        let (mut unreadable, mut documents) = (Vec::new(), Vec::new());
        for path in paths {
            let (read, problems) = read(path);
            unreadable.extend(problems);
            documents.extend(read);
        }
        let mut outcome = self.apply_documents(documents).await;
        outcome.problems.extend(unreadable);
        outcome.problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        outcome
    }

    /// Applies these, in their order. Idempotent.
    pub(crate) async fn apply_documents(&self, documents: Vec<Document>) -> Outcome {
        let (mut outcome, mut waiting) = (Outcome::default(), documents);
        // A kind may be defined, or a namespace made, by a later document.
        loop {
            let before = waiting.len();
            let mut later = Vec::new();
            for document in std::mem::take(&mut waiting) {
                match self.one(&document).await {
                    Ok(()) => outcome.applied += 1,
                    Err(Refused::Later(problem)) => later.push((document, problem)),
                    Err(Refused::Now(problems)) => outcome.problems.extend(problems),
                }
            }
            if later.len() == before {
                outcome.problems.extend(later.into_iter().map(|(_, problem)| problem));
                break;
            }
            waiting = later.into_iter().map(|(document, _)| document).collect();
            if waiting.is_empty() {
                break;
            }
        }
        outcome
    }

    /// Deletes the object of a document; one that is not there is deleted.
    ///
    /// # Errors
    /// The API's refusal.
    pub(crate) async fn delete(&self, document: &Document) -> anyhow::Result<()> {
        let Ok(resource) = self.resource(document) else { return Ok(()) };
        let name = text(&document.object, "name");
        match self.api(document, &resource).delete(name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(error) if cluster::live::is_not_found(&error) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("cannot delete {} {name}", resource.kind)),
        }
    }

    fn api(&self, document: &Document, resource: &Resource) -> Api<DynamicObject> {
        let (api_version, kind) = (resource.api_version(), resource.kind.clone());
        let (group, version) = (resource.group.clone(), resource.version.clone());
        let gvk = GroupVersionKind { group, version, kind };
        let served = ApiResource { api_version, ..ApiResource::from_gvk_with_plural(&gvk, &resource.plural) };
        let namespace = Some(text(&document.object, "namespace")).filter(|namespace| !namespace.is_empty());
        match resource.namespaced() {
            true => Api::namespaced_with(self.client.clone(), namespace.unwrap_or("default"), &served),
            false => Api::all_with(self.client.clone(), &served),
        }
    }

    async fn one(&self, document: &Document) -> Result<(), Refused> {
        let resource = self.resource(document)?;
        check(document, &resource)?;
        let name = text(&document.object, "name");
        if name.is_empty() {
            let why = "is required: an object without it would be another one at every start";
            return Err(Refused::Now(vec![document.problem("metadata.name", why)]));
        }
        let params = PatchParams { field_validation: Some(ValidationDirective::Strict), ..PatchParams::apply(MANAGER).force() };
        match self.api(document, &resource).patch(name, &params, &Patch::Apply(&document.object)).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) => Err(refusal(document, &status)),
            Err(error) => Err(Refused::Now(vec![document.problem("", cluster::chain(&error))])),
        }
    }

    fn resource(&self, document: &Document) -> Result<Arc<Resource>, Refused> {
        let field = |name: &str| document.object.get(name).and_then(Value::as_str).unwrap_or_default();
        let (version, kind) = (field("apiVersion"), field("kind"));
        for (name, value) in [("apiVersion", version), ("kind", kind)] {
            if value.is_empty() {
                return Err(Refused::Now(vec![document.problem(name, "is required")]));
            }
        }
        (self.registry)().of_kind(version, kind).ok_or_else(|| {
            Refused::Later(
                document.problem("kind", format!("{kind} of {version} is not served here (kubectl api-resources lists what is)")),
            )
        })
    }
}

/// Why a document is not applied.
enum Refused {
    /// It may be later in this round: something it needs may still come.
    Later(Problem),
    /// Each thing that is wrong.
    Now(Vec<Problem>),
}

/// Fields that the kind does not have, all of them at once; apply would name only the first.
fn check(document: &Document, resource: &Resource) -> Result<(), Refused> {
    let mut copy = document.object.clone();
    let problems = match resource.schema.decode(&mut copy, &resource.kind) {
        Ok(unknown) => {
            unknown.iter().map(|field| document.problem(field, format!("{} has no such field", resource.kind))).collect()
        }
        Err(error) => {
            let said = error.to_string();
            vec![document.problem(go_field(&said), said.clone())]
        }
    };
    let problems: Vec<Problem> = problems;
    if problems.is_empty() { Ok(()) } else { Err(Refused::Now(problems)) }
}

/// The field in Go's words for a wrong type: `… Go struct field ConfigMap.data of type string`. Empty if there is none.
fn go_field(said: &str) -> &str {
    let named = said.split_once("Go struct field ").and_then(|(_, rest)| rest.split_once(" of type"));
    named.and_then(|(name, _)| name.split_once('.')).map_or("", |(_, field)| field)
}

fn refusal(document: &Document, status: &Status) -> Refused {
    let details = status.details.as_ref();
    if status.code == 404 && details.is_some_and(|details| details.kind == "namespaces") {
        return Refused::Later(document.problem("metadata.namespace", status.message.clone()));
    }
    let causes = details.map(|details| details.causes.as_slice()).unwrap_or_default();
    let mut problems: Vec<Problem> = causes
        .iter()
        .filter(|cause| !cause.field.is_empty())
        .map(|cause| document.problem(&cause.field, cause.message.clone()))
        .collect();
    problems.dedup();
    if problems.is_empty() {
        problems.push(document.problem("", status.message.clone()));
    }
    Refused::Now(problems)
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}
