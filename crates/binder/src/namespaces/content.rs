//! Deletes what is in a namespace, counts what stays, and lets the namespace go when nothing does.

use cluster::kinds::Namespace;
use cluster::live::is_not_found;
use cluster::patch::Change;
use cluster::{Key, Kind, Meta, chain};
use k8s_openapi::api::core::v1::Event;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::core::Request;
use kube::discovery::ApiResource;
use kube::{Api, Resource};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tracing::info;

use super::conditions::{Left, conditions};
use super::{FINALIZER, Namespaces};
use crate::error::Error;
use crate::garbage::{Served, Slim};
use crate::writes::write;

impl Namespaces {
    /// Pods first: what else is in the namespace may be what they need to end well.
    pub(super) async fn empty(&self, namespace: &Key) -> Result<(), Error> {
        let Some(object) = self.part.caches.namespaces.get(namespace.as_str()) else { return Ok(()) };
        let Some(live) = self.read(namespace).await? else { return Ok(()) };
        if live["metadata"]["uid"] != *object.meta.uid {
            return Err(Error::Went { object: format!("Namespace {namespace}") });
        }
        let mut left = Left::default();
        let mut first = None;
        let kinds = self.part.objects.namespaced_kinds().unwrap_or_default();
        let is_pods = |served: &Served| served.api.group.is_empty() && served.api.plural == "pods";
        let (pods, others): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|served| is_pods(served));
        for served in &pods {
            self.sweep(namespace.name(), served, &mut left, &mut first).await;
        }
        if left.is_nothing() {
            for served in &others {
                self.sweep(namespace.name(), served, &mut left, &mut first).await;
            }
            self.sweep(namespace.name(), &events(), &mut left, &mut first).await;
        }
        if left.is_nothing() {
            return self.finalize(namespace, live).await;
        }
        let have = live.pointer("/status/conditions").and_then(Value::as_array).cloned().unwrap_or_default();
        let now = self.part.around.engine.ctx.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        if let Some(conditions) = conditions(&have, &left, &now) {
            let version = live["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok()).unwrap_or(0);
            let seen = Meta { version, ..object.meta.clone() };
            let change = Change::merge(json!({"status": {"conditions": conditions}})).status().if_unchanged();
            let (client, namespaces) = (&self.part.around.client, &self.part.caches.namespaces);
            write(client, namespaces, &seen, "write the conditions of Namespace", change).await?;
        }
        first.map_or(Ok(()), Err)
    }

    async fn sweep(&self, namespace: &str, served: &Served, left: &mut Left, first: &mut Option<Error>) {
        if let Err(error) = self.sweep_kind(namespace, served, left).await {
            left.errors.push(chain(&error));
            first.get_or_insert(error);
        }
    }

    async fn sweep_kind(&self, namespace: &str, served: &Served, left: &mut Left) -> Result<(), Error> {
        let client = &self.part.around.client;
        let api: Api<Slim> = Api::namespaced_with(client.clone(), namespace, &served.api);
        let failed = |attempt: &'static str| {
            let object = format!("{} of namespace {namespace}", served.api.plural);
            move |source| Error::Api { attempt, object, source }
        };
        let delete = |request: Result<http::Request<Vec<u8>>, kube::core::request::Error>| async {
            let request = request.map_err(kube::Error::BuildRequest)?;
            // What is gone by now, or never was served, has nothing to be deleted.
            match client.request::<IgnoredAny>(request).await {
                Err(error) if !is_not_found(&error) => Err(error),
                _ => Ok(()),
            }
        };
        let url = Request::new(Slim::url_path(&served.api, Some(namespace)));
        let parameters = DeleteParams::background();
        let before = list(&api).await.map_err(failed("list"))?;
        if before.is_empty() {
            return Ok(());
        }
        if served.sweepable {
            delete(url.delete_collection(&parameters, &ListParams::default())).await.map_err(failed("delete"))?;
        } else {
            for name in before.iter().filter_map(|object| object.metadata.name.as_deref()) {
                delete(url.delete(name, &parameters)).await.map_err(failed("delete"))?;
            }
        }
        for object in list(&api).await.map_err(failed("list"))? {
            *left.resources.entry(format!("{}.{}", served.api.plural, served.api.group)).or_default() += 1;
            for finalizer in object.metadata.finalizers.into_iter().flatten() {
                *left.finalizers.entry(finalizer).or_default() += 1;
            }
        }
        Ok(())
    }

    async fn read(&self, namespace: &Key) -> Result<Option<Value>, Error> {
        let failed = |source| Error::Api { attempt: "read Namespace", object: namespace.to_string(), source };
        let request = Request::new(<Namespace as Kind>::Wire::url_path(&(), None)).get(namespace.name(), &Default::default());
        let request = request.map_err(|error| failed(kube::Error::BuildRequest(error)))?;
        match self.part.around.client.request::<Value>(request).await {
            Ok(live) => Ok(Some(live)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// The version it was read at is the precondition.
    async fn finalize(&self, namespace: &Key, mut live: Value) -> Result<(), Error> {
        if let Some(finalizers) = live.pointer_mut("/spec/finalizers").and_then(Value::as_array_mut) {
            finalizers.retain(|finalizer| finalizer != FINALIZER);
        }
        let failed = |source| Error::Api { attempt: "finalize Namespace", object: namespace.to_string(), source };
        let request = Request::new(<Namespace as Kind>::Wire::url_path(&(), None));
        let body = live.to_string().into_bytes();
        let request = request.replace_subresource("finalize", namespace.name(), &PostParams::default(), body);
        let request = request.map_err(|error| failed(kube::Error::BuildRequest(error)))?;
        match self.part.around.client.request::<<Namespace as Kind>::Wire>(request).await {
            Ok(wire) => {
                info!(namespace = %namespace, "emptied and let go");
                if let Some(answer) = Namespace::compact(wire) {
                    self.part.caches.namespaces.put_answer(answer);
                }
                Ok(())
            }
            Err(error) if is_not_found(&error) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

/// Nobody collects these, but they go with their namespace.
fn events() -> Served {
    Served { api: ApiResource::erase::<Event>(&()), namespaced: true, sweepable: true }
}

/// In pages, for a namespace may be full.
async fn list(api: &Api<Slim>) -> Result<Vec<Slim>, kube::Error> {
    let mut all = Vec::new();
    let mut parameters = ListParams::default().limit(500);
    loop {
        let page = match api.list(&parameters).await {
            Ok(page) => page,
            Err(error) if is_not_found(&error) => return Ok(all),
            Err(error) => return Err(error),
        };
        all.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => return Ok(all),
        }
    }
}
