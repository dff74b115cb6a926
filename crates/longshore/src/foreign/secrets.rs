//! A secret store: a folder with a file for each secret, or variables.

use std::path::{Component, Path, PathBuf};

use documents::model::Hidden;

/// Where secrets are looked for.
pub(super) struct Store<'a> {
    pub(super) dir: Option<&'a Path>,
    pub(super) env: Option<&'a str>,
}

impl Store<'_> {
    /// The value of a secret, or of one entry of it; `None` if it is nowhere.
    ///
    /// # Errors
    /// A name that cannot be looked up, or a file that is there and cannot be read. Never a value.
    pub(super) fn find(&self, name: &str, key: Option<&str>) -> Result<Option<Hidden>, String> {
        if let Some(dir) = self.dir {
            let path = dir.join(below(name, key)?);
            match std::fs::read(&path) {
                Ok(mut bytes) => {
                    // What echo and editors add.
                    if bytes.ends_with(b"\n") {
                        bytes.pop();
                        if bytes.ends_with(b"\r") {
                            bytes.pop();
                        }
                    }
                    return Ok(Some(Hidden::new(bytes)));
                }
                Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {}
                Err(error) if path.is_dir() => {
                    return Err(format!(
                        "secret {name:?}: {} is a folder; a file with the value was expected ({error})",
                        path.display()
                    ));
                }
                Err(error) => return Err(format!("secret {name:?}: {} cannot be read: {error}", path.display())),
            }
        }
        let Some(prefix) = self.env else { return Ok(None) };
        let whole = key.map_or_else(|| name.to_owned(), |key| format!("{name}_{key}"));
        Ok(std::env::var(variable(prefix, &whole)).ok().map(Hidden::new))
    }
}

/// The variable of a secret.
fn variable(prefix: &str, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("{prefix}{}", name.trim_start_matches('/').chars().map(plain).collect::<String>())
}

/// The file of a secret: names of stores have slashes, and must not leave the folder.
fn below(name: &str, key: Option<&str>) -> Result<PathBuf, String> {
    let name = name.trim_start_matches('/');
    // An empty second part would make it a folder's path.
    let path = key.map_or_else(|| PathBuf::from(name), |key| Path::new(name).join(key));
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    match plain && path.components().next().is_some() && !key.is_some_and(|key| key.contains('/')) && !name.contains('\0') {
        true => Ok(path),
        false => Err(format!("secret {name:?} cannot be the name of a file in --secrets-dir")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_file_of_its_name_without_its_line_end() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("team/nfs")).expect("made");
        std::fs::write(dir.path().join("password"), "hunter2\n").expect("written");
        std::fs::write(dir.path().join("team/nfs/user"), "bob").expect("written");
        let store = Store { dir: Some(dir.path()), env: None };
        let shown = |found: Result<Option<Hidden>, String>| found.map(|found| found.map(|value| value.expose().to_vec()));
        assert_eq!(shown(store.find("password", None)), Ok(Some(b"hunter2".to_vec())));
        assert_eq!(shown(store.find("/team/nfs", Some("user"))), Ok(Some(b"bob".to_vec())));
        assert_eq!(shown(store.find("nothing", None)), Ok(None));
        assert!(store.find("team/nfs", None).is_err(), "a folder is no value");
    }

    #[test]
    fn a_name_does_not_lead_out_of_the_folder() {
        for name in ["../x", "a/../../x", "", "/", "a\0b"] {
            assert!(below(name, None).is_err(), "{name:?}");
        }
        assert!(below("a", Some("../x")).is_err());
        assert_eq!(variable("S_", "/team/nfs.key_user"), "S_TEAM_NFS_KEY_USER");
    }
}
