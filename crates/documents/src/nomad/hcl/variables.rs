//! `variable`, `variables` and `locals`: what `var.x` and `local.y` are.
//!
//! A variable's value is, the last that is there: its default, `NOMAD_VAR_x` of the environment, then `-var` and `-var-file` in the order they were given.

use std::collections::BTreeMap;

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::parser::parse_expr;
use hcl_edit::structure::{Attribute, Block, Body as Syntax, Structure};

use super::eval::{Budget, Scope};
use super::place::{Mistake, Place, Source};
use super::types::Type;
use super::value::{Entry, Node, Value};
use super::{json, parse};

/// Values for a job's variables, from outside of it.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The environment's `NOMAD_VAR_x`, by `x`. One that no variable is declared for is not an error.
    pub environment: BTreeMap<String, String>,
    /// In the order they were given; the last wins.
    pub given: Vec<Given>,
}

/// What was given for variables on the command line.
#[derive(Debug, Clone)]
pub enum Given {
    /// `-var name=value`.
    Value {
        /// The variable.
        name: String,
        /// Text, or an expression where the variable's type is a list, map, object or tuple.
        value: String,
    },
    /// `-var-file`: attributes in HCL, or a JSON object.
    File {
        /// For messages.
        name: String,
        /// What is in it.
        text: String,
    },
}

/// A variable as it is declared.
pub(super) struct Declared<'a> {
    pub(super) name: String,
    pub(super) at: Place,
    pub(super) kind: Type,
    pub(super) default: Option<Node>,
    /// Conditions, and what to say where one does not hold.
    pub(super) validations: Vec<(&'a Expression, String)>,
}

/// Gives a local its value, once all that it needs is there.
pub(super) type Evaluate<'a> = Box<dyn Fn(&Scope<'_>) -> Result<Node, Mistake> + 'a>;

/// A name of `locals`, and how it gets its value.
pub(super) struct Local<'a> {
    pub(super) name: String,
    pub(super) at: Place,
    pub(super) value: Evaluate<'a>,
}

/// How many locals there may be: each may need all the others first.
const LOCALS: usize = 1_000;

/// Whether a top-level block declares names.
pub(super) fn is_declaration(block: &str) -> bool {
    matches!(block, "variable" | "variables" | "locals")
}

