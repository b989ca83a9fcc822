//! What is in lists and maps: members, elements, and the macros that look at all of them.

use std::collections::HashSet;
use std::rc::Rc;

use crate::data::{Inside, Json, Shape};
use crate::evaluate::{Outcome, Run, STEPS_TO_MAKE, Stop, as_steps};
use crate::node::{Each, Node};
use crate::number::Number;
use crate::value::Value;

/// The elements of a list or the keys of a map, one by one.
pub(crate) enum Items<'v> {
    Json(Inside<'v>),
    List(Rc<[Value<'v>]>, usize),
    Keys(std::vec::IntoIter<(Value<'v>, Value<'v>)>),
}

impl<'v> Iterator for Items<'v> {
    type Item = Value<'v>;

    fn next(&mut self) -> Option<Value<'v>> {
        match self {
            Self::Json(inside) => inside.next().map(Value::of),
            Self::List(list, next) => {
                *next += 1;
                list.get(*next - 1).cloned()
            }
            Self::Keys(keys) => keys.next().map(|(key, _)| key),
        }
    }
}

impl<'v> Run<'v> {
    pub(crate) fn items(&mut self, of: &Value<'v>) -> Result<Items<'v>, Stop<'v>> {
        match of {
            Value::Json(json) if matches!(json.shape(), Shape::List) => Ok(Items::Json(json.inside())),
            Value::List(list) => Ok(Items::List(Rc::clone(list), 0)),
            Value::Json(_) | Value::Map(_) => Ok(Items::Keys(self.members(of)?.into_iter())),
            other => Err(Stop::Kind("a list or a map is needed", other.kind())),
        }
    }

    /// The members of a map, in their order. Of JSON members with one name only the last is there.
    pub(crate) fn members(&mut self, of: &Value<'v>) -> Result<Vec<(Value<'v>, Value<'v>)>, Stop<'v>> {
        match of {
            Value::Map(map) => {
                self.spend(as_steps(map.len()))?;
                Ok(map.to_vec())
            }
            Value::Json(json) => {
                self.spend(as_steps(json.count().saturating_mul(4)))?;
                self.spend_text(json.names_bytes())?;
                Ok(distinct(*json))
            }
            other => Err(Stop::Kind("a map is needed", other.kind())),
        }
    }

    pub(crate) fn size(&mut self, of: &Value<'v>) -> Result<usize, Stop<'v>> {
        match of {
            Value::List(list) => Ok(list.len()),
            Value::Map(map) => Ok(map.len()),
            Value::Json(json) if matches!(json.shape(), Shape::List) => Ok(json.count()),
            Value::Json(_) => Ok(self.members(of)?.len()),
            other => {
                let text = other
                    .text()
                    .ok_or_else(|| Stop::Kind("size() needs a string, a list or a map", other.kind()))?;
                self.spend_text(text.len())?;
                Ok(text.chars().count())
            }
        }
    }

    pub(crate) fn select(&mut self, of: &'v Node, key: &'v str) -> Outcome<'v> {
        let of = self.value(of)?;
        self.member(&of, &Value::Text(key))?.ok_or(Stop::NoMember(Value::Text(key)))
    }

    pub(crate) fn has(&mut self, of: &'v Node, key: &'v str) -> Outcome<'v> {
        let of = self.value(of)?;
        Ok(Value::Bool(self.member(&of, &Value::Text(key))?.is_some()))
    }

    pub(crate) fn index(&mut self, of: &'v Node, key: &'v Node) -> Outcome<'v> {
        let (of, key) = (self.value(of)?, self.value(key)?);
        match &of {
            Value::List(list) => {
                let (at, given) = index_in(&key)?;
                at.and_then(|at| list.get(at)).cloned().ok_or(Stop::NoElement(given))
            }
            Value::Json(json) if matches!(json.shape(), Shape::List) => {
                let (at, given) = index_in(&key)?;
                let at = at.filter(|at| *at < json.count()).ok_or(Stop::NoElement(given))?;
                self.spend_members(at)?;
                json.inside().nth(at).map(Value::of).ok_or(Stop::NoElement(given))
            }
            _ => self.member(&of, &key)?.ok_or(Stop::NoMember(key)),
        }
    }

    /// The value of a map's member, if there is one.
    pub(crate) fn member(&mut self, of: &Value<'v>, key: &Value<'v>) -> Result<Option<Value<'v>>, Stop<'v>> {
        match of {
            Value::Json(json) if matches!(json.shape(), Shape::Map) => {
                self.spend_members(json.count())?;
                let Some(name) = key.text() else { return Ok(None) };
                Ok(json.member(name, |bytes| self.spend_text(bytes))?.map(Value::of))
            }
            Value::Map(map) => {
                for (known, value) in map.iter() {
                    if self.equal(known, key)? {
                        return Ok(Some(value.clone()));
                    }
                }
                Ok(None)
            }
            other => Err(Stop::Kind("only a map has members", other.kind())),
        }
    }

    /// Whether there is an element for which the body is `wanted`. One is enough, also when it failed for others (CEL
    /// specification, "Macros").
    pub(crate) fn any(&mut self, items: Items<'v>, body: &'v Node, wanted: bool) -> Result<bool, Stop<'v>> {
        let mut failed = None;
        for item in items {
            match self.with(item, |run| run.truth(body)) {
                Ok(value) if value == wanted => return Ok(true),
                Ok(_) => {}
                Err(Stop::TooCostly) => return Err(Stop::TooCostly),
                Err(stop) => failed = failed.or(Some(stop)),
            }
        }
        failed.map_or(Ok(false), Err)
    }

    pub(crate) fn one(&mut self, items: Items<'v>, body: &'v Node) -> Outcome<'v> {
        let mut count = 0_usize;
        for item in items {
            count += usize::from(self.with(item, |run| run.truth(body))?);
        }
        Ok(Value::Bool(count == 1))
    }

    pub(crate) fn mapped(&mut self, items: Items<'v>, each: &'v Each) -> Outcome<'v> {
        self.spend(STEPS_TO_MAKE)?;
        let mut made = Vec::new();
        for item in items {
            let value = self.with(item, |run| {
                let wanted = each.only.as_ref().map_or(Ok(true), |only| run.truth(only))?;
                if wanted { run.value(&each.body).map(Some) } else { Ok(None) }
            })?;
            made.extend(value);
        }
        Ok(Value::List(made.into()))
    }

    pub(crate) fn filtered(&mut self, items: Items<'v>, body: &'v Node) -> Outcome<'v> {
        self.spend(STEPS_TO_MAKE)?;
        let mut kept = Vec::new();
        for item in items {
            if self.with(item.clone(), |run| run.truth(body))? {
                kept.push(item);
            }
        }
        Ok(Value::List(kept.into()))
    }

    /// Does something while a macro looks at an element.
    fn with<T>(
        &mut self,
        item: Value<'v>,
        body: impl FnOnce(&mut Self) -> Result<T, Stop<'v>>,
    ) -> Result<T, Stop<'v>> {
        self.spend(1)?;
        self.locals.push(item);
        let done = body(self);
        self.locals.pop();
        done
    }
}

fn index_in<'v>(key: &Value<'v>) -> Result<(Option<usize>, i128), Stop<'v>> {
    let number = key.number().ok_or_else(|| Stop::Kind("an element of a list has a number", key.kind()))?;
    let given = Number::to_int(number).ok_or(Stop::Content("an element of a list has a whole number"))?;
    Ok((usize::try_from(given).ok(), given))
}

fn distinct(map: Json<'_>) -> Vec<(Value<'_>, Value<'_>)> {
    let mut inside = map.inside();
    let mut members = Vec::with_capacity(map.count());
    while let (Some(key), Some(value)) = (inside.next(), inside.next()) {
        members.push((Value::of(key), value));
    }
    let mut seen = HashSet::new();
    let mut last: Vec<_> = members
        .into_iter()
        .rev()
        .filter(|(key, _)| matches!(key, Value::Text(name) if seen.insert(*name)))
        .map(|(key, value)| (key, Value::of(value)))
        .collect();
    last.reverse();
    last
}
