//! Going into lists and maps, and making one from another.

use hcl_edit::Span;
use hcl_edit::expr::{Expression, ForExpr, Traversal, TraversalOperator};

use super::super::place::{Mistake, Place};
use super::super::value::{Entry, Node, Value};
use super::{Scope, known};

impl Scope<'_> {
    pub(super) fn traverse(&self, traversal: &Traversal, at: Place) -> Result<Value, Mistake> {
        let operators: Vec<_> = traversal.operators.iter().map(|operator| operator.value()).collect();
        let Expression::Variable(name) = &traversal.expr else {
            let value = self.eval(&traversal.expr)?.value;
            let value = self.follow(value, &operators, at)?;
            return self.made(value, at);
        };
        // The whole of it is the task's business, whatever its operators say.
        let Some(mut value) = self.known(name.as_str()) else {
            return Ok(Value::Runtime(format!("${{{}}}", self.source.slice(traversal.span()).trim())));
        };
        let mut rest = operators.as_slice();
        while let [TraversalOperator::GetAttr(attribute), after @ ..] = rest {
            value = get(value, attribute.as_str()).map_err(|message| {
                let root = operators.len() == rest.len() && matches!(name.as_str(), "var" | "local");
                let what =
                    if root { format!("{}.{} is not declared; ", name.as_str(), attribute.as_str()) } else { String::new() };
                Mistake::new(at, what + &message)
            })?;
            rest = after;
        }
        let value = self.made(value.clone(), at)?;
        if rest.is_empty() {
            return Ok(value);
        }
        let value = self.follow(value, rest, at)?;
        self.made(value, at)
    }

    fn follow(&self, mut value: Value, operators: &[&TraversalOperator], at: Place) -> Result<Value, Mistake> {
        for (index, operator) in operators.iter().enumerate() {
            value = match operator {
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    let items = match value {
                        Value::Null => Vec::new(),
                        Value::List(items) => items,
                        one => vec![one.at(at)],
                    };
                    let rest = &operators[index + 1..];
                    let each = items.into_iter().map(|item| Ok(self.follow(item.value, rest, at)?.at(item.at)));
                    return each.collect::<Result<_, _>>().map(Value::List);
                }
                TraversalOperator::GetAttr(name) => {
                    get(&value, name.as_str()).cloned().map_err(|message| Mistake::new(at, message))?
                }
                TraversalOperator::LegacyIndex(number) => {
                    element(value, &Value::Int(i64::try_from(*number.value()).unwrap_or(i64::MAX)), at)?
                }
                TraversalOperator::Index(expression) => {
                    let key = self.eval(expression)?;
                    known(&key)?;
                    element(value, &key.value, key.at)?
                }
            };
        }
        Ok(value)
    }

    pub(super) fn for_each(&self, each: &ForExpr, at: Place) -> Result<Value, Mistake> {
        let collection = self.eval(&each.intro.collection_expr)?;
        known(&collection)?;
        let mut list = Vec::new();
        let mut map: Vec<Entry> = Vec::new();
        for (key, value) in pairs(&collection)? {
            self.spend(16, at)?;
            let mut once = |scope: &Scope<'_>| -> Result<(), Mistake> {
                if let Some(cond) = &each.cond
                    && !scope.condition(&cond.expr)?
                {
                    return Ok(());
                }
                let node = scope.eval(&each.value_expr)?;
                let Some(key) = &each.key_expr else {
                    list.push(node);
                    return Ok(());
                };
                let key = scope.eval(key)?;
                let text = key.value.to_text();
                let text = text.ok_or_else(|| Mistake::new(key.at, format!("a key is a string, not {}", key.value.kind())))?;
                put(&mut map, text, node, each.grouping, key.at)
            };
            self.with(each.intro.value_var.as_str(), &value, |scope| match &each.intro.key_var {
                Some(name) => scope.with(name.as_str(), &key, once),
                None => once(scope),
            })?;
        }
        Ok(if each.key_expr.is_some() { Value::Map(map) } else { Value::List(list) })
    }
}

/// One pair of a `for` that makes a map. The same key again is a mistake, unless `...` asks for lists.
fn put(map: &mut Vec<Entry>, key: String, node: Node, grouping: bool, at: Place) -> Result<(), Mistake> {
    let place = node.at;
    match map.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node.value) {
        Some(Value::List(items)) if grouping => items.push(node),
        Some(_) => return Err(Mistake::new(at, format!("the key {key:?} comes twice; `...` after the value collects them"))),
        None if grouping => map.push(Entry { key, at, node: Value::List(vec![node]).at(place) }),
        None => map.push(Entry { key, at, node }),
    }
    Ok(())
}

/// The keys and values of what a loop goes through; a list's keys are its indices, a map's come in their order.
///
/// # Errors
/// Not a list or map.
pub(crate) fn pairs(node: &Node) -> Result<Vec<(Value, Value)>, Mistake> {
    match &node.value {
        Value::List(items) => {
            let index = |index: usize| Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
            Ok(items.iter().enumerate().map(|(at, item)| (index(at), item.value.clone())).collect())
        }
        Value::Map(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by(|a, b| a.key.cmp(&b.key));
            Ok(sorted.into_iter().map(|entry| (Value::String(entry.key.clone()), entry.node.value.clone())).collect())
        }
        other => Err(Mistake::new(node.at, format!("expected a list or a map to go through, not {}", other.kind()))),
    }
}

fn get<'v>(value: &'v Value, name: &str) -> Result<&'v Value, String> {
    let Value::Map(entries) = value else { return Err(format!("{} has no attribute {name:?}", value.kind())) };
    entries.iter().find(|entry| entry.key == name).map(|entry| &entry.node.value).ok_or_else(|| {
        let names: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        if names.is_empty() {
            format!("there is no {name:?}")
        } else {
            format!("there is no {name:?}, only {}", names.join(", "))
        }
    })
}

fn element(value: Value, key: &Value, at: Place) -> Result<Value, Mistake> {
    match value {
        Value::List(mut items) => {
            let count = items.len();
            let index = key.to_int().and_then(|index| usize::try_from(index).ok()).filter(|index| *index < count);
            index
                .map(|index| items.swap_remove(index).value)
                .ok_or_else(|| Mistake::new(at, format!("no such element in a list of {count}, counted from 0")))
        }
        Value::Map(_) => get(&value, &key.to_text().unwrap_or_default()).cloned().map_err(|message| Mistake::new(at, message)),
        other => Err(Mistake::new(at, format!("{} has no elements", other.kind()))),
    }
}
