//! Users of this host, for documents that name them.

use std::collections::BTreeMap;

/// Name to number of the user and of its group. Without the file, or in a line that is none, there is nobody.
pub(super) fn known() -> BTreeMap<String, (u32, u32)> {
    of(&std::fs::read_to_string("/etc/passwd").unwrap_or_default())
}

fn of(text: &str) -> BTreeMap<String, (u32, u32)> {
    text.lines()
        .filter_map(|line| {
            let parts: Vec<&str> = line.split(':').collect();
            Some(((*parts.first()?).to_owned(), (parts.get(2)?.parse().ok()?, parts.get(3)?.parse().ok()?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_user_has_a_number_and_a_group() {
        let users = super::of("root:x:0:0:root:/root:/bin/sh\nodd\nbob:x:1000:100::/home/bob:/bin/sh\n");
        assert_eq!(users.get("bob"), Some(&(1000, 100)));
        assert_eq!(users.len(), 2);
    }
}
