//! Nomad's jobs and volume specifications, in HCL and JSON.
//!
//! ```text
//!  text ─ hcl.rs ─> Body: values with places ─ reader.rs, fields.rs ─┬─> job.rs ─┬ workload.rs ─> workloads
//!         api.rs: the API's names to HCL's                            │           └ plugin.rs ───> plugins
//!                                                                     └─> specification.rs ──────> volumes
//! ```
//!
//! Source: Nomad 1.3 to 2.0, its job specification, `api.CSIVolume`, and the commands `volume create` and `volume register`.

mod api;
mod claims;
mod fields;
mod hcl;
mod job;
mod plugin;
mod reader;
mod runtime;
mod specification;
mod workload;

pub use claims::claims;
pub use fields::FIELDS;
pub use hcl::{Given, Inputs};
pub use plugin::merge;

use located::Lines;

use hcl::{Body, Content, Entry, Mistake, Place, Value};
use reader::{Inner, Reader, Report};

use crate::model::{Document, Format};
use crate::notes::{Note, Parsed, Problems};

/// What a text is, by what is at its top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A job, in HCL2 or HCL's JSON.
    Job,
    /// A job as the API has it: `{"Job": …}`.
    ApiJob,
    /// A volume specification, in HCL1 or JSON.
    Volume,
    /// Volumes as the API has them: `{"Volumes": […]}`.
    ApiVolumes,
}

/// Reads a job or a volume specification, whichever it is.
///
/// `node`: the name of the node, where what is read is about to run on one; it takes the place of `${attr.unique.hostname}`.
///
/// # Errors
/// Everything that is wrong with it, each with its place and field.
pub fn parse(text: &str, inputs: &Inputs, node: Option<&str>) -> Result<Parsed, Problems> {
    parse_located(text, inputs, node).map(|(parsed, _)| parsed)
}

/// As [`parse`], with where in the text the document's fields are, for whoever has more to say about them.
///
/// # Errors
/// As [`parse`].
pub fn parse_located(text: &str, inputs: &Inputs, node: Option<&str>) -> Result<(Parsed, Lines), Problems> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let report = Report::default();
    let mut document =
        Document { format: Format::Nomad, workloads: Vec::new(), volumes: Vec::new(), plugins: Vec::new(), namespace: None };
    if let Err(mistakes) = read(text, inputs, node, &report, &mut document) {
        mistakes.into_iter().for_each(|mistake| report.mistake(mistake));
    }
    let (mut notes, lines) = report.finish();
    let place = |(_, note): (usize, Note)| Note { place: lines.place(&note.field), ..note };
    notes.problems.extend(claims(&[&document]).into_iter().map(place));
    notes.finish(document).map(|parsed| (parsed, lines))
}

/// What a text is. It need not be good: where nothing can be said, it is a job.
pub fn form(text: &str) -> Form {
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        return match hcl::api(text) {
            Ok(node) => form_of(&node.value),
            Err(_) => Form::Job,
        };
    }
    let names: Vec<String> = hcl::top(text);
    let any = |wanted: &[&str]| wanted.iter().any(|wanted| names.iter().any(|name| name == wanted));
    if !any(&["job"]) && any(&["plugin_id", "capability", "external_id", "capacity_min", "capacity_max"]) {
        Form::Volume
    } else {
        Form::Job
    }
}

fn form_of(value: &Value) -> Form {
    let Value::Map(entries) = value else { return Form::Job };
    let has = |name: &str| entries.iter().any(|entry| entry.key == name);
    if has("Job") || has("TaskGroups") {
        Form::ApiJob
    } else if has("Volumes") || has("PluginID") {
        Form::ApiVolumes
    } else if !has("job") && (has("plugin_id") || has("capability") || has("external_id")) {
        Form::Volume
    } else {
        Form::Job
    }
}

