//! HCL1's quoted keys, in a text that an HCL2 parser reads.
//!
//! `"topology.ebs.csi.aws.com/zone" = "a"` is an attribute of HCL1 and nothing at all in HCL2. Such a key is replaced by an identifier of the same
//! length, so that every place stays where it was, and its own name is kept in a table.

use std::collections::BTreeMap;

/// The text with plain keys, and what they are really called, by where each begins.
pub(crate) fn keys(text: &str) -> (String, BTreeMap<usize, String>) {
    let mut plain = text.to_owned();
    let mut keys = BTreeMap::new();
    for (start, end) in Scan::new(text).collect::<Vec<_>>() {
        let Some(name) = text.get(start + 1..end - 1).filter(|name| !name.is_empty() && !name.contains('\\')) else { continue };
        let Some(stand_in) = stand_in(keys.len(), end - start) else { continue };
        plain.replace_range(start..end, &stand_in);
        keys.insert(start, name.to_owned());
    }
    (plain, keys)
}

/// An identifier of this length that no other key has.
fn stand_in(number: usize, length: usize) -> Option<String> {
    let digits = format!("{number:x}");
    let filler = length.checked_sub(digits.len() + 2)?;
    Some(format!("q{}_{digits}", "_".repeat(filler)))
}

/// The quoted strings that stand where a name belongs and have `=` behind them.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// Whether the next word begins a line's item.
    fresh: bool,
    /// Which brackets are open: values in `[…]` and `(…)` are no keys.
    open: Vec<u8>,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0, fresh: true, open: Vec::new() }
    }

    fn skip_to(&mut self, needle: &str) {
        let rest = &self.text[self.at..];
        self.at += rest.find(needle).map_or(rest.len(), |found| found + needle.len());
    }

    /// Behind the string that begins here; `None` if it does not end on its line.
    fn string_end(&self) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        loop {
            match bytes.get(at)? {
                b'"' => return Some(at + 1),
                b'\n' => return None,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }

    /// Behind the here-document that begins here.
    fn heredoc(&mut self) {
        let rest = &self.text[self.at..];
        let Some((first, body)) = rest.split_once('\n') else {
            self.at = self.text.len();
            return;
        };
        let delimiter = first.trim_start_matches(['<', '-']).trim();
        let mut at = self.at + first.len() + 1;
        for line in body.split_inclusive('\n') {
            at += line.len();
            if line.trim() == delimiter {
                break;
            }
        }
        self.at = at;
        self.fresh = true;
    }
}

impl Iterator for Scan<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at).copied() {
            let rest = &bytes[self.at..];
            match byte {
                b'#' => self.skip_to("\n"),
                b'/' if rest.starts_with(b"//") => self.skip_to("\n"),
                b'/' if rest.starts_with(b"/*") => self.skip_to("*/"),
                b'<' if rest.starts_with(b"<<") => self.heredoc(),
                b'"' => {
                    let start = self.at;
                    let key = std::mem::replace(&mut self.fresh, false);
                    let Some(end) = self.string_end() else {
                        self.skip_to("\n");
                        continue;
                    };
                    self.at = end;
                    let behind = self.text.get(end..).unwrap_or_default().trim_start_matches([' ', '\t']);
                    if key && self.open.last().is_none_or(|open| *open == b'{') && behind.starts_with('=') {
                        return Some((start, end));
                    }
                    continue;
                }
                b'{' | b'[' | b'(' => {
                    self.open.push(byte);
                    self.at += 1;
                    self.fresh = byte == b'{';
                    continue;
                }
                b'}' | b']' | b')' => {
                    self.open.pop();
                    self.at += 1;
                    continue;
                }
                b'\n' | b',' => {
                    self.at += 1;
                    self.fresh = true;
                    continue;
                }
                b' ' | b'\t' | b'\r' => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    self.at += 1;
                    self.fresh = false;
                    continue;
                }
            }
            // A comment or here-document was skipped, with the end of its line.
            self.fresh = true;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn a_quoted_key_becomes_an_identifier_in_the_same_place() {
        let text = "segments {\n  \"topology.ebs/zone\" = \"us-east-1a\" # \"no\" = 1\n}\nlist = [\"a\", \"b\"]\n";
        let (plain, keys) = keys(text);
        assert_eq!(plain.len(), text.len());
        assert_eq!(keys.into_iter().collect::<Vec<_>>(), [(13, "topology.ebs/zone".to_owned())]);
        assert!(plain.contains("= \"us-east-1a\" # \"no\" = 1"), "{plain}");
    }

    #[test]
    fn what_only_looks_like_a_key_stays() {
        for text in [
            "a = <<EOF\n\"x\" = 1\nEOF\n",
            "a = [\n\"x\"\n]",
            "/* \n\"x\" = 1 */",
            "// \"x\" = 1",
            "\"x\" {\n}",
            "\"x",
            "\"\" = 1",
            "a = \"b\" = \"c\"",
        ] {
            assert_eq!(keys(text).0, text, "{text}");
        }
    }
}
