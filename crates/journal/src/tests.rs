use std::sync::Arc;

use proptest::prelude::*;
use rt::disk::MemoryDisk;

use super::*;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(String);

impl Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Key for Name {
    fn parse(text: &str) -> Self {
        Self(text.to_owned())
    }
    fn as_str(&self) -> &str {
        &self.0
    }
}

type Record = BTreeMap<String, u32>;

fn record() -> Record {
    BTreeMap::from([("mounted".to_owned(), 2)])
}

fn key() -> Name {
    Name::parse("a volume/1")
}

/// Runs a piece of engine with a disk in memory.
fn with_disk<T>(disk: &Arc<MemoryDisk>, work: impl AsyncFnOnce(Journal<Name, Record>) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let ctx = Ctx::seeded(1, disk.clone());
        work(Journal::open(ctx, "/journal".into()).await.expect("the folder")).await
    })
}

#[test]
fn a_saved_record_is_there_after_a_restart_and_a_removed_one_is_gone() {
    let disk = Arc::new(MemoryDisk::new());
    with_disk(&disk, async |journal| journal.save(&key(), &record()).await.expect("saved"));
    let loaded = with_disk(&disk, async |journal| journal.load().await.expect("loaded"));
    assert_eq!(loaded.records, BTreeMap::from([(key(), record())]));
    with_disk(&disk, async |journal| {
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
    disk.put(file, content[..content.len() / 2].to_vec());
    let loaded = with_disk(&disk, async |journal| {
        journal.load().await.expect("loaded");
        journal.load().await.expect("it is spoken of at every start")
    });
    assert!(loaded.records.is_empty() && loaded.set_aside.len() == 1 && loaded.set_aside[0].is_of(&key()));
}

proptest! {
    #[test]
    fn a_cut_record_is_noticed(at in 0usize..1000) {
        let bytes = encode(&key(), &record());
        prop_assert!(decode::<Name, Record>(&bytes[..at % bytes.len()]).is_err());
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode::<Name, Record>(&bytes).is_err());
    }
}