/// `var` and `local` of a document.
///
/// # Errors
/// A bad declaration, a variable without a value, a value of another type or that is not allowed, a local that cannot be evaluated.
pub(super) fn roots(
    syntax: &Syntax,
    source: &Source<'_>,
    budget: &Budget,
    inputs: &Inputs,
) -> Result<BTreeMap<String, Value>, Vec<Mistake>> {
    let (mut declared, mut locals) = (Vec::new(), Vec::new());
    let nothing = BTreeMap::new();
    let scope = Scope::new(source, &nothing, budget);
    for block in syntax.iter().filter_map(Structure::as_block) {
        let each = || block.body.iter().filter_map(Structure::as_attribute);
        match block.ident.as_str() {
            "variable" => declared.push(declaration(block, &scope).map_err(|mistake| vec![mistake])?),
            "variables" => {
                for attribute in each() {
                    let default = scope.eval(&attribute.value).map_err(|mistake| vec![mistake])?;
                    declared.push(Declared { default: Some(default), ..Declared::plain(attribute, source) });
                }
            }
            "locals" => locals.extend(each().map(|attribute| Local {
                name: attribute.key.as_str().to_owned(),
                at: source.start(attribute.key.span()),
                value: Box::new(|scope: &Scope<'_>| scope.eval(&attribute.value)),
            })),
            _ => {}
        }
    }
    resolve(declared, &locals, &scope, inputs)
}

/// Gives every name its value.
pub(super) fn resolve(
    declared: Vec<Declared<'_>>,
    locals: &[Local<'_>],
    scope: &Scope<'_>,
    inputs: &Inputs,
) -> Result<BTreeMap<String, Value>, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut given = BTreeMap::new();
    for (name, value) in &inputs.environment {
        given.insert(name.clone(), Typed::Text(value.clone()));
    }
    for value in &inputs.given {
        match value {
            Given::Value { name, value } => {
                if !declared.iter().any(|variable| variable.name == *name) {
                    let message = format!("a value is given for the variable {name:?}, which the job does not declare");
                    mistakes.push(Mistake::new(Place::default(), message));
                }
                given.insert(name.clone(), Typed::Text(value.clone()));
            }
            Given::File { name, text } => match file(name, text) {
                Ok(values) => given.extend(values.into_iter().map(|entry| (entry.key, Typed::Node(entry.node)))),
                Err(mistake) => mistakes.push(mistake),
            },
        }
    }
    let mut values: Vec<Entry> = Vec::new();
    for variable in &declared {
        if values.iter().any(|entry| entry.key == variable.name) {
            mistakes.push(Mistake::new(variable.at, format!("the variable {:?} is declared twice", variable.name)));
            continue;
        }
        match value(variable, given.get(&variable.name)) {
            Ok(node) => values.push(Entry { key: variable.name.clone(), at: variable.at, node }),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let mut roots = BTreeMap::from([("var".to_owned(), Value::Map(values)), ("local".to_owned(), Value::Map(Vec::new()))]);
    if mistakes.is_empty() {
        mistakes.extend(refused(&declared, &scope.in_place_of(&roots)));
    }
    if mistakes.is_empty() {
        mistakes.extend(evaluate(locals, scope, &mut roots));
    }
    if mistakes.is_empty() { Ok(roots) } else { Err(mistakes) }
}

enum Typed {
    Text(String),
    Node(Node),
}

fn value(variable: &Declared<'_>, given: Option<&Typed>) -> Result<Node, Mistake> {
    let whose = |mistake: Mistake| Mistake::new(mistake.at, format!("the variable {:?}: {}", variable.name, mistake.message));
    let node = match given {
        Some(Typed::Node(node)) => node.clone(),
        Some(Typed::Text(text)) if variable.kind.is_structured() => {
            let expression = parse_expr(text)
                .map_err(|error| Mistake::new(variable.at, format!("its value {text:?} is not HCL: {}", error.message())));
            let (nothing, budget, source) = (BTreeMap::new(), Budget::default(), Source::at(text, variable.at));
            expression.and_then(|expression| Scope::new(&source, &nothing, &budget).eval(&expression)).map_err(whose)?
        }
        Some(Typed::Text(text)) => Value::String(text.clone()).at(variable.at),
        None => variable.default.clone().ok_or_else(|| {
            let name = &variable.name;
            let how = format!("give it one: NOMAD_VAR_{name} in the environment, --var {name}=VALUE, or --var-file");
            Mistake::new(variable.at, format!("the variable {name:?} has no value and no default; {how}"))
        })?,
    };
    variable.kind.convert(node).map_err(whose)
}

fn refused(declared: &[Declared<'_>], scope: &Scope<'_>) -> Vec<Mistake> {
    let check = |variable: &Declared<'_>, condition: &Expression, message: &str| match scope.condition(condition) {
        Ok(true) => None,
        Ok(false) => Some(Mistake::new(variable.at, format!("the variable {:?} is not valid: {message}", variable.name))),
        Err(mistake) => Some(mistake),
    };
    let all = declared.iter().flat_map(|variable| variable.validations.iter().map(move |validation| (variable, validation)));
    all.filter_map(|(variable, (condition, message))| check(variable, condition, message)).collect()
}

/// Each local once all it needs has a value, whatever their order.
fn evaluate(locals: &[Local<'_>], scope: &Scope<'_>, roots: &mut BTreeMap<String, Value>) -> Vec<Mistake> {
    if locals.len() > LOCALS {
        return vec![Mistake::new(locals[LOCALS].at, format!("more than {LOCALS} locals"))];
    }
    let mut waiting: Vec<&Local<'_>> = locals.iter().collect();
    loop {
        let (mut later, mut mistakes) = (Vec::new(), Vec::new());
        let before = waiting.len();
        for local in waiting {
            let known = scope.in_place_of(roots);
            match (local.value)(&known) {
                Ok(node) => {
                    if let Some(Value::Map(entries)) = roots.get_mut("local") {
                        entries.push(Entry { key: local.name.clone(), at: local.at, node });
                    }
                }
                Err(mistake) => {
                    later.push(local);
                    mistakes.push(Mistake::new(mistake.at, format!("local.{}: {}", local.name, mistake.message)));
                }
            }
        }
        if later.is_empty() || later.len() == before {
            return mistakes;
        }
        waiting = later;
    }
}

fn declaration<'a>(block: &'a Block, scope: &Scope<'_>) -> Result<Declared<'a>, Mistake> {
    let at = scope.source.start(block.ident.span());
    let [label] = block.labels.as_slice() else {
        return Err(Mistake::new(at, "a variable has one label, its name"));
    };
    let mut variable = Declared { name: label.as_str().to_owned(), at, kind: Type::Any, default: None, validations: Vec::new() };
    for structure in block.body.iter() {
        match structure {
            Structure::Attribute(attribute) => match attribute.key.as_str() {
                "type" => variable.kind = Type::of(&attribute.value, scope.source)?,
                "default" => variable.default = Some(scope.eval(&attribute.value)?),
                "description" | "sensitive" => {}
                other => return Err(Mistake::new(at, format!("a variable has no {other:?}"))),
            },
            Structure::Block(inner) if inner.ident.as_str() == "validation" => {
                let get = |key: &str| inner.body.get_attribute(key).map(|attribute| &attribute.value);
                let condition = get("condition").ok_or_else(|| Mistake::new(at, "a validation wants a `condition`"))?;
                let message = match get("error_message") {
                    Some(message) => scope.eval(message)?.value.to_text().unwrap_or_default(),
                    None => "its validation does not hold".to_owned(),
                };
                variable.validations.push((condition, message));
            }
            Structure::Block(inner) => return Err(Mistake::new(at, format!("a variable has no {:?}", inner.ident.as_str()))),
        }
    }
    Ok(variable)
}

impl Declared<'_> {
    fn plain(attribute: &Attribute, source: &Source<'_>) -> Self {
        let at = source.start(attribute.key.span());
        Self { name: attribute.key.as_str().to_owned(), at, kind: Type::Any, default: None, validations: Vec::new() }
    }
}

/// The values of a `-var-file`.
fn file(name: &str, text: &str) -> Result<Vec<Entry>, Mistake> {
    let whose = |mistake: Mistake| Mistake::new(Place::default(), format!("{name}, {}: {}", mistake.at, mistake.message));
    if text.trim_start().starts_with('{') {
        return match json::api(text).map_err(whose)?.value {
            Value::Map(entries) => Ok(entries),
            _ => Ok(Vec::new()),
        };
    }
    let syntax = parse::syntax(text).map_err(whose)?;
    let (source, nothing, budget) = (Source::new(text), BTreeMap::new(), Budget::default());
    let scope = Scope::new(&source, &nothing, &budget);
    let mut entries = Vec::new();
    for structure in syntax.iter() {
        let Some(attribute) = structure.as_attribute() else {
            let at = source.start(structure.span());
            return Err(whose(Mistake::new(at, "a file of variables has attributes only, no blocks")));
        };
        let node = scope.eval(&attribute.value).map_err(whose)?;
        entries.push(Entry { key: attribute.key.as_str().to_owned(), at: Place::default(), node });
    }
    Ok(entries)
}
