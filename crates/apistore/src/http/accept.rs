//! What shape of an answer the client wants.

use apimachinery::Status;
use http::HeaderMap;
use http::header::{ACCEPT, USER_AGENT};

use super::query::Query;
use super::reply::Refusal;

/// How an answer is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Pretty,
    Yaml,
}

impl Format {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::Pretty => "application/json",
            Self::Yaml => "application/yaml",
        }
    }
}

/// What is shown of objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum View {
    Whole,
    /// Rows; of this version of `meta.k8s.io`.
    Table(&'static str),
    /// Metadata; `list`: of a list's items.
    Partial {
        list: bool,
        version: &'static str,
    },
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) format: Format,
    pub(super) view: View,
}

/// What is asked: it decides which shapes there are, and what is said when none is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Objects,
    Watch,
    /// Discovery and other documents.
    Document,
}

const FORMATS: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const STREAMS: &str = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

/// One entry of an Accept header.
struct Entry<'a> {
    kind: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Entry<'a> {
    fn parameter(&self, name: &str) -> &'a str {
        self.parameters.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

/// The entries, most wanted first.
fn entries(header: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = header
        .split(',')
        .filter_map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let kind = parts.next().filter(|kind| !kind.is_empty())?;
            let parameters = parts.filter_map(|part| part.split_once('=')).map(|(name, value)| (name.trim(), value.trim()));
            Some(Entry { kind, parameters: parameters.collect() })
        })
        .collect();
    // Stable: equal ones stay as they were written.
    let wanted = |entry: &Entry<'_>| entry.parameter("q").parse::<f32>().unwrap_or(1.0);
    entries.sort_by(|a, b| wanted(b).total_cmp(&wanted(a)));
    entries
}

/// Every Accept header, as one.
pub(super) fn header(headers: &HeaderMap) -> String {
    let values: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

/// The shape of the answer.
///
/// Upstream also answers in protobuf; here it counts as not understood, and the next entry is taken.
pub(super) fn negotiate(headers: &HeaderMap, query: &Query, of: Of) -> Result<Accepted, Refusal> {
    let header = header(headers);
    let entries = entries(&header);
    if entries.is_empty() {
        return Ok(Accepted { format: json(headers, query), view: View::Whole });
    }
    let mut known = false;
    for entry in &entries {
        let format = match entry.kind {
            "*/*" | "application/json" => json(headers, query),
            "application/*" if of == Of::Document => json(headers, query),
            "application/yaml" => Format::Yaml,
            other => {
                known |= other == "application/vnd.kubernetes.protobuf";
                continue;
            }
        };
        known = true;
        if of == Of::Watch && format == Format::Yaml {
            continue;
        }
        if let Some(view) = view(entry, of) {
            return Ok(Accepted { format, view });
        }
    }
    let yaml = entries.iter().any(|entry| entry.kind == "application/yaml");
    let format = if yaml { Format::Yaml } else { Format::Pretty };
    Err(Refusal::NotAcceptable(Box::new(refusal(known, of, &entries)), format))
}

fn refusal(known: bool, of: Of, entries: &[Entry<'_>]) -> Status {
    if known || of == Of::Document {
        let only_yaml = of == Of::Watch && entries.iter().all(|entry| entry.kind == "application/yaml");
        let accepted = if only_yaml { STREAMS } else { FORMATS };
        return Status::plain(406, Some("NotAcceptable"), format!("only the following media types are accepted: {accepted}"));
    }
    let available = if of == Of::Watch { format!("{FORMATS}, {STREAMS}") } else { FORMATS.to_owned() };
    Status::bare(406, "NotAcceptable", format!("406: Not Acceptable\n\nAvailable representations: {available}"))
}

/// `None`: nothing that is served here.
fn view(entry: &Entry<'_>, of: Of) -> Option<View> {
    let kind = entry.parameter("as");
    if kind.is_empty() {
        return Some(View::Whole);
    }
    let version = match (entry.parameter("g"), entry.parameter("v")) {
        ("meta.k8s.io", "v1") => "v1",
        ("meta.k8s.io", "v1beta1") => "v1beta1",
        _ => return None,
    };
    match kind {
        _ if of == Of::Document => None,
        "Table" => Some(View::Table(version)),
        "PartialObjectMetadata" => Some(View::Partial { list: false, version }),
        "PartialObjectMetadataList" => Some(View::Partial { list: true, version }),
        _ => None,
    }
}

/// Whether the client wants the discovery of everything at once, in the version that is served.
pub(super) fn wants_aggregated(headers: &HeaderMap) -> Option<bool> {
    for entry in &entries(&header(headers)) {
        match (entry.kind, entry.parameter("as"), entry.parameter("v")) {
            ("application/json" | "*/*" | "application/*", "", _) => return Some(false),
            ("application/json", "APIGroupDiscoveryList", "v2") if entry.parameter("g") == "apidiscovery.k8s.io" => {
                return Some(true);
            }
            _ => {}
        }
    }
    None
}

/// People get indented JSON.
pub(super) fn json(headers: &HeaderMap, query: &Query) -> Format {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let pretty = match query.get("pretty").filter(|wish| !wish.is_empty()) {
        Some(wish) => matches!(wish, "1" | "t" | "T" | "true" | "TRUE" | "True"),
        None => ["curl/", "Wget/", "Mozilla/"].iter().any(|prefix| agent.starts_with(prefix)),
    };
    if pretty { Format::Pretty } else { Format::Json }
}
