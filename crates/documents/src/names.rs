//! Names of objects from names of documents.

use std::collections::BTreeMap;

/// A DNS label that looks like this text: lower case, anything else becomes `-`, and one that is too long ends in a mark of the whole.
/// Different texts may give the same label; [`Names`] finds out. Empty if nothing of the text can be used.
pub fn label(text: &str) -> String {
    let mut label = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' | '0'..='9' => label.push(c),
            _ if label.ends_with('-') || label.is_empty() => {}
            _ => label.push('-'),
        }
    }
    let label = label.trim_end_matches('-');
    match label.len() {
        // Room for the index of an instance, and for what is put behind the names of related objects.
        ..=46 => label.to_owned(),
        _ => format!("{}-{}", label[..37].trim_end_matches('-'), mark(text)),
    }
}

/// Eight digits that differ for different texts.
pub(crate) fn mark(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

/// Names that are taken, and by what.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Takes the label of a text.
    ///
    /// # Errors
    /// A sentence, if nothing is left of it or another text has the same.
    pub fn take(&mut self, text: &str) -> Result<String, String> {
        let name = label(text);
        if name.is_empty() {
            return Err(format!("{text:?} has no letter or digit that could be a name in Kubernetes"));
        }
        match self.0.get(&name) {
            Some(other) if other == text => Err(format!("{text:?} is there twice")),
            Some(other) => Err(format!("{text:?} and {other:?} would both be called {name} in Kubernetes: rename one")),
            None => {
                self.0.insert(name.clone(), text.to_owned());
                Ok(name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_dns_label() {
        assert_eq!(label("/team/web.app"), "team-web-app");
        assert_eq!(label("ebs_vol[0]"), "ebs-vol-0");
        assert_eq!(label("//"), "");
        let long = label(&"a".repeat(300));
        assert!(long.len() <= 46 && long.starts_with("aaa"), "{long}");
        assert_ne!(long, label(&"a".repeat(301)));
    }

    #[test]
    fn two_ids_that_become_one_name_are_refused() {
        let mut names = Names::default();
        assert_eq!(names.take("/a/b"), Ok("a-b".to_owned()));
        let why = names.take("/a.b").expect_err("taken");
        assert!(why.contains("/a/b") && why.contains("/a.b"), "{why}");
        assert!(names.take("/").is_err());
    }
}
