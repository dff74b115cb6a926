use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use serde_json::json;

use super::*;
use crate::store::{Done, Entry};

fn object(name: &str, version: u64) -> Object {
    Object::encode(json!({"metadata": {"name": name, "namespace": "n", "resourceVersion": version.to_string()}}), version)
}

fn added(name: &str, version: u64) -> Change {
    Change { resource: "things".into(), entry: Entry { done: Done::Added, object: object(name, version), previous: None } }
}

fn deleted(name: &str, version: u64) -> Change {
    let previous = Some(object(name, version - 1));
    Change { resource: "things".into(), entry: Entry { done: Done::Deleted, object: object(name, version), previous } }
}

fn names(loaded: &Loaded) -> Vec<String> {
    loaded.objects.iter().map(|(resource, object)| format!("{resource} {}", object.key())).collect()
}

fn refused(path: &Path) -> OpenError {
    match File::open(path, 1) {
        Err(error) => error,
        Ok(_) => panic!("{} was opened", path.display()),
    }
}

#[test]
fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let (mut file, loaded) = File::open(&path, 1).expect("a new file");
    let first = loaded.version;
    file.commit(&[added("a", first + 1), added("b", first + 2)]).expect("durable");
    file.commit(&[deleted("a", first + 3)]).expect("durable");
    drop(file);
    let (_, loaded) = File::open(&path, 1).expect("the same file");
    assert_eq!((loaded.version, names(&loaded)), (first + 3, vec!["things n/b".to_owned()]));
}

#[test]
fn a_commit_waits_for_the_disk_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut file, loaded) = File::open(&folder.path().join("store"), 1).expect("a new file");
    file.commit(&[added("a", loaded.version + 1)]).expect("durable");
    let before = file.disk.syncs.load(Relaxed);
    for version in 2..12 {
        file.commit(&[added("b", loaded.version + version)]).expect("durable");
    }
    assert_eq!(file.disk.syncs.load(Relaxed) - before, 10);
}

#[test]
fn the_file_is_for_its_owner_alone_and_nothing_is_left_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    drop(File::open(&path, 1).expect("a new file"));
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn a_file_in_use_is_refused_by_naming_who_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let (_file, _) = File::open(&path, 1).expect("a new file");
    let text = refused(&path).to_string();
    assert!(text.contains(&format!("in use by process {} (", std::process::id())), "{text}");
    assert!(text.contains(&path.display().to_string()), "{text}");
}

/// A file that was closed properly, with a hundred objects of some size in it.
fn closed(path: &Path) -> Vec<u8> {
    let (mut file, loaded) = File::open(path, 1).expect("a new file");
    for at in 1..=100 {
        file.commit(&[added(&format!("{at:01000}"), loaded.version + at)]).expect("durable");
    }
    drop(file);
    fs::read(path).expect("the file")
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let mut truncated = closed(&path);
    truncated.truncate(truncated.len() / 2);
    let header = truncated[..300].to_vec();
    fs::remove_file(&path).expect("removed");
    let other = folder.path().join("other");
    {
        let db = redb::Database::create(&other).expect("a database");
        let txn = db.begin_write().expect("a transaction");
        txn.open_table(redb::TableDefinition::<u64, u64>::new("numbers")).expect("a table").insert(1, 1).expect("a row");
        txn.commit().expect("committed");
    }
    let cases: [(&str, Vec<u8>); 6] = [
        ("is not a store of objects: it begins with something else", b"hello\n".to_vec()),
        ("is not a store of objects: it begins with something else", b"SQLite format 3\0".repeat(1000)),
        ("is not a store of objects: it begins with something else", vec![0; 1 << 20]),
        ("is not a store of objects: it is a redb database, but of another program", fs::read(&other).expect("the file")),
        ("is damaged", truncated),
        ("is damaged", header),
    ];
    for (why, bytes) in cases {
        fs::write(&path, &bytes).expect("written");
        let text = refused(&path).to_string();
        assert!(text.starts_with(&format!("{} {why}", path.display())), "{text}");
        assert!(text.contains("It was left as it is"), "{text}");
        assert!(fs::read(&path).expect("the file") == bytes, "changed: {text}");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing was put beside it");
    }
}

