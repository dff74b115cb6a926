//! `x-kubernetes-validations`: CEL expressions that an object must satisfy, compiled once and run at every write.
//!
//! Upstream: apiextensions-apiserver pkg/apiserver/schema/cel. Differences, written down: there is no cost limit; `timestamp`,
//! `duration`, and the url, ip, cidr, format and semver libraries are not there, and a rule that uses them is refused when the
//! definition is written, as one that does not compile.

mod functions;
mod typing;
mod value;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use apimachinery::{FieldError, FieldErrorKind};
use cel::objects::OptionalValue;
use cel::{Context, Env, ExecutionError, Program, extensions};
use serde_json::Value;

use super::node::Node;
use typing::{Complaint, Type};

/// The language: what CEL brings, and the extensions of Kubernetes that fit.
static LANGUAGE: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut language = Env::stdlib();
    // They fail only for names that are taken.
    let _ = language.add_extension(extensions::strings);
    Arc::new(language)
});

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    text: String,
    message: String,
    reason: String,
    field: String,
    /// `oldSelf` is an optional, and the rule runs without one.
    optional: bool,
    transition: bool,
    program: Option<Program>,
    message_program: Option<Program>,
    /// Which field of the rule does not compile, and why.
    pub(super) broken: Option<(&'static str, String)>,
}

/// Reads a rule about values of this schema.
pub(super) fn compile(rule: &Value, node: &Node) -> Rule {
    let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut compiled = Rule {
        text: text("rule"),
        message: text("message").trim().to_owned(),
        reason: text("reason"),
        field: text("fieldPath"),
        optional: rule.get("optionalOldSelf").and_then(Value::as_bool).unwrap_or_default(),
        transition: false,
        program: None,
        message_program: None,
        broken: None,
    };
    if compiled.text.trim().is_empty() {
        return compiled;
    }
    match program(&compiled.text, node, compiled.optional) {
        Ok((program, kind)) => {
            compiled.transition = program.references().has_variable("oldSelf");
            compiled.program = Some(program);
            if !matches!(kind, Type::Bool | Type::Dyn) {
                compiled.broken = Some(("rule", "cel expression must evaluate to a bool".to_owned()));
            }
        }
        Err(why) => compiled.broken = Some(("rule", format!("compilation failed: {why}"))),
    }
    let expression = text("messageExpression");
    if expression.trim().is_empty() || compiled.broken.is_some() {
        return compiled;
    }
    match program(&expression, node, compiled.optional) {
        Ok((program, Type::Text | Type::Dyn)) => compiled.message_program = Some(program),
        Ok(_) => compiled.broken = Some(("messageExpression", "messageExpression must evaluate to a string".to_owned())),
        Err(why) => compiled.broken = Some(("messageExpression", format!("messageExpression compilation failed: {why}"))),
    }
    compiled
}

/// An expression that was parsed, and what it evaluates to.
fn program<'a>(text: &str, node: &'a Node, optional: bool) -> Result<(Program, Type<'a>), String> {
    // A parser that panics has not understood the expression.
    let parsed = catch_unwind(AssertUnwindSafe(|| LANGUAGE.compile(text)));
    let parsed = parsed.map_err(|_| "ERROR: <input>:1:1: Syntax error: the expression cannot be read".to_owned())?;
    let program = parsed.map_err(|errors| {
        let errors: Vec<String> = errors.errors.iter().map(|error| located(text, error.pos, &error.msg)).collect();
        errors.join("\n")
    })?;
    let kind = typing::check(program.expression(), node, optional).map_err(|Complaint { id, why }| {
        let offset = program.source_info().offset_for(id).map_or(0, |(start, _)| start as usize);
        let before: String = text.chars().take(offset).collect();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        located(text, (line as isize, column as isize), &why)
    })?;
    Ok((program, kind))
}

/// An error as CEL shows it: the place, the line, and an arrow.
fn located(text: &str, (line, column): (isize, isize), why: &str) -> String {
    let (line, column) = (usize::try_from(line).unwrap_or(1).max(1), usize::try_from(column).unwrap_or(1).max(1));
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    format!("ERROR: <input>:{line}:{column}: {why}\n | {shown}\n | {}^", ".".repeat(column - 1))
}

/// What the rules say of a value, here and below. `old`: what it was.
pub(super) fn run(node: &Node, new: &Value, old: Option<&Value>, update: bool, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    descend(node, new, old, update, path, &mut errors);
    errors
}

