//! The least OpenAPI that `kubectl apply` works with: for each kind a patch operation that takes `fieldValidation`. No schemas, so
//! `kubectl explain` has nothing to explain.
//!
//! Upstream: kubectl asks only whether the server validates fields itself, and falls back to its own types for patches.

use api_kinds::{Registry, Resource};
use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use serde_json::{Map, Value, json};

use super::accept::Format;
use super::discovery::digest;
use super::reply::{Refusal, Reply};
use super::{Api, Call, wrong_method};

/// `api/v1`, `apis/G/V`: every version that is served.
fn paths(registry: &Registry) -> Vec<String> {
    let mut paths: Vec<String> = registry.all().map(|resource| path_of(resource)).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn path_of(resource: &Resource) -> String {
    if resource.group.is_empty() { format!("api/{}", resource.version) } else { format!("apis/{}", resource.api_version()) }
}

/// `/openapi/v3`.
pub(super) fn index(call: &Call) -> Result<Reply, Refusal> {
    if call.method != Method::GET {
        return Err(wrong_method());
    }
    let entries = paths(&call.registry).into_iter().map(|path| {
        let url = format!("/openapi/v3/{path}?hash={}", digest(&document(&call.registry, &path)));
        (path, json!({ "serverRelativeURL": url }))
    });
    let entries: Map<String, Value> = entries.collect();
    Ok(Reply::json(200, json!({ "paths": entries }).to_string().into(), Format::Json)
        .with(CONTENT_TYPE, "text/plain; charset=utf-8"))
}

/// gnostic's `Document` with nothing but `swagger: "2.0"` and `info {title: "Kubernetes", version: "1.36"}`: fields 1 and 2.
const V2: &[u8] = b"\x0a\x032.0\x12\x12\x0a\x0aKubernetes\x12\x041.36";

/// `/openapi/v2`: kubectl looks here for what has no path of its own, such as a `List` in a file, and takes a kind that it does
/// not find for one that need not be checked.
pub(super) fn v2(call: &Call) -> Result<Reply, Refusal> {
    if call.method != Method::GET {
        return Err(wrong_method());
    }
    let wants = call.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if wants.contains("application/com.github.proto-openapi.spec.v2") {
        let kind = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
        // Not as JSON, which ends with a line break.
        return Ok(Reply::text(200, Bytes::from_static(V2)).with(CONTENT_TYPE, kind));
    }
    let document =
        json!({ "swagger": "2.0", "info": { "title": "Kubernetes", "version": "1.36" }, "paths": {}, "definitions": {} });
    Ok(Reply::json(200, document.to_string().into(), Format::Json))
}

/// `/openapi/v3/apis/G/V`.
pub(super) fn group(_api: &Api, call: &Call, path: &str) -> Result<Reply, Refusal> {
    if call.method != Method::GET {
        return Err(wrong_method());
    }
    if !paths(&call.registry).iter().any(|known| known == path) {
        return Ok(Reply::empty(404));
    }
    let document = document(&call.registry, path);
    let hash = digest(&document);
    let tag = format!("\"{hash}\"");
    let immutable = match call.query.get("hash") {
        Some(asked) if asked != hash => {
            return Ok(Reply::empty(301).with(LOCATION, &format!("/openapi/v3/{path}?hash={hash}")));
        }
        asked => asked.is_some(),
    };
    let known = call.headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let reply = if known { Reply::empty(304) } else { Reply::json(200, document, Format::Json) };
    let reply = reply.with(ETAG, &tag);
    Ok(if immutable { reply.with(CACHE_CONTROL, "public, immutable") } else { reply })
}

fn document(registry: &Registry, path: &str) -> Bytes {
    let resources = registry.all().filter(|resource| path_of(resource) == path);
    let paths: Map<String, Value> = resources.flat_map(|resource| operations(resource, path)).collect();
    let document = json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "1.36"},
        "paths": paths, "components": {"schemas": {}}
    });
    document.to_string().into()
}

/// The operations on a collection and on an object.
fn operations(resource: &Resource, path: &str) -> [(String, Value); 2] {
    let place = if resource.namespaced() { "namespaces/{namespace}/" } else { "" };
    let collection = format!("/{path}/{place}{}", resource.plural);
    let operation = |action: &str, parameters: &[&str]| {
        let parameters = parameters.iter().map(|name| {
            let kind = if *name == "force" { "boolean" } else { "string" };
            json!({"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": true}})
        });
        let parameters: Vec<Value> = parameters.collect();
        json!({
            "operationId": format!("{action}-{}-{}", resource.plural, resource.api_version()),
            "parameters": parameters,
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": resource.group, "version": resource.version, "kind": resource.kind}
        })
    };
    let write = ["dryRun", "fieldManager", "fieldValidation"];
    let patch = ["dryRun", "fieldManager", "fieldValidation", "force"];
    let object = format!("{collection}/{{name}}");
    [
        (collection, json!({"get": operation("list", &[]), "post": operation("post", &write)})),
        (
            object,
            json!({
                "get": operation("get", &[]), "put": operation("put", &write),
                "patch": operation("patch", &patch), "delete": operation("delete", &["dryRun"])
            }),
        ),
    ]
}
