//! What is done to whom: every call, at every boundary that the driver sees, under every fault. A run goes through the combinations
//! in an order drawn from its seed, so that even a short one has every call, boundary and fault in it.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::ValueEnum;
use fake_driver::Rpc;

use crate::dice::Dice;

/// The calls whose caller is killed, in the order of a volume's life.
pub(crate) const RPCS: [Rpc; 8] = [
    Rpc::CreateVolume,
    Rpc::ControllerPublishVolume,
    Rpc::NodeStageVolume,
    Rpc::NodePublishVolume,
    Rpc::NodeUnpublishVolume,
    Rpc::NodeUnstageVolume,
    Rpc::ControllerUnpublishVolume,
    Rpc::DeleteVolume,
];

/// Whose call it is: the program under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Provisioner,
    Attacher,
    Mounter,
}

/// When in the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Point {
    /// The request is there; its effect comes after the caller's death.
    Received,
    /// The effect is there; the answer never arrives.
    Replying,
    /// The answer is on its way, for 0 to 50 ms.
    Replied,
}

/// What else happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Fault {
    /// Nothing: the user waits.
    Kept,
    /// The user deletes everything while the process is dead.
    Deleted,
    /// The call succeeds after the caller's deadline.
    Late,
    /// The API server is stopped as the call reaches this point, and for some seconds.
    ServerStopped,
    /// The process is one of two, is killed or frozen, and the other one takes the lease.
    LeaseLost,
    /// The mounter's files lose their ends.
    JournalTruncated,
    /// One bit of the mounter's files is another.
    JournalFlipped,
    /// The mounter's files are gone.
    JournalRemoved,
}

/// One round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) number: u32,
    pub(crate) rpc: Rpc,
    pub(crate) point: Point,
    pub(crate) fault: Fault,
    /// From the answer to the kill.
    pub(crate) after: Duration,
    /// How often it is hit there: the second time is after the restart.
    pub(crate) strikes: u32,
    /// The user deletes everything while the process is dead.
    pub(crate) gives_up: bool,
    /// How long it is dead.
    pub(crate) dead_for: Duration,
    /// [`Fault::Late`]: how late, and whether the effect is late too.
    pub(crate) lateness: Duration,
    pub(crate) late_effect: bool,
    /// [`Fault::ServerStopped`]: for how long, and whether the process is back before the server is.
    pub(crate) stopped_for: Duration,
    pub(crate) back_before_server: bool,
    /// [`Fault::LeaseLost`]: frozen, and later thawed, rather than killed.
    pub(crate) frozen: bool,
    /// The pod is deleted without grace.
    pub(crate) forced: bool,
    /// Where the journal is cut or flipped.
    pub(crate) damage: u64,
}

/// Which rounds are wanted; empty: all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) rpcs: Vec<Rpc>,
    pub(crate) points: Vec<Point>,
    pub(crate) faults: Vec<Fault>,
}

// === impl Part ===

impl Part {
    pub(crate) fn that_calls(rpc: Rpc) -> Self {
        match rpc {
            Rpc::CreateVolume | Rpc::DeleteVolume => Self::Provisioner,
            Rpc::ControllerPublishVolume | Rpc::ControllerUnpublishVolume => Self::Attacher,
            _ => Self::Mounter,
        }
    }
}

// === impl Point ===

impl Point {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Received => "request received",
            Self::Replying => "reply about to be sent",
            Self::Replied => "reply sent",
        }
    }
}

// === impl Fault ===

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kept => "claim kept",
            Self::Deleted => "claim deleted",
            Self::Late => "driver late",
            Self::ServerStopped => "API server stopped",
            Self::LeaseLost => "lease lost",
            Self::JournalTruncated => "journal truncated",
            Self::JournalFlipped => "journal bit-flipped",
            Self::JournalRemoved => "journal deleted",
        }
    }

    /// There is one mounter per node and no lease between them; only it has a journal.
    pub(crate) fn can_happen_to(self, part: Part) -> bool {
        match self {
            Self::Kept | Self::Deleted | Self::Late | Self::ServerStopped => true,
            Self::LeaseLost => part != Part::Mounter,
            Self::JournalTruncated | Self::JournalFlipped | Self::JournalRemoved => part == Part::Mounter,
        }
    }
}

// === impl Plan ===

impl Plan {
    pub(crate) fn part(&self) -> Part {
        Part::that_calls(self.rpc)
    }