fn descend(node: &Node, new: &Value, old: Option<&Value>, update: bool, path: &str, errors: &mut Vec<FieldError>) {
    if !node.ruled || new.is_null() {
        return;
    }
    let unchanged = update && old == Some(new);
    for rule in &node.rules {
        // What was accepted before is not asked again, unless the question is about the change.
        if !unchanged || rule.transition {
            errors.extend(rule.run(node, new, old, path));
        }
    }
    match new {
        Value::Object(map) => {
            for (name, value) in map {
                let Some(child) = node.child(name) else { continue };
                let path = match path {
                    "" => name.clone(),
                    path if node.is_map() => format!("{path}[{name}]"),
                    path => format!("{path}.{name}"),
                };
                descend(child, value, old.and_then(|old| old.get(name)), update, &path, errors);
            }
        }
        Value::Array(items) => {
            let Some(child) = &node.items else { return };
            for (index, item) in items.iter().enumerate() {
                descend(child, item, node.former(old, item), update, &format!("{path}[{index}]"), errors);
            }
        }
        _ => {}
    }
}

impl Rule {
    fn run(&self, node: &Node, new: &Value, old: Option<&Value>, path: &str) -> Option<FieldError> {
        if self.transition && old.is_none() && !self.optional {
            return None;
        }
        let told = if self.message.is_empty() { self.text.trim() } else { &self.message };
        let field = if path.is_empty() { "<nil>" } else { path };
        let failed = |why: String| FieldError::invalid(field, value::type_name(new), format!("{why} evaluating rule: {told}"));
        let Some(program) = &self.program else { return Some(failed("the rule does not compile".to_owned())) };
        match self.evaluate(program, node, new, old) {
            Ok(cel::Value::Bool(true)) => None,
            Ok(cel::Value::Bool(false)) => Some(self.refusal(node, new, old, field)),
            Ok(_) => Some(failed("cel expression must evaluate to a bool".to_owned())),
            Err(why) => Some(failed(why)),
        }
    }

    fn evaluate(&self, program: &Program, node: &Node, new: &Value, old: Option<&Value>) -> Result<cel::Value, String> {
        let convert = |value: &Value| value::convert(node, value);
        let run = || {
            let mut context = Context::with_env(LANGUAGE.clone());
            functions::add(&mut context);
            context.add_variable_from_value("self", convert(new)?);
            if self.transition {
                let old = old.map(convert).transpose()?;
                let old = match (self.optional, old) {
                    (true, Some(old)) => cel::Value::Opaque(Arc::new(OptionalValue::of(old))),
                    (true, None) => cel::Value::Opaque(Arc::new(OptionalValue::none())),
                    (false, old) => old.unwrap_or(cel::Value::Null),
                };
                context.add_variable_from_value("oldSelf", old);
            }
            program.execute(&context).map_err(|error| match error {
                ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
                other => other.to_string(),
            })
        };
        // An expression that makes the interpreter panic refuses the write, like one that fails.
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("the rule cannot be evaluated".to_owned()))
    }

    /// What the writer is told.
    fn refusal(&self, node: &Node, new: &Value, old: Option<&Value>, path: &str) -> FieldError {
        let expressed = self.message_program.as_ref().and_then(|program| match self.evaluate(program, node, new, old) {
            Ok(cel::Value::String(text)) => Some(text.trim().to_owned()),
            _ => None,
        });
        let expressed = expressed.filter(|text| !text.is_empty() && !text.contains('\n'));
        let detail = match expressed {
            Some(text) => text,
            None if self.message.is_empty() => format!("failed rule: {}", self.text.trim()),
            None => self.message.clone(),
        };
        let field = match (path, self.field.as_str()) {
            (path, "") => path.to_owned(),
            ("<nil>", below) => below.trim_start_matches('.').to_owned(),
            (path, below) => format!("{path}{}", joined(below)),
        };
        let shown = !(new.is_object() || new.is_array());
        let kind = match self.reason.as_str() {
            "FieldValueRequired" => FieldErrorKind::Required,
            "FieldValueForbidden" => FieldErrorKind::Forbidden,
            "FieldValueDuplicate" if shown => FieldErrorKind::Duplicate(new.clone()),
            "FieldValueDuplicate" => return FieldError::duplicate_shown(field, ""),
            _ if shown => FieldErrorKind::Invalid(new.clone()),
            // Objects and lists are not shown.
            _ => return FieldError::invalid_shown(field, detail, ""),
        };
        let detail = if matches!(kind, FieldErrorKind::Duplicate(_)) { String::new() } else { detail };
        FieldError { field, kind, detail }
    }
}

/// A `fieldPath`, as it is appended: `.a['b.c']` becomes `.a.b.c`.
fn joined(path: &str) -> String {
    path.replace("['", ".").replace("']", "")
}

/// Where a `fieldPath` leads in a schema; `None` if nowhere.
pub(super) fn leads<'a>(node: &'a Node, path: &str) -> Option<&'a Node> {
    let mut node = node;
    let mut rest = path;
    while !rest.is_empty() {
        let (name, after) = if let Some(after) = rest.strip_prefix("['") {
            after.split_once("']")?
        } else {
            let after = rest.strip_prefix('.')?;
            after.split_at(after.find(['.', '[']).unwrap_or(after.len()))
        };
        node = node.child(name)?;
        rest = after;
    }
    Some(node)
}

/// Whether the rule asks for what was before.
pub(super) fn is_transition(rule: &Rule) -> bool {
    rule.transition
}
