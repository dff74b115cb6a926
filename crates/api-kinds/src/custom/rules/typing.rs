//! What can be said of an expression before it runs: every name means something, every field is in the schema, and what is
//! compared can be. What cannot be told here is told when it runs, by refusing the write.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue};

use super::value::escape;
use crate::custom::node::{Kind, Node};

/// What an expression evaluates to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type<'a> {
    /// Anything.
    Dyn,
    Bool,
    Int,
    Double,
    Text,
    /// A text that stands for a time; only its equality means something here.
    Time,
    Null,
    List(Box<Type<'a>>),
    Map(Box<Type<'a>>),
    /// An object with the fields that its schema names.
    Object(Fields<'a>),
    /// `metadata` of the object, of which rules see the name alone.
    Metadata,
}

/// The fields of an object. Two are the same type if they are the same schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(&'a Node);

impl PartialEq for Fields<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

/// What is wrong, and with which part of the expression.
pub(super) struct Complaint {
    pub(super) id: u64,
    pub(super) why: String,
}

type Typed<'a> = Result<Type<'a>, Complaint>;

/// Functions, and what they return.
const FUNCTIONS: [(&str, Type<'static>); 41] = [
    ("size", Type::Int),
    ("string", Type::Text),
    ("int", Type::Int),
    ("uint", Type::Dyn),
    ("double", Type::Double),
    ("bool", Type::Bool),
    ("bytes", Type::Dyn),
    ("type", Type::Dyn),
    ("dyn", Type::Dyn),
    ("matches", Type::Bool),
    ("startsWith", Type::Bool),
    ("endsWith", Type::Bool),
    ("contains", Type::Bool),
    ("charAt", Type::Text),
    ("indexOf", Type::Int),
    ("lastIndexOf", Type::Int),
    ("join", Type::Text),
    ("lowerAscii", Type::Text),
    ("upperAscii", Type::Text),
    ("replace", Type::Text),
    ("split", Type::Dyn),
    ("substring", Type::Text),
    ("trim", Type::Text),
    ("isSorted", Type::Bool),
    ("sum", Type::Dyn),
    ("min", Type::Dyn),
    ("max", Type::Dyn),
    ("find", Type::Text),
    ("findAll", Type::Dyn),
    ("isQuantity", Type::Bool),
    ("quantity", Type::Dyn),
    ("compareTo", Type::Int),
    ("isGreaterThan", Type::Bool),
    ("isLessThan", Type::Bool),
    ("hasValue", Type::Bool),
    ("value", Type::Dyn),
    ("orValue", Type::Dyn),
    ("or", Type::Dyn),
    ("optional.of", Type::Dyn),
    ("optional.none", Type::Dyn),
    ("optional.ofNonZeroValue", Type::Dyn),
];

/// Names that are types.
const TYPES: [&str; 11] = ["string", "int", "uint", "double", "bool", "bytes", "list", "map", "type", "null_type", "dyn"];

/// The type of an expression about `self`, a value of this schema.
pub(super) fn check<'a>(expression: &IdedExpr, node: &'a Node, optional: bool) -> Typed<'a> {
    let own = of(node);
    let old = if optional { Type::Dyn } else { own.clone() };
    let mut checker = Checker { scope: vec![("self".to_owned(), own), ("oldSelf".to_owned(), old)] };
    checker.infer(expression)
}

fn of(node: &Node) -> Type<'_> {
    match node.kind {
        // Null is a value of its own.
        _ if node.nullable => Type::Dyn,
        Kind::Any if node.properties.is_empty() && !node.embedded => Type::Dyn,
        Kind::IntOrString => Type::Dyn,
        Kind::Boolean => Type::Bool,
        Kind::Integer => Type::Int,
        Kind::Number => Type::Double,
        Kind::String if matches!(node.format.as_str(), "date" | "date-time" | "datetime" | "duration") => Type::Time,
        Kind::String if node.format == "byte" => Type::Dyn,
        Kind::String => Type::Text,
        Kind::Array => Type::List(Box::new(node.items.as_deref().map_or(Type::Dyn, of))),
        Kind::Object | Kind::Any => match node.additional.as_deref().filter(|_| node.is_map()) {
            Some(values) => Type::Map(Box::new(of(values))),
            None => Type::Object(Fields(node)),
        },
    }
}

/// What an error calls a type.
fn shown(kind: &Type<'_>) -> String {
    match kind {
        Type::Dyn => "dyn".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Double => "double".to_owned(),
        Type::Text => "string".to_owned(),
        Type::Time => "timestamp".to_owned(),
        Type::Null => "null".to_owned(),
        Type::List(inner) => format!("list({})", shown(inner)),
        Type::Map(inner) => format!("map(string, {})", shown(inner)),
        Type::Object(_) | Type::Metadata => "object".to_owned(),
    }
}

struct Checker<'a> {
    scope: Vec<(String, Type<'a>)>,
}

