//! Mesos' own JSON: a TaskInfo, a TaskGroupInfo, a ContainerInfo, or a list of Volumes as `mesos-execute --volumes` takes it.
//!
//! Source: `mesos.proto` of 1.11, and the way Mesos reads JSON into protobufs: a field that is null is not there, numbers may be texts,
//! one value may stand for a list. Where Mesos ignores what it does not know, this warns; where it takes an unknown word of an optional
//! enumeration for none, this refuses.

mod command;
mod fields;
mod resources;
mod secret;
mod task;
mod volumes;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::{Document, Format, Kind, Placement, Restart, Source, Update, Volume, Workload};
use crate::names::Names;
use crate::notes::{Note, Parsed, Problems};
use crate::read::{Reader, Types};

pub use fields::{GROUP, TASK};

/// What the command line of `mesos-execute` says besides the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// `--command`: needed by what has none, a ContainerInfo or a list of volumes.
    pub command: Option<String>,
    /// `--name`: of such a task. `None`: `task`.
    pub name: Option<String>,
}

/// Reads a document, of whichever of the four kinds it is.
///
/// # Errors
/// Everything that is wrong, with its place.
pub fn parse(text: &str, given: &Given) -> Result<Parsed, Problems> {
    let read = located::json(text).map_err(|damage| Problems::from(Note::from(damage)))?;
    parse_json(&read, given)
}

/// As [`parse`], of JSON that was read already.
///
/// # Errors
/// As [`parse`].
pub fn parse_json(read: &located::Json, given: &Given) -> Result<Parsed, Problems> {
    let reader = Reader::new(&read.lines, Types::Protobuf, &read.twice);
    let command = || json!({ "value": given.command.clone().unwrap_or_default() });
    let bare = |container: Value| {
        let name = given.name.clone().unwrap_or_else(|| "task".to_owned());
        json!({ "name": name, "task_id": { "value": name }, "command": command(), "container": container })
    };
    // Parts of a task are put into one, so that there is one way to read them; paths are those of the text.
    let mut around = Value::Null;
    let found = match &read.value {
        Value::Array(_) => {
            around = bare(json!({ "type": "MESOS", "volumes": read.value }));
            Found { tasks: vec![(&around, Shape::Volumes)], id: None }
        }
        Value::Object(object) if object.contains_key("tasks") => {
            reader.check(fields::GROUP, "a TaskGroupInfo of Mesos", "", &without(&read.value, "tasks"));
            let tasks = match &object["tasks"] {
                Value::Array(tasks) => tasks.iter().enumerate().map(|(index, task)| (task, Shape::InGroup(index))).collect(),
                lone => vec![(lone, Shape::InGroup(0))],
            };
            Found { tasks, id: Some("group") }
        }
        Value::Object(object)
            if object.contains_key("command") || object.contains_key("task_id") || object.contains_key("executor") =>
        {
            Found { tasks: vec![(&read.value, Shape::Task)], id: None }
        }
        Value::Object(object) if object.contains_key("type") && object.contains_key("volumes") => {
            around = bare(read.value.clone());
            Found { tasks: vec![(&around, Shape::Container)], id: None }
        }
        _ => {
            let expected = "is neither a TaskInfo (command), a TaskGroupInfo (tasks), a ContainerInfo (type and volumes), nor a list of volumes";
            reader.problem("", expected.to_owned());
            return Err(Problems(reader.finish()));
        }
    };
    let needs_command = matches!(found.tasks[..], [(_, Shape::Volumes | Shape::Container)]);
    if needs_command && given.command.as_deref().unwrap_or_default().is_empty() {
        reader.problem("", "says what is mounted, but not what is run: give --command as well".to_owned());
    }
    let workload = workload(&reader, &found);
    drop(found);
    let document = Document {
        format: Format::Mesos,
        workloads: workload.into_iter().collect(),
        volumes: Vec::new(),
        plugins: Vec::new(),
        namespace: None,
    };
    let notes = reader.finish();
    drop(around);
    notes.finish(document)
}

struct Found<'a> {
    tasks: Vec<(&'a Value, Shape)>,
    id: Option<&'static str>,
}

/// Where in the text a task comes from.
#[derive(Clone, Copy)]
enum Shape {
    Task,
    InGroup(usize),
    /// Only its `container`.
    Container,
    /// Only its `container.volumes`.
    Volumes,
}

fn without(value: &Value, name: &str) -> Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove(name);
    }
    value
}

fn workload(reader: &Reader<'_>, found: &Found<'_>) -> Option<Workload> {
    let mut volumes: Vec<Volume> = Vec::new();
    let mut tasks = Vec::new();
    let mut names = Names::default();
    let mut first: Option<task::Around> = None;
    if found.tasks.is_empty() {
        reader.problem("tasks", "is empty".to_owned());
    }
    for (value, shape) in &found.tasks {
        let (path, prefix) = match shape {
            Shape::Task => (String::new(), ""),
            Shape::InGroup(index) => (format!("tasks[{index}]"), ""),
            Shape::Container => (String::new(), "container"),
            Shape::Volumes => (String::new(), "container.volumes"),
        };
        reader.strip(prefix);
        let at = reader.at(path, value);
        reader.check(fields::TASK, "a TaskInfo of Mesos", &at.path, value);
        let Some((mut task, around)) = task::read(&at, &mut volumes) else { continue };
        match names.take(&task.name) {
            Ok(name) => task.name = name,
            Err(why) => at.wrong(why),
        }
        tasks.push(task);
        match &mut first {
            None => first = Some(around),
            Some(first) => {
                around.differ(first, &at);
                // The one that needs longest decides.
                first.grace = first.grace.max(around.grace);
            }
        }
    }
    let first = first?;
    let id = match found.id {
        Some(group) if tasks.len() > 1 => format!("{group}-{}", first.id),
        _ => first.id.clone(),
    };
    let name = match Names::default().take(&id) {
        Ok(name) => name,
        Err(why) => {
            reader.problem("task_id.value", why);
            return None;
        }
    };
    Some(Workload {
        id,
        name,
        field: String::new(),
        kind: Kind::Once,
        restart: Restart::Never,
        backoff: None,
        tasks,
        volumes,
        grace: first.grace,
        deadline: first.deadline,
        update: Update::Recreate,
        placement: Placement { node: first.agent, ..Placement::default() },
        unreachable: None,
        host_network: first.host_network,
        host_ipc: first.host_ipc,
        labels: first.labels,
    })
}

/// The same thing under an alias that is there already, or a new one.
fn shared_alias(volumes: &mut Vec<Volume>, source: Source, field: &str, read_only: bool) -> String {
    if let Some(same) = volumes.iter_mut().find(|volume| same(&volume.source, &source)) {
        // One task may write, another not.
        same.read_only &= read_only;
        return same.alias.clone();
    }
    let alias = format!("volume-{}", volumes.len());
    volumes.push(Volume { alias: alias.clone(), field: field.to_owned(), source, read_only });
    alias
}

/// Whether two places of a document mean the same volume.
fn same(a: &Source, b: &Source) -> bool {
    match (a, b) {
        (Source::Csi(a), Source::Csi(b)) => a.means(b),
        (a, b) => a == b,
    }
}

/// Labels of Mesos: a list of pairs.
fn labels(at: &crate::read::At<'_>) -> BTreeMap<String, String> {
    let list = at.get("labels").map(|labels| labels.list_of("labels")).unwrap_or_default();
    list.iter().filter_map(|label| Some((label.required("key")?.text()?, label.text_of("value").unwrap_or_default()))).collect()
}

#[cfg(test)]
mod tests;
