use std::sync::Arc;

use rt::disk::MemoryDisk;

use super::*;

fn with_disk<T>(disk: &Arc<MemoryDisk>, work: impl AsyncFnOnce(Ctx, Journal, Root) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let ctx = Ctx::seeded(1, disk.clone());
        let root = Root::new("/r");
        let journal = Journal::open(ctx.clone(), root.journal()).await.expect("the folder");
        work(ctx, journal, root).await
    })
}

fn recovered(disk: &Arc<MemoryDisk>) -> Recovered {
    with_disk(disk, async |ctx, journal, root| recover(&ctx, &journal, &root).await.expect("recovered"))
}

fn key() -> VolumeKey {
    VolumeKey::of(&"d".into(), &"vol-1".into())
}

fn place() -> Place {
    Place { pod_uid: "uid-1".into(), spec_name: "pv-1".into() }
}

const DATA: &str = r#"{"driverName":"d","volumeHandle":"vol-1","volumeLifecycleMode":"Persistent"}"#;

/// The folders of a volume that is staged, and published to one pod.
fn folders(disk: &MemoryDisk, published: bool) {
    let root = Root::new("/r");
    let staged = root.staging_dir(&"d".into(), &"vol-1".into());
    disk.put(vol_data::file(&staged), DATA);
    if published {
        disk.put(vol_data::file(&root.publish_dir("uid-1", "pv-1")), DATA);
    }
}

#[test]
fn nothing_is_recovered_from_nothing() {
    let found = recovered(&Arc::new(MemoryDisk::new()));
    assert!(found.records.is_empty() && found.held.is_empty());
}

/// kubernetes#101791.
#[test]
fn a_volume_that_was_staged_and_not_yet_published_is_not_forgotten() {
    let disk = Arc::new(MemoryDisk::new());
    folders(&disk, false);
    let record = recovered(&disk).records.remove(&key()).expect("a record");
    assert_eq!((record.stage, record.attachable), (Stage::Maybe, true));
    assert_eq!(record.staging_path, Root::new("/r").staging_path(&"d".into(), &"vol-1".into()));
}

#[test]
fn a_lost_record_is_made_good_from_the_folders() {
    let disk = Arc::new(MemoryDisk::new());
    folders(&disk, true);
    let record = recovered(&disk).records.remove(&key()).expect("a record");
    let publish = record.publish(&place()).expect("the publish");
    assert_eq!(publish.target, Root::new("/r").publish_path("uid-1", "pv-1"));
    assert!(!publish.done);
    let again = recovered(&disk);
    assert_eq!(again.records.get(&key()), Some(&record), "and is in the journal from then on");
}

#[test]
fn a_record_that_cannot_be_read_is_made_good_or_holds_its_volume() {
    let disk = Arc::new(MemoryDisk::new());
    let file = Root::new("/r").journal().join(format!("{}.json", crate::journal::file_name(&key())));
    disk.put(file.clone(), "rubbish");
    let found = recovered(&disk);
    assert!(found.records.is_empty());
    assert!(found.held.iter().any(|lost| lost.is_of(&key())), "reported in use although nothing else is known");
    assert!(recovered(&disk).held.iter().any(|lost| lost.is_of(&key())), "at every start");

    folders(&disk, true);
    let found = recovered(&disk);
    assert!(found.held.is_empty() && found.records.contains_key(&key()));
}

#[test]
fn a_device_is_found_by_who_has_it() {
    let disk = Arc::new(MemoryDisk::new());
    let root = Root::new("/r");
    disk.put(vol_data::file(&root.block_data_dir("pv-1")), r#"{"driverName":"d","volumeHandle":"vol-1"}"#);
    disk.put(root.block_device("pv-1", "uid-1"), "");
    disk.put(root.block_staging_path("pv-1").join("x"), "");
    let record = recovered(&disk).records.remove(&key()).expect("a record");
    assert_eq!((record.mode, record.stage), (VolumeMode::Block, Stage::Maybe));
    assert_eq!(record.publish(&place()).expect("the publish").target, root.block_publish_path("pv-1", "uid-1"));
}

#[test]
fn an_inline_volume_keeps_its_name() {
    let disk = Arc::new(MemoryDisk::new());
    let data = r#"{"driverName":"d","volumeHandle":"csi-1","volumeLifecycleMode":"Ephemeral"}"#;
    disk.put(vol_data::file(&Root::new("/r").publish_dir("uid-1", "tmp")), data);
    let record = recovered(&disk).records.remove(&VolumeKey::inline("uid-1", "tmp")).expect("a record");
    assert!(record.inline && !record.attachable);
    assert_eq!(record.stage, Stage::NotNeeded);
}

#[test]
fn a_torn_file_of_a_stranger_is_left_alone() {
    let disk = Arc::new(MemoryDisk::new());
    let file = vol_data::file(&Root::new("/r").publish_dir("uid-1", "pv-1"));
    disk.put(file.clone(), "{");
    assert!(recovered(&disk).records.is_empty());
    assert!(disk.files().iter().any(|(path, _)| *path == file));
}

#[test]
fn what_the_journal_says_is_doubted_and_not_lost() {
    let disk = Arc::new(MemoryDisk::new());
    folders(&disk, true);
    let mut known = recovered(&disk).records.remove(&key()).expect("a record");
    known.stage = Stage::Yes;
    let other = Place { pod_uid: "uid-2".into(), spec_name: "pv-1".into() };
    known.set_publish(Publish { place: other.clone(), target: "/r/t".into(), done: true });
    with_disk(&disk, async |_, journal, _| journal.save(&key(), &known).await.expect("saved"));
    let record = recovered(&disk).records.remove(&key()).expect("a record");
    assert_eq!(record.stage, Stage::Maybe);
    assert!(record.publishes.iter().all(|publish| !publish.done));
    assert!(record.publish(&place()).is_some() && record.publish(&other).is_some());
}
