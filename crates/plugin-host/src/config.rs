//! Plugin files: Mesos' `CSIPluginInfo`, and DC/OS's, which is the same. Pure: text in; a plugin with warnings, or one problem.
//!
//! Reads as Mesos does: `null` is unset, a number may be a text, a lone value stands for a list of one, enums have their exact
//! names. Beyond it: what is unknown or not honoured is a warning that names it, and what cannot work is refused with its place.
//!
//! Spec: Mesos `CSIPluginInfo`, `CommandInfo`, `Resource`, `ContainerInfo` (mesos.proto, 1.11).

mod command;
mod container;
mod folder;
mod lenient;
mod meaning;
mod place;
mod raw;
mod resources;

use crate::Plugin;

pub(crate) use meaning::SOCKET_PATH;

pub use folder::{File, read};
pub use place::{Problem, Warning};

use place::Places;

/// A file that names a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginInfo {
    /// What it asks for.
    pub plugin: Plugin,
    /// What of it does not count, and why.
    pub warnings: Vec<Warning>,
}

/// More than any plugin needs to be described.
const LARGEST: usize = 1 << 20;

/// The plugin in a file's bytes. `file` is for messages only.
///
/// # Errors
/// One problem: not JSON, another kind of document, or a field that cannot be; with line, field and what was expected.
pub fn parse(file: &str, bytes: &[u8]) -> Result<PluginInfo, Problem> {
    let whole = |reason: String| Problem { file: file.to_owned(), line: None, field: String::new(), reason };
    if bytes.len() > LARGEST {
        return Err(whole(format!("has {} bytes; expected a plugin's file, of at most {LARGEST}", bytes.len())));
    }
    let damaged = |damage: located::Damage, what: &str| {
        let place = format!("{what}{} (column {})", damage.reason, damage.place.column);
        Problem { line: Some(damage.place.line), ..whole(place) }
    };
    let text = located::text(bytes).map_err(|damage| damaged(damage, ""))?;
    if text.trim().is_empty() {
        return Err(whole("is empty; expected a JSON object with `type` and `endpoints` or `containers`".to_owned()));
    }
    let json = located::json(text).map_err(|damage| damaged(damage, "is not JSON: "))?;
    let places = Places { file, text, lines: json.lines };
    if let Some(field) = json.twice.first() {
        return Err(places.problem(field, "is there twice; expected each field once"));
    }
    if !json.value.is_object() {
        return Err(
            places.problem("", "is no JSON object; expected one with `type` and `endpoints` or `containers` (CSIPluginInfo)")
        );
    }
    if let Some(field) = raw::misplaced_list(&json.value, "") {
        return Err(places.problem(&field, "is a list; expected an object, or a text"));
    }
    let (info, unknown) = raw::read(&places)?;
    let mut warnings: Vec<Warning> = unknown
        .into_iter()
        .map(|field| places.warning(&field, "is no field of this document and does nothing; is it misspelt?"))
        .collect();
    let plugin = meaning::plugin(info, &places, &mut warnings)?;
    Ok(PluginInfo { plugin, warnings })
}

#[cfg(test)]
mod tests;
