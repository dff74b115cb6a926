//! The variables of an app: its own, and those that Marathon sets.

use std::collections::BTreeMap;

use super::app::{MIB, secret};
use crate::model::{EnvValue, Image, Port, Resources};
use crate::read::At;

/// The app's own.
pub(super) fn environment(app: &At<'_>, secrets: &BTreeMap<String, String>) -> BTreeMap<String, EnvValue> {
    let mut env = BTreeMap::new();
    for (name, value) in app.get("env").map(|env| env.entries()).unwrap_or_default() {
        if name.is_empty() || name.contains(['=', '\0']) {
            value.wrong("is no name of a variable");
            continue;
        }
        let read = match value.value.is_object() {
            true => value.required("secret").and_then(|alias| secret(&alias, secrets)).map(EnvValue::Secret),
            false => value.text().map(EnvValue::Text),
        };
        env.extend(read.map(|read| (name, read)));
    }
    env
}

/// What Marathon sets itself. Source: Marathon's `EnvironmentHelper`.
pub(super) fn marathon_env(
    id: &str,
    resources: &Resources,
    labels: &BTreeMap<String, String>,
    image: Option<&Image>,
    ports: &[Port],
) -> BTreeMap<String, EnvValue> {
    let mut env = BTreeMap::new();
    let mut text = |name: &str, value: String| drop(env.insert(name.to_owned(), EnvValue::Text(value)));
    text("MARATHON_APP_ID", id.to_owned());
    if let Some(image) = image {
        text("MARATHON_APP_DOCKER_IMAGE", image.name.clone());
    }
    #[expect(clippy::cast_precision_loss, reason = "amounts of Mi")]
    let mib = |bytes: Option<u64>| bytes.unwrap_or(0) as f64 / MIB as f64;
    text("MARATHON_APP_RESOURCE_CPUS", format!("{:?}", resources.cpus.unwrap_or(0.0)));
    text("MARATHON_APP_RESOURCE_MEM", format!("{:?}", mib(resources.memory)));
    text("MARATHON_APP_RESOURCE_DISK", format!("{:?}", mib(resources.disk)));
    text("MARATHON_APP_RESOURCE_GPUS", resources.gpus.unwrap_or(0).to_string());
    let mut names = Vec::new();
    for (name, value) in labels.iter().filter(|(name, value)| name.len() <= 512 && value.len() <= 512) {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
        text(&format!("MARATHON_APP_LABEL_{name}"), value.clone());
        names.push(name);
    }
    text("MARATHON_APP_LABELS", names.join(" "));
    let numbers: Vec<String> = ports.iter().map(|port| port.host.unwrap_or(port.number).to_string()).collect();
    for (index, number) in numbers.iter().enumerate() {
        text(&format!("PORT{index}"), number.clone());
    }
    for (port, number) in ports.iter().zip(&numbers) {
        if let Some(name) = &port.name {
            let name: String =
                name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
            text(&format!("PORT_{name}"), number.clone());
        }
    }
    if let Some(first) = numbers.first() {
        text("PORT", first.clone());
        text("PORTS", numbers.join(","));
    }
    env.insert("HOST".to_owned(), EnvValue::PodField("spec.nodeName"));
    env.insert("MESOS_TASK_ID".to_owned(), EnvValue::PodField("metadata.name"));
    env
}
