//! `longshore convert`: documents of other orchestrators as manifests for a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, ValueEnum};
use documents::kubernetes::{Object, Objects, Place};

use crate::foreign::{Given, Made, Source, What, together};

/// Writes Kubernetes manifests that ask for what documents of Marathon, Mesos or Nomad ask for, or that run a plugin of theirs.
///
/// Manifests go to the standard output, and what is not as the document says it to the standard error, each with its line and field. Ends
/// with 0 if all documents were converted, with 1 if one was refused (then nothing is written), and with 2 if the command line is wrong.
#[derive(Debug, Clone, Parser)]
#[command(name = "longshore convert")]
pub(crate) struct Flags {
    /// Documents; - is the standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only report what would become of the documents. Secrets and drivers have to be known as well.
    #[arg(long)]
    check: bool,
    /// Where the manifests are used: a cluster, with images; or a host without one, where `longshore up --run-pods` runs commands.
    #[arg(long = "for", value_enum, default_value = "cluster")]
    place: Target,
    #[command(flatten)]
    given: Given,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    Cluster,
    Host,
}

/// The flags.
pub(crate) fn command() -> clap::Command {
    Flags::command()
}

/// The command, from `argv` on.
pub(crate) fn main(argv: Vec<OsString>) -> ExitCode {
    let flags = match Flags::try_parse_from(argv) {
        Ok(flags) => flags,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let place = match flags.place {
        Target::Cluster => Place::Cluster,
        Target::Host => Place::Host,
    };
    let what = match flags.given.what() {
        Ok(what) => what,
        Err(why) => {
            tell(&[why]);
            return ExitCode::from(2);
        }
    };
    let mut said = Vec::new();
    let converted = convert(&flags.files, &what, place, &mut said);
    tell(&said);
    match converted {
        Err(refused) => {
            tell(&refused);
            ExitCode::FAILURE
        }
        Ok(objects) if flags.check => {
            let kinds = kinds(&objects);
            out(&format!("can be converted: {}, {} warnings\n", kinds, said.len()))
        }
        Ok(objects) => out(&Objects { objects, warnings: Vec::new() }.to_yaml()),
    }
}

/// All objects of all documents. Nothing is converted unless everything is.
fn convert(files: &[PathBuf], what: &What, place: Place, said: &mut Vec<String>) -> Result<Vec<Object>, Vec<String>> {
    let (mut objects, mut refused) = (Vec::new(), Vec::new());
    let mut names: BTreeMap<(String, String), (PathBuf, Object)> = BTreeMap::new();
    let mut sources = Vec::new();
    for file in files {
        match Source::read(file, what, None) {
            Ok(source) => sources.push(source),
            Err(lines) => refused.extend(lines),
        }
    }
    if let Err(lines) = together(&mut sources) {
        refused.extend(lines);
    }
    for source in &sources {
        let file = &source.file;
        let Made { objects: made, warnings } = match source.objects(what, place, &BTreeMap::new()) {
            Ok(made) => made,
            Err(lines) => {
                refused.extend(lines);
                continue;
            }
        };
        said.extend(warnings);
        for object in made {
            let name = named(&object);
            match names.get(&name) {
                // Two documents may use one volume.
                Some((_, other)) if other.body == object.body => {}
                Some((other, _)) => refused.push(format!(
                    "{}: {} {} is made of {} as well, and differs: rename one of the two in its document",
                    file.display(),
                    name.0,
                    name.1,
                    other.display()
                )),
                None => {
                    names.insert(name, (file.clone(), object.clone()));
                    objects.push(object);
                }
            }
        }
    }
    if refused.is_empty() { Ok(objects) } else { Err(refused) }
}

/// Kind and name.
fn named(object: &Object) -> (String, String) {
    let body = object.body.to_json();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(&body["kind"]), text(&body["metadata"]["name"]))
}

fn kinds(objects: &[Object]) -> String {
    let names: Vec<String> = objects.iter().map(|object| named(object).0).collect();
    let kinds: BTreeSet<&String> = names.iter().collect();
    let counted = kinds.into_iter().map(|kind| format!("{} {kind}", names.iter().filter(|name| *name == kind).count()));
    counted.collect::<Vec<_>>().join(", ")
}

fn tell(lines: &[String]) {
    let mut err = std::io::stderr();
    for line in lines {
        let _ = writeln!(err, "{line}");
    }
}

/// What was not written is not there: whoever reads the rest must know.
fn out(text: &str) -> ExitCode {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&[format!("cannot write to the standard output: {error}")]);
            ExitCode::FAILURE
        }
    }
}
