//! What a plan answers: the next step, or why there is none.

/// One step for one object.
///
/// `Rest` and `Refuse` carry their reason as a value: it is the log field, the metric label, what `/debug/why` serves and
/// what tests assert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<Action, Why, Problem> {
    /// Do this one thing to the world, then look again.
    Do(Action),
    /// Nothing to do, and that is right.
    Rest(Why),
    /// Something is wrong that this controller cannot mend: tell the user, try again when the world may have changed.
    Refuse(Problem),
}

/// The name of an action, a reason to rest, or a problem, as logs, metrics and `/debug/why` show it.
pub trait Reason: std::fmt::Debug {
    /// A short CamelCase or snake_case word. Constant per variant: it is a metric label.
    fn name(&self) -> &'static str;
}

/// The problem of a controller that refuses nothing.
impl Reason for std::convert::Infallible {
    fn name(&self) -> &'static str {
        match *self {}
    }
}
