//! Which socket is which driver, and what is to be done about it. Pure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use csi_types::DriverName;
use rt::Instant;

/// Tells a socket from another that was there under its name before. A timestamp belongs to it: inodes are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketId {
    /// The inode.
    pub inode: u64,
    /// When it was made, in nanoseconds.
    pub made: i128,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask this socket who it is. It counts as busy until [`Table::finished`].
    Register(PathBuf),
    /// This driver came by this socket, which is gone.
    Deregister(DriverName, PathBuf),
}

/// All sockets that were seen.
#[derive(Debug, Default)]
pub struct Table {
    entries: BTreeMap<PathBuf, Entry>,
    /// Counts registrations, to tell which is the latest of a driver.
    registrations: u64,
}

#[derive(Debug)]
struct Entry {
    id: SocketId,
    phase: Phase,
    failures: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Due(Instant),
    Busy,
    Registered { driver: DriverName, nth: u64 },
}

const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(122);

impl Table {
    /// Compares with what is there now. What is busy is left alone, and looked at after it has finished.
    pub fn look(&mut self, seen: &BTreeMap<PathBuf, SocketId>, now: Instant) -> Vec<Step> {
        let mut steps = Vec::new();
        let stale = |(path, entry): &(&PathBuf, &Entry)| entry.phase != Phase::Busy && seen.get(*path) != Some(&entry.id);
        let gone: Vec<PathBuf> = self.entries.iter().filter(stale).map(|(path, _)| path.clone()).collect();
        for path in gone {
            let Some(Entry { phase: Phase::Registered { driver, nth }, .. }) = self.entries.remove(&path) else { continue };
            // A driver that has another socket goes on by that one. Its registration is repeated if it was the older one.
            match self.latest(&driver) {
                Some((_, other)) if other > nth => {}
                Some((heir, _)) => self.again(&heir, now),
                None => steps.push(Step::Deregister(driver, path)),
            }
        }
        for (path, id) in seen {
            self.entries.entry(path.clone()).or_insert(Entry { id: *id, phase: Phase::Due(now), failures: 0 });
        }
        for (path, entry) in &mut self.entries {
            if matches!(entry.phase, Phase::Due(at) if at <= now) {
                entry.phase = Phase::Busy;
                steps.push(Step::Register(path.clone()));
            }
        }
        steps
    }

    /// A registration ended. `None`: it failed, and is tried again later as long as the socket is there.
    pub fn finished(&mut self, path: &Path, driver: Option<DriverName>, now: Instant) {
        let Some(entry) = self.entries.get_mut(path) else { return };
        match driver {
            Some(driver) => {
                self.registrations += 1;
                entry.failures = 0;
                entry.phase = Phase::Registered { driver, nth: self.registrations };
            }
            None => {
                let wait = FIRST_RETRY.saturating_mul(1 << entry.failures.min(8)).min(LONGEST_RETRY);
                entry.failures += 1;
                entry.phase = Phase::Due(now + wait);
            }
        }
    }

    /// When the next try is due.
    pub fn next_try(&self) -> Option<Instant> {
        let due = |entry: &Entry| if let Phase::Due(at) = entry.phase { Some(at) } else { None };
        self.entries.values().filter_map(due).min()
    }

    fn latest(&self, driver: &DriverName) -> Option<(PathBuf, u64)> {
        let of_driver = |(path, entry): (&PathBuf, &Entry)| match &entry.phase {
            Phase::Registered { driver: known, nth } if known == driver => Some((path.clone(), *nth)),
            Phase::Registered { .. } | Phase::Due(_) | Phase::Busy => None,
        };
        self.entries.iter().filter_map(of_driver).max_by_key(|(_, nth)| *nth)
    }

    fn again(&mut self, path: &Path, now: Instant) {
        if let Some(entry) = self.entries.get_mut(path) {
            entry.phase = Phase::Due(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant(Duration::from_secs(seconds))
    }

    fn sockets(list: &[(&str, u64)]) -> BTreeMap<PathBuf, SocketId> {
        list.iter().map(|(path, inode)| (PathBuf::from(path), SocketId { inode: *inode, made: 0 })).collect()
    }

    fn register(path: &str) -> Step {
        Step::Register(path.into())
    }

    fn registered(table: &mut Table, seen: &[(&str, u64)], path: &str) {
        assert!(table.look(&sockets(seen), at(0)).contains(&register(path)));
        table.finished(Path::new(path), Some("d".into()), at(0));
    }

    #[test]
    fn a_socket_is_registered_once() {
        let mut table = Table::default();
        registered(&mut table, &[("a", 1)], "a");
        assert_eq!(table.look(&sockets(&[("a", 1)]), at(9)), vec![]);
    }

    #[test]
    fn a_socket_that_was_made_again_between_two_looks_is_registered_again() {
        let mut table = Table::default();
        registered(&mut table, &[("a", 1)], "a");
        let steps = table.look(&sockets(&[("a", 2)]), at(1));
        assert_eq!(steps, vec![Step::Deregister("d".into(), "a".into()), register("a")]);
    }

    #[test]
    fn a_driver_goes_with_its_last_socket_only() {
        let mut table = Table::default();
        registered(&mut table, &[("old", 1)], "old");
        registered(&mut table, &[("old", 1), ("new", 2)], "new");
        assert_eq!(table.look(&sockets(&[("new", 2)]), at(1)), vec![], "the newer one has it");
        assert_eq!(table.look(&sockets(&[]), at(2)), vec![Step::Deregister("d".into(), "new".into())]);
    }

    #[test]
    fn an_older_socket_takes_its_driver_back() {
        let mut table = Table::default();
        registered(&mut table, &[("old", 1)], "old");
        registered(&mut table, &[("old", 1), ("new", 2)], "new");
        assert_eq!(table.look(&sockets(&[("old", 1)]), at(1)), vec![register("old")]);
    }

    #[test]
    fn a_failure_is_tried_again_later_and_later() {
        let mut table = Table::default();
        let seen = sockets(&[("a", 1)]);
        assert_eq!(table.look(&seen, at(0)), vec![register("a")]);
        assert_eq!(table.look(&seen, at(0)), vec![], "busy");
        table.finished(Path::new("a"), None, at(0));
        assert_eq!(table.look(&seen, at(0)), vec![]);
        assert_eq!(table.next_try(), Some(at(0) + FIRST_RETRY));
        assert_eq!(table.look(&seen, at(1)), vec![register("a")]);
        for _ in 0..20 {
            table.finished(Path::new("a"), None, at(0));
        }
        assert_eq!(table.next_try(), Some(at(0) + LONGEST_RETRY));
    }

    #[test]
    fn a_socket_that_goes_while_it_registers_is_deregistered_afterwards() {
        let mut table = Table::default();
        assert_eq!(table.look(&sockets(&[("a", 1)]), at(0)), vec![register("a")]);
        assert_eq!(table.look(&sockets(&[]), at(1)), vec![]);
        table.finished(Path::new("a"), Some("d".into()), at(2));
        assert_eq!(table.look(&sockets(&[]), at(2)), vec![Step::Deregister("d".into(), "a".into())]);
    }
}
