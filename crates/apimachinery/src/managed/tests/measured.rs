//! Sequences of writes, recorded from kube-apiserver v1.36.1 with what it answered, and done again here.

use serde_json::{Map, Value, json};

use super::time;
use crate::managed::{Manager, apply, keep_times, samples, track};
use crate::{Schema, object, patch};

const RECORDED: &str = include_str!("measured.json");

struct Replay {
    schema: Schema,
    custom: bool,
    live: Option<Value>,
}

impl Replay {
    fn step(&mut self, step: &Value, number: i64) -> Result<(), crate::Status> {
        let text = |field: &str| step[field].as_str().unwrap_or_default();
        let manager = Manager {
            name: text("manager"),
            subresource: text("sub"),
            api_version: if self.custom { "pm.example.com/v1" } else { "v1" },
            time: time(number),
        };
        let status = text("sub") == "status";
        let reset: &[&[&str]] = match (self.custom, status) {
            (false, _) => &[],
            (true, false) => &[&["status"]],
            (true, true) => &[&["metadata"], &["spec"]],
        };
        let body = &step["body"];
        let live = self.live.as_ref();
        let bytes = body.to_string();
        let null = Value::Null;
        let patched = match text("do") {
            "merge" => patch::merge(live.unwrap_or(&null), bytes.as_bytes())?,
            "json" => patch::json(live.unwrap_or(&null), bytes.as_bytes())?,
            _ => body.clone(),
        };
        let mut new = if text("do") == "apply" {
            let force = step["force"].as_bool().unwrap_or_default();
            let mut new = apply(live, body, &self.schema, manager, force, reset)?;
            self.settle(&mut new);
            new
        } else {
            let mut new = patched;
            self.settle(&mut new);
            track(live, &mut new, &self.schema, manager, reset);
            new
        };
        if self.custom {
            self.prepare(&mut new, status);
        }
        if let Some(live) = live {
            keep_times(live, &mut new);
        }
        self.live = Some(new);
        Ok(())
    }

    /// As decoding does: what is empty or null is not there.
    fn settle(&self, new: &mut Value) {
        let empty = |value: &Value| match value {
            Value::Null => true,
            Value::Object(map) => map.is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => false,
        };
        let list = object::metadata(new).remove("managedFields");
        object::metadata(new).retain(|_, value| !empty(value));
        if let Some(list) = list {
            object::metadata(new).insert("managedFields".to_owned(), list);
        }
        if self.custom {
            if let Some(Value::Object(spec)) = new.get_mut("spec") {
                spec.retain(|_, value| !value.is_null());
            }
        } else {
            object::fields(new).retain(|_, value| !empty(value));
        }
    }

    /// As the kind does: status and the rest do not go through the same door.
    fn prepare(&self, new: &mut Value, status: bool) {
        let live = self.live.clone().unwrap_or_default();
        let mut kept = vec![("status", None)];
        if status {
            let list = new["metadata"]["managedFields"].take();
            kept = vec![("spec", None), ("metadata", Some(("managedFields", list)))];
        }
        for (field, replaced) in kept {
            object::set(object::fields(new), field, live.get(field).cloned());
            if let Some((name, value)) = replaced {
                object::set(object::child(new, field), name, Some(value).filter(|value| !value.is_null()));
            }
        }
    }

    /// The object and its owners, in the form that was recorded.
    fn shown(&self) -> (Value, Vec<Value>) {
        let mut object = self.live.clone().unwrap_or_default();
        let list = object["metadata"].as_object_mut().and_then(|metadata| metadata.remove("managedFields"));
        let list = list.and_then(|list| list.as_array().cloned()).unwrap_or_default();
        let entry = |entry: &Value| {
            let time = entry["time"].as_str().map(|text| match text.parse::<jiff::Timestamp>() {
                Ok(when) if when >= time(0) => when.as_second() - time(0).as_second(),
                _ => -1,
            });
            json!({
                "manager": entry["manager"],
                "operation": entry["operation"],
                "subresource": entry.get("subresource").cloned().unwrap_or_else(|| "".into()),
                "time": time,
                "fields": entry["fieldsV1"],
            })
        };
        (object, list.iter().map(entry).collect())
    }
}

#[test]
fn every_recorded_sequence_goes_as_it_was_recorded() {
    let recorded: Vec<Map<String, Value>> = serde_json::from_str(RECORDED).expect("the record is JSON");
    let mut steps = 0;
    for sequence in recorded {
        let custom = sequence["kind"] == "Widget";
        let schema = if custom { samples::widget() } else { samples::config_map() };
        let mut replay = Replay { schema, custom, live: None };
        for (number, step) in (0..).zip(sequence["steps"].as_array().into_iter().flatten()) {
            steps += 1;
            let place = format!("{} step {number}: {} by {} of {}", sequence["name"], step["do"], step["manager"], step["body"]);
            match (replay.step(step, number), step.get("code")) {
                (Ok(()), None) => {
                    let (object, entries) = replay.shown();
                    assert_eq!(object, step["object"], "{place}");
                    assert_eq!(json!(entries), step["entries"], "{place}");
                }
                (Err(status), Some(code)) => {
                    assert_eq!(json!(status.code), *code, "{place}");
                    assert_eq!(status.message, step["message"].as_str().unwrap_or_default(), "{place}");
                    let causes = status.details.unwrap_or_default().causes;
                    let causes: Vec<Value> = causes.iter().map(|cause| json!([cause.field, cause.message])).collect();
                    assert_eq!(json!(causes), step["causes"], "{place}");
                }
                (Ok(()), Some(code)) => panic!("{place}: done, but {code} was expected: {}", step["message"]),
                (Err(status), None) => panic!("{place}: refused with {}: {}", status.code, status.message),
            }
        }
    }
    assert!(steps > 90, "only {steps} steps are recorded");
}
