//! The JSONPath that printer columns use: `.spec.size`, `.status.conditions[?(@.type=="Ready")].status`, `.spec.items[*].name`.

use serde_json::Value;

/// A path, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    /// From the end, if it is negative.
    Index(i64),
    All,
    /// Elements in which what is there compares so with this value. Without a value: in which there is anything.
    Filter(Path, Option<(Operator, Value)>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
}

impl Path {
    /// Reads a path that begins with a dot. `None`: it is none, or uses more than printer columns do.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let (name, after) = field(after);
                match name.as_str() {
                    // `.` alone, and `.[0]`.
                    "" => {}
                    "*" => steps.push(Step::All),
                    _ => steps.push(Step::Field(name)),
                }
                rest = after;
            } else if let Some(after) = rest.strip_prefix('[') {
                let end = closing(after)?;
                steps.push(bracket(after[..end].trim())?);
                rest = &after[end + 1..];
            } else {
                return None;
            }
        }
        Some(Self(steps))
    }

    /// All values that are there.
    pub(crate) fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        self.0.iter().fold(vec![value], |found, step| found.into_iter().flat_map(|value| step.below(value)).collect())
    }
}

impl Step {
    fn below<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match (self, value) {
            (Self::Field(name), value) => value.get(name).into_iter().collect(),
            (Self::Index(index), Value::Array(items)) => {
                let at = if *index < 0 { i64::try_from(items.len()).unwrap_or(i64::MAX) + index } else { *index };
                usize::try_from(at).ok().and_then(|at| items.get(at)).into_iter().collect()
            }
            (Self::All, Value::Array(items)) => items.iter().collect(),
            (Self::All, Value::Object(map)) => map.values().collect(),
            (Self::Filter(path, compared), Value::Array(items)) => {
                let keeps = |item: &&Value| {
                    let found = path.find(item);
                    match compared {
                        None => !found.is_empty(),
                        Some((Operator::Equal, wanted)) => found.contains(&wanted),
                        Some((Operator::NotEqual, wanted)) => found.iter().any(|value| *value != wanted),
                    }
                };
                items.iter().filter(keeps).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The name up to the next step; `\` takes what follows as it is.
fn field(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => name.extend(chars.next().map(|(_, next)| next)),
            '.' | '[' => return (name, &text[at..]),
            _ => name.push(char),
        }
    }
    (name, "")
}

/// Where the bracket closes; brackets in quotes and nested ones do not count.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (Some(open), char) if open == char => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(char),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(text: &str) -> Option<Step> {
    if text == "*" {
        return Some(Step::All);
    }
    if let Some(name) = quoted(text) {
        return Some(Step::Field(name.to_owned()));
    }
    if let Some(filter) = text.strip_prefix("?(").and_then(|text| text.strip_suffix(')')) {
        for (word, operator) in [("==", Operator::Equal), ("!=", Operator::NotEqual)] {
            if let Some((left, right)) = filter.split_once(word) {
                let value = quoted(right.trim()).map(Value::from).or_else(|| serde_json::from_str(right.trim()).ok())?;
                return Some(Step::Filter(Path::parse(left.trim().strip_prefix('@')?)?, Some((operator, value))));
            }
        }
        return Some(Step::Filter(Path::parse(filter.trim().strip_prefix('@')?)?, None));
    }
    text.parse().ok().map(Step::Index)
}

fn quoted(text: &str) -> Option<&str> {
    ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
}
