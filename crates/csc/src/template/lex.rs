//! The words of a template.

use super::At;
use crate::quote;

/// A word, and the byte it begins at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// What stands between actions, trimmed.
    Text(String),
    /// `{{`
    Open,
    /// `}}`
    Close,
    /// `.` alone
    Dot,
    /// `.Name`
    Field(String),
    /// `$` or `$name`
    Variable(String),
    /// A function or a keyword.
    Word(String),
    Quoted(String),
    Number(i64),
    Declare,
    Assign,
    Comma,
    Pipe,
    Left,
    Right,
    /// Separates operands: `.A.B` is not `.A .B`.
    Space,
}

/// Splits a template.
pub(super) fn lex(source: &str) -> Result<Vec<Token>, At> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut trim = false;
    while at < source.len() {
        let open = source[at..].find("{{").map(|found| at + found);
        let text = &source[at..open.unwrap_or(source.len())];
        let text = if trim { text.trim_start() } else { text };
        let Some(open) = open else {
            push_text(&mut tokens, at, text);
            break;
        };
        let inside = &source[open + 2..];
        let trims = inside.strip_prefix('-').is_some_and(|rest| rest.starts_with([' ', '\t', '\r', '\n']));
        push_text(&mut tokens, at, if trims { text.trim_end() } else { text });
        let start = open + 2 + if trims { 2 } else { 0 };
        (at, trim) = match source[start..].trim_start().starts_with("/*") {
            true => comment(source, open, start)?,
            false => {
                tokens.push(Token { at: open, kind: Kind::Open });
                action(source, open, start, &mut tokens)?
            }
        };
    }
    Ok(tokens)
}

fn push_text(tokens: &mut Vec<Token>, at: usize, text: &str) {
    if !text.is_empty() {
        tokens.push(Token { at, kind: Kind::Text(text.to_owned()) });
    }
}

/// Where it ends, and whether what follows is trimmed.
fn comment(source: &str, open: usize, start: usize) -> Result<(usize, bool), At> {
    let Some(end) = source[start..].find("*/").map(|found| start + found + 2) else {
        return Err(At(open, "a comment is not closed: expected */}}".to_owned()));
    };
    let rest = &source[end..];
    match (rest.starts_with("}}"), rest.starts_with(" -}}")) {
        (true, _) => Ok((end + 2, false)),
        (_, true) => Ok((end + 4, true)),
        _ => Err(At(end, "expected }} right after a comment".to_owned())),
    }
}

fn action(source: &str, open: usize, start: usize, tokens: &mut Vec<Token>) -> Result<(usize, bool), At> {
    let mut at = start;
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        let spaces = rest.len() - rest.trim_start().len();
        if rest[spaces..].starts_with("-}}") && spaces > 0 {
            tokens.push(Token { at: at + spaces, kind: Kind::Close });
            return Ok((at + spaces + 3, true));
        }
        if rest.starts_with("}}") {
            tokens.push(Token { at, kind: Kind::Close });
            return Ok((at + 2, false));
        }
        let (kind, length) = match c {
            _ if spaces > 0 => (Kind::Space, spaces),
            '"' => {
                let (text, length) = quote::unquote(rest).map_err(|(what, place)| At(at + place, what))?;
                (Kind::Quoted(text), length)
            }
            '`' => {
                let end = rest[1..].find('`').ok_or_else(|| At(at, "a raw text is not closed: expected `".to_owned()))?;
                (Kind::Quoted(rest[1..1 + end].replace('\r', "")), end + 2)
            }
            '.' if name(&rest[1..]) > 0 => {
                let length = name(&rest[1..]);
                (Kind::Field(rest[1..1 + length].to_owned()), 1 + length)
            }
            '.' => (Kind::Dot, 1),
            '$' => {
                let length = name(&rest[1..]);
                (Kind::Variable(rest[1..1 + length].to_owned()), 1 + length)
            }
            ':' if rest.starts_with(":=") => (Kind::Declare, 2),
            '=' => (Kind::Assign, 1),
            ',' => (Kind::Comma, 1),
            '|' => (Kind::Pipe, 1),
            '(' => (Kind::Left, 1),
            ')' => (Kind::Right, 1),
            '0'..='9' | '-' | '+' => number(rest).ok_or_else(|| At(at, "expected a whole number of 64 bits".to_owned()))?,
            _ if name(rest) > 0 => (Kind::Word(rest[..name(rest)].to_owned()), name(rest)),
            c => return Err(At(at, format!("unexpected {c:?} in an action"))),
        };
        tokens.push(Token { at, kind });
        at += length;
    }
    Err(At(open, "an action is not closed: expected }}".to_owned()))
}

/// How many bytes of a name stand at the beginning.
fn name(text: &str) -> usize {
    let end = text.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { 0 } else { end }
}

fn number(text: &str) -> Option<(Kind, usize)> {
    let digits = text.trim_start_matches(['-', '+']);
    let sign = text.len() - digits.len();
    let end = digits.find(|c: char| !(c == '_' || c == '.' || c.is_ascii_alphanumeric())).unwrap_or(digits.len());
    let number = sidecar::go_int::<i64>(&text[..sign + end]).ok()?;
    Some((Kind::Number(number), sign + end))
}
