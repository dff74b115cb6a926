//! Field selectors: terms joined by commas, `\` before a comma, an equals sign or itself.

use crate::Status;

/// Which fields an object must have. Which fields can be asked for is the kind's to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldSelector {
    /// Field, whether it must be equal, value. Sorted as they were written: errors name the first.
    pub terms: Vec<(String, bool, String)>,
}

impl FieldSelector {
    /// Reads `fieldSelector`. Empty selects everything.
    ///
    /// # Errors
    /// 400 with upstream's words.
    pub fn parse(text: &str) -> Result<Self, Status> {
        let mut parts = split(text);
        parts.sort_unstable();
        let terms = parts.into_iter().filter(|part| !part.is_empty()).map(|part| {
            let (field, equal, value) = term(part)
                .ok_or_else(|| Status::bad_request(format!("invalid selector: '{text}'; can't understand '{part}'")))?;
            Ok((field.to_owned(), equal, unescape(value)?))
        });
        Ok(Self { terms: terms.collect::<Result<_, Status>>()? })
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether an object whose fields have these values is selected.
    pub fn matches(&self, mut value: impl FnMut(&str) -> String) -> bool {
        self.terms.iter().all(|(field, equal, wanted)| (value(field) == *wanted) == *equal)
    }

    /// The value that this field must have, if the selector says so.
    pub fn exact(&self, field: &str) -> Option<&str> {
        self.terms.iter().find(|(name, equal, _)| *equal && name == field).map(|(.., value)| value.as_str())
    }
}

/// The parts between commas that no `\` stands before.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Field, whether equal, and what stands behind the first operator.
fn term(part: &str) -> Option<(&str, bool, &str)> {
    let mut escaped = false;
    for (at, byte) in part.bytes().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        escaped = byte == b'\\';
        if !matches!(byte, b'!' | b'=') {
            continue;
        }
        for (operator, equal) in [("!=", false), ("==", true), ("=", true)] {
            if let Some(value) = part[at..].strip_prefix(operator) {
                return Some((&part[..at], equal, value));
            }
        }
    }
    None
}

fn unescape(text: &str) -> Result<String, Status> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some(next @ ('\\' | ',' | '=')) => plain.push(next),
                next => {
                    let next = next.map(String::from).unwrap_or_default();
                    return Err(Status::bad_request(format!("invalid field selector: invalid escape sequence: \\{next}")));
                }
            },
            ',' | '=' => {
                let code = u32::from(char);
                return Err(Status::bad_request(format!("invalid field selector: unescaped character in value: {code}")));
            }
            other => plain.push(other),
        }
    }
    Ok(plain)
}
