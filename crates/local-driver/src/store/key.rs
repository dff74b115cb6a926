//! Ids and the directory names made from them. An id from a request never becomes a path unless it has our own form.

use sha2::{Digest, Sha256};

/// The name of a volume's or snapshot's directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(String);

impl Key {
    /// The id of the volume that CreateVolume makes for `name`: the same name always gives the same id.
    pub(crate) fn for_volume_name(name: &str) -> Key {
        Key::hashed("v", name)
    }

    /// The id of the snapshot that CreateSnapshot makes for `name`.
    pub(crate) fn for_snapshot_name(name: &str) -> Key {
        Key::hashed("s", name)
    }

    /// Where an id points that we gave; `None` for one that is not of our making.
    pub(crate) fn of_own_id(id: &str) -> Option<Key> {
        is_ours("v", id).then(|| Key(id.to_owned()))
    }

    /// Where an inline volume is, which the kubelet has named.
    pub(crate) fn for_inline_id(id: &str) -> Key {
        Key::hashed("e", id)
    }

    /// Where a snapshot id points; `None` when it cannot be one of ours.
    pub(crate) fn of_snapshot_id(id: &str) -> Option<Key> {
        is_ours("s", id).then(|| Key(id.to_owned()))
    }

    /// The directory's name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A key from the name of a directory found on disk.
    pub(crate) fn from_directory(name: &str) -> Option<Key> {
        ["v", "s", "e"].iter().any(|prefix| is_ours(prefix, name)).then(|| Key(name.to_owned()))
    }

    fn hashed(prefix: &str, text: &str) -> Key {
        let digest = Sha256::digest(text.as_bytes());
        let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Key(format!("{prefix}-{hex}"))
    }
}

fn is_ours(prefix: &str, id: &str) -> bool {
    id.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('-'))
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_gives_the_same_id_and_another_name_another() {
        assert_eq!(Key::for_volume_name("pvc-1"), Key::for_volume_name("pvc-1"));
        assert_ne!(Key::for_volume_name("pvc-1"), Key::for_volume_name("pvc-2"));
        assert_eq!(Key::for_volume_name(&"x".repeat(4096)).as_str().len(), 34);
    }

    #[test]
    fn an_id_from_a_request_never_becomes_a_path_of_its_own() {
        let id = Key::for_volume_name("pvc-1").as_str().to_owned();
        assert_eq!(Key::of_own_id(&id).map(|key| key.as_str().to_owned()), Some(id));
        for hostile in
            ["../../etc", "v-../../../../../../../../../../etc", "", "v-ABCDEF", ".new-v-00000000000000000000000000000000"]
        {
            assert_eq!(Key::of_own_id(hostile), None, "{hostile}");
            assert_eq!(Key::of_snapshot_id(hostile), None);
        }
    }
}
