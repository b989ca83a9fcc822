//! Options of a task: `--name value` and `--name`, each taken once, and nothing left over.

use std::str::FromStr;

/// The words after the task's name.
pub(crate) struct Args(Vec<String>);

impl Args {
    pub(crate) fn new(words: Vec<String>) -> Self {
        Self(words)
    }

    /// Takes the switch `name`.
    pub(crate) fn switch(&mut self, name: &str) -> bool {
        let found = self.0.iter().position(|word| word == name);
        found.map(|at| self.0.remove(at)).is_some()
    }

    /// Takes `name value`. The error is a sentence for the caller.
    pub(crate) fn value<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        let Some(at) = self.0.iter().position(|word| word == name) else {
            return Ok(None);
        };
        if at + 1 >= self.0.len() {
            return Err(format!("{name} needs a value"));
        }
        let text = self.0.remove(at + 1);
        self.0.remove(at);
        text.parse().map(Some).map_err(|_| format!("`{text}` does not fit {name}"))
    }

    /// Takes `name value`, or the default.
    pub(crate) fn value_or<T: FromStr>(&mut self, name: &str, default: T) -> Result<T, String> {
        Ok(self.value(name)?.unwrap_or(default))
    }

    /// Takes what is no option, such as names of files.
    pub(crate) fn words(&mut self) -> Vec<String> {
        let (options, words) =
            std::mem::take(&mut self.0).into_iter().partition(|word| word.starts_with('-'));
        self.0 = options;
        words
    }

    /// Refuses what nobody took.
    pub(crate) fn finish(self) -> Result<(), String> {
        match self.0.first() {
            Some(word) => Err(format!("`{word}` is not known here; --help lists the options")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Args {
        Args::new(text.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn options_are_taken_and_the_rest_is_refused() {
        let mut given = args("--cycles 5 --json file");
        assert_eq!(given.value::<u32>("--cycles"), Ok(Some(5)));
        assert!(given.switch("--json"));
        assert!(!given.switch("--json"), "taken once");
        assert_eq!(given.value_or("--seed", 7u64), Ok(7));
        assert_eq!(given.words(), ["file"]);
        assert!(given.finish().is_ok());
        assert!(args("--nonsense").finish().is_err());
    }

    #[test]
    fn a_missing_or_misfit_value_is_an_error() {
        assert!(args("--cycles").value::<u32>("--cycles").is_err());
        assert!(args("--cycles many").value::<u32>("--cycles").is_err());
    }
}
