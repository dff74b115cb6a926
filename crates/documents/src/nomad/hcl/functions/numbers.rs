//! Functions of numbers.

use super::super::eval::{Scope, finite};
use super::super::place::Mistake;
use super::super::value::Value;
use super::Args;

pub(super) fn call(scope: &Scope<'_>, args: &Args<'_>) -> Option<Result<Value, Mistake>> {
    Some(match args.name {
        "abs" => one(args, f64::abs),
        "ceil" => one(args, f64::ceil),
        "floor" => one(args, f64::floor),
        "signum" => one(args, |number| if number == 0.0 { 0.0 } else { number.signum() }),
        "log" => two(args, |number, base| number.ln() / base.ln()),
        "pow" => two(args, f64::powf),
        "max" => best(args, |a, b| a > b),
        "min" => best(args, |a, b| a < b),
        "parseint" => parse(args),
        "range" => range(scope, args),
        _ => return None,
    })
}

fn one(args: &Args<'_>, function: impl Fn(f64) -> f64) -> Result<Value, Mistake> {
    args.count(1, 1)?;
    finite(function(args.number(0)?), args.at)
}

fn two(args: &Args<'_>, function: impl Fn(f64, f64) -> f64) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    finite(function(args.number(0)?, args.number(1)?), args.at)
}

fn best(args: &Args<'_>, better: impl Fn(f64, f64) -> bool) -> Result<Value, Mistake> {
    args.count(1, usize::MAX)?;
    let mut best = args.number(0)?;
    for index in 1..args.nodes.len() {
        let number = args.number(index)?;
        if better(number, best) {
            best = number;
        }
    }
    finite(best, args.at)
}

fn parse(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    let (text, base) = (args.text(0)?, args.int(1)?);
    let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base));
    let base = base.ok_or_else(|| args.mistake("a base is a number from 2 to 36"))?;
    i64::from_str_radix(&text, base).map(Value::Int).map_err(|_| args.mistake(format!("{text:?} is no number to base {base}")))
}

/// `range(end)`, `range(start, end)`, `range(start, end, step)`; the end is not in it.
fn range(scope: &Scope<'_>, args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(1, 3)?;
    let numbers = (0..args.nodes.len()).map(|index| args.number(index)).collect::<Result<Vec<_>, _>>()?;
    let (start, end, step) = match numbers.as_slice() {
        [end] => (0.0, *end, if *end < 0.0 { -1.0 } else { 1.0 }),
        [start, end] => (*start, *end, if end < start { -1.0 } else { 1.0 }),
        [start, end, step, ..] => (*start, *end, *step),
        [] => return Err(args.mistake("wants a number")),
    };
    if step == 0.0 || (end > start) != (step > 0.0) && end != start {
        return Err(args.mistake("the step does not lead from the start to the end"));
    }
    let mut values = Vec::new();
    let mut number = start;
    while if step > 0.0 { number < end } else { number > end } {
        scope.spend(64, args.at)?;
        values.push(Value::number(number));
        number += step;
    }
    Ok(args.made(values))
}
