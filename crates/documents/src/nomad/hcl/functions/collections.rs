//! Functions of lists and maps.

use super::super::eval::Scope;
use super::super::place::Mistake;
use super::super::value::{Entry, Node, Value};
use super::Args;

pub(super) fn call(scope: &Scope<'_>, args: &Args<'_>) -> Option<Result<Value, Mistake>> {
    Some(match args.name {
        "length" => length(args),
        "element" => element(args),
        "index" => index(args),
        "lookup" => lookup(args),
        "keys" => sorted(args).map(|entries| args.made(entries.into_iter().map(|entry| Value::String(entry.key)))),
        "values" => sorted(args).map(|entries| Value::List(entries.into_iter().map(|entry| entry.node).collect())),
        "merge" => merge(args),
        "concat" => concat(args),
        "contains" => args.count(2, 2).and_then(|()| Ok(Value::Bool(holds(args.list(0)?, args.node(1)?)))),
        "compact" => {
            let full =
                |node: &&Node| !matches!(&node.value, Value::Null) && node.value.to_text().is_none_or(|text| !text.is_empty());
            args.count(1, 1).and_then(|()| Ok(Value::List(args.list(0)?.iter().filter(full).cloned().collect())))
        }
        "distinct" | "toset" | "setunion" => union(scope, args),
        "setintersection" => kept(scope, args, holds),
        "setsubtract" => kept(scope, args, |list, node| !holds(list, node)),
        "tolist" => args.count(1, 1).and_then(|()| Ok(Value::List(args.list(0)?.to_vec()))),
        "flatten" => args.count(1, 1).and_then(|()| Ok(Value::List(flat(args.list(0)?)))),
        "reverse" => args.count(1, 1).and_then(|()| Ok(Value::List(args.list(0)?.iter().rev().cloned().collect()))),
        "slice" => slice(args),
        "sort" => args.count(1, 1).and_then(|()| {
            let mut texts = args.texts(0)?;
            texts.sort();
            Ok(args.made(texts.into_iter().map(Value::String)))
        }),
        "chunklist" => chunks(args),
        "coalesce" => {
            let full =
                |node: &&Node| !matches!(&node.value, Value::Null) && node.value.to_text().is_none_or(|text| !text.is_empty());
            let first = args.nodes.iter().find(full).map(|node| node.value.clone());
            first.ok_or_else(|| args.mistake("every argument is empty"))
        }
        "coalescelist" => {
            let full = |node: &&Node| matches!(&node.value, Value::List(items) if !items.is_empty());
            let first = args.nodes.iter().find(full).map(|node| node.value.clone());
            first.ok_or_else(|| args.mistake("every list is empty"))
        }
        "zipmap" => zip(args),
        _ => return None,
    })
}

fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn length(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(1, 1)?;
    match &args.node(0)?.value {
        Value::List(items) => Ok(count(items.len())),
        Value::Map(entries) => Ok(count(entries.len())),
        Value::String(text) => Ok(count(text.chars().count())),
        _ => Err(args.wrong(0, "a list, a map or a string")),
    }
}

/// An index beyond the end begins again.
fn element(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    let (items, index) = (args.list(0)?, args.int(1)?);
    let index = usize::try_from(index).map_err(|_| args.mistake("an index is not negative"))?;
    match items.len() {
        0 => Err(args.mistake("the list is empty")),
        length => Ok(items[index % length].value.clone()),
    }
}

fn index(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    let wanted = args.node(1)?;
    let found = args.list(0)?.iter().position(|node| node.value.same(&wanted.value));
    found.map(count).ok_or_else(|| args.mistake("no such element"))
}

fn lookup(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(2, 3)?;
    let key = args.text(1)?;
    let found = args.map(0)?.iter().find(|entry| entry.key == key).map(|entry| entry.node.value.clone());
    match (found, args.nodes.get(2)) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.value.clone()),
        (None, None) => Err(args.mistake(format!("there is no key {key:?}"))),
    }
}

fn sorted(args: &Args<'_>) -> Result<Vec<Entry>, Mistake> {
    args.count(1, 1)?;
    let mut entries = args.map(0)?.to_vec();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(entries)
}

/// The later map wins.
fn merge(args: &Args<'_>) -> Result<Value, Mistake> {
    let mut merged = std::collections::BTreeMap::new();
    for index in 0..args.nodes.len() {
        if matches!(args.node(index)?.value, Value::Null) {
            continue;
        }
        merged.extend(args.map(index)?.iter().map(|entry| (entry.key.clone(), entry.clone())));
    }
    Ok(Value::Map(merged.into_values().collect()))
}

fn concat(args: &Args<'_>) -> Result<Value, Mistake> {
    let mut items = Vec::new();
    for index in 0..args.nodes.len() {
        items.extend_from_slice(args.list(index)?);
    }
    Ok(Value::List(items))
}

fn holds(list: &[Node], node: &Node) -> bool {
    list.iter().any(|other| other.value.same(&node.value))
}

fn union(scope: &Scope<'_>, args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(1, usize::MAX)?;
    let mut items: Vec<Node> = Vec::new();
    for index in 0..args.nodes.len() {
        for node in args.list(index)? {
            scope.spend(items.len(), args.at)?;
            if !holds(&items, node) {
                items.push(node.clone());
            }
        }
    }
    Ok(Value::List(items))
}

fn kept(scope: &Scope<'_>, args: &Args<'_>, keep: impl Fn(&[Node], &Node) -> bool) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    let (first, second) = (args.list(0)?, args.list(1)?);
    scope.spend(first.len().saturating_mul(second.len()), args.at)?;
    Ok(Value::List(first.iter().filter(|node| keep(second, node)).cloned().collect()))
}

fn flat(items: &[Node]) -> Vec<Node> {
    let inner = |node: &Node| match &node.value {
        Value::List(items) => flat(items),
        _ => vec![node.clone()],
    };
    items.iter().flat_map(inner).collect()
}

fn slice(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(3, 3)?;
    let items = args.list(0)?;
    let bound = |index: usize| Ok::<_, Mistake>(usize::try_from(args.int(index)?).ok().filter(|bound| *bound <= items.len()));
    match (bound(1)?, bound(2)?) {
        (Some(start), Some(end)) if start <= end => Ok(Value::List(items[start..end].to_vec())),
        _ => Err(args.mistake(format!("no such part of a list of {}", items.len()))),
    }
}

fn chunks(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    let size = usize::try_from(args.int(1)?).ok().filter(|size| *size > 0).ok_or_else(|| args.mistake("a size is at least 1"))?;
    Ok(args.made(args.list(0)?.chunks(size).map(|chunk| Value::List(chunk.to_vec()))))
}

fn zip(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    let (keys, values) = (args.texts(0)?, args.list(1)?);
    if keys.len() != values.len() {
        return Err(args.mistake(format!("{} keys for {} values", keys.len(), values.len())));
    }
    // The last of two equal keys wins, as in merge().
    let pairs: std::collections::BTreeMap<String, Node> = keys.into_iter().zip(values.iter().cloned()).collect();
    Ok(Value::map(pairs))
}
