//! The options of each verb, from the query or from a body, checked as the API server checks them.

use std::time::Duration;

use api_kinds::Resource;
use apimachinery::selector::{FieldSelector, LabelSelector};
use apimachinery::{FieldError, Status};
use http::HeaderMap;
use http::header::USER_AGENT;
use serde_json::Value;

use super::query::Query;
use crate::{DeleteOptions, Patch, Preconditions, Propagation, Selection, Validation, VersionMatch, WriteOptions};

const MANAGER_MAX: usize = 128;

fn checked(kind: &str, errors: Vec<FieldError>) -> Result<(), Status> {
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid_options(kind, &errors)) }
}

fn number(text: &str) -> Result<i64, Status> {
    text.parse().map_err(|_| Status::bad_request(format!("strconv.ParseInt: parsing {}: {}", go_quoted(text), go_reason(text))))
}

/// A version number, or upstream's sentence about it.
pub(super) fn version(text: &str) -> Result<u64, String> {
    let reason = match text.parse() {
        Ok(version) if !text.starts_with('+') => return Ok(version),
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => "value out of range",
        _ => "invalid syntax",
    };
    let shown = go_quoted(text);
    Err(format!("resourceVersion: Invalid value: {shown}: strconv.ParseUint: parsing {shown}: {reason}"))
}

fn go_reason(text: &str) -> &'static str {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) { "value out of range" } else { "invalid syntax" }
}

fn go_quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// What a list, a watch and a deletion of a collection have in common.
#[derive(Debug)]
pub(super) struct ListOptions<'a> {
    pub(super) selection: Selection,
    pub(super) watch: bool,
    pub(super) limit: Option<usize>,
    pub(super) timeout: Option<Duration>,
    pub(super) bookmarks: bool,
    resume: &'a str,
    version: &'a str,
    version_match: &'a str,
    initial: Option<bool>,
}

