//! Secrets of a volume: a file of the host, read at each call that sends them and kept nowhere.

use csi_types::Secret;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Why a file is none. Holds names and lines, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// CSI carries text.
    #[error("it is not UTF-8")]
    NotText,
    /// Begins as JSON and is not an object of strings. serde's own words may repeat a value, so only the place is told.
    #[error("line {line}, column {column}: expected a JSON object whose values are all strings")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Neither a comment nor an assignment.
    #[error("line {0}: expected NAME=value, or a comment that begins with #")]
    Line(usize),
    /// Two values for one name.
    #[error("line {line}: {name} is there twice")]
    Twice {
        /// From 1.
        line: usize,
        /// Its name.
        name: String,
    },
}

/// A JSON object of strings, or lines `NAME=value`. Values are taken as they are, quotes included.
///
/// # Errors
/// What is wrong, and where.
pub(crate) fn parse(bytes: &[u8]) -> Result<Secret, SecretsError> {
    let text = std::str::from_utf8(bytes).map_err(|_| SecretsError::NotText)?;
    if text.trim_start().starts_with('{') {
        return json(text);
    }
    let mut values = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let begins = line.trim_start();
        if begins.is_empty() || begins.starts_with('#') {
            continue;
        }
        let (name, value) = begins.split_once('=').ok_or(SecretsError::Line(at + 1))?;
        let name = name.trim();
        if name.is_empty() {
            return Err(SecretsError::Line(at + 1));
        }
        if values.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(SecretsError::Twice { line: at + 1, name: name.to_owned() });
        }
    }
    Ok(values.into())
}

fn json(text: &str) -> Result<Secret, SecretsError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let values = BTreeMap::<String, String>::deserialize(&mut reader).and_then(|values| reader.end().map(|()| values));
    values.map(Secret::from).map_err(|error| SecretsError::Json { line: error.line(), column: error.column() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_and_json_are_read_alike() {
        let expected = BTreeMap::from([("user", "admin"), ("key", "a=b c ")].map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(parse(b"# of the cluster\n\nuser=admin\nkey=a=b c \n").expect("lines").expose(), &expected);
        assert_eq!(parse(br#"{"user":"admin","key":"a=b c "}"#).expect("JSON").expose(), &expected);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_its_value() {
        let files: [&[u8]; 5] = [
            b"a=1\nhunter2\n",
            b"a=hunter2\na=hunter3\n",
            b"{\"a\": 1, \"b\": \"hunter2\"}",
            b"=hunter2",
            b"{\"a\":\"hunter2\"} x",
        ];
        for file in files {
            let said = parse(file).expect_err("refused").to_string();
            assert!(said.starts_with("line ") && !said.contains("hunter"), "{said}");
        }
        assert_eq!(parse(b"\xff"), Err(SecretsError::NotText));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_file_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_text_is_answered(text in "[{}\":,=# a\n\\PC]{0,60}") {
            let _ = parse(text.as_bytes());
        }
    }
}
