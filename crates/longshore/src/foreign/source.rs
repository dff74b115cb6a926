//! One file: read, and made into objects.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use documents::kubernetes::{Object, Options, Place, objects};
use documents::{Note, Parsed, Problems, marathon, mesos, nomad, plugin};
use located::Lines;

use super::flags::{Format, What};
use super::secrets::Store;
use super::users;

/// A document that was read.
pub(crate) struct Source {
    pub(crate) file: PathBuf,
    pub(super) lines: Lines,
    pub(crate) parsed: Parsed,
}

/// What a document became, and what is to be said of it.
pub(crate) struct Made {
    pub(crate) objects: Vec<Object>,
    /// Each is a line: file, place, `warning`, field, reason.
    pub(crate) warnings: Vec<String>,
}

/// More than any document has; what is larger is another file.
const LARGEST: u64 = 16 << 20;

impl Source {
    /// Reads a file; `-` is the standard input. `node`: the node on which it is about to run, if there is one.
    ///
    /// # Errors
    /// Lines that say what is wrong, each with file and place.
    pub(crate) fn read(file: &Path, what: &What, node: Option<&str>) -> Result<Self, Vec<String>> {
        let said = |error: std::io::Error| vec![format!("{}: cannot be read: {error}", file.display())];
        let mut bytes = Vec::new();
        if file == Path::new("-") {
            std::io::stdin().take(LARGEST + 1).read_to_end(&mut bytes).map_err(said)?;
        } else {
            let opened = std::fs::File::open(file).map_err(said)?;
            opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(said)?;
        }
        if bytes.len() as u64 > LARGEST {
            return Err(vec![format!("{}: is larger than {LARGEST} bytes, which no document is", file.display())]);
        }
        let damaged = |damage: located::Damage| vec![line(file, "", &Note::from(damage))];
        let text = located::text(&bytes).map_err(damaged)?;
        let (parsed, places) = match what.format {
            // Nomad's language has places of its own.
            Format::Nomad => match nomad::parse_located(text, &what.variables, node) {
                Ok((parsed, places)) => (Ok(parsed), places),
                Err(problems) => (Err(problems), Lines::default()),
            },
            Format::DcosPlugin => (plugin::parse(&bytes), Lines::default()),
            Format::Marathon | Format::Mesos => {
                let json = located::json(text).map_err(damaged)?;
                let parsed = match what.format {
                    Format::Marathon => marathon::parse_json(&json),
                    _ => mesos::parse_json(&json, &mesos::Given { command: what.command.clone(), name: None }),
                };
                (parsed, json.lines)
            }
        };
        match parsed {
            Ok(parsed) => Ok(Self { file: file.to_owned(), lines: places, parsed }),
            Err(problems) => Err(lines(file, &problems)),
        }
    }

    /// Where it was read from.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The objects of the document, with its secrets looked up. `drivers`: what plugins are known besides those of the flags.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(crate) fn objects(&self, what: &What, place: Place, drivers: &BTreeMap<String, String>) -> Result<Made, Vec<String>> {
        let store = Store { dir: what.secrets_dir.as_deref(), env: what.secrets_env.as_deref() };
        let (mut secrets, mut wrong) = (BTreeMap::new(), Vec::new());
        for (name, key) in self.parsed.document.secret_references() {
            match store.find(&name, key.as_deref()) {
                Ok(Some(value)) => drop(secrets.insert((name, key), value)),
                // Who asks for it is told, with its place.
                Ok(None) => {}
                Err(why) => wrong.push(format!("{}: {why}", self.file.display())),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let namespace = what.namespace.as_deref().or(self.parsed.document.namespace.as_deref()).unwrap_or("default");
        let options = Options {
            drivers: drivers.iter().chain(&what.drivers).map(|(plugin, name)| (plugin.clone(), name.clone())).collect(),
            secrets,
            capacity: what.capacity.clone(),
            image: what.image.clone(),
            users: if place == Place::Host { users::known() } else { BTreeMap::new() },
            ..Options::new(place, namespace)
        };
        let made = objects(&self.parsed.document, &options, &self.lines).map_err(|problems| lines(&self.file, &problems))?;
        let warnings =
            self.parsed.warnings.iter().chain(&made.warnings).map(|note| line(&self.file, "warning: ", note)).collect();
        Ok(Made { objects: made.objects, warnings })
    }
}

fn lines(file: &Path, problems: &Problems) -> Vec<String> {
    let warnings = problems.0.warnings.iter().map(|note| line(file, "warning: ", note));
    warnings.chain(problems.0.problems.iter().map(|note| line(file, "", note))).collect()
}

/// `FILE:LINE:COLUMN: FIELD: REASON`.
pub(super) fn line(file: &Path, kind: &str, note: &Note) -> String {
    let place = note.place.map(|place| format!("{place}:")).unwrap_or_default();
    let field = if note.field.is_empty() { String::new() } else { format!("{}: ", note.field) };
    format!("{}:{place} {kind}{field}{}", file.display(), note.reason)
}
