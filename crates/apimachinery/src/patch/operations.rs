//! RFC 6902, with the liberties that the API server takes.
//!
//! Upstream: json-patch v4. It differs from the RFC where clients can see it: `replace`, `test` and `copy` read an absent key of
//! an object as null, indexes may be negative or carry a sign, and what is before the first slash of a path is not looked at.

use serde_json::Value;

use super::{rejected, undecodable};
use crate::Status;

const MAX_OPERATIONS: usize = 10_000;

/// How much `copy` may add to an object, in bytes: doubling ten thousand times would be a lot.
const MAX_COPIED: usize = 3 * 1024 * 1024;

/// How deep an object may get: `move` can nest what did parse.
const MAX_DEPTH: usize = 256;

/// Text that is deeper does not parse.
const PARSED_DEPTH: usize = 128;

/// One operation of a patch. Absent and null members are alike, except for `value`.
#[derive(Debug, Default)]
pub(super) struct Operation {
    op: String,
    path: Option<String>,
    from: Option<String>,
    value: Value,
}

/// An operation cannot be done. Clients are not told which, or why.
struct Inapplicable;

/// Reads the operations.
pub(super) fn decode(patch: Value) -> Result<Vec<Operation>, Status> {
    let mismatch = |value: &Value, target: &str| {
        undecodable(format!("json: cannot unmarshal {} into Go {target}", crate::json::type_name(value)))
    };
    let operations = match patch {
        Value::Array(operations) => operations,
        Value::Null => Vec::new(),
        other => return Err(mismatch(&other, "value of type []handlers.jsonPatchOp")),
    };
    let count = operations.len();
    let operations: Result<Vec<Operation>, Status> = operations
        .into_iter()
        .map(|operation| {
            let mut members = match operation {
                Value::Object(members) => members,
                Value::Null => return Ok(Operation::default()),
                other => return Err(mismatch(&other, "value of type handlers.jsonPatchOp")),
            };
            let mut text = |name: &str| match members.remove(name) {
                None | Some(Value::Null) => Ok(None),
                Some(Value::String(text)) => Ok(Some(text)),
                Some(other) => Err(mismatch(&other, &format!("struct field jsonPatchOp.{name} of type string"))),
            };
            let (op, path, from) = (text("op")?.unwrap_or_default(), text("path")?, text("from")?);
            Ok(Operation { op, path, from, value: members.remove("value").unwrap_or_default() })
        })
        .collect();
    let operations = operations?;
    if count > MAX_OPERATIONS {
        let message =
            format!("Request entity too large: The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {count}");
        return Err(Status::plain(413, Some("RequestEntityTooLarge"), message));
    }
    Ok(operations)
}

/// Applies the operations in order. All or nothing.
pub(super) fn apply(old: &Value, operations: Vec<Operation>) -> Result<Value, Status> {
    let mut document = Document { root: old.clone(), copied: 0, depth: PARSED_DEPTH };
    for operation in operations {
        document.apply(operation).map_err(|Inapplicable| rejected())?;
    }
    Ok(document.root)
}

struct Document {
    root: Value,
    /// How many bytes were copied so far.
    copied: usize,
    /// Not less than the depth of `root`; counted when it might be too much.
    depth: usize,
}

impl Document {
    fn apply(&mut self, operation: Operation) -> Result<(), Inapplicable> {
        let Operation { op, path, from, value } = operation;
        let path = path.ok_or(Inapplicable)?;
        match op.as_str() {
            "add" => self.add(&path, value, PARSED_DEPTH),
            "remove" => self.remove(&path).map(|_| ()),
            "replace" if path.is_empty() => {
                if !value.is_object() && !value.is_array() {
                    return Err(Inapplicable);
                }
                self.root = value;
                Ok(())
            }
            "replace" => self.replace(&path, value),
            "move" => {
                let from = from.ok_or(Inapplicable)?;
                let value = self.remove(&from)?;
                self.add(&path, value, self.depth.saturating_sub(steps(&from)))
            }
            "copy" => {
                let from = from.ok_or(Inapplicable)?;
                let value = self.get(&from)?.cloned().unwrap_or_default();
                self.copied += value.to_string().len();
                if self.copied > MAX_COPIED {
                    return Err(Inapplicable);
                }
                self.add(&path, value, self.depth.saturating_sub(steps(&from)))
            }
            "test" if path.is_empty() => {
                if self.root == value {
                    Ok(())
                } else {
                    Err(Inapplicable)
                }
            }
            "test" => match self.get(&path)? {
                None if value.is_null() => Ok(()),
                Some(found) if *found == value => Ok(()),
                _ => Err(Inapplicable),
            },
            _ => Err(Inapplicable),
        }
    }

