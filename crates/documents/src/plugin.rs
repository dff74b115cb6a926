//! Files of CSI plugins (Mesos' CSIPluginInfo, DC/OS's) as documents: a plugin and nothing else.

use located::Place;
use plugin_host::config;

use crate::model::{Document, Format};
use crate::notes::{Note, Notes, Parsed, Problems};

/// Reads the file of one plugin.
///
/// # Errors
/// What is wrong with it.
pub fn parse(bytes: &[u8]) -> Result<Parsed, Problems> {
    let place = |line: Option<usize>| line.map(|line| Place { line, column: 1 });
    let read = config::parse("", bytes)
        .map_err(|problem| Problems::from(Note { place: place(problem.line), field: problem.field, reason: problem.reason }))?;
    let warnings = read
        .warnings
        .into_iter()
        .map(|warning| Note { place: place(warning.0.line), field: warning.0.field, reason: warning.0.reason })
        .collect();
    let document = Document {
        format: Format::Plugin,
        workloads: Vec::new(),
        volumes: Vec::new(),
        plugins: vec![read.plugin],
        namespace: None,
    };
    Notes { problems: Vec::new(), warnings }.finish(document)
}
