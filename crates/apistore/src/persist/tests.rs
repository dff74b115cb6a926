use std::fs;
use std::path::Path;

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
    let before = file.disk.syncs();
    for version in 2..12 {
        file.commit(&[added("b", loaded.version + version)]).expect("durable");
    }
    assert_eq!(file.disk.syncs() - before, 10);
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
