//! Evaluates HCL's expressions.
//!
//! What `var`, `local` and loop variables name is put in; every other reference (`attr.kernel.name`, `NOMAD_ALLOC_INDEX`) is only known where the
//! task runs and stays as the literal `${…}`, which is what Nomad does with it. No clock, no files, no randomness: a document means one thing.
//! What a document may grow to is bounded, so that a page of loops does not fill the memory.

mod collection;
mod operator;
mod template;

use std::cell::Cell;
use std::collections::BTreeMap;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey};

pub(super) use collection::pairs;
pub(super) use operator::finite;

use super::functions;
use super::place::{Mistake, Place, Source};
use super::value::{Entry, Node, Value};

/// How much a document may become, about in bytes.
const BUDGET: usize = 8 << 20;

/// What is left of what a document may become.
#[derive(Debug)]
pub(crate) struct Budget(Cell<usize>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(BUDGET))
    }
}

impl Budget {
    /// # Errors
    /// More than a document may become.
    pub(crate) fn spend(&self, weight: usize, at: Place) -> Result<(), Mistake> {
        match self.0.get().checked_sub(weight) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => {
                self.0.set(0);
                Err(Mistake::new(at, format!("the document grows beyond {} MiB when it is evaluated", BUDGET >> 20)))
            }
        }
    }
}

/// A name that a loop gives a value.
#[derive(Clone, Copy)]
struct Bound<'a> {
    name: &'a str,
    value: &'a Value,
    outer: Option<&'a Bound<'a>>,
}

/// What expressions are evaluated in.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) source: &'a Source<'a>,
    /// `var` and `local`, each a map.
    roots: &'a BTreeMap<String, Value>,
    budget: &'a Budget,
    /// HCL1 has no expressions: what looks like one is text.
    literal: bool,
    bound: Option<&'a Bound<'a>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(source: &'a Source<'a>, roots: &'a BTreeMap<String, Value>, budget: &'a Budget) -> Self {
        Self { source, roots, budget, literal: false, bound: None }
    }

    /// The same, where `${…}` is text.
    pub(crate) fn literal(self) -> Self {
        Self { literal: true, ..self }
    }

    /// The same, of another text.
    pub(crate) fn on<'b>(&self, source: &'b Source<'b>) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { source, ..*self }
    }

    /// The same, where these are known.
    pub(crate) fn in_place_of<'b>(&self, roots: &'b BTreeMap<String, Value>) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { roots, bound: None, ..*self }
    }

    /// Calls with one more name known.
    pub(crate) fn with<T>(&self, name: &str, value: &Value, then: impl FnOnce(&Scope<'_>) -> T) -> T {
        let bound = Bound { name, value, outer: self.bound };
        then(&Scope { bound: Some(&bound), ..*self })
    }

    fn place(&self, expression: &Expression) -> Place {
        self.source.start(expression.span())
    }

    /// Evaluates an expression.
    ///
    /// # Errors
    /// The first thing that has no value, with its place.
    pub(crate) fn eval(&self, expression: &Expression) -> Result<Node, Mistake> {
        let at = self.place(expression);
        self.budget.spend(16, at)?;
        let value = match expression {
            Expression::Null(_) => Value::Null,
            Expression::Bool(value) => Value::Bool(*value.value()),
            Expression::Number(number) => {
                let number = number.value();
                number.as_i64().map_or_else(|| Value::number(number.as_f64().unwrap_or_default()), Value::Int)
            }
            Expression::String(text) => self.text(text.value().clone(), at)?,
            Expression::Array(array) => Value::List(array.iter().map(|item| self.eval(item)).collect::<Result<_, _>>()?),
            Expression::Object(object) => {
                let mut entries = Vec::new();
                for (key, value) in object.iter() {
                    entries.push(self.entry(key, value.expr())?);
                }
                Value::Map(entries)
            }
            Expression::StringTemplate(template) => self.string_template(template.iter(), at)?,
            Expression::HeredocTemplate(heredoc) => self.string_template(heredoc.template.iter(), at)?,
            Expression::Parenthesis(inner) => self.eval(inner.inner())?.value,
            _ if self.literal => return Err(Mistake::new(at, "a volume specification has plain values, no expressions")),
            Expression::Variable(name) => self.reference(name.as_str(), expression, at)?,
            Expression::Traversal(traversal) => self.traverse(traversal, at)?,
            Expression::Conditional(conditional) => {
                let chosen =
                    if self.condition(&conditional.cond_expr)? { &conditional.true_expr } else { &conditional.false_expr };
                self.eval(chosen)?.value
            }
            Expression::FuncCall(call) => functions::call(self, call, at)?,
            Expression::UnaryOp(op) => self.unary(op, at)?,
            Expression::BinaryOp(op) => self.binary(op, at)?,
            Expression::ForExpr(each) => self.for_each(each, at)?,
        };
        Ok(value.at(at))
    }

    /// A bool.
    pub(crate) fn condition(&self, expression: &Expression) -> Result<bool, Mistake> {
        let node = self.eval(expression)?;
        known(&node)?;
        node.value.to_bool().ok_or_else(|| Mistake::new(node.at, format!("expected true or false, not {}", node.value.kind())))
    }

    fn text(&self, text: String, at: Place) -> Result<Value, Mistake> {
        self.budget.spend(text.len(), at)?;
        Ok(Value::String(text))
    }

    /// Counts what was made.
    pub(crate) fn made(&self, value: Value, at: Place) -> Result<Value, Mistake> {
        self.budget.spend(value.weight(), at)?;
        Ok(value)
    }

    /// Counts what is about to be made.
    pub(crate) fn spend(&self, weight: usize, at: Place) -> Result<(), Mistake> {
        self.budget.spend(weight, at)
    }

    fn entry(&self, key: &ObjectKey, value: &Expression) -> Result<Entry, Mistake> {
        let (key, at) = match key {
            ObjectKey::Ident(name) => (name.as_str().to_owned(), self.source.start(name.span())),
            ObjectKey::Expression(expression) => {
                let node = self.eval(expression)?;
                let text = node.value.to_text();
                (text.ok_or_else(|| Mistake::new(node.at, format!("a key is a string, not {}", node.value.kind())))?, node.at)
            }
        };
        Ok(Entry { key, at, node: self.eval(value)? })
    }

    /// A name without anything behind it: a loop variable, or what the task will know.
    fn reference(&self, name: &str, expression: &Expression, at: Place) -> Result<Value, Mistake> {
        match self.known(name) {
            Some(value) => self.made(value.clone(), at),
            None if name == "each" => Err(Mistake::new(at, "`each` is not a name here; a dynamic block names its iterator")),
            None => Ok(self.runtime(expression)),
        }
    }

    fn known(&self, name: &str) -> Option<&'a Value> {
        let mut bound = self.bound;
        while let Some(inner) = bound {
            if inner.name == name {
                return Some(inner.value);
            }
            bound = inner.outer;
        }
        self.roots.get(name)
    }

    /// The words of a reference, for the running task.
    fn runtime(&self, expression: &Expression) -> Value {
        Value::Runtime(format!("${{{}}}", self.source.slice(expression.span()).trim()))
    }
}

/// # Errors
/// A value that only the running task knows.
pub(crate) fn known(node: &Node) -> Result<(), Mistake> {
    match &node.value {
        Value::Runtime(text) => Err(Mistake::new(
            node.at,
            format!("{text} is only known where the task runs: it can be part of a string, not of a calculation"),
        )),
        _ => Ok(()),
    }
}
