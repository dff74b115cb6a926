//! A text in YAML: plain where every reader takes it for a text, a block where it has lines, quoted otherwise.

use std::fmt::Write;

/// On one line.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Texts that begin with a letter or `/` and have no other marks than these are no numbers, times, or syntax. Words are left: YAML
/// 1.1 has eleven spellings of true and false.
fn is_plain(text: &str) -> bool {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    if is_quantity(text) {
        return true;
    }
    // A flag, as `-c`.
    let rest = text.strip_prefix("--").or_else(|| text.strip_prefix('-')).unwrap_or(text);
    let begins = rest.starts_with(|c: char| c.is_ascii_alphabetic() || (c == '/' && rest == text));
    let marks = |c: char| c.is_ascii_alphanumeric() || " -_./:@=+,".contains(c);
    begins
        && text.chars().all(marks)
        && !text.ends_with([':', ' '])
        && !text.contains(": ")
        && !text.contains("  ")
        && !words.contains(&text.to_ascii_lowercase().as_str())
}

/// `1Gi`, `100m`: a number with a unit is no number to YAML.
fn is_quantity(text: &str) -> bool {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && matches!(&text[digits.len()..], "m" | "Ki" | "Mi" | "Gi" | "Ti")
}

/// In double quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if printable(c) => out.push(c),
            c if u32::from(c) <= 0xff => drop(write!(out, "\\x{:02x}", u32::from(c))),
            c if u32::from(c) <= 0xffff => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => drop(write!(out, "\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// What may stand in a YAML text as it is; line separators and marks of byte order may, but readers differ about them.
fn printable(c: char) -> bool {
    match u32::from(c) {
        0x20..=0x7e | 0xa0..=0x2027 | 0x202a..=0xd7ff | 0xe000..=0xfefe | 0xff00..=0xfffd => true,
        0x1_0000.. => u32::from(c) & 0xffff < 0xfffe,
        _ => false,
    }
}

/// A text in lines, as it is.
pub(super) struct Block {
    /// `|` if it ends in one line end, `|-` if in none.
    pub(super) header: &'static str,
    /// Indented, each with its end.
    pub(super) lines: String,
}

/// A text of several lines, if it can stand as it is.
pub(super) fn block(text: &str, indent: usize) -> Option<Block> {
    let (body, header) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    let fits = text.contains('\n')
        && !body.is_empty()
        && !body.starts_with([' ', '\t', '\n'])
        && !body.ends_with('\n')
        && body.split('\n').all(|line| !line.ends_with([' ', '\t']) && line.chars().all(|c| printable(c) || c == '\t'));
    if !fits {
        return None;
    }
    let pad = " ".repeat(indent);
    let mut lines = String::new();
    for line in body.split('\n') {
        if !line.is_empty() {
            lines.push_str(&pad);
            lines.push_str(line);
        }
        lines.push('\n');
    }
    Some(Block { header, lines })
}
