//! Regular expressions of filters: literal, compiled with the filter, of a bounded size, matched in linear time.

use std::sync::Mutex;

use regex_lite::{Regex, RegexBuilder};
use signalpost_core::limits::FILTER_PATTERN_GROUPS_MAX;

use crate::evaluate::as_steps;

/// The smallest size that is told apart.
const SMALLEST_BYTES: usize = 512;
/// A state of a pattern takes 32 bytes at least; one that is looked at for a byte of a text costs a step.
const STATE_BYTES: usize = 32;
/// What a pattern takes in memory beside all that grows with it: names, locks, the heads of its tables.
const HEAD_BYTES: usize = 1_024;

#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// Of its states, at most.
    bytes: usize,
    /// Held while a search uses the tables that are kept for the next one.
    tables: Mutex<()>,
}

impl Pattern {
    /// Its states in at most so many bytes. How many they take is learned by trying, to the next power of two. The error is
    /// a sentence for whoever wrote the pattern.
    pub(crate) fn compile(pattern: &str, bytes_max: usize) -> Result<Self, String> {
        let mut bytes = SMALLEST_BYTES.min(bytes_max);
        loop {
            match RegexBuilder::new(pattern).size_limit(bytes).build() {
                Ok(regex) => return Self::of(regex, bytes),
                Err(_) if bytes < bytes_max => bytes = bytes_max.min(2 * bytes),
                Err(error) => return Err(format!("the pattern cannot be used: {error}")),
            }
        }
    }

    fn of(regex: Regex, bytes: usize) -> Result<Self, String> {
        // The first is the whole match. A group that can never match counts when one behind it can: it takes the same room.
        if regex.captures_len() > 1 + FILTER_PATTERN_GROUPS_MAX {
            return Err(format!(
                "the pattern has more than {FILTER_PATTERN_GROUPS_MAX} groups that capture; write `(?:..)` for `(..)`"
            ));
        }
        Ok(Self { regex, bytes, tables: Mutex::new(()) })
    }

    /// What its states take, at most.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What it takes in memory, at most, between two searches. Lists that have grown have as much room again.
    pub(crate) fn memory_bytes(&self) -> usize {
        let states = self.bytes / STATE_BYTES;
        // Of a search, for this byte and the next: two places of 8 bytes for each group and state, and a set of states.
        let places = (states + 1) * 2 * self.regex.captures_len() * 8;
        let set = states * 2 * 4;
        let stack = states * 16;
        2 * self.bytes + 2 * (places + set + stack) + HEAD_BYTES
    }

    /// What looking at a text can cost at most, in steps; making the tables is one more look at each state.
    pub(crate) fn steps(&self, text: &str) -> u64 {
        let states = self.bytes / STATE_BYTES;
        as_steps(text.len().saturating_add(2).saturating_mul(states))
    }

    /// Whether it is found anywhere in a text (CEL: `matches` is not anchored).
    pub(crate) fn is_in(&self, text: &str) -> bool {
        // The tables of every search that ever was under way beside another would be kept. A clone's go with it.
        match self.tables.try_lock() {
            Ok(_held) => self.regex.is_match(text),
            Err(_) => self.regex.clone().is_match(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_capture_are_bounded() {
        let compile = |pattern: &str| Pattern::compile(pattern, 16 * 1024);
        let groups = |count: usize| "(a)".repeat(count);
        assert!(compile(&groups(FILTER_PATTERN_GROUPS_MAX)).is_ok());
        let hidden = format!("({}){{0}}(z)a{{200}}N", "()".repeat(500));
        for many in [groups(FILTER_PATTERN_GROUPS_MAX + 1), hidden] {
            let refusal = compile(&many).expect_err(&many);
            assert!(refusal.contains("more than 8 groups that capture; write `(?:..)`"), "{refusal}");
        }
        assert!(compile(&groups(100).replace('(', "(?:")).is_ok());
    }

    #[test]
    fn two_searches_at_once_find_the_same() {
        let pattern = Pattern::compile("^(a|b)+c$", 16 * 1024).expect("it is one");
        let _held = pattern.tables.try_lock().expect("nobody holds it");
        assert!(pattern.is_in("abbac") && !pattern.is_in("abbacd"));
    }
}
