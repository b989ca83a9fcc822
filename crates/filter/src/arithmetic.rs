//! `+ - * / %` and the sign. Integers that leave their range are a failure, never another number.

use std::rc::Rc;

use crate::evaluate::{Outcome, Run, STEPS_TO_MAKE, Stop, as_steps};
use crate::instant::{instant_in_range, span_in_range};
use crate::kind::Kind;
use crate::node::{Node, Operator};
use crate::number::{Number, in_range};
use crate::value::Value;

const TOO_LARGE: &str = "an integer leaves its range";
const OUT_OF_TIME: &str = "a timestamp or a duration leaves its range";

impl<'v> Run<'v> {
    pub(crate) fn negate(&mut self, operand: &'v Node) -> Outcome<'v> {
        match self.value(operand)? {
            Value::Int(value) => in_range(-value).map(Value::Int).ok_or(Stop::Content(TOO_LARGE)),
            Value::Double(value) => Ok(Value::Double(-value)),
            other => Err(Stop::Kind("a number is needed", other.kind())),
        }
    }

    pub(crate) fn arithmetic(&mut self, operator: Operator, pair: &'v [Node; 2]) -> Outcome<'v> {
        let (left, right) = self.both(pair)?;
        if let (Some(left), Some(right)) = (left.number(), right.number()) {
            return of_numbers(operator, left, right);
        }
        match (operator, &left, &right) {
            (Operator::Add, Value::Instant(a), Value::Span(b))
            | (Operator::Add, Value::Span(a), Value::Instant(b)) => instant(a + b),
            (Operator::Subtract, Value::Instant(a), Value::Span(b)) => instant(a - b),
            (Operator::Subtract, Value::Instant(a), Value::Instant(b)) => span(a - b),
            (Operator::Add, Value::Span(a), Value::Span(b)) => span(a + b),
            (Operator::Subtract, Value::Span(a), Value::Span(b)) => span(a - b),
            (Operator::Add, ..) => self.joined(&left, &right),
            _ => Err(undefined(&left, &right)),
        }
    }

    fn joined(&mut self, left: &Value<'v>, right: &Value<'v>) -> Outcome<'v> {
        if let (Some(left), Some(right)) = (left.text(), right.text()) {
            self.spend(STEPS_TO_MAKE)?;
            self.spend_text(left.len() + right.len())?;
            return Ok(Value::Made(Rc::from([left, right].concat())));
        }
        if (left.kind(), right.kind()) != (Kind::List, Kind::List) {
            return Err(undefined(left, right));
        }
        let count = self.size(left)? + self.size(right)?;
        self.spend(STEPS_TO_MAKE + as_steps(count))?;
        Ok(Value::List(self.items(left)?.chain(self.items(right)?).collect()))
    }
}

fn undefined<'v>(left: &Value<'v>, right: &Value<'v>) -> Stop<'v> {
    let odd = if left.kind() == Kind::Number { right.kind() } else { left.kind() };
    Stop::Kind("these two cannot be reckoned with each other", odd)
}

/// A double makes a double of the other: JSON does not tell whether 5 was meant to be 5.0.
fn of_numbers<'v>(operator: Operator, left: Number, right: Number) -> Outcome<'v> {
    if let (Number::Int(left), Number::Int(right)) = (left, right) {
        return of_integers(operator, left, right);
    }
    let (left, right) = (left.to_double(), right.to_double());
    Ok(Value::Double(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Remainder => return Err(Stop::Content("only whole numbers have a remainder")),
    }))
}

fn of_integers<'v>(operator: Operator, left: i128, right: i128) -> Outcome<'v> {
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left.checked_mul(right).ok_or(Stop::Content(TOO_LARGE))?,
        Operator::Divide | Operator::Remainder if right == 0 => {
            return Err(Stop::Content("a whole number is divided by zero"));
        }
        Operator::Divide => left / right,
        Operator::Remainder => left % right,
    };
    in_range(result).map(Value::Int).ok_or(Stop::Content(TOO_LARGE))
}

fn instant<'v>(ns: i128) -> Outcome<'v> {
    instant_in_range(ns).map(Value::Instant).ok_or(Stop::Content(OUT_OF_TIME))
}

fn span<'v>(ns: i128) -> Outcome<'v> {
    span_in_range(ns).map(Value::Span).ok_or(Stop::Content(OUT_OF_TIME))
}
