//! The messages as they are written, before anything is made of them. What is absent and what is `null` are the same.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::lenient::{Many, Number};
use super::place::{Places, Problem};

/// `CSIPluginInfo`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "a JSON object with `type` and `endpoints` or `containers` (CSIPluginInfo)")]
pub(super) struct Info {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) name: Option<String>,
    pub(super) containers: Many<Container>,
    pub(super) endpoints: Many<Endpoint>,
    pub(super) target_path_root: Option<String>,
    pub(super) target_path_exists: Option<bool>,
}

/// `CSIPluginEndpoint`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with csi_service and endpoint")]
pub(super) struct Endpoint {
    pub(super) csi_service: Option<String>,
    pub(super) endpoint: Option<String>,
}

/// `CSIPluginContainerInfo`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with services and command")]
pub(super) struct Container {
    pub(super) services: Many<String>,
    pub(super) command: Option<Command>,
    pub(super) resources: Many<Resource>,
    pub(super) container: Option<ContainerInfo>,
}

/// `CommandInfo`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with value")]
pub(super) struct Command {
    pub(super) value: Option<String>,
    pub(super) shell: Option<bool>,
    pub(super) arguments: Many<String>,
    pub(super) environment: Option<Environment>,
    pub(super) user: Option<String>,
    pub(super) uris: Many<IgnoredAny>,
}

/// `Environment`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with variables")]
pub(super) struct Environment {
    pub(super) variables: Many<Variable>,
}

/// `Environment.Variable`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with name and value")]
pub(super) struct Variable {
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) value: Option<String>,
    pub(super) secret: Option<Secret>,
}

/// `Secret`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with type and value")]
pub(super) struct Secret {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) reference: Option<Reference>,
    pub(super) value: Option<SecretValue>,
}

/// `Secret.Reference`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with name")]
pub(super) struct Reference {
    pub(super) name: Option<String>,
    pub(super) key: Option<String>,
}

/// `Secret.Value`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with data")]
pub(super) struct SecretValue {
    /// Base64.
    pub(super) data: Option<String>,
}

/// `Resource`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with name, type and scalar")]
pub(super) struct Resource {
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) scalar: Option<Scalar>,
    pub(super) role: Option<String>,
    pub(super) ranges: Option<IgnoredAny>,
    pub(super) set: Option<IgnoredAny>,
}

/// `Value.Scalar`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with value")]
pub(super) struct Scalar {
    pub(super) value: Option<Number>,
}

/// `ContainerInfo`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with type")]
pub(super) struct ContainerInfo {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) volumes: Many<Volume>,
    pub(super) hostname: Option<String>,
    pub(super) docker: Option<DockerInfo>,
    pub(super) mesos: Option<MesosInfo>,
    pub(super) network_infos: Option<IgnoredAny>,
    pub(super) linux_info: Option<IgnoredAny>,
    pub(super) rlimit_info: Option<IgnoredAny>,
    pub(super) tty_info: Option<IgnoredAny>,
}

/// `Volume`, as far as a plugin may have one.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with mode, container_path and host_path")]
pub(super) struct Volume {
    pub(super) mode: Option<String>,
    pub(super) container_path: Option<String>,
    pub(super) host_path: Option<String>,
    pub(super) image: Option<IgnoredAny>,
    pub(super) source: Option<VolumeSource>,
}

/// `Volume.Source`, as far as a plugin may have one.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with type")]
pub(super) struct VolumeSource {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) host_path: Option<HostPath>,
}

/// `Volume.Source.HostPath`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with path")]
pub(super) struct HostPath {
    pub(super) path: Option<String>,
    pub(super) mount_propagation: Option<MountPropagation>,
}

/// `MountPropagation`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with mode")]
pub(super) struct MountPropagation {
    pub(super) mode: Option<String>,
}

/// `ContainerInfo.DockerInfo`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with image")]
pub(super) struct DockerInfo {
    pub(super) image: Option<String>,
    pub(super) network: Option<String>,
    pub(super) port_mappings: Option<IgnoredAny>,
    pub(super) privileged: Option<bool>,
    pub(super) parameters: Many<IgnoredAny>,
    pub(super) force_pull_image: Option<bool>,
}

/// `ContainerInfo.MesosInfo`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with image")]
pub(super) struct MesosInfo {
    pub(super) image: Option<Image>,
}

/// `Image`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with type")]
pub(super) struct Image {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) docker: Option<ImageDocker>,
    pub(super) cached: Option<bool>,
}

/// `Image.Docker`.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object with name")]
pub(super) struct ImageDocker {
    pub(super) name: Option<String>,
    pub(super) credential: Option<IgnoredAny>,
    pub(super) config: Option<IgnoredAny>,
}

/// The message, and the paths of fields that it does not have.
pub(super) fn read(places: &Places<'_>) -> Result<(Info, Vec<String>), Problem> {
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let mut text = serde_json::Deserializer::from_str(places.text);
    let read = {
        let tracked = serde_path_to_error::Deserializer::new(&mut text, &mut track);
        let mut note = |path: serde_ignored::Path<'_>| unknown.push(of_ignored(&path.to_string()));
        Info::deserialize(serde_ignored::Deserializer::new(tracked, &mut note))
    };
    let info = read.map_err(|error| {
        let path = track.path().to_string();
        let field = if path == "." { String::new() } else { path };
        places.at(Some(error.line()), &field, without_value(&error))
    })?;
    Ok((info, unknown))
}

/// Fields that hold one message each.
const MESSAGES: [&str; 13] = [
    "command",
    "container",
    "docker",
    "environment",
    "host_path",
    "image",
    "mesos",
    "mount_propagation",
    "reference",
    "scalar",
    "secret",
    "source",
    "value",
];

/// Where a list stands in a message's place, which serde would read as the message's fields in their order.
pub(super) fn misplaced_list(value: &Value, path: &str) -> Option<String> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let wrong = value.is_array() && MESSAGES.contains(&name.as_str());
            if wrong { Some(path) } else { misplaced_list(value, &path) }
        }),
        Value::Array(elements) => elements.iter().enumerate().find_map(|(index, element)| {
            let path = format!("{path}[{index}]");
            if element.is_array() { Some(path) } else { misplaced_list(element, &path) }
        }),
        _ => None,
    }
}

/// What serde says of a value of another type, without the value, which may be secret, and without the place, which is said already.
fn without_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(before, _)| before);
    let Some(rest) = text.strip_prefix("invalid type: ") else {
        return text.to_owned();
    };
    let is = rest.split([' ', ',']).next().unwrap_or_default();
    let expected = rest.rsplit_once("expected ").map_or("something else", |(_, expected)| expected);
    let is = match is {
        "string" => "a text",
        "map" => "an object",
        "sequence" => "a list",
        "integer" | "floating" => "a number",
        "boolean" => "true or false",
        "null" => "null",
        _ => "something else",
    };
    format!("is {is}; expected {expected}")
}

/// `containers.0.command.valeu` is `containers[0].command.valeu`; a `?` stands for what only wraps.
fn of_ignored(path: &str) -> String {
    let mut field = String::new();
    for segment in path.split('.').filter(|segment| *segment != "?") {
        match segment.parse::<usize>() {
            Ok(index) if !field.is_empty() => field.push_str(&format!("[{index}]")),
            _ if field.is_empty() => field.push_str(segment),
            _ => {
                field.push('.');
                field.push_str(segment);
            }
        }
    }
    field
}
