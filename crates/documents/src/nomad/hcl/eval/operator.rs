//! `!`, `-`, and what stands between two values.

use hcl_edit::expr::{BinaryOp, BinaryOperator, UnaryOp, UnaryOperator};

use super::super::place::{Mistake, Place};
use super::super::value::{Node, Value};
use super::{Scope, known};

impl Scope<'_> {
    pub(super) fn unary(&self, op: &UnaryOp, at: Place) -> Result<Value, Mistake> {
        let node = self.eval(&op.expr)?;
        known(&node)?;
        match (op.operator.value(), &node.value) {
            (UnaryOperator::Not, _) => Ok(Value::Bool(!bool_of(&node)?)),
            (UnaryOperator::Neg, Value::Int(number)) if *number != i64::MIN => Ok(Value::Int(-number)),
            (UnaryOperator::Neg, _) => finite(-number_of(&node)?, at),
        }
    }

    pub(super) fn binary(&self, op: &BinaryOp, at: Place) -> Result<Value, Mistake> {
        let (left, right) = (self.eval(&op.lhs_expr)?, self.eval(&op.rhs_expr)?);
        known(&left)?;
        known(&right)?;
        Ok(match op.operator.value() {
            BinaryOperator::Eq => Value::Bool(left.value.same(&right.value)),
            BinaryOperator::NotEq => Value::Bool(!left.value.same(&right.value)),
            BinaryOperator::And => Value::Bool(bool_of(&left)? & bool_of(&right)?),
            BinaryOperator::Or => Value::Bool(bool_of(&left)? | bool_of(&right)?),
            BinaryOperator::Less => Value::Bool(number_of(&left)? < number_of(&right)?),
            BinaryOperator::LessEq => Value::Bool(number_of(&left)? <= number_of(&right)?),
            BinaryOperator::Greater => Value::Bool(number_of(&left)? > number_of(&right)?),
            BinaryOperator::GreaterEq => Value::Bool(number_of(&left)? >= number_of(&right)?),
            BinaryOperator::Plus => exact(&left, &right, i64::checked_add, |a, b| a + b, at)?,
            BinaryOperator::Minus => exact(&left, &right, i64::checked_sub, |a, b| a - b, at)?,
            BinaryOperator::Mul => exact(&left, &right, i64::checked_mul, |a, b| a * b, at)?,
            BinaryOperator::Div => finite(number_of(&left)? / divisor(&right)?, at)?,
            BinaryOperator::Mod => {
                divisor(&right)?;
                exact(&left, &right, i64::checked_rem, |a, b| a % b, at)?
            }
        })
    }
}

fn divisor(node: &Node) -> Result<f64, Mistake> {
    let number = number_of(node)?;
    if number == 0.0 { Err(Mistake::new(node.at, "division by zero")) } else { Ok(number) }
}

/// # Errors
/// Not a number.
pub(crate) fn number_of(node: &Node) -> Result<f64, Mistake> {
    node.value.to_number().ok_or_else(|| Mistake::new(node.at, format!("expected a number, not {}", node.value.kind())))
}

/// # Errors
/// Not a bool.
pub(crate) fn bool_of(node: &Node) -> Result<bool, Mistake> {
    node.value.to_bool().ok_or_else(|| Mistake::new(node.at, format!("expected true or false, not {}", node.value.kind())))
}

/// Whole numbers exactly, where they stay in range.
fn exact(
    left: &Node,
    right: &Node,
    whole: impl Fn(i64, i64) -> Option<i64>,
    float: impl Fn(f64, f64) -> f64,
    at: Place,
) -> Result<Value, Mistake> {
    if let (Value::Int(a), Value::Int(b)) = (&left.value, &right.value)
        && let Some(number) = whole(*a, *b)
    {
        return Ok(Value::Int(number));
    }
    finite(float(number_of(left)?, number_of(right)?), at)
}

/// # Errors
/// Infinite, or not a number at all.
pub(crate) fn finite(number: f64, at: Place) -> Result<Value, Mistake> {
    if number.is_finite() { Ok(Value::number(number)) } else { Err(Mistake::new(at, "not a number, or too large a one")) }
}
