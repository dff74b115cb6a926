//! What is served, and whether the server is well: read from the registry, so that custom resources appear at once.

use api_kinds::{Registry, Resource, Subresource};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH, VARY};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256, Sha512};

use super::accept::{self, Accepted, Of};
use super::encode::quoted;
use super::reply::{Refusal, Reply};
use super::reviews::Review;
use super::route::Route;
use super::{Api, Call, wrong_method};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// One of the documents that say what there is.
pub(super) fn document(_api: &Api, call: &Call, route: &Route) -> Result<Reply, Refusal> {
    if call.method != Method::GET {
        return Err(wrong_method());
    }
    let registry = &call.registry;
    let json = match route {
        Route::CoreVersions | Route::Groups => {
            let core = matches!(route, Route::CoreVersions);
            match accept::wants_aggregated(&call.headers) {
                Some(true) => return Ok(aggregated(call, core)),
                // Another version of it and nothing else is refused below.
                Some(false) | None if core => core_versions(call),
                Some(false) | None => groups(registry),
            }
        }
        Route::Group(name) => group(registry, name).to_text(true),
        Route::Resources(group, version) => resources(registry, group, version),
        Route::Version => return Ok(version()),
        Route::Health(check) => return health(call, check.as_deref()),
        Route::Paths => paths(registry),
        _ => return Err(Refusal::NoPage),
    };
    let Accepted { format, .. } = accept::negotiate(&call.headers, &call.query, Of::Document)?;
    Ok(Reply::json(200, json.into(), format))
}

fn core_versions(call: &Call) -> String {
    let host = call.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let versions = json!(call.registry.versions(""));
    let address = json!([{"clientCIDR": "0.0.0.0/0", "serverAddress": host}]);
    format!("{{\"kind\":\"APIVersions\",\"versions\":{versions},\"serverAddressByClientCIDRs\":{address}}}")
}

/// The versions of a group, the preferred one first; the reviews' groups included.
fn versions(registry: &Registry, group: &str) -> Vec<String> {
    let served = registry.versions(group).into_iter().map(str::to_owned);
    let mut versions: Vec<String> = served.chain(Review::versions(group).iter().map(|version| (*version).to_owned())).collect();
    versions.dedup();
    versions
}

/// The groups but the core group, in order.
fn group_names(registry: &Registry) -> Vec<&str> {
    let mut names: Vec<&str> = registry.groups().into_iter().chain(Review::groups()).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

struct Group {
    name: String,
    versions: Value,
    preferred: Value,
}

fn group(registry: &Registry, name: &str) -> Group {
    let versions: Vec<Value> = versions(registry, name)
        .into_iter()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    Group { name: name.to_owned(), preferred: versions.first().cloned().unwrap_or_default(), versions: versions.into() }
}

impl Group {
    fn to_text(&self, whole: bool) -> String {
        let head = if whole { "\"kind\":\"APIGroup\",\"apiVersion\":\"v1\"," } else { "" };
        let name = quoted(&self.name);
        format!("{{{head}\"name\":{name},\"versions\":{},\"preferredVersion\":{}}}", self.versions, self.preferred)
    }
}

fn groups(registry: &Registry) -> String {
    let groups: Vec<String> = group_names(registry).into_iter().map(|name| group(registry, name).to_text(false)).collect();
    format!("{{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[{}]}}", groups.join(","))
}

/// What can be done with a resource.
fn verbs(resource: &Resource, subresource: Subresource) -> Vec<&'static str> {
    match subresource {
        Subresource::Main if resource.custom.is_some() => {
            vec!["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
        }
        Subresource::Main if resource.storage_key() == "namespaces" => {
            vec!["create", "delete", "get", "list", "patch", "update", "watch"]
        }
        Subresource::Main => vec!["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        Subresource::Status => vec!["get", "patch", "update"],
        Subresource::Finalize => vec!["update"],
        Subresource::Binding | Subresource::Token => vec!["create"],
    }
}

/// Group, version and kind of what a subresource takes; empty where the enclosing ones hold.
fn body_of(resource: &Resource, subresource: Subresource) -> (&'static str, &'static str, &str) {
    match subresource {
        Subresource::Binding => ("", "", "Binding"),
        Subresource::Token => ("authentication.k8s.io", "v1", "TokenRequest"),
        _ => ("", "", &resource.kind),
    }
}

/// In the order of their names.
fn subresources(resource: &Resource) -> Vec<Subresource> {
    let mut all = resource.subresources.clone();
    all.sort_unstable_by_key(|&subresource| subresource.name());
    all
}

fn of_version<'a>(registry: &'a Registry, group: &'a str, version: &'a str) -> impl Iterator<Item = &'a Resource> {
    registry.all().map(|resource| &**resource).filter(move |resource| resource.group == group && resource.version == version)
}

/// What changes when objects are stored as another version or kind.
fn storage_version_hash(resource: &Resource) -> String {
    let version = resource.view().map_or(resource.version.as_str(), |view| view.version);
    let named = format!("{}/{version}/{}", resource.storage_group(), resource.kind);
    BASE64_STANDARD.encode(&Sha256::digest(named)[..8])
}

