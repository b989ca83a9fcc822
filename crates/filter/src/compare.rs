//! Equality, order and membership.

use std::cmp::Ordering;

use crate::evaluate::{Outcome, Run, Stop};
use crate::kind::Kind;
use crate::node::{Comparison, Node};
use crate::value::Value;

impl<'v> Run<'v> {
    pub(crate) fn equality(&mut self, pair: &'v [Node; 2]) -> Result<bool, Stop<'v>> {
        let (left, right) = self.both(pair)?;
        self.equal(&left, &right)
    }

    pub(crate) fn both(&mut self, pair: &'v [Node; 2]) -> Result<(Value<'v>, Value<'v>), Stop<'v>> {
        Ok((self.value(&pair[0])?, self.value(&pair[1])?))
    }

    /// Values of two kinds are never equal; numbers are by what they are worth, lists and maps by what is in them.
    pub(crate) fn equal(&mut self, left: &Value<'v>, right: &Value<'v>) -> Result<bool, Stop<'v>> {
        self.spend(1)?;
        match (left, right) {
            (Value::Null, Value::Null) => Ok(true),
            (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
            (Value::Instant(left), Value::Instant(right)) | (Value::Span(left), Value::Span(right)) => {
                Ok(left == right)
            }
            _ => match (left.kind(), right.kind()) {
                (Kind::Number, Kind::Number) => Ok(self.order(left, right)? == Some(Ordering::Equal)),
                (Kind::Text, Kind::Text) => self.equal_texts(left, right),
                (Kind::List, Kind::List) => self.equal_lists(left, right),
                (Kind::Map, Kind::Map) => self.equal_maps(left, right),
                _ => Ok(false),
            },
        }
    }

    fn equal_texts(&mut self, left: &Value<'v>, right: &Value<'v>) -> Result<bool, Stop<'v>> {
        let (left, right) = (left.text().unwrap_or_default(), right.text().unwrap_or_default());
        if left.len() != right.len() {
            return Ok(false);
        }
        self.spend_text(left.len())?;
        Ok(left == right)
    }

    fn equal_lists(&mut self, left: &Value<'v>, right: &Value<'v>) -> Result<bool, Stop<'v>> {
        if self.size(left)? != self.size(right)? {
            return Ok(false);
        }
        for (left, right) in self.items(left)?.zip(self.items(right)?) {
            if !self.equal(&left, &right)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn equal_maps(&mut self, left: &Value<'v>, right: &Value<'v>) -> Result<bool, Stop<'v>> {
        let members = self.members(left)?;
        if members.len() != self.size(right)? {
            return Ok(false);
        }
        for (key, value) in members {
            match self.member(right, &key)? {
                Some(other) if self.equal(&value, &other)? => {}
                Some(_) | None => return Ok(false),
            }
        }
        Ok(true)
    }

    pub(crate) fn comparison(&mut self, comparison: Comparison, pair: &'v [Node; 2]) -> Outcome<'v> {
        let (left, right) = self.both(pair)?;
        let kinds = (left.kind(), right.kind());
        if kinds.0 != kinds.1 || !kinds.0.has_order() {
            let odd = if kinds.0.has_order() { kinds.1 } else { kinds.0 };
            return Err(Stop::Kind(
                "only two numbers, strings, bools, timestamps or durations have an order",
                odd,
            ));
        }
        let order = self.order(&left, &right)?;
        // What is not a number is neither less nor greater.
        Ok(Value::Bool(order.is_some_and(|order| match comparison {
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        })))
    }

    /// Of two values of one kind that has an order. Texts by their code points.
    fn order(&mut self, left: &Value<'v>, right: &Value<'v>) -> Result<Option<Ordering>, Stop<'v>> {
        if let (Some(left), Some(right)) = (left.number(), right.number()) {
            return Ok(left.compare(right));
        }
        if let (Some(left), Some(right)) = (left.text(), right.text()) {
            self.spend_text(left.len().min(right.len()))?;
            return Ok(Some(left.cmp(right)));
        }
        Ok(match (left, right) {
            (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
            (Value::Instant(left), Value::Instant(right)) | (Value::Span(left), Value::Span(right)) => {
                Some(left.cmp(right))
            }
            _ => None,
        })
    }

    pub(crate) fn membership(&mut self, pair: &'v [Node; 2]) -> Outcome<'v> {
        let (wanted, of) = self.both(pair)?;
        match of.kind() {
            Kind::Map => Ok(Value::Bool(self.member(&of, &wanted)?.is_some())),
            Kind::List => {
                for item in self.items(&of)? {
                    if self.equal(&item, &wanted)? {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            other => Err(Stop::Kind("`in` looks into lists and maps", other)),
        }
    }
}
