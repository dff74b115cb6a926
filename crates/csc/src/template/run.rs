//! A template at work.

use super::tree::{Base, Branch, Command, Node, Operand, Pipe};
use super::value::Value;
use super::{At, functions};

/// The text of all nodes.
pub(super) fn run(nodes: &[Node], dot: &Value) -> Result<String, At> {
    let mut run = Run { out: String::new(), variables: vec![(String::new(), dot.clone())] };
    run.nodes(nodes, dot)?;
    Ok(run.out)
}

enum Flow {
    On,
    Break,
    Continue,
}

struct Run {
    out: String,
    /// In scope, newest last; the empty name is `$`.
    variables: Vec<(String, Value)>,
}

impl Run {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, At> {
        for node in nodes {
            let flow = match node {
                Node::Text(text) => {
                    self.out.push_str(text);
                    Flow::On
                }
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.names.is_empty() {
                        self.out.push_str(&value.to_string());
                    }
                    self.set(pipe, &value);
                    Flow::On
                }
                Node::If(branch) => self.scoped(|run| {
                    let value = run.pipe(&branch.pipe, dot)?;
                    run.set(&branch.pipe, &value);
                    run.nodes(if value.is_true() { &branch.then } else { &branch.otherwise }, dot)
                })?,
                Node::With(branch) => self.scoped(|run| {
                    let value = run.pipe(&branch.pipe, dot)?;
                    run.set(&branch.pipe, &value);
                    if value.is_true() { run.nodes(&branch.then, &value) } else { run.nodes(&branch.otherwise, dot) }
                })?,
                Node::Range(branch) => self.scoped(|run| run.range(branch, dot))?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if !matches!(flow, Flow::On) {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn scoped<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, At>) -> Result<T, At> {
        let scope = self.variables.len();
        let result = work(self);
        self.variables.truncate(scope);
        result
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Result<Flow, At> {
        let items: Vec<(Value, Value)> = match self.pipe(&branch.pipe, dot)? {
            Value::Nil => Vec::new(),
            Value::List(items) => (0..).map(Value::Int).zip(items).collect(),
            Value::Map(map) => map.into_iter().map(|(key, value)| (Value::Text(key), value)).collect(),
            other => return Err(At(branch.pipe.at, format!("range goes over a list or a map, and this is {}", other.kind()))),
        };
        if items.is_empty() {
            return self.nodes(&branch.otherwise, dot);
        }
        for (key, item) in items {
            let flow = self.scoped(|run| {
                match branch.pipe.names.as_slice() {
                    [] => {}
                    [value] => run.set_one(value, branch.pipe.declares, item.clone()),
                    [index, value, ..] => {
                        run.set_one(index, branch.pipe.declares, key);
                        run.set_one(value, branch.pipe.declares, item.clone());
                    }
                }
                run.nodes(&branch.then, &item)
            })?;
            if matches!(flow, Flow::Break) {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn set(&mut self, pipe: &Pipe, value: &Value) {
        for name in &pipe.names {
            self.set_one(name, pipe.declares, value.clone());
        }
    }

    fn set_one(&mut self, name: &str, declares: bool, value: Value) {
        match self.variables.iter_mut().rev().find(|(known, _)| known == name) {
            Some((_, old)) if !declares => *old = value,
            _ => self.variables.push((name.to_owned(), value)),
        }
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Value) -> Result<Value, At> {
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, value, dot)?);
        }
        Ok(value.unwrap_or(Value::Nil))
    }

    fn command(&mut self, command: &Command, last: Option<Value>, dot: &Value) -> Result<Value, At> {
        let Some(first) = command.operands.first() else { return Ok(Value::Nil) };
        let Base::Function(name) = &first.base else { return self.operand(first, dot) };
        let mut arguments = Vec::new();
        for operand in &command.operands[1..] {
            let value = self.operand(operand, dot)?;
            let decided = match name.as_str() {
                "and" => !value.is_true(),
                "or" => value.is_true(),
                _ => false,
            };
            arguments.push(value);
            // What comes after it is not looked at.
            if decided {
                return Ok(arguments.pop().unwrap_or(Value::Nil));
            }
        }
        arguments.extend(last);
        functions::call(name, arguments).map_err(|what| At(command.at, what))
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, At> {
        let mut value = match &operand.base {
            Base::Dot => dot.clone(),
            Base::Variable(name) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone()).ok_or_else(|| At(operand.at, format!("${name} has no value here")))?
            }
            Base::Literal(value) => value.clone(),
            Base::Function(name) => functions::call(name, Vec::new()).map_err(|what| At(operand.at, what))?,
            Base::Nested(pipe) => self.pipe(pipe, dot)?,
        };
        for (at, name) in &operand.fields {
            value = value.field(name).map_err(|what| At(*at, what))?;
        }
        Ok(value)
    }
}
