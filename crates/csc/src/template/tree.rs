//! What a template is made of.

use super::value::Value;

/// A part of it: text, or an action.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Break,
    Continue,
}

/// `if`, `with`, `range`, and what else.
#[derive(Debug, PartialEq)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) then: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// `$k, $v := command | command`
#[derive(Debug, PartialEq)]
pub(super) struct Pipe {
    pub(super) at: usize,
    /// Variables that are set: none, one, or, in `range`, two.
    pub(super) names: Vec<String>,
    /// `:=` rather than `=`.
    pub(super) declares: bool,
    pub(super) commands: Vec<Command>,
}

/// Operands; the first may be a function.
#[derive(Debug, PartialEq)]
pub(super) struct Command {
    pub(super) at: usize,
    pub(super) operands: Vec<Operand>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Operand {
    pub(super) at: usize,
    pub(super) base: Base,
    /// `.A.B` after it.
    pub(super) fields: Vec<(usize, String)>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Base {
    Dot,
    Variable(String),
    Literal(Value),
    Function(String),
    Nested(Box<Pipe>),
}
