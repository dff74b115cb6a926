//! Words into a template's structure.

use super::At;
use super::lex::{Kind, Token};
use super::tree::{Base, Branch, Command, Node, Operand, Pipe};
use super::value::Value;

/// Blocks and parentheses in each other. Go has no limit; a stack does.
const DEPTH: usize = 64;

/// Reads all of it.
pub(super) fn parse(tokens: &[Token], end: usize) -> Result<Vec<Node>, At> {
    let mut parser = Parser { tokens, next: 0, end, depth: 0, variables: vec![String::new()], loops: 0 };
    let (nodes, stop) = parser.nodes()?;
    match stop {
        Stop::Text => Ok(nodes),
        Stop::End(at) | Stop::Else(at) => {
            Err(At(at, "nothing is open here: {{end}} and {{else}} belong to if, range or with".to_owned()))
        }
    }
}

/// Why a list of nodes is over.
enum Stop {
    Text,
    End(usize),
    /// The words after `else` come next.
    Else(usize),
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    end: usize,
    depth: usize,
    /// In scope; the empty name is `$`.
    variables: Vec<String>,
    loops: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |token| token.at)
    }

    fn eat(&mut self, kind: &Kind) -> bool {
        let eats = self.peek() == Some(kind);
        self.next += usize::from(eats);
        eats
    }

    fn space(&mut self) {
        while self.eat(&Kind::Space) {}
    }

    fn close(&mut self) -> Result<(), At> {
        self.space();
        if self.eat(&Kind::Close) { Ok(()) } else { Err(At(self.at(), "expected }}".to_owned())) }
    }

    fn deeper<T>(&mut self, at: usize, read: impl FnOnce(&mut Self) -> Result<T, At>) -> Result<T, At> {
        if self.depth == DEPTH {
            return Err(At(at, format!("more than {DEPTH} blocks and parentheses in each other")));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn nodes(&mut self) -> Result<(Vec<Node>, Stop), At> {
        let mut nodes = Vec::new();
        while let Some(token) = self.tokens.get(self.next) {
            self.next += 1;
            if let Kind::Text(text) = &token.kind {
                nodes.push(Node::Text(text.clone()));
                continue;
            }
            self.space();
            let at = self.at();
            let word = match self.peek() {
                Some(Kind::Word(word)) => word.clone(),
                _ => String::new(),
            };
            self.next += usize::from(is_keyword(&word));
            let node = match word.as_str() {
                "if" => Node::If(self.branch(at, Opened::If)?),
                "with" => Node::With(self.branch(at, Opened::With)?),
                "range" => Node::Range(self.branch(at, Opened::Range)?),
                "break" | "continue" => {
                    if self.loops == 0 {
                        return Err(At(at, format!("{word} outside of range")));
                    }
                    self.close()?;
                    if word == "break" { Node::Break } else { Node::Continue }
                }
                "end" => {
                    self.close()?;
                    return Ok((nodes, Stop::End(at)));
                }
                "else" => return Ok((nodes, Stop::Else(at))),
                "define" | "template" | "block" => {
                    return Err(At(at, format!("{word} is not supported: a format is one template without others in it")));
                }
                _ => {
                    let pipe = self.pipe(1)?;
                    self.close()?;
                    Node::Action(pipe)
                }
            };
            nodes.push(node);
        }
        Ok((nodes, Stop::Text))
    }

    fn branch(&mut self, at: usize, opened: Opened) -> Result<Branch, At> {
        self.deeper(at, |parser| parser.branch_at(at, opened))
    }

    fn branch_at(&mut self, at: usize, opened: Opened) -> Result<Branch, At> {
        let scope = self.variables.len();
        self.space();
        let pipe = self.pipe(if opened == Opened::Range { 2 } else { 1 })?;
        self.close()?;
        let own = self.variables.len();
        let looping = usize::from(opened == Opened::Range);
        self.loops += looping;
        let (then, stop) = self.nodes()?;
        self.loops -= looping;
        self.variables.truncate(own);
        let otherwise = match stop {
            Stop::End(_) => Vec::new(),
            Stop::Else(other) => self.otherwise(at, other, opened)?,
            Stop::Text => return Err(unclosed(at, opened)),
        };
        self.variables.truncate(scope);
        Ok(Branch { pipe, then, otherwise })
    }

    fn otherwise(&mut self, at: usize, other: usize, opened: Opened) -> Result<Vec<Node>, At> {
        self.space();
        let chained = match (self.peek(), opened) {
            (Some(Kind::Word(word)), Opened::If) => word == "if",
            (Some(Kind::Word(word)), Opened::With) => word == "with",
            _ => false,
        };
        if chained {
            self.next += 1;
            let branch = self.branch(other, opened)?;
            return Ok(vec![if opened == Opened::If { Node::If(branch) } else { Node::With(branch) }]);
        }
        self.close()?;
        match self.nodes()? {
            (nodes, Stop::End(_)) => Ok(nodes),
            (_, Stop::Else(again)) => Err(At(again, "a second else".to_owned())),
            (_, Stop::Text) => Err(unclosed(at, opened)),
        }
    }

    /// `most`: how many variables may be set.
    fn pipe(&mut self, most: usize) -> Result<Pipe, At> {
        let at = self.at();
        let (names, declares) = self.names(most)?;
        let mut commands = Vec::new();
        loop {
            self.space();
            let command = self.command()?;
            if commands.is_empty() || matches!(command.operands.first().map(|first| &first.base), Some(Base::Function(_))) {
                commands.push(command);
            } else {
                return Err(At(command.at, "expected a function after |".to_owned()));
            }
            self.space();
            if !self.eat(&Kind::Pipe) {
                break;
            }
        }
        if declares {
            self.variables.extend(names.iter().cloned());
        }
        Ok(Pipe { at, names, declares, commands })
    }

    /// `$x :=`, `$x =`, `$k, $v :=`, or nothing of the kind.
    fn names(&mut self, most: usize) -> Result<(Vec<String>, bool), At> {
        let start = self.next;
        let mut names = Vec::new();
        while let Some(Kind::Variable(name)) = self.peek() {
            names.push(name.clone());
            self.next += 1;
            self.space();
            if !self.eat(&Kind::Comma) {
                break;
            }
            self.space();
        }
        let at = self.at();
        let (declares, assigns) = (self.eat(&Kind::Declare), self.eat(&Kind::Assign));
        if names.is_empty() || !(declares || assigns) {
            self.next = start;
            return Ok((Vec::new(), false));
        }
        if names.len() > most || names.iter().any(String::is_empty) {
            return Err(At(at, format!("expected {most} variable(s) such as $x on the left")));
        }
        if assigns && let Some(unknown) = names.iter().find(|name| !self.variables.contains(name)) {
            return Err(At(at, format!("${unknown} is not declared: write :=")));
        }
        Ok((names, declares))
    }

    fn command(&mut self) -> Result<Command, At> {
        let at = self.at();
        let mut operands = Vec::new();
        while let Some(operand) = self.operand()? {
            operands.push(operand);
            if !self.eat(&Kind::Space) {
                break;
            }
            self.space();
        }
        match operands.first() {
            None => Err(At(at, "expected a value: a field, a variable, a function, a text or a number".to_owned())),
            Some(Operand { base: Base::Function(_), .. }) => Ok(Command { at, operands }),
            Some(_) if operands.len() == 1 => Ok(Command { at, operands }),
            Some(_) => Err(At(operands[1].at, "a value takes no arguments; only a function does".to_owned())),
        }
    }

    fn operand(&mut self) -> Result<Option<Operand>, At> {
        let at = self.at();
        let mut fields = Vec::new();
        let Some(kind) = self.peek().cloned() else { return Ok(None) };
        let base = match kind {
            Kind::Dot => Base::Dot,
            Kind::Field(name) => {
                fields.push((at, name));
                Base::Dot
            }
            Kind::Variable(name) if self.variables.contains(&name) => Base::Variable(name),
            Kind::Variable(name) => return Err(At(at, format!("${name} is not declared"))),
            Kind::Quoted(text) => Base::Literal(Value::Text(text)),
            Kind::Number(number) => Base::Literal(Value::Int(number)),
            Kind::Word(word) => match word.as_str() {
                "true" | "false" => Base::Literal(Value::Bool(word == "true")),
                "nil" => Base::Literal(Value::Nil),
                word if is_keyword(word) => return Err(At(at, format!("{word} stands at the beginning of an action only"))),
                word if super::functions::is_known(word) => Base::Function(word.to_owned()),
                word => {
                    let known = super::functions::NAMES.join(", ");
                    return Err(At(at, format!("there is no function {word}; there are {known}")));
                }
            },
            Kind::Left => {
                self.next += 1;
                let pipe = self.deeper(at, |parser| {
                    parser.space();
                    parser.pipe(0)
                })?;
                self.space();
                if self.peek() != Some(&Kind::Right) {
                    return Err(At(self.at(), "expected )".to_owned()));
                }
                Base::Nested(Box::new(pipe))
            }
            _ => return Ok(None),
        };
        self.next += 1;
        while let Some(Kind::Field(name)) = self.peek() {
            fields.push((self.at(), name.clone()));
            self.next += 1;
        }
        if let (Base::Literal(_) | Base::Function(_), Some((at, _))) = (&base, fields.first()) {
            return Err(At(*at, "only an answer, a variable or parentheses have fields".to_owned()));
        }
        Ok(Some(Operand { at, base, fields }))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    If,
    With,
    Range,
}

fn unclosed(at: usize, opened: Opened) -> At {
    let word = match opened {
        Opened::If => "if",
        Opened::With => "with",
        Opened::Range => "range",
    };
    At(at, format!("this {word} has no {{{{end}}}}"))
}

fn is_keyword(word: &str) -> bool {
    matches!(word, "if" | "with" | "range" | "else" | "end" | "break" | "continue" | "define" | "template" | "block")
}
