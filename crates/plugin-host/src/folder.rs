//! A folder of plugin files that is kept in force: now, and whenever it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use host::Changes;
use rt::{Ctx, Shutdown};

use crate::config::{self, Problem, Warning};
use crate::plugin::{Plugin, PluginId};
use crate::supervise::Host;

/// Files whose plugins a [`Host`] is asked for.
pub struct Folder {
    host: Host,
    path: PathBuf,
    changes: Changes,
    /// What each file said when it last could be read.
    good: BTreeMap<PathBuf, Plugin>,
    /// What was told of the files as they are.
    told: BTreeSet<String>,
}

/// What there is to tell of a folder that was not told before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Files that count for nothing. What ran from an earlier state of them goes on.
    pub problems: Vec<Problem>,
    /// Fields that do.
    pub warnings: Vec<Warning>,
}

impl Folder {
    /// The folder must be there. Nothing is asked for before the first [`Folder::look`].
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(ctx: &Ctx, host: Host, path: &Path) -> io::Result<Self> {
        std::fs::read_dir(path)?;
        // Before the first look: a change during it is not missed.
        let changes = Changes::new(ctx, &[path.to_owned()]);
        Ok(Self { host, path: path.to_owned(), changes, good: BTreeMap::new(), told: BTreeSet::new() })
    }

    /// Reads all files and asks for what they say, and no more for what none says any more. A file that cannot be read changes
    /// nothing for the plugin that it named before.
    pub fn look(&mut self) -> Said {
        let files = match config::read(&self.path) {
            Ok(files) => files,
            Err(error) => {
                self.host.settled(false);
                let reason = format!("the folder cannot be read, and its plugins stay as they are: {error}");
                let problem = Problem { file: self.path.display().to_string(), line: None, field: String::new(), reason };
                return self.news(vec![problem], Vec::new());
            }
        };
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let (mut now, mut new): (BTreeMap<PathBuf, Plugin>, Vec<PathBuf>) = (BTreeMap::new(), Vec::new());
        for file in files {
            match file.plugin {
                Ok(info) => {
                    warnings.extend(info.warnings);
                    if self.good.get(&file.path) != Some(&info.plugin) {
                        new.push(file.path.clone());
                    }
                    now.insert(file.path, info.plugin);
                }
                Err(problem) => problems.push((file.path, problem)),
            }
        }
        for (path, _) in &problems {
            // What it said last, unless a good file says it by now.
            if let Some(plugin) = self.good.get(path).filter(|plugin| now.values().all(|other| other.id != plugin.id)) {
                now.insert(path.clone(), plugin.clone());
            }
        }
        let asked: BTreeSet<&PluginId> = now.values().map(|plugin| &plugin.id).collect();
        let gone: BTreeSet<&PluginId> = self.good.values().map(|plugin| &plugin.id).filter(|id| !asked.contains(id)).collect();
        gone.into_iter().for_each(|id| self.host.remove(id));
        for path in new {
            if let Some(plugin) = now.get(&path) {
                self.host.set(plugin.clone());
            }
        }
        self.host.settled(problems.is_empty());
        self.good = now;
        self.news(problems.into_iter().map(|(_, problem)| problem).collect(), warnings)
    }

    /// Looks, and again whenever something changes, until the shutdown. `say` is told what is new each time.
    pub async fn run(mut self, shutdown: Shutdown, say: impl Fn(&Said)) {
        loop {
            say(&self.look());
            tokio::select! {
                biased;
                () = shutdown.requested() => return,
                () = self.changes.next(false) => {}
            }
        }
    }

    fn news(&mut self, problems: Vec<Problem>, warnings: Vec<Warning>) -> Said {
        let told = problems.iter().map(ToString::to_string).chain(warnings.iter().map(ToString::to_string)).collect();
        let before = std::mem::replace(&mut self.told, told);
        Said {
            problems: problems.into_iter().filter(|problem| !before.contains(&problem.to_string())).collect(),
            warnings: warnings.into_iter().filter(|warning| !before.contains(&warning.to_string())).collect(),
        }
    }
}

impl Said {
    /// Into the log.
    pub fn log(&self) {
        self.problems.iter().for_each(|problem| tracing::error!("plugin file {problem}"));
        self.warnings.iter().for_each(|warning| tracing::warn!("plugin file {warning}"));
    }
}
