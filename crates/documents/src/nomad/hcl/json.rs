//! JSON: the API's own, and HCL's other spelling, in which every string is a template.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hcl_edit::parser::{parse_expr, parse_template};

use super::eval::{Budget, Scope};
use super::parse::LONGEST;
use super::place::{Mistake, Place, Source};
use super::types::Type;
use super::value::{Body, Entry, Node, Value};
use super::variables::{self, Declared, Inputs, Local};

/// Reads JSON as it is.
///
/// # Errors
/// Not JSON: where, and the likely cause.
pub(crate) fn api(text: &str) -> Result<Node, Mistake> {
    if text.len() > LONGEST {
        return Err(Mistake::new(Place::default(), format!("longer than {} KiB, which no job is", LONGEST >> 10)));
    }
    let read = located::json(text)
        .map_err(|damage| Mistake::new(Place { line: damage.place.line, column: damage.place.column }, damage.reason))?;
    if let Some(field) = read.twice.first() {
        let at = place(&read.lines, field);
        return Err(Mistake::new(at, format!("{field} is there twice: remove one, since only the last would count")));
    }
    Ok(node(&read.value, &mut Vec::new(), &read.lines))
}

fn place(lines: &located::Lines, field: &str) -> Place {
    lines.place(field).map_or(Place::default(), |place| Place { line: place.line, column: place.column })
}

fn node(json: &serde_json::Value, path: &mut Vec<String>, lines: &located::Lines) -> Node {
    let at = lines.exact(path).map_or(Place::default(), |place| Place { line: place.line, column: place.column });
    let below = |key: String, json: &serde_json::Value, path: &mut Vec<String>| {
        path.push(key);
        let inner = node(json, path, lines);
        path.pop();
        inner
    };
    let value = match json {
        serde_json::Value::Array(items) => {
            Value::List(items.iter().enumerate().map(|(index, item)| below(index.to_string(), item, path)).collect())
        }
        serde_json::Value::Object(map) => {
            Value::map(map.iter().map(|(key, value)| (key.clone(), below(key.clone(), value, path))))
        }
        plain => Value::from_json(plain, at),
    };
    value.at(at)
}

/// A job file in HCL's JSON.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn hcl_json(text: &str, inputs: &Inputs) -> Result<Body, Vec<Mistake>> {
    let Value::Map(entries) = api(text).map_err(|mistake| vec![mistake])?.value else {
        return Err(vec![Mistake::new(Place { line: 1, column: 1 }, "a job in JSON is an object")]);
    };
    let (names, rest): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| variables::is_declaration(&entry.key));
    let (nothing, budget, source) = (BTreeMap::new(), Budget::default(), Source::new(""));
    let scope = Scope::new(&source, &nothing, &budget);
    let (declared, locals) = declarations(&names).map_err(|mistake| vec![mistake])?;
    let roots = variables::resolve(declared, &locals, &scope, inputs)?;
    let mistakes = RefCell::new(Vec::new());
    let known = scope.in_place_of(&roots);
    let rest: Vec<Entry> =
        rest.into_iter().map(|entry| Entry { node: evaluated(&entry.node, &known, &mistakes), ..entry }).collect();
    let mistakes = mistakes.into_inner();
    if mistakes.is_empty() { Ok(Body::of_map(&rest)) } else { Err(mistakes) }
}

/// With every string evaluated. What cannot be is null, and a mistake.
fn evaluated(node: &Node, scope: &Scope<'_>, mistakes: &RefCell<Vec<Mistake>>) -> Node {
    let value = match &node.value {
        Value::String(text) => template(text, node.at, scope).unwrap_or_else(|mistake| {
            mistakes.borrow_mut().push(mistake);
            Value::Null
        }),
        Value::List(items) => Value::List(items.iter().map(|item| evaluated(item, scope, mistakes)).collect()),
        Value::Map(entries) => {
            let inner = |entry: &Entry| Entry { node: evaluated(&entry.node, scope, mistakes), ..entry.clone() };
            Value::Map(entries.iter().map(inner).collect())
        }
        plain => plain.clone(),
    };
    value.at(node.at)
}

fn template(text: &str, at: Place, scope: &Scope<'_>) -> Result<Value, Mistake> {
    if !text.contains("${") && !text.contains("%{") {
        return Ok(Value::String(text.to_owned()));
    }
    let template =
        parse_template(text).map_err(|error| Mistake::new(at, format!("not a template of HCL: {}", error.message())))?;
    let source = Source::at(text, at);
    scope.on(&source).string_template(template.iter(), at)
}

type Declarations<'a> = (Vec<Declared<'a>>, Vec<Local<'a>>);

fn declarations(entries: &[Entry]) -> Result<Declarations<'_>, Mistake> {
    let (mut declared, mut locals) = (Vec::new(), Vec::new());
    for entry in entries {
        for names in objects(&entry.node)? {
            for name in names {
                match entry.key.as_str() {
                    "variable" => {
                        for fields in objects(&name.node)? {
                            declared.push(declaration(name, fields)?);
                        }
                    }
                    "variables" => declared.push(plain(name, Some(name.node.clone()))),
                    _ => locals.push(Local {
                        name: name.key.clone(),
                        at: name.at,
                        value: Box::new(move |scope: &Scope<'_>| local(&name.node, scope)),
                    }),
                }
            }
        }
    }
    Ok((declared, locals))
}

fn local(node: &Node, scope: &Scope<'_>) -> Result<Node, Mistake> {
    let mistakes = RefCell::new(Vec::new());
    let node = evaluated(node, scope, &mistakes);
    mistakes.into_inner().into_iter().next().map_or(Ok(node), Err)
}

fn plain(entry: &Entry, default: Option<Node>) -> Declared<'static> {
    Declared { name: entry.key.clone(), at: entry.at, kind: Type::Any, default, validations: Vec::new() }
}

fn declaration(name: &Entry, fields: &[Entry]) -> Result<Declared<'static>, Mistake> {
    let mut variable = plain(name, None);
    for field in fields {
        match (field.key.as_str(), &field.node.value) {
            ("default", _) => variable.default = Some(field.node.clone()),
            ("type", Value::String(text)) => {
                let expression = parse_expr(text).map_err(|_| Mistake::new(field.at, format!("{text:?} is not a type")))?;
                variable.kind = Type::of(&expression, &Source::at(text, field.at))?;
            }
            ("description" | "sensitive", _) => {}
            ("validation", _) => {
                let message = "a validation is read in HCL only; write the variable there, or check its value before";
                return Err(Mistake::new(field.at, message));
            }
            (other, _) => return Err(Mistake::new(field.at, format!("a variable has no {other:?}"))),
        }
    }
    Ok(variable)
}

/// HCL's JSON writes several blocks as a list of objects, and one as the object.
fn objects(node: &Node) -> Result<Vec<&[Entry]>, Mistake> {
    match &node.value {
        Value::Map(entries) => Ok(vec![entries]),
        Value::List(items) => items.iter().map(objects).collect::<Result<Vec<_>, _>>().map(|lists| lists.concat()),
        other => Err(Mistake::new(node.at, format!("expected an object, not {}", other.kind()))),
    }
}
