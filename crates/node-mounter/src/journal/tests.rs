use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use rt::Ctx;
use rt::disk::MemoryDisk;

use super::*;

fn record() -> Record {
    Record {
        driver: "d.example.com".into(),
        handle: "vol-1".into(),
        mode: VolumeMode::Filesystem,
        inline: false,
        attachable: true,
        spec_name: "pv-1".into(),
        stage: Stage::Yes,
        staging_path: "/r/globalmount".into(),
        publishes: vec![Publish {
            place: Place { pod_uid: "uid-1".into(), spec_name: "pv-1".into() },
            target: "/r/mount".into(),
            done: true,
        }],
    }
}

fn key() -> VolumeKey {
    VolumeKey::of(&"d.example.com".into(), &"vol-1".into())
}

/// Runs a piece of engine with a disk in memory.
fn with_disk<T>(disk: &Arc<MemoryDisk>, work: impl AsyncFnOnce(Journal) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let ctx = Ctx::seeded(1, disk.clone());
        work(Journal::open(ctx, "/journal".into()).await.expect("the folder")).await
    })
}

#[test]
fn a_saved_record_is_there_after_a_restart() {
    let disk = Arc::new(MemoryDisk::new());
    with_disk(&disk, async |journal| journal.save(&key(), &record()).await.expect("saved"));
    let loaded = with_disk(&disk, async |journal| journal.load().await.expect("loaded"));
    assert_eq!(loaded.records, BTreeMap::from([(key(), record())]));
    assert!(loaded.set_aside.is_empty());
}

#[test]
fn a_removed_record_is_gone() {
    let disk = Arc::new(MemoryDisk::new());
    with_disk(&disk, async |journal| {
        journal.save(&key(), &record()).await.expect("saved");
        journal.remove(&key()).await.expect("removed");
        journal.remove(&key()).await.expect("removing twice is no error");
    });
    assert!(with_disk(&disk, async |journal| journal.load().await.expect("loaded")).records.is_empty());
}

#[test]
fn an_unreadable_record_is_set_aside_and_still_says_whose_it_was() {
    let disk = Arc::new(MemoryDisk::new());
    with_disk(&disk, async |journal| journal.save(&key(), &record()).await.expect("saved"));
    let (file, content) = disk.files().pop().expect("the record's file");
    for broken in [&content[..content.len() / 2], b"", b"rubbish\n"] {
        disk.put(file.clone(), broken.to_vec());
        let loaded = with_disk(&disk, async |journal| {
            let loaded = journal.load().await.expect("loaded");
            let again = journal.load().await.expect("loaded");
            assert_eq!(again.set_aside.len(), 1, "it is spoken of at every start");
            for aside in &again.set_aside {
                journal.settle(aside).await.expect("settled");
            }
            loaded
        });
        assert!(loaded.records.is_empty());
        assert_eq!(loaded.set_aside.len(), 1);
        assert!(loaded.set_aside[0].identity.as_ref().is_some_and(|identity| identity.is(&key())));
    }
    let loaded = with_disk(&disk, async |journal| journal.load().await.expect("loaded"));
    assert!(loaded.records.is_empty() && loaded.set_aside.is_empty(), "settled");
}

#[test]
fn a_record_under_another_volumes_name_is_set_aside() {
    let disk = Arc::new(MemoryDisk::new());
    disk.put("/journal/other.json", encode(&key(), &record()));
    let loaded = with_disk(&disk, async |journal| journal.load().await.expect("loaded"));
    assert!(loaded.records.is_empty());
    assert_eq!(loaded.set_aside[0].problem, Corrupt::Misplaced { key: key().to_string() });
}

#[test]
fn a_record_of_another_life_is_doubted() {
    let doubted = record().doubted();
    assert_eq!(doubted.stage, Stage::Maybe);
    assert!(!doubted.publishes[0].done);
    let never = Record { stage: Stage::NotNeeded, ..record() };
    assert_eq!(never.doubted().stage, Stage::NotNeeded, "what was never staged is not doubted");
}

proptest! {
    #[test]
    fn a_cut_record_is_noticed(at in 0usize..1000) {
        let bytes = encode(&key(), &record());
        prop_assume!(at < bytes.len());
        prop_assert!(decode(&bytes[..at]).is_err());
    }

    #[test]
    fn a_flipped_bit_is_noticed(at in 0usize..1000, bit in 0u8..8) {
        let mut bytes = encode(&key(), &record());
        prop_assume!(at < bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes).is_err());
    }
}
