//! Everything that a run depends on, as data: it can be saved, read, made smaller, and run again.

mod generate;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Rates};

/// A run to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Latencies, uids, turns of tasks, and what goes wrong by chance.
    pub seed: u64,
    /// What there is.
    pub shape: Shape,
    /// What is done, in the order of time.
    pub steps: Vec<Step>,
    /// How often things go wrong by chance, until they are to go well.
    #[serde(default)]
    pub rates: Rates,
    /// What exactly goes wrong.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shape {
    /// Provisioners and attachers, each: with more than one they share a lease.
    pub replicas: u8,
    /// Whether the driver attaches.
    pub attach: bool,
    /// Whether volumes are staged.
    pub stage: bool,
    /// Whether volumes are reached from some places only, which the driver names.
    pub topology: bool,
    /// Whether classes name secrets.
    pub secrets: bool,
    /// Whether the sidecars may write their intents.
    pub intents: bool,
    /// Whether the driver wants its volumes published again and again.
    pub republish: bool,
    /// After the last step the user deletes everything; otherwise what is there must work.
    pub clear: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            replicas: 1,
            attach: true,
            stage: true,
            topology: false,
            secrets: false,
            intents: true,
            republish: false,
            clear: true,
        }
    }
}

/// Something that is done at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Milliseconds since the run began.
    pub at: u64,
    pub act: Act,
}

/// What users, administrators and fate do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// A claim of a class: `fast` (deleted with its claim), `wait` (made where its pod is), `keep` (retained).
    CreateClaim {
        name: String,
        class: String,
        mode: String,
        block: bool,
    },
    /// A pod that uses these claims.
    CreatePod {
        name: String,
        claims: Vec<String>,
    },
    DeletePod {
        name: String,
    },
    /// Without grace: the object is gone at once.
    ForceDeletePod {
        name: String,
    },
    /// Its containers ended; the object stays.
    EndPod {
        name: String,
    },
    DeleteClaim {
        name: String,
    },
    /// The PersistentVolume of this claim.
    DeleteVolume {
        claim: String,
    },
    /// An administrator keeps what would have been deleted.
    Retain {
        claim: String,
    },
    /// An administrator takes a released volume of this claim from it: whoever wants it may have it, with what it holds.
    FreeVolume {
        claim: String,
    },
    /// A claim, and one of the same name right after it.
    ReplaceClaim {
        name: String,
    },
    DeleteClass {
        name: String,
    },
    /// The class, with another parameter.
    CreateClass {
        name: String,
        variant: u8,
    },
    DeleteSecret,
    CreateSecret,
    /// A process dies now, or when its tasks have taken so many more turns.
    Kill {
        process: String,
    },
    KillAfterTurns {
        process: String,
        turns: u64,
    },
    /// SIGSTOP and SIGCONT.
    Freeze {
        process: String,
        ms: u64,
    },
    /// The node's machine: kernel and mounter start anew, the disk stays.
    Reboot,
    /// The mounter dies, and its journal is not what it was when it starts again.
    DamageJournal {
        how: Damage,
    },
    /// Nothing more fits on the node's disk for a while.
    FillDisk {
        ms: u64,
    },
    /// Nobody reaches the API for a while.
    ApiDown {
        ms: u64,
    },
    /// The driver's processes are down for a while.
    DriverDown {
        ms: u64,
    },
    /// Watches that are behind are told 410.
    Compact,
    /// The rights to write intents are taken away for a while.
    ForbidIntents {
        ms: u64,
    },
    /// The Node object is deleted; whoever registered it makes it again.
    DeleteNode,
    /// A registration socket on the node is made, or made again; without a number it goes.
    Socket {
        name: String,
        made: Option<u64>,
    },
    /// Every file of this name on the node's disk is lost.
    LoseFiles {
        named: String,
    },
    /// Every filesystem that is mounted on the node is dead: nothing at or below it can be looked at until it is unmounted.
    KillMounts,
    /// Another agent on the node puts its own driver's id over all that are there.
    OverwriteNodeIds,
    /// The CSIDriver object goes, or comes.
    DeleteDriver,
    CreateDriver,
    /// An administrator says that the node is down for good, and takes it back later.
    OutOfService {
        ms: u64,
    },
}

/// How a file is not what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Damage {
    Truncated,
    BitFlipped,
    Deleted,
}

impl Plan {
    /// When nothing goes wrong by chance any more.
    pub fn calm(&self) -> Duration {
        let last = self.steps.iter().map(|step| step.at).max().unwrap_or(0);
        Duration::from_millis(last) + Duration::from_secs(20)
    }
}