impl<'a> Checker<'a> {
    fn infer(&mut self, expression: &IdedExpr) -> Typed<'a> {
        let id = expression.id;
        match &expression.expr {
            Expr::Literal(literal) => Ok(match literal {
                LiteralValue::Boolean(_) => Type::Bool,
                LiteralValue::Int(_) => Type::Int,
                LiteralValue::Double(_) => Type::Double,
                LiteralValue::String(_) => Type::Text,
                LiteralValue::Null => Type::Null,
                LiteralValue::Bytes(_) | LiteralValue::UInt(_) => Type::Dyn,
            }),
            Expr::Ident(name) => match self.scope.iter().rev().find(|(known, _)| known == name) {
                Some((_, kind)) => Ok(kind.clone()),
                None if TYPES.contains(&name.as_str()) || name.starts_with('@') => Ok(Type::Dyn),
                None => Err(undeclared(id, name)),
            },
            Expr::Select(select) => {
                let operand = self.infer(&select.operand)?;
                let kind = field(&operand, &select.field, id)?;
                Ok(if select.test { Type::Bool } else { kind })
            }
            Expr::Call(call) => self.call(call, id),
            Expr::List(list) => {
                let mut kinds = list.elements.iter().map(|element| self.infer(element)).collect::<Result<Vec<_>, _>>()?;
                let first = kinds.pop().unwrap_or(Type::Dyn);
                let same = kinds.iter().all(|kind| *kind == first);
                Ok(Type::List(Box::new(if same { first } else { Type::Dyn })))
            }
            Expr::Map(map) => self.entries(map.entries.iter().map(|entry| &entry.expr)).map(|()| Type::Map(Box::new(Type::Dyn))),
            Expr::Struct(message) => Err(undeclared(id, &message.type_name)),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, id),
            Expr::Unspecified => Err(Complaint { id, why: "unsupported expression".to_owned() }),
        }
    }

    fn entries<'e>(&mut self, entries: impl Iterator<Item = &'e EntryExpr>) -> Result<(), Complaint> {
        for entry in entries {
            match entry {
                EntryExpr::StructField(field) => drop(self.infer(&field.value)?),
                EntryExpr::MapEntry(entry) => {
                    self.infer(&entry.key)?;
                    self.infer(&entry.value)?;
                }
            }
        }
        Ok(())
    }

    fn comprehension(&mut self, made: &ComprehensionExpr, id: u64) -> Typed<'a> {
        let range = self.infer(&made.iter_range)?;
        let element = match range {
            Type::List(element) => *element,
            Type::Map(_) => Type::Text,
            Type::Dyn => Type::Dyn,
            other => {
                let why = format!(
                    "expression of type '{}' cannot be range of a comprehension (must be list, map, or dynamic)",
                    shown(&other)
                );
                return Err(Complaint { id, why });
            }
        };
        let gathered = match self.infer(&made.accu_init)? {
            kind @ (Type::Bool | Type::Int) => kind,
            _ => Type::Dyn,
        };
        let depth = self.scope.len();
        let second = made.iter_var2.clone().map(|name| (name, Type::Dyn));
        self.scope.push((made.iter_var.clone(), if second.is_some() { Type::Dyn } else { element }));
        self.scope.extend(second);
        self.scope.push((made.accu_var.clone(), gathered));
        self.infer(&made.loop_cond)?;
        self.infer(&made.loop_step)?;
        let result = self.infer(&made.result)?;
        self.scope.truncate(depth);
        Ok(result)
    }

    fn call(&mut self, call: &CallExpr, id: u64) -> Typed<'a> {
        let known = |name: &str| FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, kind)| kind.clone());
        // `optional.of(x)` reads like a call on something called `optional`.
        let qualified = match call.target.as_deref().map(|target| &target.expr) {
            Some(Expr::Ident(space)) if !self.scope.iter().any(|(name, _)| name == space) => {
                known(&format!("{space}.{}", call.func_name))
            }
            _ => None,
        };
        if let Some(kind) = qualified {
            call.args.iter().try_for_each(|argument| self.infer(argument).map(drop))?;
            return Ok(kind);
        }
        let target = call.target.as_deref().map(|target| self.infer(target)).transpose()?;
        let arguments = call.args.iter().map(|argument| self.infer(argument)).collect::<Result<Vec<_>, _>>()?;
        match (call.func_name.as_str(), arguments.as_slice()) {
            ("_&&_" | "_||_" | "!_", all) => {
                if all.iter().any(|kind| !matches!(kind, Type::Bool | Type::Dyn)) {
                    return Err(mismatch(id, &call.func_name, all));
                }
                Ok(Type::Bool)
            }
            ("_==_" | "_!=_", [a, b]) if comparable(a, b) => Ok(Type::Bool),
            ("_<_" | "_<=_" | "_>_" | "_>=_", [a, b]) => {
                let ordered = |kind: &Type<'_>| matches!(kind, Type::Dyn | Type::Bool | Type::Int | Type::Double | Type::Text);
                let numbers = |kind: &Type<'_>| matches!(kind, Type::Int | Type::Double);
                let fits = ordered(a) && ordered(b) && (comparable(a, b) || (numbers(a) && numbers(b)));
                if fits { Ok(Type::Bool) } else { Err(mismatch(id, &call.func_name, &arguments)) }
            }
            ("_+_" | "_-_" | "_*_" | "_/_" | "_%_", [a, b]) => match (a, b) {
                (Type::Dyn, _) | (_, Type::Dyn) => Ok(Type::Dyn),
                (a, b) if a == b && matches!(a, Type::Int | Type::Double) => Ok(a.clone()),
                (Type::Text, Type::Text) if call.func_name == "_+_" => Ok(Type::Text),
                (Type::List(_), Type::List(_)) if call.func_name == "_+_" => Ok(Type::List(Box::new(Type::Dyn))),
                _ => Err(mismatch(id, &call.func_name, &arguments)),
            },
            ("-_", [kind]) if matches!(kind, Type::Int | Type::Double | Type::Dyn) => Ok(kind.clone()),
            ("_[_]", [of, _]) => match of {
                Type::List(inner) | Type::Map(inner) => Ok((**inner).clone()),
                Type::Dyn => Ok(Type::Dyn),
                _ => Err(mismatch(id, &call.func_name, &arguments)),
            },
            ("_?._", [of, _]) => {
                if let Some(Expr::Literal(LiteralValue::String(name))) = call.args.get(1).map(|argument| &argument.expr) {
                    field(of, name.inner(), id)?;
                }
                Ok(Type::Dyn)
            }
            ("_[?_]", _) => Ok(Type::Dyn),
            ("@in", [_, Type::List(_) | Type::Map(_) | Type::Dyn]) => Ok(Type::Bool),
            ("_?_:_", [Type::Bool | Type::Dyn, a, b]) => Ok(if a == b { a.clone() } else { Type::Dyn }),
            ("@not_strictly_false", _) => Ok(Type::Bool),
            ("_==_" | "_!=_" | "-_" | "@in" | "_?_:_", _) => Err(mismatch(id, &call.func_name, &arguments)),
            (name, _) => {
                let kind = known(name).ok_or_else(|| undeclared(id, name))?;
                let of_text = matches!(name, "startsWith" | "endsWith" | "matches" | "contains" | "find" | "split" | "trim");
                if of_text && target.as_ref().is_some_and(|kind| !matches!(kind, Type::Text | Type::Dyn)) {
                    let receiver = target.as_ref().map(shown).unwrap_or_default();
                    let arguments: Vec<String> = arguments.iter().map(shown).collect();
                    let arguments = arguments.join(", ");
                    let why = format!("found no matching overload for '{name}' applied to '{receiver}.({arguments})'");
                    return Err(Complaint { id, why });
                }
                Ok(kind)
            }
        }
    }
}

