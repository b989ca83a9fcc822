//! Development only: what a stranger can reach, as functions of bytes.
//!
//! Each target takes bytes that are anything and panics when a promise is broken: a parser that panics or answers 5xx,
//! a value that does not return as it was written, an address that two readers judge differently. libFuzzer looks for
//! such bytes (`cargo xtask fuzz`); the inputs that are kept in `corpus/` are run by an ordinary test.

#![expect(
    clippy::disallowed_methods,
    reason = "a hostile receiver needs tasks and a connection of its own; what the product is lent is simulated"
)]

mod feed;
mod http_text;
mod server;
mod target;

use std::path::PathBuf;

/// Takes one input, and panics when a promise is broken.
type Try = Box<dyn Fn(&[u8])>;

/// One way in for strangers.
pub struct Target {
    pub name: String,
    /// What is promised, in a few words.
    pub about: &'static str,
    /// Longest input that is worth trying, in bytes.
    pub bytes_max: usize,
    run: Try,
}

impl Target {
    pub(crate) fn new(
        name: impl Into<String>,
        about: &'static str,
        bytes_max: usize,
        run: impl Fn(&[u8]) + 'static,
    ) -> Self {
        Self { name: name.into(), about, bytes_max, run: Box::new(run) }
    }

    /// Tries one input.
    ///
    /// # Panics
    /// When a promise is broken.
    pub fn run(&self, input: &[u8]) {
        (self.run)(input);
    }

    /// Where its kept inputs lie.
    pub fn corpus(&self) -> PathBuf {
        folder("corpus").join(&self.name)
    }
}

/// All targets, in the order in which they are run.
pub fn targets() -> Vec<Target> {
    target::all()
}

/// A folder of this crate.
pub(crate) fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}
