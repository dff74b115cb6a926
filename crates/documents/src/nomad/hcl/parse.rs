//! Text to syntax, and what is likely wrong where it does not work.

use hcl_edit::parser::parse_body;
use hcl_edit::structure::Body as Syntax;

use super::place::{Mistake, Place, Source};

/// How long a document may be. The parser itself bounds how deep it may be nested.
pub(crate) const LONGEST: usize = 1 << 20;

/// Parses a text of HCL2.
///
/// # Errors
/// Where it ends to be HCL, and what was expected there.
pub(crate) fn syntax(text: &str) -> Result<Syntax, Mistake> {
    if text.len() > LONGEST {
        return Err(Mistake::new(Place::default(), format!("longer than {} KiB, which no job is", LONGEST >> 10)));
    }
    parse_body(text).map_err(|error| {
        let offset = error.location().offset();
        let at = Source::new(text).place(offset);
        let cause = cause(text, offset).map(|cause| format!("; {cause}")).unwrap_or_default();
        Mistake::new(at, format!("not HCL: {}{cause}", error.message()))
    })
}

/// What a person probably did, by what stands before and behind the place where the parser gave up.
fn cause(text: &str, offset: usize) -> Option<&'static str> {
    let offset = (0..=offset.min(text.len())).rev().find(|offset| text.is_char_boundary(*offset))?;
    let before = text[..offset].rsplit('\n').next().unwrap_or_default();
    let rest = text[offset..].split('\n').next().unwrap_or_default();
    let words = rest.trim_start();
    if before.trim().is_empty() && !words.is_empty() {
        return words.starts_with(['{', '[']).then_some("an opening bracket belongs on the line of its name");
    }
    if starts_item(words) {
        return Some("several attributes on one line: HCL wants each on its own; line breaks were probably lost");
    }
    let comment = words.strip_prefix('#').or_else(|| words.strip_prefix("//"));
    if comment.is_some_and(hides_an_item) && before.contains('{') {
        return Some(
            "several attributes on one line, and a comment that hides the rest of it: HCL wants each on its own line; line breaks were probably lost",
        );
    }
    None
}

/// Whether an attribute or a block begins here: `name =`, `name {`, `name "label"`.
fn starts_item(words: &str) -> bool {
    let name = words.find(|character: char| !(character.is_alphanumeric() || "_-".contains(character))).unwrap_or(words.len());
    let (name, rest) = words.split_at(name);
    let rest = rest.trim_start();
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && (rest.starts_with('=') && !rest.starts_with("==") || rest.starts_with(['{', '"']))
}

fn hides_an_item(comment: &str) -> bool {
    let words: Vec<&str> = comment.split_whitespace().collect();
    words
        .windows(2)
        .any(|pair| matches!(pair[1], "=" | "{") && pair[0].chars().all(|c| c.is_alphanumeric() || "_-\"".contains(c)))
}
