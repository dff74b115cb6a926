//! What probably happened to a text that is not JSON. One sentence each; of the text only a name or one word is repeated.

pub(super) const UNCLOSED: &str =
    "this text in quotes is not closed on its line: a \" is missing (a line end in a text is written \\n)";

/// A name or word at the beginning of a text, or its first character.
pub(super) fn word(rest: &str) -> &str {
    let plain = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let end = rest.find(|c: char| !plain(c)).unwrap_or(rest.len());
    match end {
        0 => rest.chars().next().map_or("", |c| &rest[..c.len_utf8()]),
        end => &rest[..end],
    }
}

fn comment(rest: &str) -> Option<String> {
    let mark = ["//", "/*", "#"].into_iter().find(|mark| rest.starts_with(mark))?;
    Some(format!("{mark} begins a comment, and JSON has none: remove it"))
}

fn ellipsis(rest: &str) -> Option<String> {
    let dots = rest.starts_with("...") || rest.starts_with('…');
    dots.then(|| "... stands for what an example leaves out: put the fields here, or remove it".to_owned())
}

pub(super) fn trailing_comma(in_map: bool) -> String {
    let what = if in_map { "field" } else { "element" };
    format!("a comma stands after the last {what}: JSON has one only between two; remove it, or a {what} is missing")
}

pub(super) fn after_the_end(word: &str) -> String {
    format!("{word} comes after the end of the document: a bracket closes too early, or two documents are in one file")
}

/// `first`: nothing came before it.
pub(super) fn no_value(rest: &str, first: bool) -> String {
    if let Some(reason) = comment(rest).or_else(|| ellipsis(rest)) {
        return reason;
    }
    let found = word(rest);
    let after = rest[found.len()..].trim_start();
    match rest.chars().next() {
        Some('\'') => return "JSON quotes with \", not with '".to_owned(),
        Some('<') if first => return "< begins XML or HTML; a JSON document begins with { or [".to_owned(),
        Some(',' | '}' | ']') => return format!("a value is missing before {found}"),
        _ => {}
    }
    if first && after.starts_with(['{', '[']) {
        return format!(
            "{found} is no JSON: documentation names the message like this and leaves out the rest; remove {found}, and keep what is in braces"
        );
    }
    if first {
        let yaml = if after.starts_with(':') || rest.starts_with("---") { " (this looks like YAML)" } else { "" };
        return format!("{found} is no JSON: a document begins with {{ or [{yaml}");
    }
    match found {
        "True" | "TRUE" | "False" | "FALSE" | "None" | "NULL" | "Null" | "nil" => {
            format!("{found} is no JSON: it has true, false and null")
        }
        "NaN" | "Infinity" | "inf" => format!("{found} is no number in JSON"),
        found => format!("{found} is no value: texts are in double quotes"),
    }
}

pub(super) fn no_field_name(rest: &str) -> String {
    if let Some(reason) = comment(rest).or_else(|| ellipsis(rest)) {
        return reason;
    }
    let found = word(rest);
    match rest.chars().next() {
        Some(',') => "two commas follow each other: a field is missing between them, or one is too many".to_owned(),
        Some('\'') => "names of fields are quoted with \", not with '".to_owned(),
        Some('{' | '[') => format!("a field's name in double quotes was expected, not {found}"),
        Some(']') => "a ] closes what a { opened".to_owned(),
        _ => format!("a field's name in double quotes was expected, not {found}"),
    }
}

/// `found`: what is there instead; `None` at the end.
pub(super) fn no_colon(name: &str, found: Option<&str>) -> String {
    match found {
        Some("=") => format!("after the name {name:?} JSON has a colon, not ="),
        Some(found @ ("," | "}")) => format!("field {name:?} has no value: a colon and a value were expected before {found}"),
        Some(_) => format!("a colon is missing after the name {name:?}"),
        None => format!("the text ends after the name {name:?}, without a value"),
    }
}

pub(super) fn control(byte: u8) -> String {
    let name = if byte == b'\t' { "a tab".to_owned() } else { format!("control character {byte:#04x}") };
    format!("{name} in a text in quotes: write it as an escape, \\t or \\u00{byte:02x}")
}

pub(super) fn bad_string(said: &str) -> String {
    let said = said.split(" at line ").next().unwrap_or(said);
    format!("this text in quotes cannot be read: {said} (a backslash itself is written \\\\)")
}

/// Something other than a comma or the right bracket after a value. The lines: where the value ended, where this is, and where what
/// is open began.
pub(super) fn after_value(found: char, rest: &str, in_map: bool, (ended, here, opened): (usize, usize, usize)) -> String {
    if let Some(reason) = comment(rest).or_else(|| ellipsis(rest)) {
        return reason;
    }
    let shown = match found {
        '"' => rest[1..].split(['"', '\n']).next().map_or_else(|| "a text".to_owned(), |text| quoted(text, rest)),
        _ => word(rest).to_owned(),
    };
    match found {
        '}' if !in_map => return format!("a }} comes before the ] that closes line {opened}"),
        ']' if in_map => return format!("a ] comes before the }} that closes line {opened}"),
        ':' => return "a colon comes after a value: a { is missing before, or a name has lost its quotes".to_owned(),
        '=' => return "JSON has no =".to_owned(),
        _ => {}
    }
    let begins = matches!(found, '"' | '{' | '[' | '-') || found.is_ascii_alphanumeric();
    if !begins {
        return format!("{shown} cannot follow a value: a comma or the end of what line {opened} opens was expected");
    }
    match ended < here {
        true => format!("a comma is missing after line {ended}, before {shown}"),
        false => format!("a comma is missing before {shown}"),
    }
}

/// The name of a field may be shown; a value may be a secret.
fn quoted(text: &str, rest: &str) -> String {
    let is_name = rest[1..].split_once('"').is_some_and(|(_, after)| after.trim_start().starts_with(':'));
    if is_name { format!("{text:?}") } else { "a text in quotes".to_owned() }
}
