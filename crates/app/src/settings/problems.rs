//! What is wrong with a configuration, gathered so that a person learns of all of it at once.

use super::value::Source;
use crate::cmd::Failure;

#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    /// A whole sentence with its place in front.
    pub(crate) fn push(&mut self, sentence: impl Into<String>) {
        self.0.push(sentence.into());
    }

    /// What is wrong with the value of one setting.
    pub(crate) fn at(&mut self, source: &Source, name: &str, problem: &str) {
        match source {
            // The flag and the variable name the setting already.
            Source::Flag(_) | Source::Variable(_) => self.push(format!("{source}: {problem}")),
            Source::File { .. } | Source::Default => self.push(format!("{source}: `{name}`: {problem}")),
        }
    }

    /// Keeps a value or notes what is wrong with it.
    pub(crate) fn take<T>(&mut self, source: &Source, name: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|problem| self.at(source, name, &problem)).ok()
    }

    /// Keeps what was made, or notes the sentence.
    pub(crate) fn keep<T>(&mut self, made: Result<T, String>) -> Option<T> {
        made.map_err(|sentence| self.push(sentence)).ok()
    }

    pub(crate) fn into_result(self) -> Result<(), Failure> {
        match self.0.as_slice() {
            [] => Ok(()),
            [alone] => Err(Failure::new(alone.as_str())),
            several => {
                let count = several.len();
                Err(Failure::new(format!("{count} things are wrong:\n  {}", several.join("\n  "))))
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn sentences(&self) -> &[String] {
        &self.0
    }
}
