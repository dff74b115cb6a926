//! What happened, in order, as typed entries: laws read them, people read their text, and their hash says whether two runs were one.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// One thing that happened.
#[derive(Debug, Clone, Hash)]
pub struct Entry {
    /// Virtual time since the run began.
    pub at: Duration,
    /// The process, `user`, or `world`.
    pub who: Arc<str>,
    /// What.
    pub what: What,
}

/// What can happen. Names of objects are plain: `pv:c1` for the volume of claim `c1`.
#[derive(Debug, Clone, Hash)]
pub enum What {
    /// The user, or the plan, did this.
    Did(String),
    /// A process began, ended by itself, or was killed.
    Started,
    Killed(&'static str),
    /// It was found dead, however it died.
    Dead,
    Frozen,
    Thawed,
    /// A request arrived at the API. Watches and lists are not told.
    Requested {
        key: Arc<str>,
    },
    /// The API did it.
    Answered {
        key: Arc<str>,
        code: u16,
    },
    /// A call left its caller.
    Sent {
        node: Arc<str>,
        rpc: &'static str,
        subject: Arc<str>,
    },
    /// The caller's deadline passed.
    Expired {
        rpc: &'static str,
        subject: Arc<str>,
    },
    /// The backend did it, or refused.
    Applied {
        node: Arc<str>,
        rpc: &'static str,
        subject: Arc<str>,
        refused: Option<String>,
    },
    /// Something went wrong.
    Went {
        key: Arc<str>,
        wrong: String,
    },
    /// A law was broken.
    Broke {
        law: &'static str,
        what: String,
    },
}

/// Everything that happened in one run.
#[derive(Debug, Clone, Default)]
pub struct Trace(pub Vec<Entry>);

impl Trace {
    /// The same for two runs that were the same, in any process.
    pub fn hash(&self) -> u64 {
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        self.0.hash(&mut hasher);
        hasher.finish()
    }
}

/// Deterministic, unlike the standard library's.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.3}  {:<14} {}", self.at.as_secs_f64(), self.who, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Did(what) => f.write_str(what),
            What::Started => f.write_str("starts"),
            What::Killed(why) => write!(f, "is killed: {why}"),
            What::Dead => f.write_str("is dead"),
            What::Frozen => f.write_str("stands still"),
            What::Thawed => f.write_str("goes on"),
            What::Requested { key } => write!(f, "  asks: {}", verb(key)),
            What::Answered { key, code } => write!(f, "  {code}: {}", verb(key)),
            What::Sent { node, rpc, subject } => write!(f, "  sends {} {subject}{}", rpc, at(node)),
            What::Expired { rpc, subject } => write!(f, "  gives up waiting: {rpc} {subject}"),
            What::Applied { node, rpc, subject, refused: None } => write!(f, "  done: {} {subject}{}", rpc, at(node)),
            What::Applied { node, rpc, subject, refused: Some(why) } => {
                write!(f, "  refused: {} {subject}{}: {why}", rpc, at(node))
            }
            What::Went { key, wrong } => write!(f, "  !! {wrong} at {}", verb(key)),
            What::Broke { law, what } => write!(f, "BROKEN LAW {law}: {what}"),
        }
    }
}

/// Without the process, which stands in its own column.
fn verb(key: &str) -> &str {
    key.split_once(' ').map_or(key, |(_, rest)| rest)
}

fn at(node: &str) -> String {
    if node.is_empty() { String::new() } else { format!(" on {node}") }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}
