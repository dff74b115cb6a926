//! The API server's audit log: every request of our accounts, with the server's own times.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// One request. A watch counts when it is opened, everything else when it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) verb: String,
    pub(crate) resource: String,
    pub(crate) code: u64,
    pub(crate) answered: Timestamp,
}

impl Request {
    pub(crate) fn made(&self, resource: &str) -> bool {
        self.verb == "create" && self.resource == resource && self.code == 201
    }
}

/// The log of one account, from where it was opened.
pub(crate) struct Audit {
    path: PathBuf,
    /// As it stands in the log, quotes included: lines of others are passed over without decoding them.
    mark: String,
    file: BufReader<File>,
    partial: String,
    requests: Vec<Request>,
}

impl Audit {
    /// What `user` asks from now on.
    pub(crate) fn from_now(path: PathBuf, user: &str) -> Result<Self> {
        let mut file = File::open(&path).with_context(|| format!("the audit log {}", path.display()))?;
        file.seek(SeekFrom::End(0))?;
        let mark = format!("\"username\":\"{user}\"");
        Ok(Self { path, mark, file: BufReader::new(file), partial: String::new(), requests: Vec::new() })
    }

    /// Everything so far, oldest first.
    pub(crate) fn requests(&mut self) -> Result<&[Request]> {
        loop {
            if self.file.read_line(&mut self.partial)? == 0 {
                if !self.follow_rotation()? {
                    break;
                }
            } else if self.partial.ends_with('\n') {
                let line = std::mem::take(&mut self.partial);
                if line.contains(&self.mark)
                    && let Some(request) = parse(&line)?
                {
                    self.requests.push(request);
                }
            }
        }
        Ok(&self.requests)
    }

    /// The server moves a large log aside and begins another under the same name.
    fn follow_rotation(&mut self) -> Result<bool> {
        let current = File::open(&self.path)?;
        if current.metadata()?.ino() == self.file.get_ref().metadata()?.ino() {
            return Ok(false);
        }
        self.file = BufReader::new(current);
        Ok(true)
    }
}

fn parse(line: &str) -> Result<Option<Request>> {
    let entry: Value = serde_json::from_str(line).context("a line of the audit log")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (verb, stage) = (text(&entry["verb"]), text(&entry["stage"]));
    if (stage == "ResponseStarted") != (verb == "watch") {
        return Ok(None);
    }
    let answered = text(&entry["stageTimestamp"]);
    let answered = answered.parse().with_context(|| format!("time {answered:?} in the audit log"))?;
    let object = &entry["objectRef"];
    let mut resource = text(&object["resource"]);
    if let Some(subresource) = object["subresource"].as_str() {
        resource = format!("{resource}/{subresource}");
    }
    let code = entry["responseStatus"]["code"].as_u64().unwrap_or_default();
    Ok(Some(Request { verb, resource, code, answered }))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn line(user: &str, verb: &str, stage: &str) -> String {
        format!(
            r#"{{"stage":"{stage}","verb":"{verb}","user":{{"username":"{user}"}},"objectRef":{{"resource":"events"}},"responseStatus":{{"code":201}},"stageTimestamp":"2026-01-02T03:04:05.678901Z"}}"#
        )
    }

    #[test]
    fn one_accounts_requests_are_counted_once_each_across_half_lines_and_rotations() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let mut log = File::create(&path).unwrap();
        writeln!(log, "{}", line("us", "create", "ResponseComplete")).unwrap();
        let mut audit = Audit::from_now(path.clone(), "us").unwrap();
        assert!(audit.requests().unwrap().is_empty(), "what was there before does not count");

        let text = line("us", "create", "ResponseComplete");
        let (half, rest) = text.split_at(40);
        write!(log, "{half}").unwrap();
        assert!(audit.requests().unwrap().is_empty());
        writeln!(log, "{rest}").unwrap();
        writeln!(log, "{}", line("them", "create", "ResponseComplete")).unwrap();
        for stage in ["ResponseStarted", "ResponseComplete"] {
            writeln!(log, "{}", line("us", "watch", stage)).unwrap();
        }
        std::fs::rename(&path, folder.path().join("audit-1.log")).unwrap();
        writeln!(File::create(&path).unwrap(), "{}", line("us", "list", "ResponseComplete")).unwrap();
        let requests = audit.requests().unwrap();
        assert_eq!(requests.iter().map(|request| request.verb.as_str()).collect::<Vec<_>>(), ["create", "watch", "list"]);
        assert!(requests[0].made("events") && !requests[0].made("persistentvolumes"));
        assert_eq!(requests[0].answered.subsec_microsecond(), 678_901);
    }
}
