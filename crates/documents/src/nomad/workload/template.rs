//! Templates of plain text: files, and variables.

use std::collections::BTreeMap;

use super::command::Filling;
use super::{LOCAL, SECRETS, SHARED};
use crate::model::{FileData, Mount, Propagation, Source, Target, Volume};
use crate::names::label;
use crate::nomad::job::{Task, Template};

/// The files of a task's templates: one volume, and a mount for each file.
pub(super) fn mounts(filling: &mut Filling<'_>, task: &Task, volumes: &mut Vec<Volume>) -> Vec<Mount> {
    let mut files = BTreeMap::new();
    let mut mounts = Vec::new();
    let alias = format!("{}-templates", label(&task.name));
    for (number, template) in task.templates.iter().filter(|template| !template.env).enumerate() {
        let destination = filling.fill("template > destination", &template.destination);
        let Some(path) = place(&destination) else {
            filling.problem(template, "destination", format!("{destination:?} is not below local/, secrets/ or alloc/"));
            continue;
        };
        let text = rendered(filling, template);
        let name = format!("{number}-{}", path.rsplit('/').next().unwrap_or_default());
        files.insert(name.clone(), FileData::Text(text));
        mounts.push(Mount {
            volume: alias.clone(),
            field: template.path.clone(),
            target: Target::Made(path),
            sub_path: Some(name),
            read_only: true,
            propagation: Propagation::Private,
        });
    }
    if !files.is_empty() {
        volumes.push(Volume { alias, field: format!("{} > template", task.path), source: Source::Files(files), read_only: true });
    }
    mounts
}

/// Where a task finds a file: relative ones are below its own folder's parent.
pub(crate) fn place(destination: &str) -> Option<String> {
    let parts: Vec<&str> = destination.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path = format!("/{}", parts.join("/"));
    let inside =
        [LOCAL, SECRETS, SHARED].iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
    (inside && !parts.contains(&"..")).then_some(path)
}

/// `NAME=value` lines. Upstream: Nomad `taskenv` reads them as go-envparse does.
pub(super) fn variables(filling: &mut Filling<'_>, template: &Template) -> BTreeMap<String, String> {
    let text = rendered(filling, template);
    let mut variables = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let line = line.strip_prefix("export ").unwrap_or(line);
        match line.split_once('=') {
            Some((name, value)) if is_name(name.trim()) => {
                variables.insert(name.trim().to_owned(), filling.known().plain(unquoted(value.trim())));
            }
            _ => filling.problem(template, "data", "has a line that is not NAME=value".to_owned()),
        }
    }
    variables
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// The text with its `{{ env "NAME" }}` put in, the only call that needs nobody else.
pub(crate) fn rendered(filling: &mut Filling<'_>, template: &Template) -> String {
    let mut text = String::new();
    let mut rest = template.data.as_str();
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((call, behind)) = after.split_once("}}") else {
            filling.problem(template, "data", "has a {{ without its }}".to_owned());
            return String::new();
        };
        let (open, close) = (call.starts_with("- "), call.ends_with(" -"));
        let inner = call.trim_start_matches("- ").trim_end_matches(" -").trim();
        let name = inner.strip_prefix("env ").map(|name| name.trim().trim_matches(['"', '`']));
        let Some(value) = name.map(|name| filling.known().values.get(name).cloned().unwrap_or_default()) else {
            let word = inner.split_whitespace().next().unwrap_or_default();
            let message =
                format!("calls {word:?}, which needs Consul, Vault or Nomad; text and {{{{ env \"NAME\" }}}} are read here");
            filling.problem(template, "data", message);
            return String::new();
        };
        text.push_str(if open { before.trim_end() } else { before });
        text.push_str(&value);
        rest = if close { behind.trim_start() } else { behind };
    }
    text.push_str(rest);
    text
}