fn resources(registry: &Registry, group: &str, version: &str) -> String {
    let mut entries = Vec::new();
    for resource in of_version(registry, group, version) {
        let mut entry = Map::new();
        entry.insert("name".into(), resource.plural.clone().into());
        entry.insert("singularName".into(), resource.singular.clone().into());
        entry.insert("namespaced".into(), resource.namespaced().into());
        entry.insert("kind".into(), resource.kind.clone().into());
        entry.insert("verbs".into(), verbs(resource, Subresource::Main).into());
        for (field, names) in [("shortNames", &resource.short_names), ("categories", &resource.categories)] {
            if !names.is_empty() {
                entry.insert(field.into(), names.clone().into());
            }
        }
        entry.insert("storageVersionHash".into(), storage_version_hash(resource).into());
        entries.push(Value::Object(entry));
        for subresource in subresources(resource) {
            let (group, version, kind) = body_of(resource, subresource);
            let mut entry = json!({
                "name": format!("{}/{}", resource.plural, subresource.name()), "singularName": "",
                "namespaced": resource.namespaced(), "kind": kind, "verbs": verbs(resource, subresource)
            });
            if !group.is_empty() {
                entry["group"] = group.into();
                entry["version"] = version.into();
            }
            entries.push(entry);
        }
    }
    entries.extend(Review::of_version(group, version).map(|review| {
        json!({"name": review.plural(), "singularName": review.singular(), "namespaced": false, "kind": review.kind(), "verbs": ["create"]})
    }));
    // The core group's list is older than the rule that everything says its version.
    let (api, name) =
        if group.is_empty() { ("", version.to_owned()) } else { ("\"apiVersion\":\"v1\",", format!("{group}/{version}")) };
    let resources = Value::from(entries);
    format!("{{\"kind\":\"APIResourceList\",{api}\"groupVersion\":{},\"resources\":{resources}}}", quoted(&name))
}

/// Everything at once.
fn aggregated(call: &Call, core: bool) -> Reply {
    let registry = &call.registry;
    let names = if core { vec![""] } else { group_names(registry) };
    let items: Vec<Value> = names.into_iter().map(|name| aggregated_group(registry, name)).collect();
    let items = Value::from(items);
    let head = "\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"metadata\":{}";
    let json: Bytes = format!("{{{head},\"items\":{items}}}\n").into();
    let tag = format!("\"{}\"", digest(&json));
    let fresh = call.headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let reply = if fresh {
        Reply::empty(304)
    } else {
        Reply::json(200, json, super::accept::Format::Json).with(CONTENT_TYPE, AGGREGATED)
    };
    reply.with(ETAG, &tag).with(CACHE_CONTROL, "public").with(VARY, "Accept")
}

/// SHA-512, in capitals.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha512::digest(bytes).iter().map(|byte| format!("{byte:02X}")).collect()
}

fn aggregated_group(registry: &Registry, group: &str) -> Value {
    let versions = versions(registry, group).into_iter().map(|version| {
        let resources = of_version(registry, group, &version).map(aggregated_resource).chain(
            Review::of_version(group, &version).map(|review| {
                json!({
                    "resource": review.plural(), "responseKind": {"group": "", "version": "", "kind": review.kind()},
                    "scope": "Cluster", "singularResource": review.singular(), "verbs": ["create"]
                })
            }),
        );
        let resources: Vec<Value> = resources.collect();
        json!({"version": version, "resources": resources, "freshness": "Current"})
    });
    let versions: Vec<Value> = versions.collect();
    let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
    json!({"metadata": metadata, "versions": versions})
}

fn aggregated_resource(resource: &Resource) -> Value {
    let response = |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let mut entry = json!({
        "resource": resource.plural, "responseKind": response("", "", &resource.kind),
        "scope": if resource.namespaced() { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular, "verbs": verbs(resource, Subresource::Main)
    });
    for (field, names) in [("shortNames", &resource.short_names), ("categories", &resource.categories)] {
        if !names.is_empty() {
            entry[field] = names.clone().into();
        }
    }
    let below = subresources(resource).into_iter().map(|subresource| {
        let (group, version, kind) = body_of(resource, subresource);
        json!({
            "subresource": subresource.name(), "responseKind": response(group, version, kind),
            "verbs": verbs(resource, subresource)
        })
    });
    let below: Vec<Value> = below.collect();
    if !below.is_empty() {
        entry["subresources"] = below.into();
    }
    entry
}

/// The Kubernetes release whose behaviour this is.
fn version() -> Reply {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let json = json!({
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35", "gitVersion": concat!("v1.36.1+longshore.", env!("CARGO_PKG_VERSION")), "gitCommit": "",
        "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc",
        "platform": format!("{}/{arch}", std::env::consts::OS)
    });
    Reply::json(200, json.to_string().into(), super::accept::Format::Pretty)
}

fn health(call: &Call, check: Option<&str>) -> Result<Reply, Refusal> {
    // Whoever is answered has reached a store that is open; there is nothing else that could be ill.
    match check {
        None if call.query.get("verbose").is_some() => {
            let name = call.path.trim_start_matches('/');
            Ok(Reply::text(200, format!("[+]ping ok\n[+]store ok\n{name} check passed\n")))
        }
        None | Some("ping" | "store") => Ok(Reply::text(200, "ok")),
        Some(_) => Err(Refusal::NoPage),
    }
}

fn paths(registry: &Registry) -> String {
    let mut paths = vec!["/api".to_owned(), "/apis".to_owned()];
    paths.extend(registry.versions("").into_iter().map(|version| format!("/api/{version}")));
    for name in group_names(registry) {
        paths.push(format!("/apis/{name}"));
        paths.extend(versions(registry, name).into_iter().map(|version| format!("/apis/{name}/{version}")));
    }
    paths.extend(["/healthz", "/livez", "/openapi/v3", "/readyz", "/version"].map(str::to_owned));
    paths.sort_unstable();
    json!({ "paths": paths }).to_string()
}