fn read(text: &str, inputs: &Inputs, node: Option<&str>, report: &Report, document: &mut Document) -> Result<(), Vec<Mistake>> {
    let json = text.trim_start().starts_with('{');
    match form(text) {
        Form::Job => {
            let body = if json { hcl::hcl_json(text, inputs)? } else { hcl::document(text, inputs)? };
            read_job(&body, node, report, document);
        }
        Form::ApiJob => {
            let entries = object(text)?;
            let job = entries.iter().find(|entry| entry.key == "Job").map_or(Ok(entries.as_slice()), |entry| map(entry))?;
            let at = job.first().map_or(Place::default(), |entry| entry.at);
            report.be_lenient();
            let id = job.iter().find(|entry| entry.key == "ID").and_then(|entry| entry.node.value.to_text());
            add(&Inner { label: id, at, body: api::job(job) }, node, report, document);
        }
        Form::Volume => {
            let body = if json { Body::of_map(&object(text)?) } else { hcl::specification(text)? };
            report.be_lenient();
            volume(&body, "", Place { line: 1, column: 1 }, report, document);
        }
        Form::ApiVolumes => {
            let entries = object(text)?;
            report.be_lenient();
            match entries.iter().find(|entry| entry.key == "Volumes") {
                None => volume(&api::specification(&entries), "", Place { line: 1, column: 1 }, report, document),
                Some(Entry { node, .. }) => {
                    let Value::List(items) = &node.value else {
                        return Err(vec![Mistake::new(node.at, format!("Volumes should be a list, not {}", node.value.kind()))]);
                    };
                    for (index, item) in items.iter().enumerate() {
                        let Value::Map(entries) = &item.value else {
                            return Err(vec![Mistake::new(item.at, format!("a volume is an object, not {}", item.value.kind()))]);
                        };
                        volume(&api::specification(entries), &format!("Volumes[{index}]"), item.at, report, document);
                    }
                }
            }
        }
    }
    Ok(())
}

fn object(text: &str) -> Result<Vec<Entry>, Vec<Mistake>> {
    match hcl::api(text).map_err(|mistake| vec![mistake])?.value {
        Value::Map(entries) => Ok(entries),
        other => Err(vec![Mistake::new(Place { line: 1, column: 1 }, format!("expected an object, not {}", other.kind()))]),
    }
}

fn map(entry: &Entry) -> Result<&[Entry], Vec<Mistake>> {
    match &entry.node.value {
        Value::Map(entries) => Ok(entries),
        other => Err(vec![Mistake::new(entry.node.at, format!("Job should be an object, not {}", other.kind()))]),
    }
}

fn read_job(body: &Body, node: Option<&str>, report: &Report, document: &mut Document) {
    let start = Place { line: 1, column: 1 };
    if let Some(item) = body.items.iter().find(|item| matches!(item.name.as_str(), "csi_plugin" | "task" | "group" | "volume")) {
        let kind = match &item.content {
            Content::Block { .. } => "block",
            Content::Attribute(_) => "field",
        };
        let home = match item.name.as_str() {
            "csi_plugin" => "a task (job > group > task > csi_plugin)",
            "task" => "a group (job > group > task)",
            "volume" => "a group (job > group > volume)",
            _ => "a job",
        };
        report.problem(item.at, item.name.clone(), format!("this {kind} belongs in {home}; by itself it runs nothing"));
        return;
    }
    let reader = Reader::new("file", "", start, body, report);
    let jobs = reader.labelled("job");
    reader.finish();
    match jobs.as_slice() {
        [] => {
            report.problem(start, "job", "is required: a job file has one, a volume specification has plugin_id and capability")
        }
        [only] => add(only, node, report, document),
        [_, second, ..] => report.problem(second.at, "job", "is there twice: a file has one job"),
    }
}

fn add(inner: &Inner, node: Option<&str>, report: &Report, document: &mut Document) {
    let Some(job) = job::job(inner, report) else { return };
    document.plugins = plugin::plugins(&job, node, report);
    document.workloads = workload::workloads(&job, node, report);
    document.namespace = job.namespace.clone();
    let mut names = std::collections::BTreeSet::new();
    for workload in &document.workloads {
        if !names.insert(&workload.name) {
            let message = format!("would be called {} in Kubernetes, as another group is: rename one", workload.name);
            report.problem(job.at, workload.field.clone(), message);
        }
    }
}

fn volume(body: &Body, path: &str, at: Place, report: &Report, document: &mut Document) {
    let reader = Reader::new("specification", path, at, body, report);
    if let Some(found) = specification::specification(reader) {
        document.volumes.push(found.spec);
        if found.namespace.is_some() {
            document.namespace = found.namespace;
        }
    }
}

#[cfg(test)]
mod tests;
