//! Macros: `has`, and those that look at the elements of a list or the keys of a map.

use super::{CallExpr, Expr, FilterError, IdedExpr, Kind, Lowering, Node, Typed, shown};
use crate::node::{Each, Quantifier};

impl<'e> Lowering<'e> {
    /// `None` when the call is not one of a macro.
    pub(super) fn macro_call(&mut self, expression: &'e IdedExpr, call: &'e CallExpr) -> Option<Typed> {
        let Some(over) = &call.target else {
            return (call.func_name == "has").then(|| self.has(expression, &call.args));
        };
        let (what, arguments) = match call.func_name.as_str() {
            "all" => (Quantifier::All, 2..=2),
            "exists" => (Quantifier::Exists, 2..=2),
            "exists_one" | "existsOne" => (Quantifier::ExistsOne, 2..=2),
            "map" => (Quantifier::Map, 2..=3),
            "filter" => (Quantifier::Filter, 2..=2),
            _ => return None,
        };
        if arguments.contains(&call.args.len()) {
            return Some(self.each(what, over, &call.args));
        }
        let name = &call.func_name;
        let message =
            format!("{name}() takes a name and an expression over it, as in `data.items.{name}(i, i.n > 1)`");
        Some(Err(self.error(expression, message)))
    }

    fn has(&mut self, expression: &'e IdedExpr, arguments: &'e [IdedExpr]) -> Typed {
        if let [IdedExpr { expr: Expr::Select(select), .. }] = arguments {
            let of = self.member_of(&select.operand, &arguments[0])?;
            return Ok((Node::Has { of: Box::new(of), key: select.field.as_str().into() }, Kind::Bool));
        }
        Err(self.error(expression, "has() takes one member, as in `has(data.name)`"))
    }

    fn each(&mut self, what: Quantifier, over: &'e IdedExpr, arguments: &'e [IdedExpr]) -> Typed {
        let (range, kind) = self.node(over)?;
        if !kind.may_be(&[Kind::List, Kind::Map]) {
            let message = format!("a list or a map is needed here; this is {}", kind.name());
            return Err(self.error(over, message));
        }
        let name = self.local_name(&arguments[0])?;
        self.locals.push(name);
        let lowered = self.bodies(what, &arguments[1..]);
        self.locals.pop();
        let (only, body) = lowered?;
        let kind = match what {
            Quantifier::All | Quantifier::Exists | Quantifier::ExistsOne => Kind::Bool,
            Quantifier::Map | Quantifier::Filter => Kind::List,
        };
        Ok((Node::Each(Box::new(Each { what, over: range, only, body })), kind))
    }

    fn bodies(
        &mut self,
        what: Quantifier,
        bodies: &'e [IdedExpr],
    ) -> Result<(Option<Node>, Node), FilterError> {
        let (body, before) = bodies.split_last().expect("a macro has a body after its name");
        let only = before.first().map(|only| self.truth(only)).transpose()?;
        let body = if what == Quantifier::Map { self.node(body)?.0 } else { self.truth(body)? };
        Ok((only, body))
    }

    fn local_name(&self, argument: &'e IdedExpr) -> Result<&'e str, FilterError> {
        match &argument.expr {
            Expr::Ident(name) if !name.starts_with('.') => Ok(name),
            Expr::Ident(name) => {
                Err(self.error(argument, format!("`{}` is no name for a variable", shown(name))))
            }
            _ => Err(self.error(argument, "a name for what is looked at is needed here")),
        }
    }
}
