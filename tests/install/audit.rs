//! The API server's audit log: what the service accounts asked for, and what they were refused.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// One request, as RBAC sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Request {
    pub(crate) user: String,
    pub(crate) verb: String,
    pub(crate) group: String,
    /// With its subresource: `pods/status`.
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) code: u64,
}

/// The log from a certain moment on.
pub(crate) struct Audit {
    log: PathBuf,
    from: u64,
}

impl Audit {
    pub(crate) fn from_now(run: &Path) -> Result<Self> {
        let log = run.join("logs/audit.log");
        let from = std::fs::metadata(&log).with_context(|| log.display().to_string())?.len();
        Ok(Self { log, from })
    }

    pub(crate) fn of_all(run: &Path) -> Self {
        Self { log: run.join("logs/audit.log"), from: 0 }
    }

    /// Oldest first. The server writes a line when it has answered, and a watch's first when it is opened.
    pub(crate) fn requests(&self) -> Result<Vec<Request>> {
        let mut file = File::open(&self.log).with_context(|| self.log.display().to_string())?;
        file.seek(SeekFrom::Start(self.from))?;
        let mut requests = Vec::new();
        for line in BufReader::new(file).split(b'\n') {
            // The last line may be half written.
            if let Ok(entry) = serde_json::from_slice::<Value>(&line?) {
                // Who speaks in another's name is a test, to see it refused.
                if entry["impersonatedUser"].is_null() {
                    requests.push(Request::of(&entry));
                }
            }
        }
        Ok(requests)
    }

    /// What was answered 403, a line each.
    pub(crate) fn forbidden(&self) -> Result<Vec<String>> {
        let refused = self.requests()?.into_iter().filter(|request| request.code == 403 && !request.gives_a_lease_back());
        let mut lines: Vec<_> = refused.map(|request| request.to_string()).collect();
        lines.sort();
        lines.dedup();
        Ok(lines)
    }
}

impl Request {
    /// Uninstalling takes the rights at once and the pods a moment later: the leader's last acts are refused, and its Lease expires.
    /// That the rights are there until then, and needed, is what `rights` asserts.
    fn gives_a_lease_back(&self) -> bool {
        ["get", "update"].contains(&self.verb.as_str())
            && self.resource == "leases"
            && self.user.starts_with(&format!("system:serviceaccount:{}:", self.namespace))
    }

    fn of(entry: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let object = &entry["objectRef"];
        let mut resource = text(&object["resource"]);
        if let Some(subresource) = object["subresource"].as_str() {
            resource = format!("{resource}/{subresource}");
        }
        Self {
            user: text(&entry["user"]["username"]),
            verb: text(&entry["verb"]),
            group: text(&object["apiGroup"]),
            resource,
            namespace: text(&object["namespace"]),
            name: text(&object["name"]),
            code: entry["responseStatus"]["code"].as_u64().unwrap_or_default(),
        }
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { user, verb, group, resource, namespace, name, code } = self;
        write!(f, "{user}: {verb} {resource}.{group} {namespace}/{name}: {code}")
    }
}
