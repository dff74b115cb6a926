//! Files and folders of manifests, as documents with their places.

use std::fmt;
use std::path::{Path, PathBuf};

use located::Lines;
use serde::Deserialize;
use serde_json::Value;

/// One object of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub(crate) file: PathBuf,
    /// Where it begins.
    pub(crate) line: usize,
    pub(crate) lines: Lines,
    pub(crate) object: Value,
}

/// Something that keeps one document from being applied. Shown as `FILE:LINE: FIELD: REASON`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) file: PathBuf,
    /// `None`: the file as a whole.
    pub(crate) line: Option<usize>,
    /// Empty: the document as a whole.
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if !self.field.is_empty() {
            write!(f, " {}:", self.field)?;
        }
        write!(f, " {}", self.reason)
    }
}

impl Document {
    /// A problem with this field of it.
    pub(crate) fn problem(&self, field: &str, reason: impl Into<String>) -> Problem {
        let line = self.lines.find(field).unwrap_or(self.line);
        let field = field.trim_start_matches('.').to_owned();
        Problem { file: self.file.clone(), line: Some(line), field, reason: reason.into() }
    }
}

/// Everything in this file, or in the manifests of this folder, ordered by their names. Folders in it are not entered, as with
/// kubectl.
pub(crate) fn read(path: &Path) -> (Vec<Document>, Vec<Problem>) {
    let (mut documents, mut problems) = (Vec::new(), Vec::new());
    match files(path) {
        Err(error) => problems.push(whole(path, format!("cannot be read: {error}"))),
        Ok(files) => {
            for file in files {
                match std::fs::read_to_string(&file) {
                    Err(error) => problems.push(whole(&file, format!("cannot be read: {error}"))),
                    Ok(text) => parse(&file, &text, &mut documents, &mut problems),
                }
            }
        }
    }
    (documents, problems)
}

fn whole(file: &Path, reason: String) -> Problem {
    Problem { file: file.to_owned(), line: None, field: String::new(), reason }
}

fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        let manifest = file.extension().is_some_and(|kind| kind == "yaml" || kind == "yml" || kind == "json");
        if manifest && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Each document on its own: one that will not parse takes no other with it.
fn parse(file: &Path, text: &str, documents: &mut Vec<Document>, problems: &mut Vec<Problem>) {
    for (first, text) in split(text) {
        match serde_yaml::Value::deserialize(serde_yaml::Deserializer::from_str(&text)) {
            Err(error) => {
                let line = error.location().map_or(first, |place| first + place.line() - 1);
                let reason = error.to_string();
                problems.push(Problem { file: file.to_owned(), line: Some(line), field: String::new(), reason });
            }
            Ok(serde_yaml::Value::Null) => {}
            Ok(value) => match serde_json::to_value(&value) {
                Err(error) => {
                    let reason = format!("cannot be an object of an API: {error}");
                    problems.push(Problem { file: file.to_owned(), line: Some(first), field: String::new(), reason });
                }
                Ok(object) => expand(file, &text, first, object, documents, problems),
            },
        }
    }
}

/// A `List` stands for its items.
fn expand(file: &Path, text: &str, first: usize, object: Value, documents: &mut Vec<Document>, problems: &mut Vec<Problem>) {
    let lines = Lines::of(text, first);
    // Where the first field is, past comments.
    let line = lines.find("").unwrap_or(first);
    let document = Document { file: file.to_owned(), line, lines, object };
    if !document.object.is_object() {
        problems.push(document.problem("", "is not an object with apiVersion and kind"));
        return;
    }
    match document.object["items"].as_array() {
        Some(items) if document.object["kind"] == "List" => {
            documents.extend(items.iter().enumerate().map(|(index, item)| document.item(index, item.clone())));
        }
        _ => documents.push(document),
    }
}

impl Document {
    fn item(&self, index: usize, object: Value) -> Document {
        let prefix = ["items".to_owned(), index.to_string()];
        let lines = self.lines.below(&prefix);
        Document { file: self.file.clone(), line: lines.find("").unwrap_or(self.line), lines, object }
    }
}

/// The documents of a text, each with the line it begins at. A line of three dashes ends one; nothing inside a document can
/// look like that, since block scalars are indented.
fn split(text: &str) -> Vec<(usize, String)> {
    let mut documents = vec![(1, String::new())];
    for (index, line) in text.lines().enumerate() {
        let rest = line.strip_prefix("---").filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
        let (number, line) = match rest {
            Some(rest) => {
                documents.push((index + 1, String::new()));
                (index + 1, rest)
            }
            None => (index + 1, line),
        };
        if let Some((first, document)) = documents.last_mut() {
            if document.is_empty() {
                *first = number;
            }
            document.push_str(line);
            document.push('\n');
        }
    }
    documents
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Vec<Document>, Vec<Problem>) {
        let (mut documents, mut problems) = (Vec::new(), Vec::new());
        parse(Path::new("a.yaml"), text, &mut documents, &mut problems);
        (documents, problems)
    }

    #[test]
    fn a_document_that_does_not_parse_takes_no_other_with_it() {
        let (documents, problems) = parsed("kind: A\n---\nkind: [\nb: c\n---\n# empty\n---\nkind: C\n");
        let kinds: Vec<_> = documents.iter().map(|document| (document.line, document.object["kind"].clone())).collect();
        assert_eq!(kinds, [(1, "A".into()), (8, "C".into())]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].to_string().starts_with("a.yaml:"), "{}", problems[0]);
        assert!(matches!(problems[0].line, Some(3..=5)), "{problems:?}");
    }

    #[test]
    fn a_problem_is_shown_with_its_place() {
        let (documents, _) = parsed("---\nkind: A\nspec:\n  x: 1\n");
        assert_eq!(documents[0].problem(".spec.x", "unknown field").to_string(), "a.yaml:4: spec.x: unknown field");
        assert_eq!(documents[0].problem("", "no such kind").to_string(), "a.yaml:2: no such kind");
    }

    #[test]
    fn a_list_stands_for_its_items() {
        let (documents, _) = parsed("kind: List\nitems:\n- kind: A\n  spec: {x: 1}\n- kind: B\n");
        assert_eq!(documents.iter().map(|document| document.line).collect::<Vec<_>>(), [3, 5]);
        assert_eq!(documents[0].problem("spec.x", "no").line, Some(4));
    }

    #[test]
    fn text_that_is_no_object_is_a_problem() {
        assert_eq!(parsed("just words\n").1.len(), 1);
        assert_eq!(parsed("\n\n"), (vec![], vec![]));
    }
}