    /// The value at this path. `None`: the key is absent from an object that is there.
    fn get(&mut self, path: &str) -> Result<Option<&Value>, Inapplicable> {
        let (parent, key) = self.parent(path)?;
        match parent {
            Value::Object(fields) => Ok(fields.get(&key)),
            Value::Array(items) => Ok(items.get(existing(&key, items.len())?)),
            _ => Err(Inapplicable),
        }
    }

    fn replace(&mut self, path: &str, value: Value) -> Result<(), Inapplicable> {
        let (parent, key) = self.parent(path)?;
        match parent {
            Value::Object(fields) => {
                fields.insert(key, value);
            }
            Value::Array(items) => {
                let position = existing(&key, items.len())?;
                items[position] = value;
            }
            _ => return Err(Inapplicable),
        }
        self.deepen(path, PARSED_DEPTH)
    }

    /// `deep`: not less than the depth of the value.
    fn add(&mut self, path: &str, value: Value, deep: usize) -> Result<(), Inapplicable> {
        let (parent, key) = self.parent(path)?;
        match parent {
            Value::Object(fields) => {
                fields.insert(key, value);
            }
            Value::Array(items) if key == "-" => items.push(value),
            Value::Array(items) => {
                let position = position(&key, items.len() + 1)?;
                if position > items.len() {
                    return Err(Inapplicable);
                }
                items.insert(position, value);
            }
            _ => return Err(Inapplicable),
        }
        self.deepen(path, deep)
    }

    fn remove(&mut self, path: &str) -> Result<Value, Inapplicable> {
        let (parent, key) = self.parent(path)?;
        match parent {
            Value::Object(fields) => fields.remove(&key).ok_or(Inapplicable),
            Value::Array(items) => {
                let position = existing(&key, items.len())?;
                Ok(items.remove(position))
            }
            _ => Err(Inapplicable),
        }
    }

    /// The container that the path ends in, and the key in it.
    fn parent(&mut self, path: &str) -> Result<(&mut Value, String), Inapplicable> {
        let (containers, key) = path.rsplit_once('/').ok_or(Inapplicable)?;
        let mut at = &mut self.root;
        for step in containers.split('/').skip(1) {
            let step = unescaped(step);
            at = match at {
                Value::Object(fields) => fields.get_mut(&step).ok_or(Inapplicable)?,
                Value::Array(items) => {
                    let position = existing(&step, items.len())?;
                    &mut items[position]
                }
                _ => return Err(Inapplicable),
            };
        }
        Ok((at, unescaped(key)))
    }

    /// Notes that a value this deep is now at `path`.
    fn deepen(&mut self, path: &str, deep: usize) -> Result<(), Inapplicable> {
        self.depth = self.depth.max(steps(path) + deep);
        if self.depth > 2 * MAX_DEPTH {
            self.depth = depth(&self.root);
            if self.depth > MAX_DEPTH {
                return Err(Inapplicable);
            }
        }
        Ok(())
    }
}

fn steps(path: &str) -> usize {
    path.matches('/').count()
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn unescaped(step: &str) -> String {
    if step.contains('~') { step.replace("~1", "/").replace("~0", "~") } else { step.to_owned() }
}

/// The position that an index names among `len`; it may be the one behind them.
fn position(key: &str, len: usize) -> Result<usize, Inapplicable> {
    let index: i64 = key.parse().map_err(|_| Inapplicable)?;
    if index >= 0 {
        return usize::try_from(index).map_err(|_| Inapplicable);
    }
    let back = usize::try_from(index.unsigned_abs()).map_err(|_| Inapplicable)?;
    len.checked_sub(back).ok_or(Inapplicable)
}

/// The position of an element that is there.
fn existing(key: &str, len: usize) -> Result<usize, Inapplicable> {
    position(key, len).and_then(|position| if position < len { Ok(position) } else { Err(Inapplicable) })
}
