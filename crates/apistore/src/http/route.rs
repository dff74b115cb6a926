//! Which path leads where.

use std::sync::Arc;

use api_kinds::{Registry, Resource, Subresource};
use apimachinery::Status;

use super::query::unescape;
use super::reply::Refusal;
use super::reviews::Review;

/// What a path names.
#[derive(Debug)]
pub(super) enum Route {
    /// All objects of a kind, or those of one namespace.
    Collection { resource: Arc<Resource>, namespace: Option<String>, watch: bool },
    /// One object. `watch`: by the old path that watches it.
    Object { resource: Arc<Resource>, namespace: String, name: String, subresource: Subresource, watch: bool },
    /// A question that is answered and not stored.
    Review(Review),
    /// `/`.
    Paths,
    /// `/api`.
    CoreVersions,
    /// `/apis`.
    Groups,
    /// `/apis/G`.
    Group(String),
    /// `/api/v1`, `/apis/G/V`.
    Resources(String, String),
    /// `/version`.
    Version,
    /// `/healthz` and its like, and which check.
    Health(Option<String>),
    /// `/openapi/v3`.
    OpenApi,
    /// `/openapi/v2`
    OpenApiV2,
    /// `/openapi/v3/apis/G/V`: of this path.
    OpenApiGroup(String),
}

impl Route {
    /// What is said to everybody who uses a version that its definition calls deprecated.
    pub(super) fn deprecation(&self) -> Option<&str> {
        match self {
            Self::Collection { resource, .. } | Self::Object { resource, .. } => resource.custom.as_ref()?.deprecation(),
            _ => None,
        }
    }
}

/// Where this path leads.
pub(super) fn find(path: &str, registry: &Registry) -> Result<Route, Refusal> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let raw: Vec<&str> = trimmed.split('/').collect();
    match raw.as_slice() {
        [""] => return Ok(Route::Paths),
        ["version"] => return Ok(Route::Version),
        ["healthz" | "livez" | "readyz"] if path == trimmed => return Ok(Route::Health(None)),
        ["healthz" | "livez" | "readyz", check] if path == trimmed => return Ok(Route::Health(Some((*check).to_owned()))),
        ["openapi", "v2"] => return Ok(Route::OpenApiV2),
        ["openapi", "v3"] => return Ok(Route::OpenApi),
        ["openapi", "v3", ..] => return Ok(Route::OpenApiGroup(raw[2..].join("/"))),
        ["api"] => return Ok(Route::CoreVersions),
        ["apis"] => return Ok(Route::Groups),
        _ => {}
    }
    if raw.contains(&"") {
        return Err(Refusal::NoPage);
    }
    let parts: Option<Vec<String>> = raw.iter().map(|part| unescape(part, false).filter(|part| !part.contains('/'))).collect();
    let parts = parts.ok_or_else(Status::no_such_resource)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (group, rest) = match parts.as_slice() {
        ["api", rest @ ..] => ("", rest),
        ["apis", group, rest @ ..] => (*group, rest),
        _ => return Err(Refusal::NoPage),
    };
    let served = Group::of(group, registry).ok_or(Refusal::NoPage)?;
    let [version, rest @ ..] = rest else { return Ok(Route::Group(group.to_owned())) };
    if !served.versions.contains(version) {
        return Err(served.refusal());
    }
    if rest.is_empty() {
        return Ok(Route::Resources(group.to_owned(), (*version).to_owned()));
    }
    if let Some(review) = Review::at(group, version, rest) {
        return Ok(Route::Review(review));
    }
    let (watch, rest) = match rest {
        ["watch", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    resource(Place { registry, group, version, watch }, rest, &served)
}

/// What is known of a group.
struct Group<'a> {
    versions: Vec<&'a str>,
    /// Its resources come from CustomResourceDefinitions.
    custom: bool,
}

impl<'a> Group<'a> {
    fn of(group: &str, registry: &'a Registry) -> Option<Self> {
        let mut versions = registry.versions(group);
        versions.extend(Review::versions(group));
        let custom = registry.all().filter(|resource| resource.group == group).all(|resource| resource.custom.is_some());
        (!versions.is_empty()).then_some(Self { versions, custom: custom && Review::versions(group).is_empty() })
    }

    /// Upstream asks about a group of custom resources in another place than about a built-in one, and says it in other words.
    fn refusal(&self) -> Refusal {
        if self.custom { Refusal::NoPage } else { Status::no_such_resource().into() }
    }
}

#[derive(Clone, Copy)]
struct Place<'a> {
    registry: &'a Registry,
    group: &'a str,
    version: &'a str,
    watch: bool,
}

fn resource(place: Place<'_>, rest: &[&str], served: &Group<'_>) -> Result<Route, Refusal> {
    let find = |plural: &str| place.registry.find(place.group, place.version, plural).ok_or_else(|| served.refusal());
    // Namespaces are a resource themselves: `namespaces/x/status` is no collection.
    let (namespace, rest) = match rest {
        ["namespaces", _, "status" | "finalize"] if place.group.is_empty() => (None, rest),
        ["namespaces", namespace, plural, rest @ ..] => (Some((*namespace, *plural)), rest),
        rest => (None, rest),
    };
    let (namespace, plural, rest) = match (namespace, rest) {
        (Some((namespace, plural)), rest) => (Some(namespace), plural, rest),
        (None, [plural, rest @ ..]) => (None, *plural, rest),
        (None, []) => return Err(served.refusal()),
    };
    let resource = find(plural)?;
    if namespace.is_some() && !resource.namespaced() || namespace.is_none() && resource.namespaced() && !rest.is_empty() {
        return Err(served.refusal());
    }
    let watch = place.watch;
    let (name, subresource) = match rest {
        [] => return Ok(Route::Collection { resource, namespace: namespace.map(str::to_owned), watch }),
        [name] => (*name, Subresource::Main),
        [name, _, _, ..] if resource.custom.is_some() => return Err(Status::not_found(&resource.group_resource(), name).into()),
        [name, word] => match subresource(word).filter(|&found| resource.has(found)) {
            Some(found) => (*name, found),
            None if resource.custom.is_some() => return Err(Status::not_found(&resource.group_resource(), name).into()),
            None => return Err(served.refusal()),
        },
        _ => return Err(served.refusal()),
    };
    let namespace = namespace.unwrap_or_default().to_owned();
    Ok(Route::Object { resource, namespace, name: name.to_owned(), subresource, watch })
}

/// The subresource of this name.
pub(super) fn subresource(word: &str) -> Option<Subresource> {
    [Subresource::Status, Subresource::Finalize, Subresource::Binding, Subresource::Token]
        .into_iter()
        .find(|&subresource| subresource.name() == word)
}
