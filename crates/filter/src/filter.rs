//! A filter: compiled once, asked often.

use signalpost_core::limits::{FILTER_DEPTH_MAX, FILTER_MESSAGE_CHARS_MAX, FILTER_RECOVERIES_MAX};

use crate::error::{FilterError, FilterFailure};
use crate::evaluate::decide;
use crate::lower::{Lowered, lower};
use crate::scan;
use crate::subject::Subject;

/// A compiled expression. See the crate's documentation for the language and its bounds.
#[derive(Debug)]
pub struct Filter {
    lowered: Lowered,
}

impl Filter {
    /// Reads an expression that yields a bool. The error says what is wrong and where: syntax, a name that is not known, kinds
    /// of values that do not fit, or a bound that is passed.
    pub fn compile(text: &str) -> Result<Self, FilterError> {
        scan::check(text)?;
        // The parser hands out what it read together with its places; macros are left as calls, for they are lowered here.
        let parser = cel::Env::default().with_optional_support(false);
        let depth = u16::try_from(FILTER_DEPTH_MAX).expect("small");
        let parser = parser.parser().max_recursion_depth(depth).error_recovery_limit(FILTER_RECOVERIES_MAX);
        let parsed = parser.parse_with_source_info(text);
        let (expression, places) = parsed.map_err(|errors| unparsed(text, &errors))?;
        Ok(Self { lowered: lower(text, &expression, &places)? })
    }

    /// Whether the webhook wants the event. An error is about this filter and this event together; the same for the same
    /// two.
    pub fn admits(&self, subject: &Subject<'_>) -> Result<bool, FilterFailure> {
        decide(&self.lowered.root, subject)
    }

    /// Whether what it says depends on the event's data.
    pub const fn reads_data(&self) -> bool {
        self.lowered.reads_data
    }

    /// What it takes in memory, at most, in bytes.
    pub const fn bytes(&self) -> usize {
        self.lowered.bytes
    }
}

/// The first thing that the parser did not understand, in words without its grammar.
fn unparsed(text: &str, errors: &cel::ParseErrors) -> FilterError {
    let first = errors.errors.first();
    let message = first.map_or("cannot be read", |error| error.msg.as_str());
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let message = message.replace("'<EOF>'", "the end").replace("<EOF>", "the end");
    // The parser names every token that could stand there.
    let message = match message.split_once(" expecting {") {
        Some((found, _)) => format!("{found}; an operand is missing"),
        None => message,
    };
    let (line, column) = first.map_or((1, 1), |error| error.pos);
    let message = message.chars().take(FILTER_MESSAGE_CHARS_MAX).collect();
    FilterError { message, position: position(text, line, column) }
}

/// In characters, of a line and a column that are counted from 1, the column in characters.
fn position(text: &str, line: isize, column: isize) -> usize {
    let whole = text.chars().count();
    let (Ok(line), Ok(column)) = (usize::try_from(line - 1), usize::try_from(column - 1)) else { return 0 };
    let before: usize = text.split_inclusive('\n').take(line).map(|line| line.chars().count()).sum();
    (before + column).min(whole)
}
