use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn record() -> Record {
    let mut record = Record::new("d".into(), Origin::Docker, Asked::default(), String::new());
    record.boot = "boot-1".to_owned();
    record
}

fn up() -> Record {
    Record { attached: Done::Yes, staged: Done::Yes, published: Done::Yes, ..record() }
}

#[test]
fn after_a_reboot_nothing_is_mounted_and_what_is_attached_stays_so() {
    let mut before = up();
    before.count("container");
    let after = before.seen("boot-2", true);
    assert_eq!((after.attached, after.staged, after.published), (Done::Yes, Done::No, Done::No));
    assert!(after.mounts.is_empty());
}

#[test]
fn the_mount_table_decides_what_is_still_mounted() {
    assert_eq!(up().seen("boot-1", true), up());
    let mut before = up();
    before.count("container");
    let after = before.seen("boot-1", false);
    assert_eq!((after.staged, after.published), (Done::Maybe, Done::Maybe));
    assert_eq!(after.mounts.len(), 1, "its container still has it");
}

/// `docker cp` on a running container: the id is mounted twice and unmounted once while the container runs.
#[test]
fn one_id_is_counted_as_often_as_it_mounts() {
    let mut record = record();
    record.count("a");
    record.count("a");
    assert!(record.discount("a"));
    assert_eq!(record.mounts, BTreeMap::from([("a".to_owned(), 1)]));
    assert!(record.discount("a") && record.mounts.is_empty());
    assert!(!record.discount("a"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// The laws of counting, against the plainest model: a list of who has it mounted.
    #[test]
    fn counts_are_those_of_a_list(steps in proptest::collection::vec((any::<bool>(), 0u8..4), 0..40)) {
        let mut record = record();
        let mut list: Vec<u8> = Vec::new();
        for (mount, id) in steps {
            let name = id.to_string();
            if mount {
                record.count(&name);
                list.push(id);
            } else {
                let known = list.iter().position(|one| *one == id);
                prop_assert_eq!(record.discount(&name), known.is_some());
                if let Some(at) = known {
                    list.remove(at);
                }
            }
            prop_assert_eq!(record.mounts.is_empty(), list.is_empty());
            prop_assert_eq!(record.mounts.values().map(|count| *count as usize).sum::<usize>(), list.len());
            prop_assert!(record.mounts.values().all(|count| *count > 0));
        }
    }
}