/// The type of a field.
fn field<'a>(of_what: &Type<'a>, name: &str, id: u64) -> Typed<'a> {
    let undefined = || Complaint { id, why: format!("undefined field '{name}'") };
    match of_what {
        Type::Dyn => Ok(Type::Dyn),
        Type::Map(values) => Ok((**values).clone()),
        Type::Metadata if matches!(name, "name" | "generateName") => Ok(Type::Text),
        Type::Metadata => Err(undefined()),
        Type::Object(Fields(node)) => {
            let system = node.root || node.embedded;
            match name {
                "metadata" if system => Ok(Type::Metadata),
                "apiVersion" | "kind" if system => Ok(Type::Text),
                _ => {
                    let found = node.properties.iter().find(|(known, _)| escape(known).as_deref() == Some(name));
                    found.map(|(_, child)| of(child)).ok_or_else(undefined)
                }
            }
        }
        other => Err(Complaint { id, why: format!("type '{}' does not support field selection", shown(other)) }),
    }
}

/// Whether two types have values that can be equal.
fn comparable(a: &Type<'_>, b: &Type<'_>) -> bool {
    match (a, b) {
        (Type::Dyn, _) | (_, Type::Dyn) => true,
        (Type::List(a), Type::List(b)) | (Type::Map(a), Type::Map(b)) => comparable(a, b),
        // A literal that is to equal a field.
        (Type::Map(_), Type::Object(_)) | (Type::Object(_), Type::Map(_)) => true,
        (a, b) => a == b,
    }
}

fn undeclared(id: u64, name: &str) -> Complaint {
    Complaint { id, why: format!("undeclared reference to '{name}' (in container '')") }
}

fn mismatch(id: u64, function: &str, arguments: &[Type<'_>]) -> Complaint {
    let arguments: Vec<String> = arguments.iter().map(shown).collect();
    Complaint { id, why: format!("found no matching overload for '{function}' applied to '({})'", arguments.join(", ")) }
}
