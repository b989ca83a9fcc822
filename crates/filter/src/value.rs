//! What expressions yield.

use std::rc::Rc;

use crate::data::{Json, Shape};
use crate::kind::Kind;

/// Borrows from the filter and the event; what is made while evaluating is shared.
#[derive(Clone, Debug)]
pub(crate) enum Value<'v> {
    Null,
    Bool(bool),
    /// From -2^63 to 2^64 - 1: all integers of CEL and of JSON are one kind here.
    Int(i128),
    Double(f64),
    Text(&'v str),
    Made(Rc<str>),
    /// Nanoseconds since the Unix epoch.
    Instant(i128),
    /// Nanoseconds.
    Span(i128),
    /// A list or a map of the event's data.
    Json(Json<'v>),
    List(Rc<[Value<'v>]>),
    Map(Rc<[(Value<'v>, Value<'v>)]>),
}

impl<'v> Value<'v> {
    pub(crate) fn of(json: Json<'v>) -> Self {
        match json.shape() {
            Shape::Null => Self::Null,
            Shape::Bool(value) => Self::Bool(value),
            Shape::Int(value) => Self::Int(value),
            Shape::Double(value) => Self::Double(value),
            Shape::Text(text) => Self::Text(text),
            Shape::List | Shape::Map => Self::Json(json),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) | Self::Double(_) => Kind::Number,
            Self::Text(_) | Self::Made(_) => Kind::Text,
            Self::Instant(_) => Kind::Instant,
            Self::Span(_) => Kind::Span,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
            Self::Json(json) => match json.shape() {
                Shape::List => Kind::List,
                _ => Kind::Map,
            },
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Made(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<crate::number::Number> {
        match self {
            Self::Int(value) => Some(crate::number::Number::Int(*value)),
            Self::Double(value) => Some(crate::number::Number::Double(*value)),
            _ => None,
        }
    }
}
