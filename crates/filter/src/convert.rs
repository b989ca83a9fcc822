//! Functions: what they make of their arguments.

use std::rc::Rc;

use crate::evaluate::{Outcome, Run, STEPS_TO_MAKE, Stop};
use crate::function::Function;
use crate::instant::{
    NS_PER_S, instant_in_range, parse_instant, parse_span, part_of_instant, part_of_span, write_instant,
    write_span,
};
use crate::node::Node;
use crate::number::{Number, in_range, truncated};
use crate::value::Value;

const NO_INTEGER: &str = "this cannot be made an integer";

impl<'v> Run<'v> {
    pub(crate) fn call(&mut self, function: Function, arguments: &'v [Node]) -> Outcome<'v> {
        let first = arguments.first().ok_or(Stop::Content("a function without an argument"))?;
        let value = self.value(first)?;
        match function {
            Function::Size => {
                let size = self.size(&value)?;
                Ok(Value::Int(i128::try_from(size).unwrap_or(i128::MAX)))
            }
            Function::Contains | Function::StartsWith | Function::EndsWith => {
                self.search(function, &value, arguments)
            }
            Function::Dyn => Ok(value),
            _ => self.converted(function, &value),
        }
    }

    fn search(&mut self, function: Function, value: &Value<'v>, arguments: &'v [Node]) -> Outcome<'v> {
        let second = arguments.get(1).ok_or(Stop::Content("a function without an argument"))?;
        let other = self.value(second)?;
        let needed = |value: &Value<'v>| Stop::Kind("a string is needed", value.kind());
        let text = value.text().ok_or_else(|| needed(value))?;
        let part = other.text().ok_or_else(|| needed(&other))?;
        // The search for a part looks at each of its bytes as well.
        self.spend_text(if function == Function::Contains { text.len() + part.len() } else { part.len() })?;
        Ok(Value::Bool(match function {
            Function::Contains => text.contains(part),
            Function::StartsWith => text.starts_with(part),
            _ => text.ends_with(part),
        }))
    }

    fn converted(&mut self, function: Function, value: &Value<'v>) -> Outcome<'v> {
        if let Some(text) = value.text() {
            self.spend_text(text.len())?;
        }
        match function {
            Function::ToInt => to_int(value),
            Function::ToUint => match to_int(value)? {
                Value::Int(whole) if whole >= 0 => Ok(Value::Int(whole)),
                _ => Err(Stop::Content("this cannot be made an integer without a sign")),
            },
            Function::ToDouble => to_double(value),
            Function::ToText => {
                self.spend(2 * STEPS_TO_MAKE)?;
                to_text(value)
            }
            Function::ToBool => to_bool(value),
            Function::ToInstant => to_instant(value),
            Function::ToSpan => to_span(value),
            Function::Part(part) => {
                let number = match value {
                    Value::Instant(ns) => part_of_instant(part, *ns),
                    Value::Span(ns) => part_of_span(part, *ns),
                    other => return Err(Stop::Kind("a timestamp is needed", other.kind())),
                };
                number.map(Value::Int).ok_or(Stop::Content("a duration has no date"))
            }
            Function::Size
            | Function::Contains
            | Function::StartsWith
            | Function::EndsWith
            | Function::Dyn => Ok(value.clone()),
        }
    }
}

fn unfit<'v>(function: &'static str, value: &Value<'v>) -> Stop<'v> {
    Stop::Kind(function, value.kind())
}

fn to_int<'v>(value: &Value<'v>) -> Outcome<'v> {
    let whole = match value {
        Value::Int(whole) => Some(*whole),
        Value::Double(double) => truncated(*double),
        Value::Instant(ns) => Some(ns.div_euclid(NS_PER_S)),
        other => {
            let text = other.text().ok_or_else(|| unfit("int() cannot be used with this", other))?;
            text.parse().ok().and_then(in_range)
        }
    };
    whole.map(Value::Int).ok_or(Stop::Content(NO_INTEGER))
}

fn to_double<'v>(value: &Value<'v>) -> Outcome<'v> {
    if let Some(number) = value.number() {
        return Ok(Value::Double(Number::to_double(number)));
    }
    let text = value.text().ok_or_else(|| unfit("double() cannot be used with this", value))?;
    text.parse().map(Value::Double).map_err(|_| Stop::Content("this cannot be made a double"))
}

fn to_text<'v>(value: &Value<'v>) -> Outcome<'v> {
    let text = match value {
        Value::Text(_) | Value::Made(_) => return Ok(value.clone()),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Instant(ns) => write_instant(*ns),
        Value::Span(ns) => write_span(*ns),
        other => return Err(unfit("string() cannot be used with this", other)),
    };
    Ok(Value::Made(Rc::from(text)))
}

/// The words are those of the CEL specification.
fn to_bool<'v>(value: &Value<'v>) -> Outcome<'v> {
    if let Value::Bool(value) = value {
        return Ok(Value::Bool(*value));
    }
    match value.text().ok_or_else(|| unfit("bool() cannot be used with this", value))? {
        "true" | "True" | "TRUE" | "t" | "1" => Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" | "f" | "0" => Ok(Value::Bool(false)),
        _ => Err(Stop::Content("this cannot be made a bool")),
    }
}

/// Of a number: seconds since the Unix epoch.
fn to_instant<'v>(value: &Value<'v>) -> Outcome<'v> {
    let ns = match value {
        Value::Instant(ns) => Some(*ns),
        Value::Int(seconds) => seconds.checked_mul(NS_PER_S).and_then(instant_in_range),
        other => {
            let text = other.text().ok_or_else(|| unfit("timestamp() cannot be used with this", other))?;
            parse_instant(text)
        }
    };
    ns.map(Value::Instant).ok_or(Stop::Content("this cannot be made a timestamp"))
}

fn to_span<'v>(value: &Value<'v>) -> Outcome<'v> {
    let ns = match value {
        Value::Span(ns) => Some(*ns),
        other => {
            let text = other.text().ok_or_else(|| unfit("duration() cannot be used with this", other))?;
            parse_span(text)
        }
    };
    ns.map(Value::Span).ok_or(Stop::Content("this cannot be made a duration"))
}