#[test]
fn a_folder_is_no_store() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(refused(folder.path()).to_string().contains("not a regular file"));
}

#[test]
fn a_file_of_another_format_is_refused_by_saying_which() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    drop(File::open(&path, 1).expect("a new file"));
    {
        let db = redb::Database::open(&path).expect("a database");
        let txn = db.begin_write().expect("a transaction");
        txn.open_table(redb::TableDefinition::<&str, u128>::new("meta")).expect("a table").insert("format", 7).expect("a row");
        txn.commit().expect("committed");
    }
    let before = fs::read(&path).expect("the file");
    let text = refused(&path).to_string();
    assert!(text.contains("format 7, and this program knows format 1"), "{text}");
    assert!(fs::read(&path).expect("the file") == before);
}

#[test]
fn a_row_that_is_no_object_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    drop(File::open(&path, 1).expect("a new file"));
    let cases = [
        ("things/n/a", "{", "is not an object"),
        ("things/n/b", r#"{"metadata":{"name":"c","namespace":"n","resourceVersion":"1"}}"#, "is the object"),
        ("things/n/a", r#"{"metadata":{"name":"a","namespace":"n","resourceVersion":"1000"}}"#, "the newest is 100"),
    ];
    for (key, json, why) in cases {
        {
            let db = redb::Database::open(&path).expect("a database");
            let txn = db.begin_write().expect("a transaction");
            let mut table = txn.open_table(redb::TableDefinition::<&str, &[u8]>::new("objects")).expect("a table");
            table.retain(|_, _| false).expect("emptied");
            table.insert(key, json.as_bytes()).expect("a row");
            drop(table);
            txn.commit().expect("committed");
        }
        let text = refused(&path).to_string();
        assert!(text.contains(key) && text.contains(why), "{text}");
    }
}

#[test]
fn no_damage_to_a_closed_file_loses_an_object_in_silence_or_is_made_worse() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let whole = closed(&path);
    let (mut refusals, mut harmless) = (0, 0);
    // Some bytes of the header, then one in every fourth page.
    for at in (0..320).step_by(7).chain((320..whole.len()).step_by(16381)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(&path, &bytes).expect("written");
        match File::open(&path, 1) {
            Ok((_, loaded)) => {
                harmless += 1;
                assert_eq!(loaded.objects.len(), 100, "byte {at}");
                assert_eq!(loaded.version, Loaded::default().version + 100, "byte {at}");
            }
            Err(_) => {
                refusals += 1;
                assert!(fs::read(&path).expect("the file") == bytes, "byte {at}: changed");
            }
        }
    }
    assert!(refusals > 10 && harmless > 0, "{refusals} refused, {harmless} harmless");
}

#[test]
fn what_was_refused_is_taken_out_of_the_file_even_if_all_of_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let (mut file, Loaded { version, .. }) = File::open(&path, 1).expect("a new file");
    file.commit(&[added("a", version + 1), added("b", version + 2)]).expect("durable");
    file.disk.failing.store(true, Relaxed);
    for _ in 0..2 {
        let refused = file.commit(&[added("c", version + 3), deleted("a", version + 4)]).expect_err("not durable");
        assert_eq!(refused.status().code, 500);
        assert!(refused.to_string().contains(&path.display().to_string()), "{refused}");
    }
    file.disk.failing.store(false, Relaxed);
    file.commit(&[added("d", version + 3)]).expect("durable again");
    drop(file);
    let (_, loaded) = File::open(&path, 1).expect("the same file");
    assert_eq!(
        (loaded.version, names(&loaded)),
        (version + 3, vec!["things n/a".into(), "things n/b".into(), "things n/d".into()])
    );
}
