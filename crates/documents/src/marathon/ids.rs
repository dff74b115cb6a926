//! Marathon's ids: paths of groups and an app.

/// The absolute form of an id inside a group. `.` and `..` are resolved.
///
/// # Errors
/// What is wrong with it. `group`: the root is allowed.
pub(super) fn absolute(parent: &str, id: &str, group: bool) -> Result<String, String> {
    let mut parts: Vec<&str> = match id.starts_with('/') {
        true => Vec::new(),
        false => parent.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in id.split('/').filter(|part| !part.is_empty()) {
        match part {
            "." => {}
            ".." if parts.pop().is_none() => return Err(format!("{id:?} leads out of the root group")),
            ".." => {}
            part if part.split('.').all(plain) => parts.push(part),
            part => {
                return Err(format!(
                    "{part:?} of {id:?} is no part of an id: it has lower-case letters, digits, - and ., and begins and ends with a letter or digit"
                ));
            }
        }
    }
    match parts.is_empty() && !group {
        true => Err(format!("{id:?} is the root group, not an app")),
        false => Ok(format!("/{}", parts.join("/"))),
    }
}

fn plain(part: &str) -> bool {
    let inner = part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    inner && !part.is_empty() && !part.starts_with('-') && !part.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_becomes_absolute() {
        for (parent, id, expected) in [
            ("/", "foo", "/foo"),
            ("/a", "b", "/a/b"),
            ("/a/b", "../c", "/a/c"),
            ("/a", "/x/y", "/x/y"),
            ("/a", "./b", "/a/b"),
            ("/", "web.app-1", "/web.app-1"),
        ] {
            assert_eq!(absolute(parent, id, false).as_deref(), Ok(expected), "{id}");
        }
        for id in ["", "/", "Foo", "a_b", "-a", "a-", "a..b", "../..", "a b", "ä"] {
            assert!(absolute("/", id, false).is_err(), "{id}");
        }
        assert_eq!(absolute("/", "/", true).as_deref(), Ok("/"));
    }
}
