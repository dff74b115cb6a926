//! The verbs on objects and collections.

use std::sync::Arc;

use api_kinds::{Resource, Subresource};
use apimachinery::Status;
use bytes::Bytes;
use http::Method;

use super::accept::{self, Accepted, Of, View};
use super::options::{self, ListOptions};
use super::reply::{Refusal, Reply};
use super::views::Shower;
use super::watch::{self, Lines};
use super::{Api, Call, body, encode, wrong_method};
use crate::{Answer, ListRequest, Patch, Selection, WatchRequest, WriteOptions, WriteRequest, WriteVerb, Written};

/// Which object, and through which door.
pub(super) struct Target {
    pub(super) resource: Arc<Resource>,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) subresource: Subresource,
}

/// A request on all objects of a kind.
pub(super) async fn collection<B: hyper::body::Body>(
    api: &Api,
    call: &Call,
    resource: Arc<Resource>,
    namespace: Option<String>,
    watch: bool,
    body: B,
) -> Result<Reply, Refusal> {
    let everywhere = resource.namespaced() && namespace.is_none();
    match call.method {
        Method::GET => {
            let options = ListOptions::parse(&call.query, &resource)?;
            if watch || options.watch {
                return watching(api, call, resource.clone(), namespace, options);
            }
            list(api, call, resource.clone(), namespace, options).await
        }
        Method::POST if !everywhere && !watch => {
            let target = Target {
                resource,
                namespace: namespace.unwrap_or_default(),
                name: String::new(),
                subresource: Subresource::Main,
            };
            create(api, call, target, body).await
        }
        Method::DELETE if !everywhere && !watch && resource.storage_key() != "namespaces" => {
            delete_all(api, call, resource, namespace.unwrap_or_default(), body).await
        }
        // Custom resources of all namespaces can be read, and to write them is no path at all.
        _ if everywhere && resource.custom.is_some() => Err(Refusal::NoPage),
        _ => Err(wrong_method()),
    }
}

/// A request on one object.
pub(super) async fn one<B: hyper::body::Body>(api: &Api, call: &Call, target: Target, body: B) -> Result<Reply, Refusal> {
    let through = target.subresource;
    match call.method {
        Method::GET if matches!(through, Subresource::Main | Subresource::Status) => get(api, call, &target).await,
        Method::PUT if matches!(through, Subresource::Main | Subresource::Status | Subresource::Finalize) => {
            update(api, call, target, body).await
        }
        Method::PATCH if matches!(through, Subresource::Main | Subresource::Status) => patch(api, call, target, body).await,
        Method::DELETE if through == Subresource::Main => delete(api, call, target, body).await,
        Method::POST if through == Subresource::Binding => create(api, call, target, body).await,
        _ => Err(wrong_method()),
    }
}

/// The old path that watches one object.
pub(super) async fn watch_one(
    api: &Api,
    call: &Call,
    resource: Arc<Resource>,
    namespace: String,
    name: &str,
) -> Result<Reply, Refusal> {
    if call.method != Method::GET {
        return Err(wrong_method());
    }
    let mut options = ListOptions::parse(&call.query, &resource)?;
    options.selection.fields.terms.push(("metadata.name".to_owned(), true, name.to_owned()));
    let namespace = resource.namespaced().then_some(namespace);
    watching(api, call, resource.clone(), namespace, options)
}

async fn get(api: &Api, call: &Call, target: &Target) -> Result<Reply, Refusal> {
    let Target { resource, namespace, name, .. } = target;
    let Accepted { format, view } = accept::negotiate(&call.headers, &call.query, Of::Objects)?;
    let shower = Shower::new(resource, view, &call.query, api.ctx.timestamp())?;
    let asked = match call.query.text("resourceVersion") {
        "" => 0,
        text => options::version(text).map_err(Status::internal)?,
    };
    if asked > api.store.version() {
        api.store.reach(asked).await?;
    }
    let found = api.store.get(resource, namespace, name);
    let object = found.ok_or_else(|| Status::not_found(&resource.group_resource(), name))?;
    Ok(Reply::json(200, shower.one(&object)?, format))
}

async fn list(
    api: &Api,
    call: &Call,
    resource: Arc<Resource>,
    namespace: Option<String>,
    options: ListOptions<'_>,
) -> Result<Reply, Refusal> {
    let Accepted { format, view } = accept::negotiate(&call.headers, &call.query, Of::Objects)?;
    let shower = Shower::new(&resource, view, &call.query, api.ctx.timestamp())?;
    let (version, limit, resume) = options.list()?;
    let request = ListRequest { resource: resource.clone(), namespace, selection: options.selection, limit, resume, version };
    let listing = api.store.list(request).await?;
    match shower.view {
        View::Whole => Ok(Reply::items(encode::list(&resource, listing), format)),
        _ => Ok(Reply::json(200, shower.list(&listing)?, format)),
    }
}

fn watching(
    api: &Api,
    call: &Call,
    resource: Arc<Resource>,
    namespace: Option<String>,
    options: ListOptions<'_>,
) -> Result<Reply, Refusal> {
    let Accepted { view, .. } = accept::negotiate(&call.headers, &call.query, Of::Watch)?;
    let since = options.since(api.store.version())?;
    let include = Shower::new(&resource, view.clone(), &call.query, api.ctx.timestamp())?.include;
    if matches!(view, View::Partial { list: true, .. }) {
        // A list is no shape of an event: upstream ends the stream before the first.
        return Ok(Reply::lines(futures::stream::empty()));
    }
    let lines = Lines { ctx: api.ctx.clone(), resource: resource.clone(), view, include, since: since.unwrap_or(0), sent: false };
    let request = WatchRequest {
        resource,
        namespace,
        selection: options.selection,
        since,
        bookmarks: options.bookmarks,
        timeout: options.timeout,
    };
    Ok(Reply::lines(watch::lines(api.store.watch(request), lines)))
}

