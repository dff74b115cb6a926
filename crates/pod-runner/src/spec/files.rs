//! Volumes whose files come from objects: ConfigMaps, Secrets, and the pod itself.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{KeyToPath, Pod, Volume};

use super::env::{Looked, field_of};

/// `defaultMode` where the API gives none.
const MODE: i32 = 0o644;

type Files = BTreeMap<String, (Vec<u8>, u32)>;

/// The volume's files: path to bytes and mode.
///
/// # Errors
/// An object or a key that is not there, and is not optional.
pub(super) fn of(pod: &Pod, volume: &Volume, looked: &Looked) -> Result<Files, String> {
    if let Some(source) = &volume.config_map {
        let all = looked.config_maps.get(&source.name);
        return chosen("ConfigMap", &source.name, all, source.items.as_deref(), source.default_mode, source.optional);
    }
    if let Some(source) = &volume.secret {
        let name = source.secret_name.as_deref().unwrap_or_default();
        return chosen("Secret", name, looked.secrets.get(name), source.items.as_deref(), source.default_mode, source.optional);
    }
    let mut files = Files::new();
    let downward = volume.downward_api.iter().flat_map(|source| source.items.iter().flatten().map(move |item| (source, item)));
    for (source, item) in downward {
        let field =
            item.field_ref.as_ref().ok_or_else(|| format!("item {} of volume {} names no field", item.path, volume.name))?;
        let mode = mode(item.mode.or(source.default_mode));
        files.insert(plain(&item.path)?, (field_of(pod, field)?.into_bytes(), mode));
    }
    Ok(files)
}

fn chosen(
    kind: &str,
    name: &str,
    all: Option<&BTreeMap<String, Vec<u8>>>,
    items: Option<&[KeyToPath]>,
    default_mode: Option<i32>,
    optional: Option<bool>,
) -> Result<Files, String> {
    let optional = optional == Some(true);
    let all = match all {
        Some(all) => all,
        None if optional => return Ok(Files::new()),
        None => return Err(format!("{kind} {name} does not exist")),
    };
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        return Ok(all.iter().map(|(key, bytes)| (key.clone(), (bytes.clone(), mode(default_mode)))).collect());
    };
    let mut files = Files::new();
    for item in items {
        match all.get(&item.key) {
            Some(bytes) => drop(files.insert(plain(&item.path)?, (bytes.clone(), mode(item.mode.or(default_mode))))),
            None if optional => {}
            None => return Err(format!("{kind} {name} has no key {}", item.key)),
        }
    }
    Ok(files)
}

/// A path that stays in the volume.
fn plain(path: &str) -> Result<String, String> {
    match path.is_empty() || path.starts_with('/') || path.split('/').any(|part| part == "..") {
        true => Err(format!("path {path:?} must be relative, and without ..")),
        false => Ok(path.to_owned()),
    }
}

fn mode(mode: Option<i32>) -> u32 {
    mode.unwrap_or(MODE).cast_unsigned() & 0o777
}
