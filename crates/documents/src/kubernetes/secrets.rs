//! Secrets: one object per set of keys.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Making;
use crate::model::{Hidden, SecretValue};
use crate::yaml::Map;

impl Making<'_> {
    /// The value of a secret; noted if nobody has it.
    fn resolve(&mut self, field: &str, value: &SecretValue) -> Option<Hidden> {
        let (name, entry) = match value {
            SecretValue::Value(value) => return Some(value.clone()),
            SecretValue::Reference { name, key } => (name, key),
        };
        if let Some(found) = self.options.secrets.get(&(name.clone(), entry.clone())) {
            return Some(found.clone());
        }
        let whole = entry.as_ref().map_or_else(|| format!("{name:?}"), |entry| format!("{name:?}, entry {entry:?}"));
        self.problem(
            field,
            format!("is secret {whole} of the secret store, which is not here: put its value into a file of that name, and name the folder by --secrets-dir"),
        );
        None
    }

    /// A Secret with these keys; `None` if there are none, or one is not known.
    pub(super) fn secret(
        &mut self,
        name: &str,
        kind: Option<&str>,
        field: &str,
        keys: &BTreeMap<String, SecretValue>,
    ) -> Option<String> {
        if keys.is_empty() {
            return None;
        }
        let mut data = Map::new();
        for (key, value) in keys {
            let valid =
                key.len() <= 253 && !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            if !valid {
                self.problem(field, format!("{key:?} cannot be a key of a Secret: letters, digits, -, _ and . are allowed"));
            }
            if let Some(hidden) = self.resolve(&crate::read::join(field, key), value) {
                data.set(key, STANDARD.encode(hidden.expose()));
            }
        }
        let secret = Map::new()
            .with("apiVersion", "v1")
            .with("kind", "Secret")
            .with("metadata", self.metadata(name))
            .maybe("type", kind)
            .with("data", data);
        self.add(field, secret);
        Some(name.to_owned())
    }
}
