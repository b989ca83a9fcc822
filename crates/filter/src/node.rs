//! A compiled filter: the tree that is evaluated.

use crate::function::Function;
use crate::pattern::Pattern;

#[derive(Debug)]
pub(crate) enum Node {
    Literal(Literal),
    Variable(Variable),
    /// What the macro at this depth is looking at.
    Local(usize),
    Select {
        of: Box<Node>,
        key: Box<str>,
    },
    Has {
        of: Box<Node>,
        key: Box<str>,
    },
    Index {
        of: Box<Node>,
        key: Box<Node>,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Choose(Box<[Node; 3]>),
    Equal(Box<[Node; 2]>),
    Unequal(Box<[Node; 2]>),
    Compare(Comparison, Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    Arithmetic(Operator, Box<[Node; 2]>),
    Call(Function, Vec<Node>),
    Matches(Box<Node>, Pattern),
    Each(Box<Each>),
}

#[derive(Debug)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Int(i128),
    Double(f64),
    Text(Box<str>),
    /// Nanoseconds since the Unix epoch.
    Instant(i128),
    /// Nanoseconds.
    Span(i128),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    Type,
    Subject,
    Time,
    Data,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// A macro over the elements of a list or the keys of a map.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) what: Quantifier,
    pub(crate) over: Node,
    /// Of `map` with three arguments: what an element must satisfy.
    pub(crate) only: Option<Node>,
    pub(crate) body: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}