impl<'a> ListOptions<'a> {
    pub(super) fn parse(query: &'a Query, resource: &Resource) -> Result<Self, Status> {
        let count = |name: &str| query.get(name).filter(|text| !text.is_empty()).map(number).transpose();
        let limit = count("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|&limit| limit > 0);
        let timeout = count("timeoutSeconds")?.and_then(|secs| u64::try_from(secs).ok()).filter(|&secs| secs > 0);
        let selection = Selection {
            labels: LabelSelector::parse(query.text("labelSelector"))?,
            fields: FieldSelector::parse(query.text("fieldSelector"))?,
        };
        let options = Self {
            selection,
            watch: query.flag("watch").unwrap_or(false),
            limit,
            timeout: timeout.map(Duration::from_secs),
            bookmarks: query.flag("allowWatchBookmarks").unwrap_or(false),
            resume: query.text("continue"),
            version: query.text("resourceVersion"),
            version_match: query.text("resourceVersionMatch"),
            initial: query.flag("sendInitialEvents"),
        };
        api_kinds::fields::check(resource, &options.selection.fields)?;
        Ok(options)
    }

    /// Whether everything, or what was there, may be answered.
    fn no_version(&self) -> bool {
        matches!(self.version, "" | "0")
    }

    /// What a list is to be of: `(version, limit, continue)`.
    pub(super) fn list(&self) -> Result<(VersionMatch, Option<usize>, Option<String>), Status> {
        let field = "resourceVersionMatch";
        let mut errors = Vec::new();
        if !self.version_match.is_empty() {
            if !self.resume.is_empty() {
                errors.push(FieldError::forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
            }
            if self.version.is_empty() {
                errors.push(FieldError::forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
            }
            match self.version_match {
                "Exact" if self.version == "0" => {
                    let detail = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
                    errors.push(FieldError::forbidden(field, detail));
                }
                "Exact" | "NotOlderThan" => {}
                other => errors.push(FieldError::not_supported(field, other, &["Exact", "NotOlderThan", ""])),
            }
        }
        if self.initial.is_some() {
            errors.push(FieldError::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
        }
        checked("ListOptions", errors)?;
        // What is served from memory knows no pages.
        let limit = self.limit.filter(|_| self.version != "0");
        if !self.resume.is_empty() {
            let token =
                (!self.no_version()).then(|| base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, self.resume));
            return match token {
                Some(Ok(_)) => Err(Status::bad_request("specifying resource version is not allowed when using continue")),
                // A token that is none is refused where tokens are read.
                Some(Err(_)) | None => Ok((VersionMatch::Any, limit, Some(self.resume.to_owned()))),
            };
        }
        if self.no_version() {
            return Ok((VersionMatch::Any, limit, None));
        }
        let version = version(self.version).map_err(|error| Status::bad_request(format!("invalid resource version: {error}")))?;
        let exact = self.version_match == "Exact" || self.version_match.is_empty() && limit.is_some();
        Ok((if exact { VersionMatch::Exact(version) } else { VersionMatch::NotOlderThan(version) }, limit, None))
    }

    /// After which version a watch starts; `None`: with everything that is there.
    ///
    /// `now` is the version of the last change.
    pub(super) fn since(&self, now: u64) -> Result<Option<u64>, Status> {
        let field = "resourceVersionMatch";
        let mut errors = Vec::new();
        if !self.resume.is_empty() {
            errors.push(FieldError::forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
        }
        if self.initial.is_some() && self.version_match != "NotOlderThan" {
            let detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            errors.push(FieldError::forbidden(field, detail));
        }
        if self.initial.is_none() && !self.version_match.is_empty() {
            let detail = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            errors.push(FieldError::forbidden(field, detail));
        }
        if !matches!(self.version_match, "" | "NotOlderThan") {
            errors.push(FieldError::not_supported(field, self.version_match, &["NotOlderThan"]));
        }
        checked("ListOptions", errors)?;
        let asked = if self.no_version() { None } else { Some(version(self.version).map_err(Status::internal)?) };
        Ok(match (self.initial, asked) {
            (Some(true), _) => None,
            (Some(false), None) => Some(now),
            (_, asked) => asked,
        })
    }
}

/// Who writes: `fieldManager`, or the first part of the user agent.
fn manager(query: &Query, headers: &HeaderMap) -> String {
    let named = query.text("fieldManager");
    if !named.is_empty() {
        return named.to_owned();
    }
    let agent = headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes())).unwrap_or_default();
    let agent: String = agent.split('/').next().unwrap_or_default().chars().filter(|char| !char.is_control()).collect();
    let end = agent.char_indices().map(|(at, char)| at + char.len_utf8()).take_while(|&end| end <= MANAGER_MAX).last();
    match end {
        Some(end) => agent[..end].to_owned(),
        None => "unknown".to_owned(),
    }
}

fn check_manager(name: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if name.len() > MANAGER_MAX {
        errors.push(FieldError::too_long("fieldManager", MANAGER_MAX));
    }
    if let Some((at, char)) = name.char_indices().find(|(_, char)| char.is_control()) {
        let detail = format!("invalid character U+{:04X} (at position {at})", u32::from(char));
        errors.push(FieldError::invalid("fieldManager", name, detail));
    }
    errors
}

fn check_dry_run(values: &[&str]) -> Option<FieldError> {
    let wrong = values.iter().any(|&value| value != "All");
    wrong.then(|| FieldError::not_supported("dryRun", Value::from(values.to_vec()), &["All"]))
}

/// The options of a POST, PUT or PATCH. `kind`: `CreateOptions`, …
pub(super) fn write(kind: &str, query: &Query, headers: &HeaderMap, patch: Option<Patch>) -> Result<WriteOptions, Status> {
    let mut errors = Vec::new();
    match patch {
        Some(Patch::Apply { .. }) if query.text("fieldManager").is_empty() => {
            errors.push(FieldError::required("fieldManager", "is required for apply patch"));
        }
        Some(Patch::Json | Patch::Merge | Patch::Strategic) if query.get("force").is_some() => {
            errors.push(FieldError::forbidden("force", "may not be specified for non-apply patch"));
        }
        _ => {}
    }
    errors.extend(check_manager(query.text("fieldManager")));
    let dry_run = query.all("dryRun");
    errors.extend(check_dry_run(&dry_run));
    let validation = match query.text("fieldValidation") {
        "" | "Warn" => Validation::Warn,
        "Ignore" => Validation::Ignore,
        "Strict" => Validation::Strict,
        other => {
            errors.push(FieldError::not_supported("fieldValidation", other, &["", "Ignore", "Strict", "Warn"]));
            Validation::Warn
        }
    };
    checked(kind, errors)?;
    Ok(WriteOptions { dry_run: !dry_run.is_empty(), manager: manager(query, headers), validation, duplicates: Vec::new() })
}

/// The options of a DELETE, and whether it is only tried: from the body if there is one, else from the query.
pub(super) fn delete(query: &Query, body: Option<&Value>) -> Result<(DeleteOptions, bool), Status> {
    let from_query;
    let options = match body {
        Some(body) => body,
        None => {
            from_query = delete_query(query)?;
            &from_query
        }
    };
    let typed = |field: &str, kind: &str, value: &Value| {
        let have = match value {
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) => "bool",
            Value::Array(_) => "array",
            _ => "object",
        };
        Status::bad_request(format!("json: cannot unmarshal {have} into Go struct field DeleteOptions.{field} of type {kind}"))
    };
    let get = |field: &str| options.get(field).filter(|value| !value.is_null());
    let text = |value: &Value, field: &str| value.as_str().map(str::to_owned).ok_or_else(|| typed(field, "string", value));
    let grace = get("gracePeriodSeconds")
        .map(|value| value.as_i64().ok_or_else(|| typed("gracePeriodSeconds", "int64", value)))
        .transpose()?;
    let policy = get("propagationPolicy").map(|value| text(value, "propagationPolicy")).transpose()?;
    let orphan = get("orphanDependents")
        .map(|value| value.as_bool().ok_or_else(|| typed("orphanDependents", "bool", value)))
        .transpose()?;
    let dry_run: Vec<String> = match get("dryRun") {
        Some(Value::Array(values)) => values.iter().map(|value| text(value, "dryRun")).collect::<Result<_, _>>()?,
        Some(other) => return Err(typed("dryRun", "[]string", other)),
        None => Vec::new(),
    };
    let precondition = |field: &str| {
        let value = get("preconditions").and_then(|preconditions| preconditions.get(field)).filter(|value| !value.is_null());
        value.map(|value| text(value, &format!("preconditions.{field}"))).transpose()
    };
    let preconditions = Preconditions { uid: precondition("uid")?, resource_version: precondition("resourceVersion")? };
    let mut errors = Vec::new();
    if let (Some(policy), Some(_)) = (&policy, orphan) {
        let detail = "orphanDependents and deletionPropagation cannot be both set";
        errors.push(FieldError::invalid("propagationPolicy", policy.as_str(), detail));
    }
    let propagation = match policy.as_deref() {
        Some("Foreground") => Some(Propagation::Foreground),
        Some("Background") => Some(Propagation::Background),
        Some("Orphan") => Some(Propagation::Orphan),
        Some(other) => {
            errors.push(FieldError::not_supported("propagationPolicy", other, &["Foreground", "Background", "Orphan", "nil"]));
            None
        }
        None => orphan.map(|orphan| if orphan { Propagation::Orphan } else { Propagation::Background }),
    };
    let tried: Vec<&str> = dry_run.iter().map(String::as_str).collect();
    errors.extend(check_dry_run(&tried));
    checked("DeleteOptions", errors)?;
    Ok((DeleteOptions { grace, propagation, preconditions, cascades: orphan == Some(false) }, !dry_run.is_empty()))
}

fn delete_query(query: &Query) -> Result<Value, Status> {
    let mut options = serde_json::Map::new();
    if let Some(text) = query.get("gracePeriodSeconds").filter(|text| !text.is_empty()) {
        options.insert("gracePeriodSeconds".into(), number(text)?.into());
    }
    if let Some(policy) = query.get("propagationPolicy").filter(|text| !text.is_empty()) {
        options.insert("propagationPolicy".into(), policy.into());
    }
    if let Some(orphan) = query.flag("orphanDependents") {
        options.insert("orphanDependents".into(), orphan.into());
    }
    let dry_run = query.all("dryRun");
    if !dry_run.is_empty() {
        options.insert("dryRun".into(), dry_run.into());
    }
    Ok(Value::Object(options))
}

/// `?timeout=`: a duration as Go writes it. What it says is not used; what it may not say is refused.
pub(super) fn check_timeout(query: &Query) -> Result<(), Status> {
    let text = query.text("timeout");
    let refuse = |why: String| Err(Status::bad_request(format!("invalid timeout specified in the request URL - time: {why}")));
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if text.is_empty() || unsigned == "0" {
        return Ok(());
    }
    let mut rest = unsigned;
    if rest.is_empty() {
        return refuse(format!("invalid duration {}", go_quoted(text)));
    }
    while !rest.is_empty() {
        let end = rest.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(rest.len());
        let (digits, tail) = rest.split_at(end);
        if !digits.bytes().any(|byte| byte.is_ascii_digit()) || digits.matches('.').count() > 1 {
            return refuse(format!("invalid duration {}", go_quoted(text)));
        }
        let end = tail.find(|char: char| char.is_ascii_digit() || char == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        match unit {
            "" => return refuse(format!("missing unit in duration {}", go_quoted(text))),
            "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h" => rest = tail,
            other => return refuse(format!("unknown unit {} in duration {}", go_quoted(other), go_quoted(text))),
        }
    }
    Ok(())
}

/// Which kind of patch this is.
///
/// # Errors
/// 415 for none that this resource takes.
pub(super) fn patch(content_type: &str, query: &Query, resource: &Resource) -> Result<Patch, Status> {
    let mime = content_type.split(';').next().unwrap_or_default().trim();
    match mime {
        "application/json-patch+json" => Ok(Patch::Json),
        "application/merge-patch+json" => Ok(Patch::Merge),
        "application/strategic-merge-patch+json" if resource.strategic => Ok(Patch::Strategic),
        "application/apply-patch+yaml" => Ok(Patch::Apply { force: query.flag("force").unwrap_or(false) }),
        _ if resource.custom.is_some() => Err(super::body::unsupported(
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        )),
        _ => Err(Status::bare(415, "UnsupportedMediaType", "415: Unsupported Media Type")),
    }
}
