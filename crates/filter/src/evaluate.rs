//! Evaluates a filter for an event, step by counted step.
//!
//! Every node is a step, and whatever takes longer than a node says how many steps it is before it does it. So time
//! and memory are bounded by the same number, and nothing depends on the machine.

use std::rc::Rc;

use signalpost_core::limits::{FILTER_COST_MAX, FILTER_SHOWN_CHARS_MAX};

use crate::data::Data;
use crate::error::FilterFailure;
use crate::instant::instant_in_range;
use crate::kind::Kind;
use crate::node::{Each, Literal, Node, Quantifier, Variable};
use crate::pattern::Pattern;
use crate::subject::Subject;
use crate::value::Value;

/// Bytes of a text that are compared, searched or copied in the time of a step.
const TEXT_BYTES_PER_STEP: usize = 16;
/// Members of a map that are passed over in the time of a step.
const MEMBERS_PER_STEP: usize = 2;
/// Making something takes the time of so many steps.
pub(crate) const STEPS_TO_MAKE: u64 = 5;

/// Why there is no value.
#[derive(Debug)]
pub(crate) enum Stop<'v> {
    /// Ends the evaluation, whatever `||` or `exists` could make of it.
    TooCostly,
    Unreadable(&'v str),
    NoMember(Value<'v>),
    NoElement(i128),
    /// What is needed, and what there is.
    Kind(&'static str, Kind),
    /// What cannot be done with a value of some content.
    Content(&'static str),
}

pub(crate) type Outcome<'v> = Result<Value<'v>, Stop<'v>>;

/// Whether the event satisfies the filter.
pub(crate) fn decide(root: &Node, subject: &Subject<'_>) -> Result<bool, FilterFailure> {
    let content = subject.content();
    let mut run = Run {
        event_type: &content.event_type,
        subject: content.subject.as_deref(),
        time_ns: i128::from(content.time.as_ms()) * 1_000_000,
        data: &|| subject.data(),
        locals: Vec::new(),
        steps_left: FILTER_COST_MAX,
    };
    let decided = run.truth(root);
    let failed = |stop: Stop<'_>| FilterFailure { message: stop.to_string() };
    let decided = decided.map_err(failed);
    subject.add_evaluation(FILTER_COST_MAX - run.steps_left);
    decided
}

pub(crate) struct Run<'v> {
    event_type: &'v str,
    subject: Option<&'v str>,
    time_ns: i128,
    data: &'v dyn Fn() -> Result<&'v Data<'v>, &'v str>,
    /// What the macros around are looking at, outermost first.
    pub(crate) locals: Vec<Value<'v>>,
    steps_left: u64,
}

impl<'v> Run<'v> {
    pub(crate) fn value(&mut self, node: &'v Node) -> Outcome<'v> {
        self.spend(1)?;
        match node {
            Node::Literal(literal) => Ok(of_literal(literal)),
            Node::Variable(variable) => self.variable(*variable),
            Node::Local(place) => Ok(self.locals[*place].clone()),
            Node::Select { of, key } => self.select(of, key),
            Node::Has { of, key } => self.has(of, key),
            Node::Index { of, key } => self.index(of, key),
            Node::List(elements) => self.list(elements),
            Node::Map(entries) => self.map(entries),
            Node::Not(operand) => Ok(Value::Bool(!self.truth(operand)?)),
            Node::And(operands) => self.logic(operands, false),
            Node::Or(operands) => self.logic(operands, true),
            Node::Choose(nodes) => self.choose(nodes),
            Node::Equal(pair) => self.equality(pair).map(Value::Bool),
            Node::Unequal(pair) => self.equality(pair).map(|equal| Value::Bool(!equal)),
            Node::Compare(comparison, pair) => self.comparison(*comparison, pair),
            Node::In(pair) => self.membership(pair),
            Node::Negate(operand) => self.negate(operand),
            Node::Arithmetic(operator, pair) => self.arithmetic(*operator, pair),
            Node::Call(function, arguments) => self.call(*function, arguments),
            Node::Matches(text, pattern) => self.matches(text, pattern),
            Node::Each(each) => self.each(each),
        }
    }

    pub(crate) fn truth(&mut self, node: &'v Node) -> Result<bool, Stop<'v>> {
        match self.value(node)? {
            Value::Bool(value) => Ok(value),
            other => Err(Stop::Kind("a bool is needed", other.kind())),
        }
    }

    /// Before the work that it stands for.
    pub(crate) fn spend(&mut self, steps: u64) -> Result<(), Stop<'v>> {
        match self.steps_left.checked_sub(steps) {
            Some(left) => self.steps_left = left,
            None => {
                self.steps_left = 0;
                return Err(Stop::TooCostly);
            }
        }
        Ok(())
    }

    /// For looking through so many bytes of text.
    pub(crate) fn spend_text(&mut self, bytes: usize) -> Result<(), Stop<'v>> {
        self.spend(as_steps(bytes / TEXT_BYTES_PER_STEP))
    }

    /// For looking through a map of so many members.
    pub(crate) fn spend_members(&mut self, members: usize) -> Result<(), Stop<'v>> {
        self.spend(as_steps(members / MEMBERS_PER_STEP))
    }

    fn variable(&self, variable: Variable) -> Outcome<'v> {
        match variable {
            Variable::Type => Ok(Value::Text(self.event_type)),
            Variable::Subject => Ok(self.subject.map_or(Value::Null, Value::Text)),
            Variable::Time => {
                let time = instant_in_range(self.time_ns);
                time.map(Value::Instant).ok_or(Stop::Content("the event's time is out of range"))
            }
            Variable::Data => (self.data)().map(|data| Value::of(data.root())).map_err(Stop::Unreadable),
        }
    }

    fn list(&mut self, elements: &'v [Node]) -> Outcome<'v> {
        self.spend(STEPS_TO_MAKE)?;
        let values = elements.iter().map(|element| self.value(element));
        Ok(Value::List(values.collect::<Result<Rc<[_]>, _>>()?))
    }

    /// A key that repeats is a failure, as CEL has it.
    fn map(&mut self, entries: &'v [(Node, Node)]) -> Outcome<'v> {
        self.spend(STEPS_TO_MAKE)?;
        let mut map: Vec<(Value<'v>, Value<'v>)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.value(key)?;
            if !matches!(key.kind(), Kind::Text | Kind::Number | Kind::Bool) {
                return Err(Stop::Kind("a key is a string, a number or a bool", key.kind()));
            }
            for (known, _) in &map {
                if self.equal(known, &key)? {
                    return Err(Stop::Content("a key of a map repeats"));
                }
            }
            map.push((key, self.value(value)?));
        }
        Ok(Value::Map(map.into()))
    }

    /// `&&` and `||`: one operand that decides is enough, also when others have failed (CEL specification, "Logical Operators").
    fn logic(&mut self, operands: &'v [Node], decisive: bool) -> Outcome<'v> {
        let mut failed = None;
        for operand in operands {
            match self.truth(operand) {
                Ok(value) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(_) => {}
                Err(Stop::TooCostly) => return Err(Stop::TooCostly),
                Err(stop) => failed = failed.or(Some(stop)),
            }
        }
        failed.map_or(Ok(Value::Bool(!decisive)), Err)
    }

    fn choose(&mut self, nodes: &'v [Node; 3]) -> Outcome<'v> {
        let [condition, then, otherwise] = nodes;
        if self.truth(condition)? { self.value(then) } else { self.value(otherwise) }
    }

    fn matches(&mut self, text: &'v Node, pattern: &'v Pattern) -> Outcome<'v> {
        let value = self.value(text)?;
        let text = value.text().ok_or_else(|| Stop::Kind("matches() needs a string", value.kind()))?;
        self.spend(pattern.steps(text))?;
        Ok(Value::Bool(pattern.is_in(text)))
    }

    fn each(&mut self, each: &'v Each) -> Outcome<'v> {
        let over = self.value(&each.over)?;
        let items = self.items(&over)?;
        match each.what {
            Quantifier::All => self.any(items, &each.body, false).map(|found| Value::Bool(!found)),
            Quantifier::Exists => self.any(items, &each.body, true).map(Value::Bool),
            Quantifier::ExistsOne => self.one(items, &each.body),
            Quantifier::Map => self.mapped(items, each),
            Quantifier::Filter => self.filtered(items, &each.body),
        }
    }
}

fn of_literal(literal: &Literal) -> Value<'_> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Double(value) => Value::Double(*value),
        Literal::Text(text) => Value::Text(text),
        Literal::Instant(ns) => Value::Instant(*ns),
        Literal::Span(ns) => Value::Span(*ns),
    }
}

pub(crate) fn as_steps(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl std::fmt::Display for Stop<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooCostly => write!(f, "it takes more than {FILTER_COST_MAX} steps for this event"),
            Self::Unreadable(problem) => f.write_str(problem),
            Self::NoMember(key) => match key.text() {
                Some(text) => {
                    let shown: String = text.chars().take(FILTER_SHOWN_CHARS_MAX).collect();
                    write!(f, "there is no member `{shown}`; has() tells whether there is one")
                }
                None => f.write_str("there is no such member"),
            },
            Self::NoElement(index) => write!(f, "there is no element {index}"),
            Self::Kind(needed, found) => write!(f, "{needed}; this is {}", found.name()),
            Self::Content(problem) => f.write_str(problem),
        }
    }
}
