//! The types of variables, and what a value becomes when it is of one.

use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey};

use super::place::{Mistake, Source};
use super::value::{Entry, Node, Value};

/// What `type = …` of a variable says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    Any,
    String,
    Number,
    Bool,
    /// `list`, `set`, and a tuple of one type.
    List(Box<Type>),
    Tuple(Vec<Type>),
    Map(Box<Type>),
    /// The name, the type, and whether it may be missing.
    Object(Vec<(String, Type, bool)>),
}

impl Type {
    /// # Errors
    /// No type expression.
    pub(crate) fn of(expression: &Expression, source: &Source<'_>) -> Result<Self, Mistake> {
        let wrong =
            || Mistake::new(source.start(expression.span()), format!("{:?} is not a type", source.slice(expression.span())));
        let inner =
            |call: &hcl_edit::expr::FuncCall| call.args.get(0).ok_or_else(wrong).and_then(|inner| Self::of(inner, source));
        match expression {
            Expression::Variable(name) => Ok(match name.as_str() {
                "any" => Self::Any,
                "string" => Self::String,
                "number" => Self::Number,
                "bool" => Self::Bool,
                "list" | "set" | "tuple" => Self::List(Box::new(Self::Any)),
                "map" | "object" => Self::Map(Box::new(Self::Any)),
                _ => return Err(wrong()),
            }),
            Expression::FuncCall(call) => Ok(match call.name.name.as_str() {
                "list" | "set" => Self::List(Box::new(inner(call)?)),
                "map" => Self::Map(Box::new(inner(call)?)),
                "optional" => inner(call)?,
                "tuple" => {
                    let items = call.args.get(0).and_then(Expression::as_array).ok_or_else(wrong)?;
                    Self::Tuple(items.iter().map(|item| Self::of(item, source)).collect::<Result<_, _>>()?)
                }
                "object" => {
                    let fields = call.args.get(0).and_then(Expression::as_object).ok_or_else(wrong)?;
                    let field = |(key, value): (&ObjectKey, &hcl_edit::expr::ObjectValue)| {
                        let name = match key {
                            ObjectKey::Ident(name) => name.as_str().to_owned(),
                            ObjectKey::Expression(expression) => expression.as_str().ok_or_else(wrong)?.to_owned(),
                        };
                        let optional = value.expr().as_func_call().is_some_and(|call| call.name.name.as_str() == "optional");
                        Ok((name, Self::of(value.expr(), source)?, optional))
                    };
                    Self::Object(fields.iter().map(field).collect::<Result<_, _>>()?)
                }
                _ => return Err(wrong()),
            }),
            _ => Err(wrong()),
        }
    }

    /// Whether a value given as text is an expression, not the text itself.
    pub(crate) fn is_structured(&self) -> bool {
        matches!(self, Self::List(_) | Self::Tuple(_) | Self::Map(_) | Self::Object(_))
    }

    /// A value as one of this type.
    ///
    /// # Errors
    /// It cannot be one.
    pub(crate) fn convert(&self, node: Node) -> Result<Node, Mistake> {
        let at = node.at;
        if node.value == Value::Null {
            return Ok(node);
        }
        let wrong = |node: &Node, wanted: &str| Mistake::new(node.at, format!("expected {wanted}, not {}", node.value.kind()));
        let value = match self {
            Self::Any => node.value,
            Self::String => node.value.to_text().map(Value::String).ok_or_else(|| wrong(&node, "a string"))?,
            Self::Bool => node.value.to_bool().map(Value::Bool).ok_or_else(|| wrong(&node, "true or false"))?,
            Self::Number => match node.value.to_int() {
                Some(number) => Value::Int(number),
                None => node.value.to_number().map(Value::number).ok_or_else(|| wrong(&node, "a number"))?,
            },
            Self::List(inner) => match node.value {
                Value::List(items) => Value::List(items.into_iter().map(|item| inner.convert(item)).collect::<Result<_, _>>()?),
                _ => return Err(wrong(&node, "a list")),
            },
            Self::Tuple(types) => match node.value {
                Value::List(items) if items.len() == types.len() => {
                    Value::List(items.into_iter().zip(types).map(|(item, inner)| inner.convert(item)).collect::<Result<_, _>>()?)
                }
                _ => return Err(wrong(&node, &format!("a list of {}", types.len()))),
            },
            Self::Map(inner) => match node.value {
                Value::Map(entries) => {
                    let convert = |entry: Entry| Ok(Entry { node: inner.convert(entry.node)?, ..entry });
                    Value::Map(entries.into_iter().map(convert).collect::<Result<_, Mistake>>()?)
                }
                _ => return Err(wrong(&node, "a map")),
            },
            Self::Object(fields) => match node.value {
                Value::Map(mut entries) => {
                    let mut made = Vec::new();
                    for (name, inner, optional) in fields {
                        match entries.iter().position(|entry| entry.key == *name) {
                            Some(index) => {
                                let entry = entries.swap_remove(index);
                                made.push(Entry { node: inner.convert(entry.node)?, ..entry });
                            }
                            None if *optional => made.push(Entry { key: name.clone(), at, node: Value::Null.at(at) }),
                            None => return Err(Mistake::new(at, format!("the attribute {name:?} is missing"))),
                        }
                    }
                    Value::Map(made)
                }
                _ => return Err(wrong(&node, "an object")),
            },
        };
        Ok(value.at(at))
    }
}
