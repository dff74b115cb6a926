use std::collections::BTreeMap;

use super::record::{Format, LAYOUT};
use super::*;

fn volume(id: &Key, created: u64) -> Volume {
    Volume {
        layout: LAYOUT,
        id: id.as_str().to_owned(),
        name: "pvc-1".to_owned(),
        kind: Kind::Loop,
        capacity: 4096,
        filesystem: None,
        format: Format::Blank,
        filesystem_bytes: 0,
        parameters: BTreeMap::new(),
        source: None,
        borrowed_identity: false,
        created,
        ephemeral: false,
        attached: BTreeMap::new(),
        published: BTreeMap::new(),
    }
}

fn add(store: &Store, name: &str, created: u64) -> Key {
    let key = Key::for_volume_name(name);
    store.volumes.begin(&key).unwrap();
    store.volumes.commit(&key, &volume(&key, created)).unwrap();
    key
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let key = add(&store, "pvc-1", 7);
    let mut record = volume(&key, 7);
    record.format = Format::Made(record::Filesystem::Xfs);
    record.source = Some(record::Source::Snapshot("s-1".into()));
    store.volumes.update(&key, &record).unwrap();
    assert_eq!(store.volume(key.as_str()).unwrap().1, record);
}

#[test]
fn a_volume_is_found_by_its_id_and_by_the_name_it_was_made_under() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let key = add(&store, "pre-provisioned-volume-id-001", 7);
    for id in [key.as_str(), "pre-provisioned-volume-id-001"] {
        assert_eq!(store.key(id), key, "{id}");
        assert_eq!(store.volume(id).unwrap().1, volume(&key, 7), "{id}");
    }
    let hostile = "../../etc";
    assert!(store.key(hostile).as_str().starts_with("e-"));
    assert!(matches!(store.volume(hostile), Err(Error::NotFound(_))));
}

#[test]
fn a_list_is_oldest_first_and_leaves_out_half_made_and_broken_volumes() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let (second, first, broken) = (add(&store, "a", 2), add(&store, "b", 1), add(&store, "c", 3));
    fs::write(store.volumes.path(&broken).join("record.json"), "{").unwrap();
    store.volumes.begin(&Key::for_volume_name("d")).unwrap();
    let ids: Vec<String> = store.volumes.list().unwrap().into_iter().map(|volume| volume.id).collect();
    assert_eq!(ids, [first.as_str(), second.as_str()]);
    assert!(matches!(store.volume(broken.as_str()), Err(Error::Record { .. })));
}

#[test]
fn a_record_of_a_newer_layout_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let key = add(&store, "pvc-1", 1);
    let mut record = volume(&key, 1);
    record.layout = LAYOUT + 1;
    store.volumes.update(&key, &record).unwrap();
    assert!(matches!(store.volume(key.as_str()), Err(Error::Record { .. })));
}

#[test]
fn what_an_interrupted_call_left_is_gone_at_the_next_start_and_whole_volumes_stay() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let whole = add(&store, "whole", 1);
    let half = Key::for_volume_name("half");
    fs::write(store.volumes.begin(&half).unwrap().join("disk.img"), "x").unwrap();
    let gone = add(&store, "gone", 1);
    fs::rename(store.volumes.path(&gone), store.volumes.dir().join(format!(".gone-{}", gone.as_str()))).unwrap();
    drop(store);
    let store = Store::open(dir.path(), false).unwrap();
    assert_eq!(store.volumes.names().unwrap(), [whole.as_str()]);
}

#[test]
fn what_a_living_call_is_making_is_left_alone_by_another_process_that_starts() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let key = Key::for_volume_name("half");
    let _guard = store.volumes.lock(&key).unwrap();
    let path = store.volumes.begin(&key).unwrap();
    Store::open(dir.path(), false).unwrap();
    assert!(path.exists());
}

#[test]
fn removing_twice_is_removing_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let key = add(&store, "pvc-1", 1);
    store.volumes.remove(&key).unwrap();
    store.volumes.remove(&key).unwrap();
    assert!(store.volumes.names().unwrap().is_empty());
}

#[test]
fn a_sparse_promise_counts_as_used_unless_overcommitment_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let before = store.available().unwrap();
    let key = add(&store, "pvc-1", 1);
    let image = File::create(store.data(&key, Kind::Loop)).unwrap();
    image.set_len(before / 2).unwrap();
    assert!(matches!(store.reserve(before, "volume pvc-2"), Err(Error::Exhausted(_))));
    drop(store.reserve(before / 4, "volume pvc-2").unwrap());
    let store = Store::open(dir.path(), true).unwrap();
    drop(store.reserve(before * 2, "volume pvc-2").unwrap());
    assert!(store.available().unwrap() > before / 2);
}

#[test]
fn a_node_id_stays_inside_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    store.register_node("../a/b").unwrap();
    assert!(store.knows_node("../a/b"));
    assert!(!store.knows_node("../a"));
    assert_eq!(fs::read_dir(dir.path().join("nodes")).unwrap().count(), 1);
}