/// What a POST or PUT carries.
async fn object<B: hyper::body::Body>(call: &Call, target: &Target, body: B) -> Result<(serde_json::Value, Vec<String>), Status> {
    let bytes = body::collect(body).await?;
    let content_type = body::content_type(&call.headers);
    if target.subresource == Subresource::Binding {
        return body::read(content_type, &bytes, &target.resource, "Binding");
    }
    let (value, duplicates) = body::read(content_type, &bytes, &target.resource, &target.resource.kind)?;
    body::check_kind(&value, &bytes, &target.resource, &call.registry)?;
    // `null` is an object that says nothing.
    let value = if value.is_null() { serde_json::json!({}) } else { value };
    Ok((value, duplicates))
}

async fn create<B: hyper::body::Body>(api: &Api, call: &Call, target: Target, body: B) -> Result<Reply, Refusal> {
    let accepted = accept::negotiate(&call.headers, &call.query, Of::Objects)?;
    let (value, duplicates) = object(call, &target, body).await?;
    let options = options::write("CreateOptions", &call.query, &call.headers, None)?;
    write(api, call, target, WriteVerb::Create(value), WriteOptions { duplicates, ..options }, accepted).await
}

async fn update<B: hyper::body::Body>(api: &Api, call: &Call, target: Target, body: B) -> Result<Reply, Refusal> {
    let accepted = accept::negotiate(&call.headers, &call.query, Of::Objects)?;
    let (value, duplicates) = object(call, &target, body).await?;
    let options = options::write("UpdateOptions", &call.query, &call.headers, None)?;
    write(api, call, target, WriteVerb::Update(value), WriteOptions { duplicates, ..options }, accepted).await
}

async fn patch<B: hyper::body::Body>(api: &Api, call: &Call, target: Target, body: B) -> Result<Reply, Refusal> {
    let accepted = accept::negotiate(&call.headers, &call.query, Of::Objects)?;
    let patch = options::patch(body::content_type(&call.headers), &call.query, &target.resource)?;
    let bytes = body::collect(body).await?;
    let mut options = options::write("PatchOptions", &call.query, &call.headers, Some(patch))?;
    let bytes = match patch {
        Patch::Apply { .. } => {
            let (json, oddities) = body::apply(bytes)?;
            options.duplicates = oddities;
            json
        }
        _ => bytes,
    };
    write(api, call, target, WriteVerb::Patch(patch, bytes), options, accepted).await
}

/// What a DELETE says, and whether it is only tried.
async fn deletion<B: hyper::body::Body>(call: &Call, body: B) -> Result<(crate::DeleteOptions, WriteOptions), Status> {
    let bytes = body::collect(body).await?;
    let from_body = body::delete_options(body::content_type(&call.headers), &bytes)?;
    let (options, dry_run) = options::delete(&call.query, from_body.as_ref())?;
    Ok((options, WriteOptions { dry_run, ..WriteOptions::default() }))
}

async fn delete<B: hyper::body::Body>(api: &Api, call: &Call, target: Target, body: B) -> Result<Reply, Refusal> {
    let accepted = accept::negotiate(&call.headers, &call.query, Of::Objects)?;
    let (deletion, options) = deletion(call, body).await?;
    // What a deletion answers with depends on the kind, not on what was asked for.
    let accepted = Accepted { view: View::Whole, ..accepted };
    write(api, call, target, WriteVerb::Delete(deletion), options, accepted).await
}

async fn delete_all<B: hyper::body::Body>(
    api: &Api,
    call: &Call,
    resource: Arc<Resource>,
    namespace: String,
    body: B,
) -> Result<Reply, Refusal> {
    let accepted = accept::negotiate(&call.headers, &call.query, Of::Objects)?;
    let list = ListOptions::parse(&call.query, &resource)?;
    let (deletion, options) = deletion(call, body).await?;
    let verb = WriteVerb::DeleteCollection(deletion, Box::<Selection>::new(list.selection), list.limit);
    let target = Target { resource, namespace, name: String::new(), subresource: Subresource::Main };
    write(api, call, target, verb, options, accepted).await
}

async fn write(
    api: &Api,
    call: &Call,
    target: Target,
    verb: WriteVerb,
    options: WriteOptions,
    accepted: Accepted,
) -> Result<Reply, Refusal> {
    let Accepted { format, view } = accepted;
    let Target { resource, namespace, name, subresource } = target;
    let shower = Shower::new(&resource, view, &call.query, api.ctx.timestamp())?;
    if matches!(shower.view, View::Partial { list: true, .. }) {
        // Found out before anything is stored.
        shower.one(&crate::Object::new("", "", 0, Bytes::from_static(b"{}")))?;
    }
    let request = WriteRequest { resource: resource.clone(), namespace, name, subresource, verb, options };
    let Written { code, answer, warnings } = api.store.write(request).await?;
    let reply = match answer {
        Answer::Object(object) => Reply::json(code, shower.one(&object)?, format),
        Answer::Success(details) => Reply::json(code, encode::success(code, &details), format),
        Answer::List(listing) => Reply::items(encode::list(&resource, listing), format),
    };
    Ok(reply.warn(&warnings))
}
