//! Operators: which kinds they take and what they yield.

use super::{CallExpr, FilterError, IdedExpr, Kind, Literal, Lowering, Node, Typed, operators};
use crate::node::{Comparison, Operator};

impl<'e> Lowering<'e> {
    /// `None` when the call is not one of an operator.
    pub(super) fn operator(&mut self, expression: &'e IdedExpr, call: &'e CallExpr) -> Option<Typed> {
        let name = call.func_name.as_str();
        Some(match (name, call.args.as_slice()) {
            (operators::LOGICAL_AND, [_, _]) => self.logic(name, call, Node::And),
            (operators::LOGICAL_OR, [_, _]) => self.logic(name, call, Node::Or),
            (operators::LOGICAL_NOT, [operand]) => self.not(operand),
            (operators::NEGATE, [operand]) => self.negate(operand),
            (operators::CONDITIONAL, [condition, then, otherwise]) => self.choose(condition, then, otherwise),
            (operators::EQUALS, [left, right]) => self.equality(expression, left, right, Node::Equal),
            (operators::NOT_EQUALS, [left, right]) => self.equality(expression, left, right, Node::Unequal),
            (operators::IN, [left, right]) => self.membership(expression, left, right),
            (operators::INDEX, [of, key]) => self.index(expression, of, key),
            (_, [left, right]) => match (comparison(name), arithmetic(name)) {
                (Some(comparison), _) => self.comparison(expression, comparison, left, right),
                (_, Some(operator)) => self.arithmetic(expression, operator, left, right),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The parser balances long chains of `&&` and `||` into trees; here they are flat again.
    fn logic(&mut self, name: &str, call: &'e CallExpr, node: fn(Vec<Node>) -> Node) -> Typed {
        let mut operands = Vec::new();
        for operand in flattened(name, call) {
            operands.push(self.truth(operand)?);
        }
        Ok((node(operands), Kind::Bool))
    }

    pub(super) fn truth(&mut self, operand: &'e IdedExpr) -> Result<Node, FilterError> {
        let (node, kind) = self.node(operand)?;
        if kind.may_be(&[Kind::Bool]) {
            return Ok(node);
        }
        Err(self.error(operand, format!("a bool is needed here; this is {}", kind.name())))
    }

    fn not(&mut self, operand: &'e IdedExpr) -> Typed {
        Ok((Node::Not(Box::new(self.truth(operand)?)), Kind::Bool))
    }

    fn negate(&mut self, operand: &'e IdedExpr) -> Typed {
        let (node, kind) = self.node(operand)?;
        match node {
            // The parser makes these of literals, but for those in brackets.
            Node::Literal(Literal::Double(value)) => {
                Ok((Node::Literal(Literal::Double(-value)), Kind::Number))
            }
            node if kind.may_be(&[Kind::Number]) => Ok((Node::Negate(Box::new(node)), Kind::Number)),
            _ => Err(self.error(operand, format!("{} has no negative", kind.name()))),
        }
    }

    fn choose(&mut self, condition: &'e IdedExpr, then: &'e IdedExpr, otherwise: &'e IdedExpr) -> Typed {
        let condition = self.truth(condition)?;
        let (then, kind) = self.node(then)?;
        let (otherwise, other) = self.node(otherwise)?;
        Ok((Node::Choose(Box::new([condition, then, otherwise])), kind.or(other)))
    }

    /// What can never be equal is a mistake, but for null, which anything may be.
    fn equality(
        &mut self,
        expression: &'e IdedExpr,
        left: &'e IdedExpr,
        right: &'e IdedExpr,
        node: fn(Box<[Node; 2]>) -> Node,
    ) -> Typed {
        let (pair, kinds) = self.pair(left, right)?;
        let comparable = kinds.iter().any(|kind| matches!(kind, Kind::Any | Kind::Null));
        if comparable || kinds[0] == kinds[1] {
            return Ok((node(pair), Kind::Bool));
        }
        let message = format!("{} never equals {}", kinds[0].name(), kinds[1].name());
        Err(self.error(expression, message))
    }

    fn comparison(
        &mut self,
        expression: &'e IdedExpr,
        comparison: Comparison,
        left: &'e IdedExpr,
        right: &'e IdedExpr,
    ) -> Typed {
        let (pair, kinds) = self.pair(left, right)?;
        let alike = kinds[0] == kinds[1] || kinds.contains(&Kind::Any);
        if alike && kinds.iter().all(|kind| kind.has_order()) {
            return Ok((Node::Compare(comparison, pair), Kind::Bool));
        }
        let message = format!("{} and {} have no order", kinds[0].name(), kinds[1].name());
        Err(self.error(expression, message))
    }

    fn membership(&mut self, expression: &'e IdedExpr, left: &'e IdedExpr, right: &'e IdedExpr) -> Typed {
        let (pair, kinds) = self.pair(left, right)?;
        if kinds[1].may_be(&[Kind::List, Kind::Map]) {
            return Ok((Node::In(pair), Kind::Bool));
        }
        let message = match kinds[1] {
            Kind::Text => "`in` looks into lists and maps; for strings there is contains()".to_owned(),
            kind => format!("`in` looks into lists and maps; this is {}", kind.name()),
        };
        Err(self.error(expression, message))
    }

    fn index(&mut self, expression: &'e IdedExpr, of: &'e IdedExpr, key: &'e IdedExpr) -> Typed {
        let (of, kind) = self.node(of)?;
        let (key, key_kind) = self.node(key)?;
        if !kind.may_be(&[Kind::List, Kind::Map]) {
            return Err(self.error(expression, format!("{} has no elements", kind.name())));
        }
        let keys: &[Kind] =
            if kind == Kind::List { &[Kind::Number] } else { &[Kind::Text, Kind::Number, Kind::Bool] };
        if !key_kind.may_be(keys) {
            let message = format!("{} has no element at {}", kind.name(), key_kind.name());
            return Err(self.error(expression, message));
        }
        Ok((Node::Index { of: Box::new(of), key: Box::new(key) }, Kind::Any))
    }

    fn arithmetic(
        &mut self,
        expression: &'e IdedExpr,
        operator: Operator,
        left: &'e IdedExpr,
        right: &'e IdedExpr,
    ) -> Typed {
        let (pair, kinds) = self.pair(left, right)?;
        let Some(kind) = result_of(operator, kinds) else {
            let [left, right] = kinds.map(Kind::name);
            let message = format!("{left} {} {right} is not defined", sign(operator));
            return Err(self.error(expression, message));
        };
        Ok((Node::Arithmetic(operator, pair), kind))
    }

    fn pair(
        &mut self,
        left: &'e IdedExpr,
        right: &'e IdedExpr,
    ) -> Result<(Box<[Node; 2]>, [Kind; 2]), FilterError> {
        let (left, left_kind) = self.node(left)?;
        let (right, right_kind) = self.node(right)?;
        Ok((Box::new([left, right]), [left_kind, right_kind]))
    }
}

/// The operands of a chain of one operator, in their order.
fn flattened<'e>(name: &str, call: &'e CallExpr) -> Vec<&'e IdedExpr> {
    let mut operands = Vec::new();
    let mut open: Vec<&IdedExpr> = call.args.iter().rev().collect();
    while let Some(next) = open.pop() {
        match &next.expr {
            super::Expr::Call(inner) if inner.func_name == name && inner.target.is_none() => {
                open.extend(inner.args.iter().rev());
            }
            _ => operands.push(next),
        }
    }
    operands
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn arithmetic(name: &str) -> Option<Operator> {
    Some(match name {
        operators::ADD => Operator::Add,
        operators::SUBSTRACT => Operator::Subtract,
        operators::MULTIPLY => Operator::Multiply,
        operators::DIVIDE => Operator::Divide,
        operators::MODULO => Operator::Remainder,
        _ => return None,
    })
}

const fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Remainder => "%",
    }
}

/// What the operator yields for values of these kinds, `None` when it is not defined for them.
fn result_of(operator: Operator, kinds: [Kind; 2]) -> Option<Kind> {
    use Kind::{Any, Instant, List, Number, Span, Text};
    let defined: &[([Kind; 2], Kind)] = match operator {
        Operator::Add => &[
            ([Number, Number], Number),
            ([Text, Text], Text),
            ([List, List], List),
            ([Instant, Span], Instant),
            ([Span, Instant], Instant),
            ([Span, Span], Span),
        ],
        Operator::Subtract => &[
            ([Number, Number], Number),
            ([Instant, Instant], Span),
            ([Instant, Span], Instant),
            ([Span, Span], Span),
        ],
        Operator::Multiply | Operator::Divide | Operator::Remainder => &[([Number, Number], Number)],
    };
    let fits = |row: &&([Kind; 2], Kind)| {
        row.0.iter().zip(kinds).all(|(kind, given)| given == Any || given == *kind)
    };
    let mut fitting = defined.iter().filter(fits).map(|(_, kind)| *kind);
    let first = fitting.next()?;
    Some(fitting.fold(first, Kind::or))
}
