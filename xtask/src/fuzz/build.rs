//! The binary with all targets, instrumented for coverage, in a target folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::test::command;
use crate::workspace;

/// What cargo-fuzz passes when it has no sanitizer. LLVM counts edges and comparisons; libFuzzer reads the counters.
const INSTRUMENTATION: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Names the target to the binary.
const VARIABLE: &str = "SIGNALPOST_FUZZ_TARGET";
/// An input that takes this long is a finding. Far above what any may take, since the machine may be busy.
const TIMEOUT: &str = "-timeout=30";
/// So is one that takes this much memory.
const MEMORY: &str = "-rss_limit_mb=3072";

pub(super) struct Fuzzer {
    binary: PathBuf,
    /// Where everything lies that runs leave behind.
    pub(super) folder: PathBuf,
}

/// A target as the binary tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: String,
    /// Longest input, in bytes.
    pub(super) bytes_max: usize,
    pub(super) about: String,
}

/// Builds the binary when it is needed. The target is named, so that build scripts are not instrumented.
pub(super) fn build() -> Result<Fuzzer, String> {
    let folder = workspace::target_directory()?.join("fuzz");
    let (built, host) = (folder.join("build"), host()?);
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--quiet", "--profile", "fuzz", "--target", &host]);
    cargo.args(["--package", "signalpost-fuzz", "--features", "libfuzzer"]);
    cargo.env("CARGO_TARGET_DIR", &built).env("RUSTFLAGS", INSTRUMENTATION.join(" "));
    command::run(cargo.env_remove("CARGO_ENCODED_RUSTFLAGS"))?;
    let binary = built.join(&host).join("fuzz").join("signalpost-fuzz");
    if !binary.is_file() {
        return Err(format!("there is no {}", binary.display()));
    }
    Ok(Fuzzer { binary, folder })
}

impl Fuzzer {
    /// The binary with this target, and with bounds on each execution.
    pub(super) fn command(&self, target: &Known) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(workspace::root()).env(VARIABLE, &target.name);
        command.args([TIMEOUT, MEMORY, &format!("-max_len={}", target.bytes_max)]);
        command
    }

    pub(super) fn targets(&self) -> Result<Vec<Known>, String> {
        // Without a target's name the binary lists them.
        let printed = workspace::stdout_of(Command::new(&self.binary).env_remove(VARIABLE))?;
        let known: Vec<Known> = printed.lines().filter_map(read).collect();
        if known.is_empty() { Err(format!("{} lists no targets", self.binary.display())) } else { Ok(known) }
    }

    /// A folder below [`Fuzzer::folder`], made when it is missing.
    pub(super) fn place(&self, kind: &str, target: &Known) -> Result<PathBuf, String> {
        made(&self.folder.join(kind).join(&target.name))
    }
}

/// The inputs of a target that are part of the project.
pub(super) fn kept(target: &Known) -> Result<PathBuf, String> {
    made(&workspace::root().join("crates/fuzz/corpus").join(&target.name))
}

pub(super) fn made(folder: &Path) -> Result<PathBuf, String> {
    let result = std::fs::create_dir_all(folder);
    result.map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    Ok(folder.to_owned())
}

fn read(line: &str) -> Option<Known> {
    let mut parts = line.splitn(3, '\t');
    let (name, bytes_max, about) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    Some(Known { name: name.to_owned(), bytes_max, about: about.to_owned() })
}

/// The triple that the compiler compiles for when nobody asks for another.
fn host() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = workspace::stdout_of(Command::new(rustc).arg("-vV"))?;
    let host = printed.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say which host it is for".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_their_lines() {
        let known = Known { name: "url".to_owned(), bytes_max: 512, about: "a b".to_owned() };
        assert_eq!(read("url\t512\ta b"), Some(known));
        assert_eq!(read("INFO: Seed: 1"), None);
    }
}
