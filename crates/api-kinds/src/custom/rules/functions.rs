//! What Kubernetes adds to CEL, as far as it is needed: lists, regular expressions, quantities.
//!
//! Upstream: apiserver pkg/cel/library.

use std::cmp::Ordering;
use std::sync::Arc;

use cel::extractors::This;
use cel::objects::Opaque;
use cel::{Context, ExecutionError, Value};
use csi_types::Quantity;

use crate::custom::node::expression;

type Answer = Result<Value, ExecutionError>;

/// An amount.
#[derive(Debug, PartialEq, Eq)]
struct Amount(Quantity);

impl Opaque for Amount {
    fn runtime_type_name(&self) -> &str {
        "kubernetes.Quantity"
    }
}

/// Makes the functions known to an evaluation.
pub(super) fn add(context: &mut Context<'_, '_>) {
    // They fail only for names that are taken.
    let _ = context.add_function("isSorted", |This(list): This<Value>| -> Answer {
        let items = items(&list)?;
        Ok(items.windows(2).all(|pair| pair[0].partial_cmp(&pair[1]).is_some_and(Ordering::is_le)).into())
    });
    let _ = context.add_function("sum", |This(list): This<Value>| -> Answer { sum(items(&list)?) });
    let _ = context.add_function("min", |This(list): This<Value>| -> Answer { extreme(items(&list)?, Ordering::Less) });
    let _ = context.add_function("max", |This(list): This<Value>| -> Answer { extreme(items(&list)?, Ordering::Greater) });
    let _ = context.add_function("find", |This(text): This<Arc<String>>, pattern: Arc<String>| -> Answer {
        let found = regex(&pattern)?.find(&text).map(|found| found.as_str().to_owned());
        Ok(found.unwrap_or_default().into())
    });
    let _ = context.add_function("findAll", |This(text): This<Arc<String>>, pattern: Arc<String>| -> Answer {
        Ok(regex(&pattern)?.find_iter(&text).map(|found| found.as_str().to_owned()).collect::<Vec<String>>().into())
    });
    let _ = context.add_function("isQuantity", |text: Arc<String>| Quantity::parse(&text).is_ok());
    let _ = context.add_function("quantity", |text: Arc<String>| -> Answer {
        let amount = Quantity::parse(&text).map_err(|error| ExecutionError::function_error("quantity", error))?;
        Ok(Value::Opaque(Arc::new(Amount(amount))))
    });
    let _ = context.add_function("compareTo", |This(a): This<Value>, b: Value| -> Answer {
        Ok((amount(&a)?.cmp(&amount(&b)?) as i64).into())
    });
    let _ = context
        .add_function("isGreaterThan", |This(a): This<Value>, b: Value| -> Answer { Ok((amount(&a)? > amount(&b)?).into()) });
    let _ =
        context.add_function("isLessThan", |This(a): This<Value>, b: Value| -> Answer { Ok((amount(&a)? < amount(&b)?).into()) });
}

fn items(value: &Value) -> Result<&[Value], ExecutionError> {
    match value {
        Value::List(items) => Ok(items),
        _ => Err(ExecutionError::function_error("list", "no such overload")),
    }
}

fn sum(items: &[Value]) -> Answer {
    let overflow = || ExecutionError::function_error("sum", "integer overflow");
    let mut whole: i64 = 0;
    let mut float = 0.0;
    let mut floats = false;
    for item in items {
        match item {
            Value::Int(number) => whole = whole.checked_add(*number).ok_or_else(overflow)?,
            Value::Float(number) => {
                floats = true;
                float += number;
            }
            _ => return Err(ExecutionError::function_error("sum", "no such overload")),
        }
    }
    Ok(if floats { (float + whole as f64).into() } else { whole.into() })
}

fn extreme(items: &[Value], wanted: Ordering) -> Answer {
    let mut items = items.iter();
    let first = items.next().ok_or_else(|| ExecutionError::function_error("min", "min called on empty list"))?;
    let best = items.fold(first, |best, item| if item.partial_cmp(best) == Some(wanted) { item } else { best });
    Ok(best.clone())
}

fn regex(pattern: &str) -> Result<regex::Regex, ExecutionError> {
    expression(pattern).ok_or_else(|| ExecutionError::function_error("find", "the pattern is no regular expression"))
}

fn amount(value: &Value) -> Result<Quantity, ExecutionError> {
    match value {
        Value::Opaque(opaque) => opaque.downcast_ref::<Amount>().map(|amount| amount.0),
        _ => None,
    }
    .ok_or_else(|| ExecutionError::function_error("quantity", "no such overload"))
}
