//! The recording: every request, in the order of arrival, before any fault. Secrets are in it verbatim: it is for tests.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::rpc::{Request, Rpc};

/// One call as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The node it arrived at.
    pub node: String,
    /// The call and its arguments.
    pub request: Request,
    /// Since the driver started.
    pub at: Duration,
}

impl Recorded {
    /// Which call.
    #[must_use]
    pub fn rpc(&self) -> Rpc {
        self.request.rpc()
    }

    /// The arguments, by their names in the specification.
    #[must_use]
    pub fn json(&self) -> Value {
        self.request.json()
    }

    /// One line of the record file.
    #[must_use]
    pub fn line(&self) -> String {
        let time_ms = u64::try_from(self.at.as_millis()).unwrap_or(u64::MAX);
        json!({"rpc": self.rpc().name(), "node": self.node, "time_ms": time_ms, "request": self.json()}).to_string()
    }
}

/// Where requests are kept.
#[derive(Debug)]
pub(crate) struct Record {
    started: Instant,
    file: Option<File>,
    all: Vec<Recorded>,
}

impl Record {
    /// Appends to `path`, if any: a driver that was restarted goes on where it was.
    pub(crate) fn new(path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(|p| File::options().create(true).append(true).open(p)).transpose()?;
        Ok(Self { started: Instant::now(), file, all: Vec::new() })
    }

    /// In a file each request is one write, so a reader sees whole lines and a kill loses none; then it is not kept in memory.
    pub(crate) fn add(&mut self, node: &str, request: Request) {
        let recorded = Recorded { node: node.to_owned(), request, at: self.started.elapsed() };
        let Some(file) = &mut self.file else {
            self.all.push(recorded);
            return;
        };
        let mut line = recorded.line();
        line.push('\n');
        if let Err(error) = file.write_all(line.as_bytes()) {
            tracing::error!(%error, rpc = recorded.rpc().name(), "a request could not be recorded");
        }
    }

    pub(crate) fn all(&self) -> &[Recorded] {
        &self.all
    }
}
