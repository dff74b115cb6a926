//! What a task runs, and the variables it has.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Command, EnvValue, Image, Resources};
use crate::nomad::job::{Driver, Task};
use crate::nomad::reader::Report;
use crate::nomad::runtime::Known;

/// Puts what is known into the texts of one task, and remembers which fields of the pod they name.
pub(crate) struct Filling<'a> {
    known: Known,
    task: &'a Task,
    report: &'a Report,
    fields: BTreeSet<(&'static str, &'static str)>,
}

impl<'a> Filling<'a> {
    pub(crate) fn new(known: &Known, task: &'a Task, report: &'a Report) -> Self {
        let mut known = known.clone();
        // A task's own variables can be named, too.
        for (name, value) in &task.env {
            if !value.contains("${") {
                known.values.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        Self { known, task, report, fields: BTreeSet::new() }
    }

    pub(crate) fn fill(&mut self, field: &str, text: &str) -> String {
        match self.known.fill(text) {
            Ok(filled) => {
                self.fields.extend(filled.fields);
                filled.text
            }
            Err(message) => {
                self.report.problem(self.task.at, format!("{} > {field}", self.task.path), message);
                String::new()
            }
        }
    }

    pub(super) fn problem(&self, template: &crate::nomad::job::Template, field: &str, message: String) {
        self.report.problem(template.at, format!("{} > {field}", template.path), message);
    }

    pub(crate) fn fill_all(&mut self, field: &str, texts: &[String]) -> Vec<String> {
        texts.iter().map(|text| self.fill(field, text)).collect()
    }

    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    /// The variables that the texts name.
    pub(crate) fn with_fields(&self, mut env: BTreeMap<String, EnvValue>) -> BTreeMap<String, EnvValue> {
        for (name, field) in &self.fields {
            env.entry((*name).to_owned()).or_insert(EnvValue::PodField(field));
        }
        env
    }
}

/// Every text of a task's configuration.
pub(super) fn words(task: &Task) -> Vec<&str> {
    match &task.driver {
        Driver::Docker(docker) => {
            let words = docker.command.iter().chain(&docker.args).chain(&docker.entrypoint).chain(&docker.work_dir);
            words.map(String::as_str).chain([docker.image.as_str()]).collect()
        }
        Driver::Process { command, args, .. } => std::iter::once(command).chain(args).map(String::as_str).collect(),
    }
}

pub(super) fn command(filling: &mut Filling<'_>, task: &Task) -> Command {
    match &task.driver {
        Driver::Docker(docker) => {
            let arguments: Vec<String> = docker.command.iter().chain(&docker.args).cloned().collect();
            let arguments = filling.fill_all("config > args", &arguments);
            let entrypoint = filling.fill_all("config > entrypoint", &docker.entrypoint);
            if entrypoint.is_empty() { Command::Image(arguments) } else { Command::Argv([entrypoint, arguments].concat()) }
        }
        Driver::Process { command, args, .. } => {
            let mut words = vec![filling.fill("config > command", command)];
            words.extend(filling.fill_all("config > args", args));
            Command::Argv(words)
        }
    }
}

pub(super) fn image(filling: &mut Filling<'_>, task: &Task) -> Option<Image> {
    match &task.driver {
        Driver::Docker(docker) => {
            Some(Image { name: filling.fill("config > image", &docker.image), pull_always: docker.pull, pull_secret: None })
        }
        Driver::Process { .. } => None,
    }
}

pub(super) fn privileged(task: &Task) -> bool {
    matches!(&task.driver, Driver::Docker(docker) if docker.privileged)
}

pub(super) fn host_network(task: &Task) -> bool {
    matches!(&task.driver, Driver::Docker(docker) if docker.network.as_deref() == Some("host"))
}

/// A task's variables: what Nomad tells every task, its templates' and its own, which win.
pub(crate) fn environment(filling: &mut Filling<'_>, task: &Task) -> BTreeMap<String, String> {
    let told = filling.known().values.iter().filter(|(name, _)| name.starts_with("NOMAD_"));
    let mut env: BTreeMap<String, String> = told.map(|(name, value)| (name.clone(), filling.known.plain(value))).collect();
    for template in task.templates.iter().filter(|template| template.env) {
        env.extend(super::template::variables(filling, template));
    }
    for (name, value) in &task.env {
        let value = filling.fill("env", value);
        env.insert(name.clone(), value);
    }
    env
}

pub(super) fn variables(filling: &mut Filling<'_>, task: &Task) -> BTreeMap<String, EnvValue> {
    let mut env: BTreeMap<String, EnvValue> =
        environment(filling, task).into_iter().map(|(name, value)| (name, EnvValue::Text(value))).collect();
    env.entry("NOMAD_ALLOC_ID".to_owned()).or_insert(EnvValue::PodField("metadata.uid"));
    env
}

/// MHz are counted as thousandths of a core: what a core has, nobody knows before a node is chosen.
pub(crate) fn resources(task: &Task) -> Resources {
    const MIB: u64 = 1 << 20;
    let asked = &task.resources;
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 MHz")]
    let cpus = asked.cores.map(|cores| cores as f64).or(asked.cpu.map(|mhz| mhz as f64 / 1_000.0));
    let limit = asked.memory_max.or(asked.memory);
    Resources {
        cpus,
        memory: asked.memory.map(|mib| mib.saturating_mul(MIB)),
        disk: None,
        gpus: None,
        cpus_limit: None,
        memory_limit: limit.map(|mib| mib.saturating_mul(MIB)),
    }
}
