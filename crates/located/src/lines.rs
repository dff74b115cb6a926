//! Where each field of one document is.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser};

use crate::Place;

/// The place of every field of one document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines(BTreeMap<Vec<String>, Place>);

impl Lines {
    /// Reads a YAML text of one document that begins at this line of its file. What cannot be parsed has no lines.
    pub fn of(text: &str, first: usize) -> Self {
        let mut walk = Walk { lines: BTreeMap::new(), open: Vec::new() };
        for next in Parser::new_from_str(text) {
            let Ok((event, span)) = next else { break };
            walk.take(&event, Place { line: span.start.line() + first - 1, column: span.start.col() + 1 });
        }
        Self(walk.lines)
    }

    /// Of paths that are known already: how the scanner of JSON, or of another language, makes one.
    pub fn of_paths(paths: impl IntoIterator<Item = (Vec<String>, Place)>) -> Self {
        Self(paths.into_iter().collect())
    }

    /// Of fields as [`Lines::find`] takes them. Of a field that is there twice, the first.
    pub fn of_fields<'f>(fields: impl IntoIterator<Item = (&'f str, Place)>) -> Self {
        let mut lines = BTreeMap::new();
        for (field, place) in fields {
            lines.entry(segments(field)).or_insert(place);
        }
        Self(lines)
    }

    /// The lines of what is below this path, with paths that begin there.
    pub fn below(&self, path: &[String]) -> Self {
        let inner = self.0.iter().filter_map(|(at, line)| Some((at.strip_prefix(path)?.to_vec(), *line)));
        Self(inner.collect())
    }

    /// The line of a field as the API server names it (`spec.containers[0].name`, `spec.resources.requests[storage]`), or of the
    /// nearest one around it that is there. `None` if there is none at all.
    pub fn find(&self, field: &str) -> Option<usize> {
        self.place(field).map(|place| place.line)
    }

    /// The place of a field by its steps, whatever is in their names; only if it is there.
    pub fn exact(&self, path: &[String]) -> Option<Place> {
        self.0.get(path).copied()
    }

    /// As [`Lines::find`], with the column.
    pub fn place(&self, field: &str) -> Option<Place> {
        let mut path = segments(field);
        loop {
            if let Some(place) = self.0.get(&path) {
                return Some(*place);
            }
            path.pop()?;
        }
    }
}

struct Walk {
    lines: BTreeMap<Vec<String>, Place>,
    open: Vec<Open>,
}

enum Open {
    /// The key whose value comes next, if it was read already.
    Map(Option<String>),
    List(usize),
}

impl Walk {
    fn take(&mut self, event: &Event<'_>, line: Place) {
        match event {
            Event::MappingEnd | Event::SequenceEnd => {
                self.open.pop();
                self.value_done();
            }
            Event::MappingStart(..) => {
                self.note(line);
                self.open.push(Open::Map(None));
            }
            Event::SequenceStart(..) => {
                self.note(line);
                self.open.push(Open::List(0));
            }
            Event::Scalar(text, ..) => {
                if let Some(Open::Map(key @ None)) = self.open.last_mut() {
                    *key = Some(text.to_string());
                    // A field is where its name is, not where its value begins.
                    self.note(line);
                } else {
                    self.note(line);
                    self.value_done();
                }
            }
            Event::Alias(_) => {
                self.note(line);
                self.value_done();
            }
            _ => {}
        }
    }

    fn note(&mut self, line: Place) {
        let path: Vec<String> = self
            .open
            .iter()
            .filter_map(|open| match open {
                Open::Map(key) => key.clone(),
                Open::List(index) => Some(index.to_string()),
            })
            .collect();
        self.lines.entry(path).or_insert(line);
    }

    fn value_done(&mut self) {
        match self.open.last_mut() {
            Some(Open::Map(key)) => *key = None,
            Some(Open::List(index)) => *index += 1,
            None => {}
        }
    }
}

/// `spec.a[0].b[c.d]` is spec, a, 0, b, c.d; so is `spec.a[0].b["c.d"]`.
fn segments(field: &str) -> Vec<String> {
    let mut segments = Vec::new();
    let mut rest = field;
    while !rest.is_empty() {
        if let Some(bracketed) = rest.strip_prefix('[') {
            let (key, after) = bracketed.split_once(']').unwrap_or((bracketed, ""));
            segments.push(key.trim_matches('"').to_owned());
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end > 0 {
                segments.push(rest[..end].to_owned());
            }
            rest = &rest[end..];
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a claim
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 1Gi
  list:
    - name: a
      value: 1
    - name: b
";

    #[test]
    fn a_field_is_where_its_name_is() {
        let lines = Lines::of(TEXT, 1);
        for (field, line) in [
            ("kind", 2),
            ("metadata.name", 4),
            (".spec.accessModes", 6),
            ("spec.accessModes[0]", 6),
            ("spec.resources.requests[storage]", 9),
            ("spec.list[0].value", 12),
            ("spec.list[1].name", 13),
        ] {
            assert_eq!(lines.find(field), Some(line), "{field}");
        }
    }

    #[test]
    fn a_place_has_a_column() {
        let place = Lines::of(TEXT, 1).place("spec.list[0].value").map(|place| (place.line, place.column));
        assert_eq!(place, Some((12, 7)));
    }

    #[test]
    fn a_missing_field_is_where_it_would_have_been() {
        let lines = Lines::of(TEXT, 101);
        assert_eq!(lines.find("spec.list[1].value"), Some(113));
        assert_eq!(lines.find("spec.nonsense.deep"), Some(105));
        assert_eq!(lines.find("status"), Some(102), "the document begins there");
        assert_eq!(Lines::default().find("spec"), None);
    }

    #[test]
    fn nothing_that_can_be_typed_is_too_odd() {
        for text in ["", "a", "[1, 2", "{a: &x 1, b: *x}", "? [a]\n: b\n", "- - - a", "\t", "a: |\n  b\n   c\nd: 1"] {
            Lines::of(text, 1).find("a.b[0]");
        }
        assert_eq!(Lines::of("a: |\n  b\n   c\nd: 1", 1).find("d"), Some(4));
    }
}