    /// The round in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let mut words = format!("{}, {}, {}", self.rpc.name(), self.point.name(), self.fault.name());
        let mut also = |yes: bool, what: &str| {
            if yes {
                words.push_str(", ");
                words.push_str(what);
            }
        };
        also(self.gives_up && self.fault != Fault::Deleted, "claim deleted");
        also(self.fault == Fault::Late && self.late_effect, "its effect too");
        also(self.fault == Fault::LeaseLost && self.frozen, "frozen");
        words
    }

    fn draw(seed: u64, number: u32, (rpc, point, fault): (Rpc, Point, Fault)) -> Self {
        let dice = &mut Dice::new(seed, u64::from(number));
        let may_hit_again = !matches!(fault, Fault::ServerStopped | Fault::LeaseLost);
        Self {
            number,
            rpc,
            point,
            fault,
            after: dice.millis(0, 50),
            strikes: 1 + u32::from(dice.percent(40) && may_hit_again),
            gives_up: dice.percent(50) && fault != Fault::Kept || fault == Fault::Deleted,
            dead_for: dice.millis(0, 400),
            lateness: dice.millis(2200, 3500),
            late_effect: dice.percent(50),
            stopped_for: dice.millis(1500, 5000),
            back_before_server: dice.percent(50),
            frozen: dice.percent(60),
            forced: dice.percent(25),
            damage: dice.next(),
        }
    }
}

/// The rounds of a run. A longer run begins with the rounds of a shorter one.
pub(crate) fn draw(seed: u64, rounds: u32, wanted: &Wanted) -> Vec<Plan> {
    let mut cells = cells(wanted);
    Dice::new(seed, 0).shuffle(&mut cells);
    let (mut whole, mut pairs) = (BTreeMap::new(), BTreeMap::new());
    let (mut rpcs, mut points, mut faults) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut plans = Vec::new();
    for number in 1..=rounds {
        // What was least often done comes next; the shuffle decides between equals.
        let rarest = cells.iter().min_by_key(|&&cell| {
            let (rpc, point, fault) = cell;
            let alone = times(&rpcs, rpc) + times(&points, point) + times(&faults, fault);
            (times(&whole, cell), times(&pairs, (rpc, fault)), alone)
        });
        let Some(&cell) = rarest else { break };
        let (rpc, point, fault) = cell;
        *whole.entry(cell).or_insert(0) += 1;
        *pairs.entry((rpc, fault)).or_insert(0) += 1;
        *rpcs.entry(rpc).or_insert(0) += 1;
        *points.entry(point).or_insert(0) += 1;
        *faults.entry(fault).or_insert(0) += 1;
        plans.push(Plan::draw(seed, number, cell));
    }
    plans
}

fn times<K: Ord>(counts: &BTreeMap<K, u32>, key: K) -> u32 {
    counts.get(&key).copied().unwrap_or_default()
}

fn cells(wanted: &Wanted) -> Vec<(Rpc, Point, Fault)> {
    let mut cells = Vec::new();
    for rpc in RPCS.into_iter().filter(|rpc| wanted.rpcs.is_empty() || wanted.rpcs.contains(rpc)) {
        for &point in Point::value_variants().iter().filter(|p| wanted.points.is_empty() || wanted.points.contains(p)) {
            for &fault in Fault::value_variants().iter().filter(|f| wanted.faults.is_empty() || wanted.faults.contains(f)) {
                if fault.can_happen_to(Part::that_calls(rpc)) {
                    cells.push((rpc, point, fault));
                }
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn thirty_rounds_have_every_call_boundary_and_fault_in_them() {
        for seed in 0..300 {
            let plans = draw(seed, 30, &Wanted::default());
            let rpcs: BTreeSet<_> = plans.iter().map(|plan| plan.rpc).collect();
            let points: BTreeSet<_> = plans.iter().map(|plan| plan.point).collect();
            let faults: BTreeSet<_> = plans.iter().map(|plan| plan.fault).collect();
            let all = (RPCS.len(), Point::value_variants().len(), Fault::value_variants().len());
            assert_eq!((rpcs.len(), points.len(), faults.len()), all, "seed {seed}");
        }
    }

    #[test]
    fn a_seed_draws_the_same_rounds_and_a_longer_run_begins_as_a_shorter_one() {
        let long = draw(7, 150, &Wanted::default());
        assert_eq!(long[..30], draw(7, 30, &Wanted::default())[..]);
        let cells: BTreeSet<_> = long.iter().map(|plan| (plan.rpc, plan.point, plan.fault)).collect();
        assert_eq!(cells.len(), self::cells(&Wanted::default()).len(), "every combination");
    }
}
