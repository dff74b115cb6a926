//! The functions of HCL that depend on nothing but their arguments.
//!
//! What needs files, a clock or randomness is refused with that reason: a document must mean the same wherever and whenever it is read.

mod collections;
mod encoding;
mod numbers;
mod strings;

use hcl_edit::expr::FuncCall;

use super::eval::{Scope, known};
use super::place::{Mistake, Place};
use super::value::{Entry, Node, Value};

/// The arguments of one call.
pub(super) struct Args<'a> {
    name: &'a str,
    at: Place,
    nodes: Vec<Node>,
}

/// Calls a function.
///
/// # Errors
/// No such function, the wrong number or kind of arguments, or what the function itself says.
pub(super) fn call(scope: &Scope<'_>, call: &FuncCall, at: Place) -> Result<Value, Mistake> {
    let name = call.name.name.as_str();
    if call.name.is_namespaced() {
        return Err(Mistake::new(at, format!("there are no name spaces of functions; the call is {name:?}")));
    }
    match name {
        // The two that may be given what has no value.
        "can" => return Ok(Value::Bool(call.args.iter().all(|argument| scope.eval(argument).is_ok()))),
        "try" => {
            let mut last = None;
            for argument in call.args.iter() {
                match scope.eval(argument) {
                    Ok(node) => return Ok(node.value),
                    Err(mistake) => last = Some(mistake),
                }
            }
            return Err(last.unwrap_or_else(|| Mistake::new(at, "try wants at least one argument")));
        }
        _ => {}
    }
    let mut nodes = call.args.iter().map(|argument| scope.eval(argument)).collect::<Result<Vec<_>, _>>()?;
    if call.args.expand_final()
        && let Some(last) = nodes.pop()
    {
        let Value::List(items) = last.value else {
            return Err(Mistake::new(last.at, format!("`...` wants a list, not {}", last.value.kind())));
        };
        nodes.extend(items);
    }
    nodes.iter().try_for_each(known)?;
    let args = Args { name, at, nodes };
    let found = numbers::call(scope, &args)
        .or_else(|| strings::call(scope, &args))
        .or_else(|| collections::call(scope, &args))
        .or_else(|| encoding::call(&args));
    match found {
        Some(result) => scope.made(result?, at),
        None => Err(Mistake::new(at, absent(name))),
    }
}

fn absent(name: &str) -> String {
    match name {
        "file" | "fileexists" | "fileset" | "filebase64" | "templatefile" | "abspath" | "pathexpand" => {
            format!("{name}() reads files, which a document that is converted may not; put the text here, or into a variable")
        }
        "timestamp" | "timeadd" | "formatdate" => format!("{name}() depends on the clock; put the time into a variable"),
        "uuidv4" | "uuidv5" | "bcrypt" => format!("{name}() is not provided; put its result into a variable"),
        _ => format!("there is no function {name:?} here"),
    }
}

// === impl Args ===

impl<'a> Args<'a> {
    /// # Errors
    /// Fewer or more than these.
    fn count(&self, least: usize, most: usize) -> Result<(), Mistake> {
        if (least..=most).contains(&self.nodes.len()) {
            return Ok(());
        }
        let wanted = match (least, most) {
            (a, b) if a == b => format!("{a}"),
            (a, usize::MAX) => format!("at least {a}"),
            (a, b) => format!("{a} to {b}"),
        };
        Err(Mistake::new(self.at, format!("{}() wants {wanted} arguments and got {}", self.name, self.nodes.len())))
    }

    fn node(&self, index: usize) -> Result<&Node, Mistake> {
        let missing = || Mistake::new(self.at, format!("{}() wants an argument {}", self.name, index + 1));
        self.nodes.get(index).ok_or_else(missing)
    }

    fn wrong(&self, index: usize, wanted: &str) -> Mistake {
        let (at, kind) = self.nodes.get(index).map_or((self.at, "nothing"), |node| (node.at, node.value.kind()));
        Mistake::new(at, format!("argument {} of {}() should be {wanted}, not {kind}", index + 1, self.name))
    }

    fn text(&self, index: usize) -> Result<String, Mistake> {
        self.node(index)?.value.to_text().ok_or_else(|| self.wrong(index, "a string"))
    }

    fn number(&self, index: usize) -> Result<f64, Mistake> {
        self.node(index)?.value.to_number().ok_or_else(|| self.wrong(index, "a number"))
    }

    fn int(&self, index: usize) -> Result<i64, Mistake> {
        self.node(index)?.value.to_int().ok_or_else(|| self.wrong(index, "a whole number"))
    }

    fn list(&self, index: usize) -> Result<&'_ [Node], Mistake> {
        match &self.node(index)?.value {
            Value::List(items) => Ok(items),
            _ => Err(self.wrong(index, "a list")),
        }
    }

    fn map(&self, index: usize) -> Result<&'_ [Entry], Mistake> {
        match &self.node(index)?.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.wrong(index, "a map")),
        }
    }

    fn texts(&self, index: usize) -> Result<Vec<String>, Mistake> {
        let text = |node: &Node| node.value.to_text().ok_or_else(|| self.wrong(index, "a list of strings"));
        self.list(index)?.iter().map(text).collect()
    }

    fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake::new(self.at, format!("{}(): {}", self.name, message.into()))
    }

    /// A list of values that were made here.
    fn made(&self, values: impl IntoIterator<Item = Value>) -> Value {
        Value::List(values.into_iter().map(|value| value.at(self.at)).collect())
    }
}
