//! Where a workload may run.

/// All of these hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placement {
    /// This very node.
    pub node: Option<String>,
    /// What is asked of a node.
    pub requirements: Vec<Requirement>,
    /// How instances are spread.
    pub spread: Vec<Spread>,
}

/// What is asked of a label of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The label's name; `kubernetes.io/hostname` for the node itself.
    pub label: String,
    /// How.
    pub rule: Rule,
    /// Preferred only, with this weight (1 to 100).
    pub weight: Option<u32>,
}

/// How a label's value is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// It is one of these.
    In(Vec<String>),
    /// It is none of these, or not there.
    NotIn(Vec<String>),
    /// It is there.
    Exists,
    /// It is not there.
    Absent,
    /// It is a number above this.
    Above(i64),
    /// It is a number below this.
    Below(i64),
}

/// How instances are spread over the values of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spread {
    /// At most one instance per value.
    Unique(String),
    /// All with one value.
    Together(String),
    /// Evenly.
    Even(String),
}
