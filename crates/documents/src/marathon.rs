//! Marathon's apps and groups, as DC/OS 1.x and 2.x write them.
//!
//! Source: Marathon 1.5 to 1.11, which is stricter in one place and laxer in others; where this differs, the code says so.

mod app;
mod checks;
mod constraints;
mod environment;
mod fields;
mod ids;
mod ports;
mod shared;
mod volumes;

use serde_json::Value;

use crate::model::{Document, Format};
use crate::names::Names;
use crate::notes::{Note, Parsed, Problems};
use crate::read::{Reader, Types, join};

pub(crate) use app::{mib, sandbox};
pub use fields::{APP, GROUP};
pub(crate) use volumes::target;

/// Reads an app, a list of apps, or a group of them.
///
/// # Errors
/// Everything that is wrong, with its place.
pub fn parse(text: &str) -> Result<Parsed, Problems> {
    let read = located::json(text).map_err(|damage| Problems::from(Note::from(damage)))?;
    parse_json(&read)
}

/// As [`parse`], of JSON that was read already.
///
/// # Errors
/// As [`parse`].
pub fn parse_json(read: &located::Json) -> Result<Parsed, Problems> {
    let reader = Reader::new(&read.lines, Types::Exact, &read.twice);
    let mut document =
        Document { format: Format::Marathon, workloads: Vec::new(), volumes: Vec::new(), plugins: Vec::new(), namespace: None };
    let mut found = Found::default();
    match &read.value {
        Value::Array(list) => {
            for (index, app) in list.iter().enumerate() {
                found.add(&reader, &format!("[{index}]"), app, "/");
            }
        }
        value => found.add(&reader, "", value, "/"),
    }
    let mut names = Names::default();
    for workload in &mut found.apps {
        match names.take(&workload.id) {
            Ok(name) => workload.name = name,
            Err(why) => reader.problem(&join(&workload.field, "id"), why),
        }
    }
    shared::check(&reader, &found.apps);
    if found.apps.is_empty() && reader.is_well() {
        reader.problem("", "there is no app in it".to_owned());
    }
    document.workloads = found.apps;
    reader.finish().finish(document)
}

#[derive(Default)]
struct Found {
    apps: Vec<crate::model::Workload>,
}

/// Groups in groups; nobody has so many levels.
const DEEPEST: usize = 16;

impl Found {
    /// An app or a group, at this path of the text, with ids relative to this group.
    fn add(&mut self, reader: &Reader<'_>, path: &str, value: &Value, group: &str) {
        let at = reader.at(path, value);
        let Some(object) = at.object() else { return };
        if object.contains_key("containers") && !object.contains_key("container") {
            return at.wrong(
                "is a pod (containers), and Marathon's pods have no CSI volumes: write it as an app with a container of type MESOS",
            );
        }
        if !object.contains_key("apps") && !object.contains_key("groups") {
            self.apps.extend(app::read(&at, group));
            return;
        }
        let own: serde_json::Map<String, Value> = object
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "apps" | "groups"))
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect();
        reader.check(fields::GROUP, "a group of Marathon", path, &Value::Object(own));
        let id = at.text_of("id").unwrap_or_else(|| "/".to_owned());
        let group = match ids::absolute(group, &id, true) {
            Ok(id) => id,
            Err(why) => return reader.problem(&at.path_of("id"), why),
        };
        if group.split('/').count() > DEEPEST {
            return at.wrong("is nested too deep");
        }
        for list in ["apps", "groups"] {
            for inner in at.list_of(list) {
                self.add(reader, &inner.path, inner.value, &group);
            }
        }
    }
}

#[cfg(test)]
mod tests;
