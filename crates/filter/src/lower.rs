//! From what the parser read to what is evaluated: names are resolved, macros and functions recognised, kinds checked as
//! far as they can be known, and everything else refused with its place.

use cel::common::ast::{
    CallExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue, SourceInfo, operators,
};
use signalpost_core::limits::{
    FILTER_DEPTH_MAX, FILTER_NODES_MAX, FILTER_PATTERN_BYTES_MAX, FILTER_SHOWN_CHARS_MAX,
};

use crate::error::FilterError;
use crate::kind::Kind;
use crate::node::{Literal, Node, Variable};

mod call;
mod each;
mod operator;

/// The variables with their kinds. A subject may be null.
const VARIABLES: [(&str, Variable, Kind); 4] = [
    ("type", Variable::Type, Kind::Text),
    ("subject", Variable::Subject, Kind::Any),
    ("time", Variable::Time, Kind::Instant),
    ("data", Variable::Data, Kind::Any),
];

/// What an expression has become.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) root: Node,
    /// Of the tree, at most.
    pub(crate) bytes: usize,
    pub(crate) reads_data: bool,
}

/// The tree of an expression that yields a bool, as far as can be told.
pub(crate) fn lower(text: &str, expression: &IdedExpr, places: &SourceInfo) -> Result<Lowered, FilterError> {
    let mut lowering = Lowering {
        text,
        places,
        locals: Vec::new(),
        nodes: 0,
        depth: 0,
        pattern_bytes_left: FILTER_PATTERN_BYTES_MAX,
        pattern_memory_bytes: 0,
        reads_data: false,
    };
    let (node, kind) = lowering.node(expression)?;
    if !kind.may_be(&[Kind::Bool]) {
        let message = format!("a filter must yield a bool; this yields {}", kind.name());
        return Err(lowering.error(expression, message));
    }
    let bytes = lowering.nodes * 2 * size_of::<Node>() + lowering.pattern_memory_bytes + text.len();
    Ok(Lowered { root: node, bytes, reads_data: lowering.reads_data })
}

/// A node and what it yields.
type Typed = Result<(Node, Kind), FilterError>;

struct Lowering<'e> {
    text: &'e str,
    places: &'e SourceInfo,
    /// The variables of the macros around, outermost first.
    locals: Vec<&'e str>,
    nodes: usize,
    depth: usize,
    /// For their states; what they take in memory is more.
    pattern_bytes_left: usize,
    pattern_memory_bytes: usize,
    reads_data: bool,
}

impl<'e> Lowering<'e> {
    fn node(&mut self, expression: &'e IdedExpr) -> Typed {
        self.nodes += 1;
        if self.nodes > FILTER_NODES_MAX {
            let message = format!("has more than {FILTER_NODES_MAX} operands and operators");
            return Err(self.error(expression, message));
        }
        // The scan has bounded what nests in the text; this holds what the two think of depth together.
        self.depth += 1;
        if self.depth > 2 * FILTER_DEPTH_MAX {
            return Err(self.error(expression, format!("nests deeper than {FILTER_DEPTH_MAX} levels")));
        }
        let lowered = self.undeep(expression);
        self.depth -= 1;
        lowered
    }

    fn undeep(&mut self, expression: &'e IdedExpr) -> Typed {
        match &expression.expr {
            Expr::Literal(literal) => self.literal(expression, literal),
            Expr::Ident(name) => self.name(expression, name),
            Expr::Select(select) => {
                let of = self.member_of(&select.operand, expression)?;
                Ok((Node::Select { of: Box::new(of), key: select.field.as_str().into() }, Kind::Any))
            }
            Expr::List(list) => {
                let elements = list.elements.iter().map(|element| Ok(self.node(element)?.0));
                Ok((Node::List(elements.collect::<Result<_, FilterError>>()?), Kind::List))
            }
            Expr::Map(map) => {
                let entries = map.entries.iter().map(|entry| self.entry(expression, entry));
                Ok((Node::Map(entries.collect::<Result<_, FilterError>>()?), Kind::Map))
            }
            Expr::Call(call) => self.call(expression, call),
            Expr::Struct(_) => Err(self.error(expression, "messages are not known here; write a map")),
            Expr::Comprehension(_) | Expr::Unspecified => Err(self.error(expression, "cannot be read")),
        }
    }

