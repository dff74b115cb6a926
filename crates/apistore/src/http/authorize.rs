//! Who may do what: the one user everything, nobody else anything but to ask whether the server is there.

use apimachinery::{Details, GroupResource, Status};
use http::Method;

use super::Call;
use super::reply::Refusal;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Caller {
    /// The one user there is.
    #[default]
    Owner,
    /// Someone who showed nothing.
    Anonymous,
    /// Someone who showed what nobody knows.
    Unknown,
}

impl Caller {
    /// The user's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Owner => "longshore",
            Self::Anonymous | Self::Unknown => "system:anonymous",
        }
    }

    /// The groups that the user is in.
    pub(super) fn groups(self) -> &'static [&'static str] {
        match self {
            Self::Owner => &["system:masters", "system:authenticated"],
            Self::Anonymous | Self::Unknown => &["system:unauthenticated"],
        }
    }
}

/// What a path asks for, read from its form alone: who may not know what is served is told the same either way.
struct Asked<'a> {
    group: &'a str,
    namespace: &'a str,
    plural: &'a str,
    name: &'a str,
    subresource: &'a str,
}

impl<'a> Asked<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, rest) = match parts.as_slice() {
            ["api", _, rest @ ..] => ("", rest),
            ["apis", group, _, rest @ ..] => (*group, rest),
            _ => return None,
        };
        let rest = rest.strip_prefix(&["watch"]).unwrap_or(rest);
        let (namespace, rest) = match rest {
            ["namespaces", _, "status" | "finalize"] if group.is_empty() => ("", rest),
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
            rest => ("", rest),
        };
        let at = |index: usize| rest.get(index).copied().unwrap_or_default();
        (!rest.is_empty()).then(|| Self { group, namespace, plural: at(0), name: at(1), subresource: at(2) })
    }
}

/// Whether the caller may do this.
pub(super) fn check(call: &Call) -> Result<(), Refusal> {
    match call.caller {
        Caller::Owner => Ok(()),
        Caller::Unknown => Err(Status::unauthorized().into()),
        Caller::Anonymous if open(&call.path) => Ok(()),
        Caller::Anonymous => Err(refusal(call).into()),
    }
}

/// Anyone may ask these.
fn open(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    matches!(first, "version" | "healthz" | "livez" | "readyz")
}

fn refusal(call: &Call) -> Status {
    let user = call.caller.name();
    let Some(asked) = Asked::of(&call.path) else {
        let verb = call.method.as_str().to_ascii_lowercase();
        let message = format!("forbidden: User {user:?} cannot {verb} path {:?}", call.path);
        return Status { details: Some(Details::default()), ..Status::plain(403, Some("Forbidden"), message) };
    };
    let watches = call.query.flag("watch").unwrap_or(false) || call.path.contains("/watch/");
    let verb = match (&call.method, asked.name.is_empty()) {
        (&Method::POST, _) => "create",
        (&Method::PUT, _) => "update",
        (&Method::PATCH, _) => "patch",
        (&Method::DELETE, true) => "deletecollection",
        (&Method::DELETE, false) => "delete",
        (_, true) if watches => "watch",
        (_, true) => "list",
        (_, false) => "get",
    };
    let (group, plural) = (asked.group, asked.plural);
    let what = if asked.subresource.is_empty() { plural.to_owned() } else { format!("{plural}/{}", asked.subresource) };
    let place = match asked.namespace {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace {namespace:?}"),
    };
    let why = format!("User {user:?} cannot {verb} resource {what:?} in API group {group:?} {place}");
    Status::forbidden(&GroupResource { group: group.to_owned(), resource: plural.to_owned() }, asked.name, why)
}
