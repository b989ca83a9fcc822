//! Why a text is no filter, and why a filter could not decide.

use std::fmt;

/// A text that is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// What is wrong, for whoever wrote the text.
    pub message: String,
    /// Where, in characters from the beginning, counted from 0.
    pub position: usize,
}

impl FilterError {
    /// At a place given in bytes.
    pub(crate) fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let position = text.char_indices().take_while(|(start, _)| *start < offset).count();
        Self { message: message.into(), position }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.position, self.message)
    }
}

impl std::error::Error for FilterError {}

/// A filter that could not decide about an event: it does not fit what the event holds, or it cost too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterFailure {
    /// What happened, for whoever wrote the filter.
    pub message: String,
}

impl fmt::Display for FilterFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FilterFailure {}
