//! The functions of the language: one row each.

use crate::kind::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    ToInt,
    ToUint,
    ToDouble,
    ToText,
    ToBool,
    ToInstant,
    ToSpan,
    /// The value itself; for whoever is used to say that a kind is not known.
    Dyn,
    Part(Part),
}

/// What can be asked of a timestamp, and in part of a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Year,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `f(x)`
    Global,
    /// `x.f()`
    Member,
    Both,
}

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) function: Function,
    pub(crate) style: Style,
    /// For each argument, what it may be; that of a member function's `x` comes first.
    pub(crate) takes: &'static [&'static [Kind]],
    pub(crate) gives: Kind,
}

const TEXT: &[Kind] = &[Kind::Text];
const WITH_SIZE: &[Kind] = &[Kind::Text, Kind::List, Kind::Map];
const TO_INT: &[Kind] = &[Kind::Number, Kind::Text, Kind::Instant];
const TO_NUMBER: &[Kind] = &[Kind::Number, Kind::Text];
const TO_TEXT: &[Kind] = &[Kind::Text, Kind::Number, Kind::Bool, Kind::Instant, Kind::Span];
const TO_BOOL: &[Kind] = &[Kind::Bool, Kind::Text];
const TO_INSTANT: &[Kind] = &[Kind::Instant, Kind::Text, Kind::Number];
const TO_SPAN: &[Kind] = &[Kind::Span, Kind::Text];
const ANYTHING: &[Kind] =
    &[Kind::Null, Kind::Bool, Kind::Number, Kind::Text, Kind::List, Kind::Map, Kind::Instant, Kind::Span];
const DATED: &[Kind] = &[Kind::Instant];
const TIMED: &[Kind] = &[Kind::Instant, Kind::Span];

/// All of them, but for `matches`, whose pattern is part of the filter, and the macros.
pub(crate) const FUNCTIONS: &[Row] = &[
    row("size", Function::Size, Style::Both, &[WITH_SIZE], Kind::Number),
    row("contains", Function::Contains, Style::Member, &[TEXT, TEXT], Kind::Bool),
    row("startsWith", Function::StartsWith, Style::Member, &[TEXT, TEXT], Kind::Bool),
    row("endsWith", Function::EndsWith, Style::Member, &[TEXT, TEXT], Kind::Bool),
    row("int", Function::ToInt, Style::Global, &[TO_INT], Kind::Number),
    row("uint", Function::ToUint, Style::Global, &[TO_NUMBER], Kind::Number),
    row("double", Function::ToDouble, Style::Global, &[TO_NUMBER], Kind::Number),
    row("string", Function::ToText, Style::Global, &[TO_TEXT], Kind::Text),
    row("bool", Function::ToBool, Style::Global, &[TO_BOOL], Kind::Bool),
    row("timestamp", Function::ToInstant, Style::Global, &[TO_INSTANT], Kind::Instant),
    row("duration", Function::ToSpan, Style::Global, &[TO_SPAN], Kind::Span),
    row("dyn", Function::Dyn, Style::Global, &[ANYTHING], Kind::Any),
    part("getFullYear", Part::Year, DATED),
    part("getMonth", Part::Month, DATED),
    part("getDate", Part::Date, DATED),
    part("getDayOfMonth", Part::DayOfMonth, DATED),
    part("getDayOfWeek", Part::DayOfWeek, DATED),
    part("getDayOfYear", Part::DayOfYear, DATED),
    part("getHours", Part::Hours, TIMED),
    part("getMinutes", Part::Minutes, TIMED),
    part("getSeconds", Part::Seconds, TIMED),
    part("getMilliseconds", Part::Milliseconds, TIMED),
];

const fn row(
    name: &'static str,
    function: Function,
    style: Style,
    takes: &'static [&'static [Kind]],
    gives: Kind,
) -> Row {
    Row { name, function, style, takes, gives }
}

const fn part(name: &'static str, part: Part, of: &'static [Kind]) -> Row {
    // A slice of one cannot be made of a parameter in a constant.
    let takes: &[&[Kind]] = if of.len() == 1 { &[DATED] } else { &[TIMED] };
    row(name, Function::Part(part), Style::Member, takes, Kind::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_one_row() {
        for (position, row) in FUNCTIONS.iter().enumerate() {
            assert!(FUNCTIONS[position + 1..].iter().all(|other| other.name != row.name), "{}", row.name);
            assert!(
                FUNCTIONS[position + 1..].iter().all(|other| other.function != row.function),
                "{}",
                row.name
            );
        }
    }
}