    fn literal(&self, expression: &IdedExpr, literal: &LiteralValue) -> Typed {
        Ok(match literal {
            LiteralValue::Null => (Node::Literal(Literal::Null), Kind::Null),
            LiteralValue::Boolean(value) => (Node::Literal(Literal::Bool(*value.inner())), Kind::Bool),
            LiteralValue::Int(value) => {
                (Node::Literal(Literal::Int(i128::from(*value.inner()))), Kind::Number)
            }
            LiteralValue::UInt(value) => {
                (Node::Literal(Literal::Int(i128::from(*value.inner()))), Kind::Number)
            }
            LiteralValue::Double(value) => (Node::Literal(Literal::Double(*value.inner())), Kind::Number),
            LiteralValue::String(value) => (Node::Literal(Literal::Text(value.inner().into())), Kind::Text),
            LiteralValue::Bytes(_) => {
                return Err(self.error(expression, "bytes are not known here: no event holds any"));
            }
        })
    }

    fn name(&mut self, expression: &IdedExpr, name: &str) -> Typed {
        if let Some(place) = self.locals.iter().rposition(|local| *local == name) {
            return Ok((Node::Local(place), Kind::Any));
        }
        let known = VARIABLES.iter().find(|(variable, ..)| *variable == name);
        let (_, variable, kind) = known.ok_or_else(|| {
            let message =
                format!("the variable `{}` is not known; there are {}", shown(name), self.known_names());
            self.error(expression, message)
        })?;
        self.reads_data |= *variable == Variable::Data;
        Ok((Node::Variable(*variable), *kind))
    }

    fn known_names(&self) -> String {
        let variables = VARIABLES.iter().map(|(name, ..)| *name);
        variables.chain(self.locals.iter().copied()).map(shown).collect::<Vec<_>>().join(", ")
    }

    /// What a member is taken of.
    fn member_of(&mut self, operand: &'e IdedExpr, expression: &IdedExpr) -> Result<Node, FilterError> {
        let (of, kind) = self.node(operand)?;
        if kind.may_be(&[Kind::Map]) {
            return Ok(of);
        }
        Err(self.error(expression, format!("{} has no members", kind.name())))
    }

    fn entry(&mut self, map: &IdedExpr, entry: &'e IdedEntryExpr) -> Result<(Node, Node), FilterError> {
        let EntryExpr::MapEntry(entry) = &entry.expr else {
            return Err(self.error(map, "messages are not known here; write a map"));
        };
        let (key, kind) = self.node(&entry.key)?;
        if !kind.may_be(&[Kind::Text, Kind::Number, Kind::Bool]) {
            return Err(self.error(&entry.key, format!("{} cannot be a key", kind.name())));
        }
        Ok((key, self.node(&entry.value)?.0))
    }

    fn call(&mut self, expression: &'e IdedExpr, call: &'e CallExpr) -> Typed {
        if call.target.is_none()
            && let Some(lowered) = self.operator(expression, call)
        {
            return lowered;
        }
        if let Some(lowered) = self.macro_call(expression, call) {
            return lowered;
        }
        self.function_call(expression, call)
    }

    /// Refuses the expression at its place.
    fn error(&self, expression: &IdedExpr, message: impl Into<String>) -> FilterError {
        let offset = self.places.offset_for(expression.id).map_or(0, |(start, _)| start);
        FilterError::at(self.text, usize::try_from(offset).unwrap_or(0), message)
    }
}

/// A name of the caller's, short enough to repeat.
fn shown(name: &str) -> String {
    name.chars().take(FILTER_SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
