//! Keys and values on the command line and in the environment.

use std::collections::BTreeMap;

use csi_types::Secret;

/// Reads `k=v[,k=v]`. Upstream: gocsi `csc`, map flags: no quoting, the first `=` separates, a bare key has the value "".
///
/// # Errors
/// A pair without a key, which upstream sends as it is.
pub(crate) fn pairs(flag: &str, texts: &[String]) -> Result<BTreeMap<String, String>, String> {
    let mut map = BTreeMap::new();
    for item in texts.iter().filter(|text| !text.is_empty()).flat_map(|text| text.split(',')) {
        let (key, value) = item.split_once('=').unwrap_or((item, ""));
        if key.is_empty() {
            return Err(format!("{flag}: expected KEY=VALUE[,KEY=VALUE], and found a pair without a key"));
        }
        map.insert(key.to_owned(), value.to_owned());
    }
    Ok(map)
}

/// Reads secrets: `k=v, "k2=v 2"`, one record of comma separated values. Space before a value is skipped; in quotes, commas, line
/// ends and space are kept, and `""` is a quote. Upstream: gocsi, `X_CSI_SECRETS`.
///
/// # Errors
/// The place of what cannot be read. Never the text itself.
pub(crate) fn secrets(variable: &str, text: &str) -> Result<Secret, String> {
    let at = |n: usize, what: &str| Err(format!("{variable}, value {n}: {what}; expected KEY=VALUE, \"KEY=VALUE, QUOTED\""));
    let mut map = BTreeMap::new();
    let mut rest = text.trim_end_matches(['\r', '\n']);
    let mut n = 0;
    while !rest.is_empty() || n > 0 {
        n += 1;
        rest = rest.trim_start_matches([' ', '\t']);
        let field;
        match rest.strip_prefix('"') {
            Some(quoted) => match closed(quoted) {
                Some((text, after)) => (field, rest) = (text, after),
                None => return at(n, "a quote is not closed"),
            },
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let plain = &rest[..end];
                if plain.contains(['"', '\n', '\r']) {
                    return at(n, "a quote or a line end stands in a value that is not quoted as a whole");
                }
                (field, rest) = (plain.to_owned(), &rest[end..]);
            }
        }
        let (key, value) = field.split_once('=').unwrap_or((&field, ""));
        if key.is_empty() {
            // Nothing but space is nothing.
            if n == 1 && rest.is_empty() && field.is_empty() {
                break;
            }
            return at(n, "there is no key");
        }
        map.insert(key.to_owned(), value.to_owned());
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.is_empty() => break,
            None => return at(n, "something follows the closing quote"),
        }
    }
    Ok(Secret::from(map))
}

/// What stands before the closing quote, unquoted, and what comes after it.
fn closed(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        out.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                out.push('"');
                rest = after;
            }
            None => return Some((out, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::string::string_regex;

    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn pairs_split_at_commas_and_at_the_first_equals_sign() {
        let read = |texts: &[&str]| pairs("--params", &texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(read(&["a=1,b", "c=x=y"]), Ok(map(&[("a", "1"), ("b", ""), ("c", "x=y")])));
        assert_eq!(read(&["", "a=2"]), Ok(map(&[("a", "2")])));
        assert!(read(&["=secret"]).unwrap_err().starts_with("--params: "));
        assert!(read(&["a=1,"]).is_err());
    }

    #[test]
    fn secrets_are_comma_separated_values_with_quotes() {
        let read = |text: &str| secrets("X_CSI_SECRETS", text).map(|secret| secret.expose().clone());
        assert_eq!(read(r#"k=v, "k2=v 2""#), Ok(map(&[("k", "v"), ("k2", "v 2")])));
        assert_eq!(read("\"p=a,b \"\"c\"\"\nd\",q"), Ok(map(&[("p", "a,b \"c\"\nd"), ("q", "")])));
        assert_eq!(read(""), Ok(map(&[])));
        assert_eq!(read("  \n"), Ok(map(&[])));
        assert_eq!(read("a=b\n"), Ok(map(&[("a", "b")])));
    }

    #[test]
    fn a_bad_secret_is_told_by_its_place_and_never_by_its_text() {
        for (text, n) in
            [("a=1,\"hunter2", 2), ("hun\"ter2", 1), ("\"a=1\"hunter2", 1), ("a=1,,hunter2", 2), ("=hunter2", 1), ("a=1,", 2)]
        {
            let said = secrets("X_CSI_SECRETS", text).unwrap_err();
            assert!(said.starts_with(&format!("X_CSI_SECRETS, value {n}: ")) && !said.contains("hunter2"), "{said}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_text_is_secrets_or_an_error_that_does_not_repeat_it(text in string_regex("[a-c=,\" \n\\PC]{0,24}").expect("a pattern")) {
            if let Err(said) = secrets("X", &text) {
                prop_assert!(said.starts_with("X, value "));
            }
        }

        #[test]
        fn quoted_secrets_come_back_as_they_were(map in proptest::collection::btree_map(string_regex("[^=]{1,8}").expect("a pattern"), string_regex(".{0,8}").expect("a pattern"), 1..4)) {
            let quoted: Vec<String> =
                map.iter().map(|(key, value)| format!("\"{}\"", format!("{key}={value}").replace('"', "\"\""))).collect();
            prop_assert_eq!(secrets("X", &quoted.join(", ")).map(|secret| secret.expose().clone()), Ok(map));
        }

        #[test]
        fn any_text_is_pairs_or_an_error(text in string_regex("[a-c=,]{0,16}").expect("a pattern")) {
            let _ = pairs("--params", &[text]);
        }
    }
}
