//! The message as a plugin: which fields must be there, which exclude each other, and what each means here.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use csi_client::Address;

use super::place::{Places, Problem, Warning};
use super::raw::{Endpoint, Info};
use super::{command, container, raw};
use crate::plugin::{DEFAULT_NAME, How, Part, Plugin, PluginId, Service, Targets};

/// Upstream: Mesos waits one minute for a plugin's socket.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest path of a unix socket, without its ending zero.
pub(crate) const SOCKET_PATH: usize = 107;

pub(super) fn plugin(info: Info, places: &Places<'_>, warnings: &mut Vec<Warning>) -> Result<Plugin, Problem> {
    let id = id(&info, places)?;
    let (endpoints, containers) = (&info.endpoints.0, info.containers.0);
    let parts = match (endpoints.is_empty(), containers.is_empty()) {
        (false, false) => {
            let reason = "is there beside `containers`; expected one of them: endpoints of a plugin that runs already, or containers to start";
            return Err(places.problem("endpoints", reason));
        }
        (true, true) => {
            let reason =
                "has neither `endpoints` (of a plugin that runs already) nor `containers` (to start); expected one of them";
            return Err(places.problem("", reason));
        }
        (false, true) => of_endpoints(endpoints, places, warnings)?,
        (true, false) => of_containers(containers, places, warnings)?,
    };
    let targets =
        Targets { root: target_path_root(&info.target_path_root, places)?, exists: info.target_path_exists.unwrap_or(false) };
    let plugin = Plugin { id, parts, health_timeout: HEALTH_TIMEOUT, targets };
    if plugin.targets != Targets::default() && !plugin.services().contains(&Service::Node) {
        let field = if plugin.targets.root.is_some() { "target_path_root" } else { "target_path_exists" };
        warnings.push(places.warning(field, "does nothing: the plugin has no NODE_SERVICE, which publishes volumes"));
    }
    Ok(plugin)
}

fn id(info: &Info, places: &Places<'_>) -> Result<PluginId, Problem> {
    let kind = info.kind.as_deref().unwrap_or_default();
    if kind.is_empty() {
        return Err(
            places.problem("type", "is missing; expected the name by which tasks mean this plugin, as \"org.example.csi.nfs\"")
        );
    }
    let name = info.name.as_deref().unwrap_or(DEFAULT_NAME);
    PluginId::only(kind).map_err(|error| places.problem("type", error.to_string()))?;
    PluginId::new(kind, name).map_err(|error| places.problem("name", error.to_string()))
}

fn of_endpoints(endpoints: &[Endpoint], places: &Places<'_>, warnings: &mut Vec<Warning>) -> Result<Vec<Part>, Problem> {
    let mut parts: Vec<Part> = Vec::new();
    for (index, endpoint) in endpoints.iter().enumerate() {
        let field = |name: &str| format!("endpoints[{index}].{name}");
        let service = service(endpoint.csi_service.as_deref(), &field("csi_service"), places)?;
        let socket = socket(endpoint.endpoint.as_deref().unwrap_or_default(), &field("endpoint"), places)?;
        if parts.iter().any(|part| part.services.contains(&service)) {
            let reason = format!("does nothing: an endpoint before it serves {service} already");
            warnings.push(places.warning(&format!("endpoints[{index}]"), reason));
            continue;
        }
        let how = How::Endpoint(socket);
        match parts.iter_mut().find(|part| part.how == how) {
            Some(part) => drop(part.services.insert(service)),
            None => parts.push(Part { services: BTreeSet::from([service]), how }),
        }
    }
    Ok(parts)
}

fn of_containers(
    containers: Vec<raw::Container>,
    places: &Places<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Part>, Problem> {
    let mut parts: Vec<Part> = Vec::new();
    for (index, raw) in containers.into_iter().enumerate() {
        let at = format!("containers[{index}]");
        if raw.services.0.is_empty() {
            return Err(places.problem(&format!("{at}.services"), format!("is missing; expected {}", services())));
        }
        let mut offered = BTreeSet::new();
        for (nth, text) in raw.services.0.iter().enumerate() {
            let field = format!("{at}.services[{nth}]");
            let service = service(Some(text), &field, places)?;
            if parts.iter().any(|part| part.services.contains(&service)) {
                warnings.push(places.warning(&field, format!("does nothing: a container before it serves {service} already")));
            } else {
                offered.insert(service);
            }
        }
        let (how, node) = (container::how(raw, &at, places, warnings)?, offered.contains(&Service::Node));
        if offered.is_empty() {
            warnings.push(places.warning(&at, "is not started: containers before it serve all of its services"));
            continue;
        }
        // Upstream: MESOS_AGENT_ID is for the node service alone.
        let how = if node { command::with_node_name(how) } else { how };
        parts.push(Part { services: offered, how });
    }
    Ok(parts)
}

fn services() -> String {
    Service::ALL.map(Service::name).join(" or ")
}

fn service(text: Option<&str>, field: &str, places: &Places<'_>) -> Result<Service, Problem> {
    let reason = match text {
        None | Some("") => format!("is missing; expected {}", services()),
        Some(text) => match Service::parse(text) {
            Some(service) => return Ok(service),
            None => format!("is {text:?}; expected {}", services()),
        },
    };
    Err(places.problem(field, reason))
}

/// A socket with or without `unix://`. Mesos hands the text to gRPC, so only the first form is sure to work there.
fn socket(text: &str, field: &str, places: &Places<'_>) -> Result<PathBuf, Problem> {
    let wrong = |what: String| {
        Err(places.problem(
            field,
            format!("{what}; expected an absolute path of a unix socket, as unix:///run/plugin/csi.sock or /run/plugin/csi.sock"),
        ))
    };
    match Address::parse(text) {
        _ if text.is_empty() => wrong("is missing".to_owned()),
        Ok(Address::Unix(path)) if !path.is_absolute() => wrong(format!("is {text:?}, a path from nowhere in particular")),
        Ok(Address::Unix(path)) if path.as_os_str().len() > SOCKET_PATH => {
            wrong(format!("has {} bytes, and the kernel takes {SOCKET_PATH} for a socket", path.as_os_str().len()))
        }
        Ok(Address::Unix(path)) if path.to_string_lossy().contains('\0') => wrong("has a NUL in it".to_owned()),
        Ok(Address::Unix(path)) => Ok(path),
        Ok(Address::Tcp(_)) => wrong(format!("is {text:?}, an address of a network, on which CSI has no protection")),
        Err(_) => wrong(format!("is {text:?}")),
    }
}

fn target_path_root(text: &Option<String>, places: &Places<'_>) -> Result<Option<PathBuf>, Problem> {
    let Some(text) = text else { return Ok(None) };
    absolute(text).map(Some).ok_or_else(|| {
        places.problem(
            "target_path_root",
            format!("is {text:?}; expected an absolute path without `..`, below which volumes are published"),
        )
    })
}

/// A path from the root that does not climb; with a trailing slash or double ones gone.
pub(super) fn absolute(text: &str) -> Option<PathBuf> {
    let path = Path::new(text);
    let climbs = path.components().any(|part| matches!(part, Component::ParentDir));
    (path.is_absolute() && !climbs && !text.contains('\0')).then(|| path.components().collect())
}
