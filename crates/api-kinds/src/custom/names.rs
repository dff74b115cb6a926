//! DNS-1035 labels: what a plural, a version and (in any case) a kind must be.

const LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, \
                     and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is \
                     '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// What is wrong with a label, in one sentence.
pub(crate) fn wrong_label(text: &str) -> Option<String> {
    let mut wrong = Vec::new();
    if text.len() > 63 {
        wrong.push("must be no more than 63 characters");
    }
    let bytes = text.as_bytes();
    let inside = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    let fits = bytes.first().is_some_and(u8::is_ascii_lowercase) && bytes.last() != Some(&b'-') && bytes.iter().all(inside);
    if !fits {
        wrong.push(LABEL);
    }
    (!wrong.is_empty()).then(|| wrong.join(","))
}

/// The same of a kind.
pub(crate) fn wrong_kind(text: &str) -> Option<String> {
    wrong_label(&text.to_lowercase()).map(|why| format!("may have mixed case, but should otherwise match: {why}"))
}
