//! Functions: found by their name and the way they are called.

use super::{CallExpr, FilterError, IdedExpr, Kind, Literal, Lowering, Node, Typed, shown};
use crate::function::{FUNCTIONS, Function, Row, Style};
use crate::instant::{parse_instant, parse_span};
use crate::pattern::Pattern;

const MACROS: [&str; 6] = ["has", "all", "exists", "exists_one", "map", "filter"];

impl<'e> Lowering<'e> {
    pub(super) fn function_call(&mut self, expression: &'e IdedExpr, call: &'e CallExpr) -> Typed {
        let arguments: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        if call.func_name == "matches" {
            return self.matches(expression, &arguments);
        }
        let row = self.row(expression, call)?;
        if arguments.len() != row.takes.len() {
            let (count, name) = (row.takes.len() - usize::from(call.target.is_some()), row.name);
            let zone = if matches!(row.function, Function::Part(_)) { "; times are in UTC" } else { "" };
            return Err(self.error(expression, format!("{name}() takes {count} arguments{zone}")));
        }
        let mut lowered = Vec::new();
        for (argument, kinds) in arguments.into_iter().zip(row.takes) {
            let (node, kind) = self.node(argument)?;
            if !kind.may_be(kinds) {
                let message = format!("{}() cannot be used with {}", row.name, kind.name());
                return Err(self.error(argument, message));
            }
            lowered.push(node);
        }
        self.folded(expression, row, lowered)
    }

    fn row(&self, expression: &IdedExpr, call: &CallExpr) -> Result<&'static Row, FilterError> {
        let name = call.func_name.as_str();
        let Some(row) = FUNCTIONS.iter().find(|row| row.name == name) else {
            let known = FUNCTIONS.iter().map(|row| row.name).chain(["matches"]).chain(MACROS);
            let known = known.collect::<Vec<_>>().join(", ");
            let message = format!("the function `{}` is not known; there are {known}", shown(name));
            return Err(self.error(expression, message));
        };
        match (row.style, call.target.is_some()) {
            (Style::Both, _) | (Style::Member, true) | (Style::Global, false) => Ok(row),
            (Style::Member, false) => Err(self.error(expression, format!("write it as x.{name}(..)"))),
            (Style::Global, true) => Err(self.error(expression, format!("write it as {name}(x)"))),
        }
    }

    /// `timestamp` and `duration` of a text that stands in the filter are read now, once.
    fn folded(&self, expression: &IdedExpr, row: &Row, arguments: Vec<Node>) -> Typed {
        let wrong =
            |example| self.error(expression, format!("{}() takes a string such as '{example}'", row.name));
        let literal = match (row.function, arguments.as_slice()) {
            (Function::ToInstant, [Node::Literal(Literal::Text(text))]) => {
                Literal::Instant(parse_instant(text).ok_or_else(|| wrong("2026-05-05T10:06:46Z"))?)
            }
            (Function::ToSpan, [Node::Literal(Literal::Text(text))]) => {
                Literal::Span(parse_span(text).ok_or_else(|| wrong("1h30m"))?)
            }
            _ => return Ok((Node::Call(row.function, arguments), row.gives)),
        };
        Ok((Node::Literal(literal), row.gives))
    }

    /// The pattern is compiled with the filter and for its size, so it cannot come from an event.
    fn matches(&mut self, expression: &'e IdedExpr, arguments: &[&'e IdedExpr]) -> Typed {
        let [text, pattern] = arguments else {
            return Err(self.error(expression, "matches() takes a string and a pattern"));
        };
        let (node, kind) = self.node(text)?;
        if !kind.may_be(&[Kind::Text]) {
            return Err(self.error(text, format!("matches() cannot be used with {}", kind.name())));
        }
        let (Node::Literal(Literal::Text(pattern_text)), _) = self.node(pattern)? else {
            return Err(self.error(pattern, "the pattern of matches() must be a string that stands here"));
        };
        let compiled = Pattern::compile(&pattern_text, self.pattern_bytes_left);
        let compiled = compiled.map_err(|problem| self.error(pattern, problem))?;
        self.pattern_bytes_left = self.pattern_bytes_left.saturating_sub(compiled.bytes());
        self.pattern_memory_bytes += compiled.memory_bytes();
        Ok((Node::Matches(Box::new(node), compiled), Kind::Bool))
    }
}
