//! Regular expressions of filters: literal, compiled with the filter, of a bounded size, matched in linear time.

use regex_lite::{Regex, RegexBuilder};

use crate::evaluate::as_steps;

/// The smallest size that is told apart.
const SMALLEST_BYTES: usize = 512;
/// A state of a pattern that is looked at for a byte of a text costs a step; a state takes some 32 bytes.
const BYTES_PER_STEP: usize = 32;

#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    bytes: usize,
}

impl Pattern {
    /// In at most so many bytes. How many it takes is learned by trying, to the next power of two. The error is a sentence
    /// for whoever wrote the pattern.
    pub(crate) fn compile(pattern: &str, bytes_max: usize) -> Result<Self, String> {
        let mut bytes = SMALLEST_BYTES.min(bytes_max);
        loop {
            match RegexBuilder::new(pattern).size_limit(bytes).build() {
                Ok(regex) => return Ok(Self { regex, bytes }),
                Err(_) if bytes < bytes_max => bytes = bytes_max.min(2 * bytes),
                Err(error) => return Err(format!("the pattern cannot be used: {error}")),
            }
        }
    }

    /// What it takes in memory, at most.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What looking at a text can cost at most, in steps.
    pub(crate) fn steps(&self, text: &str) -> u64 {
        let states = self.bytes / BYTES_PER_STEP;
        as_steps(text.len().saturating_add(1).saturating_mul(states))
    }

    /// Whether it is found anywhere in a text (CEL: `matches` is not anchored).
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}
