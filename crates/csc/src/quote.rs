//! Text in quotes, as Go writes and reads it. csc's lines are made with `%q`.

use std::fmt::Write;

/// Upstream: Go `strconv.Quote`.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0b' => out.push_str("\\v"),
            '\x0c' => out.push_str("\\f"),
            c if is_shown(c) => out.push(c),
            // Writing to a String cannot fail.
            c if (c as u32) < 0x80 => drop(write!(out, "\\x{:02x}", c as u32)),
            c if (c as u32) < 0x1_0000 => drop(write!(out, "\\u{:04x}", c as u32)),
            c => drop(write!(out, "\\U{:08x}", c as u32)),
        }
    }
    out.push('"');
    out
}

/// Go asks Unicode's tables; what Rust's `Debug` leaves as it is differs from that in nothing that names of volumes have.
fn is_shown(c: char) -> bool {
    c == '\'' || c == ' ' || (!c.is_whitespace() && c.escape_debug().len() == 1)
}

/// The text of a Go string literal in double quotes, and how many bytes of `source` it took, quotes included.
///
/// # Errors
/// What is wrong, and at which byte.
pub(crate) fn unquote(source: &str) -> Result<(String, usize), (String, usize)> {
    let mut out = String::new();
    let mut chars = source.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((out, at + 1)),
            '\n' => return Err(("a line end in a quoted text: write \\n".to_owned(), at)),
            '\\' => {
                let Some((_, escape)) = chars.next() else { break };
                let digits = match escape {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                if digits > 0 {
                    let hex: String = chars.by_ref().take(digits).map(|(_, c)| c).collect();
                    let whole = hex.len() == digits && hex.bytes().all(|b| b.is_ascii_hexdigit());
                    let code = u32::from_str_radix(&hex, 16).ok().filter(|_| whole).and_then(char::from_u32);
                    out.push(code.ok_or_else(|| (format!("\\{escape}{hex} is no character"), at))?);
                    continue;
                }
                out.push(match escape {
                    'a' => '\x07',
                    'b' => '\x08',
                    'f' => '\x0c',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\x0b',
                    '\\' | '"' => escape,
                    other => return Err((format!("\\{other} is no escape of a quoted text"), at)),
                });
            }
            c => out.push(c),
        }
    }
    Err(("a quoted text is not closed".to_owned(), 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_quoted_as_go_does() {
        assert_eq!(quote("pvc-1"), r#""pvc-1""#);
        assert_eq!(quote("a\"b\\c\n\t'ü"), r#""a\"b\\c\n\t'ü""#);
        assert_eq!(quote("\x01\u{7f}\u{200b}\u{a0}"), r#""\x01\x7f\u200b\u00a0""#);
    }

    #[test]
    fn what_is_no_literal_is_told_with_its_place() {
        assert_eq!(unquote(r#""a\tb" rest"#), Ok(("a\tb".to_owned(), 6)));
        assert_eq!(unquote("\"abc").unwrap_err().1, 0);
        assert_eq!(unquote("\"a\\qb\"").unwrap_err().1, 2);
        assert_eq!(unquote("\"\\xzz\"").unwrap_err().1, 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn what_is_quoted_is_read_back(text in any::<String>()) {
            let quoted = quote(&text);
            let length = quoted.len();
            prop_assert_eq!(unquote(&quoted), Ok((text, length)));
        }

        #[test]
        fn any_text_after_a_quote_is_a_literal_or_an_error(text in proptest::string::string_regex("\"[\\\\xuUn\"0-9a-f\\PC]{0,12}").expect("a pattern")) {
            let _ = unquote(&text);
        }
    }
}
