//! Secret values, and the names of the objects that hold them.
//!
//! A class names its secrets by templates (`${pvc.namespace}`): resolving them is a rule, and lives here; reading the object
//! is somebody else's job.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use zeroize::Zeroize;

/// The name of a Secret object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct SecretRef {
    /// Never empty.
    pub namespace: String,
    /// Never empty.
    pub name: String,
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What a Secret object holds, for one call. `Debug` prints `***`; values are overwritten when this is dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(BTreeMap<String, String>);

impl Secret {
    /// Nothing secret, which is what a call without a secret sends.
    pub fn none() -> Self {
        Self::default()
    }

    /// From the `data` of a Secret object. CSI carries text only.
    ///
    /// # Errors
    /// The first key whose value is not UTF-8.
    pub fn from_data(data: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, String> {
        let mut secret = Self::default();
        for (key, value) in data {
            match String::from_utf8(value) {
                Ok(value) => secret.0.insert(key, value),
                Err(bad) => {
                    bad.into_bytes().zeroize();
                    return Err(key);
                }
            };
        }
        Ok(secret)
    }

    /// The values, for the one place that sends them.
    pub fn expose(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Secret {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl From<BTreeMap<String, String>> for Secret {
    fn from(pairs: BTreeMap<String, String>) -> Self {
        Self(pairs)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

const ANNOTATIONS: &str = "pvc.annotations[";

/// The words a template may use, and their values now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateScope {
    /// Words for the name of the object, as `pvc.namespace`.
    pub name: BTreeMap<String, String>,
    /// Words for its namespace. Fewer: who may write a claim's annotations must not choose a namespace.
    pub namespace: BTreeMap<String, String>,
}

impl TemplateScope {
    /// The words of a volume's secrets. Spec: external-provisioner, "secrets and credentials".
    pub fn volume(pv: &str, claim_namespace: &str, claim_name: &str, annotations: &BTreeMap<String, String>) -> Self {
        let namespace =
            BTreeMap::from([("pv.name".to_owned(), pv.to_owned()), ("pvc.namespace".to_owned(), claim_namespace.to_owned())]);
        let mut name = namespace.clone();
        name.insert("pvc.name".to_owned(), claim_name.to_owned());
        name.extend(annotations.iter().map(|(key, value)| (format!("{ANNOTATIONS}'{key}']"), value.clone())));
        Self { name, namespace }
    }
}

/// A reference to a secret as a class spells it, with words to replace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretTemplate {
    /// For example `${pvc.name}-key`.
    pub name: String,
    /// For example `${pvc.namespace}`.
    pub namespace: String,
}

/// Why a template names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It uses words that are not known here.
    #[error("secret reference {template:?} uses unknown tokens {tokens:?}; known here are {known:?}")]
    UnknownTokens {
        /// As the class has it.
        template: String,
        /// Sorted, each once.
        tokens: Vec<String>,
        /// What may be used instead; sorted, without annotations.
        known: Vec<String>,
    },
    /// The result cannot be the name of an object.
    #[error("secret name {name:?} (from {template:?}) is not a DNS-1123 subdomain")]
    Name {
        /// After replacing.
        name: String,
        /// Before.
        template: String,
    },
    /// The result cannot be the name of a namespace.
    #[error("secret namespace {namespace:?} (from {template:?}) is not a DNS-1123 label")]
    Namespace {
        /// After replacing.
        namespace: String,
        /// Before.
        template: String,
    },
}

impl SecretTemplate {
    /// Whether resolving it needs the claim's annotations, which caches do not keep.
    pub fn uses_annotations(&self) -> bool {
        let mut uses = false;
        expand(&self.name, |token| {
            uses |= token.starts_with(ANNOTATIONS);
            Some(String::new())
        });
        uses
    }

    /// The object that is meant.
    pub fn resolve(&self, scope: &TemplateScope) -> Result<SecretRef, TemplateError> {
        let namespace = resolve(&self.namespace, &scope.namespace)?;
        if !is_dns_label(&namespace) {
            return Err(TemplateError::Namespace { namespace, template: self.namespace.clone() });
        }
        let name = resolve(&self.name, &scope.name)?;
        if name.len() > 253 || !name.split('.').all(is_dns_part) {
            return Err(TemplateError::Name { name, template: self.name.clone() });
        }
        Ok(SecretRef { namespace, name })
    }
}

fn resolve(template: &str, words: &BTreeMap<String, String>) -> Result<String, TemplateError> {
    let mut unknown = BTreeSet::new();
    let text = expand(template, |token| {
        let value = words.get(token).cloned();
        if value.is_none() {
            unknown.insert(token.to_owned());
        }
        value
    });
    if unknown.is_empty() {
        return Ok(text);
    }
    let (template, tokens) = (template.to_owned(), unknown.into_iter().collect());
    let known = words.keys().filter(|word| !word.starts_with(ANNOTATIONS)).cloned().collect();
    Err(TemplateError::UnknownTokens { template, tokens, known })
}

/// Go's `os.Expand`, which decides what a `$` means: classes rely on its corners.
///
/// `${name}` and `$name` are words, so are `$` and one of `*#$@!?-0..9`; `${}` is eaten, of an unclosed `${` those two characters
/// are, and a `$` before anything else stays.
fn expand(text: &str, mut word: impl FnMut(&str) -> Option<String>) -> String {
    let special = |c: Option<&u8>| c.is_some_and(|c| b"*#$@!?-0123456789".contains(c));
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let bytes = after.as_bytes();
        let (name, used) = match bytes.first() {
            Some(b'{') if special(bytes.get(1)) && bytes.get(2) == Some(&b'}') => (&after[1..2], 3),
            Some(b'{') => match after.find('}') {
                Some(end) => (&after[1..end], end + 1),
                None => ("", 1),
            },
            c if special(c) => (&after[..1], 1),
            _ => {
                let end = bytes.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
                (&after[..end], end)
            }
        };
        match name {
            "" if used == 0 => out.push('$'),
            "" => {}
            name => out.push_str(&word(name).unwrap_or_default()),
        }
        rest = &after[used..];
    }
    out.push_str(rest);
    out
}

fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && is_dns_part(text)
}

/// Lower-case letters, digits and inner dashes.
fn is_dns_part(text: &str) -> bool {
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) => ok(*first) && ok(*last) && bytes.iter().all(|b| ok(*b) || *b == b'-'),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
