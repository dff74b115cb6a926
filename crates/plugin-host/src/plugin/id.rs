//! The names by which documents mean a plugin.

use std::fmt;

/// The name of a plugin that is given none. Upstream: Mesos `CSIPluginInfo.name`.
pub const DEFAULT_NAME: &str = "default";

/// Tells plugins apart: Mesos' `type` (Marathon's `pluginName`, Nomad's plugin id), and a name for several of one type.
///
/// Shown as `TYPE`, or `TYPE/NAME` if the name is not the default one. Both become folders, so they are short and plain.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PluginId {
    kind: String,
    name: String,
}

/// The name cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} cannot name a plugin: expected 1 to 200 letters, digits, dots, dashes and underscores, the first a letter or digit"
)]
pub struct PluginIdError {
    text: String,
}

/// With the hash of a socket's folder it still is one path component.
const LONGEST: usize = 200;

impl PluginId {
    /// Of a type and a name.
    ///
    /// # Errors
    /// Either is no plain name.
    pub fn new(kind: &str, name: &str) -> Result<Self, PluginIdError> {
        Ok(Self { kind: plain(kind)?, name: plain(name)? })
    }

    /// The only one of its type, as Nomad and Marathon know plugins.
    ///
    /// # Errors
    /// It is no plain name.
    pub fn only(kind: &str) -> Result<Self, PluginIdError> {
        Self::new(kind, DEFAULT_NAME)
    }

    /// Mesos' `type`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Tells it from others of its type.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a document that says this means it: `TYPE` or `TYPE/NAME`. Several plugins may be meant by a type alone.
    pub fn is_meant_by(&self, alias: &str) -> bool {
        alias == self.kind || alias.split_once('/').is_some_and(|(kind, name)| kind == self.kind && name == self.name)
    }
}

fn plain(text: &str) -> Result<String, PluginIdError> {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let fits =
        (1..=LONGEST).contains(&text.len()) && text.chars().all(inner) && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if fits { Ok(text.to_owned()) } else { Err(PluginIdError { text: text.to_owned() }) }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            DEFAULT_NAME => f.write_str(&self.kind),
            name => write!(f, "{}/{name}", self.kind),
        }
    }
}

impl fmt::Debug for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_meant_by_its_type_or_by_type_and_name() {
        let (only, named) = (PluginId::only("a.b").expect("an id"), PluginId::new("a.b", "c").expect("an id"));
        assert_eq!((only.to_string(), named.to_string()), ("a.b".to_owned(), "a.b/c".to_owned()));
        assert!(only.is_meant_by("a.b") && only.is_meant_by("a.b/default") && !only.is_meant_by("a.b/c"));
        assert!(named.is_meant_by("a.b") && named.is_meant_by("a.b/c") && !named.is_meant_by("a"));
    }

    #[test]
    fn a_name_that_could_climb_or_hide_is_none() {
        for bad in ["", ".", "..", "a/b", ".hidden", "a b", "ä", "-a", &"x".repeat(201)] {
            assert!(PluginId::only(bad).is_err(), "{bad}");
        }
    }
}
