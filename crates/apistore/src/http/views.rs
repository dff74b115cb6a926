//! Objects shown as rows of a table, or by their metadata alone.

use api_kinds::{Resource, table};
use apimachinery::{Status, json};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::accept::{Format, View};
use super::encode::{self, list_meta, quoted};
use super::query::Query;
use super::reply::Refusal;
use crate::{Listing, Object};

/// What a row says of its object besides the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Include {
    Metadata,
    Object,
    None,
}

/// How objects are shown.
pub(super) struct Shower<'a> {
    pub(super) resource: &'a Resource,
    pub(super) view: View,
    pub(super) include: Include,
    pub(super) now: Timestamp,
}

impl<'a> Shower<'a> {
    pub(super) fn new(resource: &'a Resource, view: View, query: &Query, now: Timestamp) -> Result<Self, Refusal> {
        let include = match query.text("includeObject") {
            "" | "Metadata" => Include::Metadata,
            "Object" => Include::Object,
            "None" => Include::None,
            other if matches!(view, View::Table(_)) => {
                let why = format!("includeObject: Invalid value: {other:?}: must be 'Metadata', 'Object', 'None', or empty");
                return Err(Status::bad_request(format!("Unable to convert to Table as requested: {why}")).into());
            }
            _ => Include::Metadata,
        };
        Ok(Self { resource, view, include, now })
    }

    /// One object.
    pub(super) fn one(&self, object: &Object) -> Result<Bytes, Refusal> {
        match &self.view {
            View::Whole => Ok(encode::object(self.resource, object)),
            View::Partial { list: false, version } => Ok(partial(object, version).into()),
            View::Partial { list: true, .. } => Err(self.crossed("PartialObjectMetadataList", "not a list", &self.resource.kind)),
            View::Table(version) => {
                let meta = format!("{{\"resourceVersion\":\"{}\"}}", object.version());
                Ok(self.table(version, &meta, true, std::slice::from_ref(object)).into())
            }
        }
    }

    /// A list that is not shown as it is stored.
    pub(super) fn list(&self, listing: &Listing) -> Result<Bytes, Refusal> {
        let meta = list_meta(listing);
        match &self.view {
            View::Whole => Ok(encode::list(self.resource, listing.clone()).whole()),
            View::Partial { list: true, version } => {
                let items: Vec<String> = listing.items.iter().map(|object| partial(object, version)).collect();
                let head = format!("\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/{version}\"");
                Ok(format!("{{{head},\"metadata\":{meta},\"items\":[{}]}}", items.join(",")).into())
            }
            View::Partial { list: false, .. } => Err(self.crossed("PartialObjectMetadata", "a list", &self.resource.list_kind)),
            View::Table(version) => Ok(self.table(version, &meta, true, &listing.items).into()),
        }
    }

    /// An object in a watch. `first`: no event was sent yet.
    pub(super) fn event(&self, object: &Object, first: bool) -> Bytes {
        match &self.view {
            View::Whole | View::Partial { list: true, .. } => encode::object(self.resource, object),
            View::Partial { list: false, version } => partial(object, version).into(),
            View::Table(version) => {
                let meta = format!("{{\"resourceVersion\":\"{}\"}}", object.version());
                self.table(version, &meta, first, std::slice::from_ref(object)).into()
            }
        }
    }

    /// A bookmark in a watch.
    pub(super) fn bookmark(&self, version: u64, initial_end: bool, first: bool) -> Bytes {
        let annotations = if initial_end { ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" } else { "" };
        let meta = format!("{{\"resourceVersion\":\"{version}\"{annotations}}}");
        let json = format!("{{\"metadata\":{meta}}}");
        let object = Object::new("", "", version, json.into());
        match &self.view {
            // Upstream computes the cells of an object that has nothing but a version.
            View::Table(table) => {
                let table_meta = format!("{{\"resourceVersion\":\"{version}\"}}");
                self.table(table, &table_meta, first, &[object]).into()
            }
            _ => self.event(&object, first),
        }
    }

    fn table(&self, version: &str, meta: &str, columns: bool, objects: &[Object]) -> String {
        let columns = if columns { columns_of(self.resource).to_string() } else { "null".to_owned() };
        let rows: Vec<String> = objects.iter().map(|object| self.row(object, version)).collect();
        // The generic printer of upstream says null where others say nothing.
        let generic = matches!(self.resource.plural.as_str(), "csistoragecapacities" | "customresourcedefinitions");
        let rows = if rows.is_empty() && generic { "null".to_owned() } else { format!("[{}]", rows.join(",")) };
        let head = format!("\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/{version}\"");
        format!("{{{head},\"metadata\":{meta},\"columnDefinitions\":{columns},\"rows\":{rows}}}")
    }

    fn row(&self, object: &Object, version: &str) -> String {
        let value = object.shown(self.resource).value();
        let cells = Value::from(table::row(self.resource, &value, self.now));
        let conditions = table::conditions(self.resource, &value).map(|it| format!("\"conditions\":{it},")).unwrap_or_default();
        let object = match self.include {
            Include::Metadata => partial(object, version),
            Include::Object => String::from_utf8_lossy(&encode::object(self.resource, object)).into_owned(),
            Include::None => "null".to_owned(),
        };
        format!("{{\"cells\":{cells},{conditions}\"object\":{object}}}")
    }

    fn crossed(&self, asked: &str, is: &str, kind: &str) -> Refusal {
        let package = self.resource.storage_group().split('.').next().filter(|group| !group.is_empty()).unwrap_or("core");
        let message = format!("you requested {asked}, but the requested object is {is} (*{package}.{kind})");
        Refusal::NotAcceptable(Box::new(Status::plain(406, Some("NotAcceptable"), message)), Format::Pretty)
    }
}

fn columns_of(resource: &Resource) -> Value {
    let columns = table::columns(resource).into_iter().map(|column| {
        json!({
            "name": column.name, "type": column.type_, "format": column.format,
            "description": column.description, "priority": column.priority
        })
    });
    columns.collect()
}

fn partial(object: &Object, version: &str) -> String {
    let meta = json::pick(object.json(), &["metadata"]).unwrap_or_else(|| json!({}));
    format!(
        "{{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":{},\"metadata\":{meta}}}",
        quoted(&format!("meta.k8s.io/{version}"))
    )
}
