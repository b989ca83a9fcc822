//! Runs a command for a step: its output is shown as it comes, and kept where a step must read it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::{Outcome, workspace};

/// Runs a command that must succeed.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let what = describe(command);
    let status = command.stdin(Stdio::null()).status();
    let status = status.map_err(|error| format!("`{what}` cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{what}` ended with {status}")) }
}

/// Runs cargo in the project's root.
pub(super) fn cargo(arguments: &[&str]) -> Outcome {
    run(workspace::cargo().args(arguments))
}

/// Runs a command that must succeed, and returns what it printed, after having shown it.
pub(super) fn run_and_read(command: &mut Command) -> Result<String, String> {
    let what = describe(command);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("`{what}` cannot be started: {error}"))?;
    let mut printed = String::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(|error| format!("`{what}` printed what cannot be read: {error}"))?;
            println!("{line}");
            printed.push_str(&line);
            printed.push('\n');
        }
    }
    let status = child.wait().map_err(|error| format!("`{what}` cannot be waited for: {error}"))?;
    if status.success() { Ok(printed) } else { Err(format!("`{what}` ended with {status}")) }
}

/// Whether a command is there and content.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        assert!(run(Command::new("sh").args(["-c", "exit 0"])).is_ok());
        let error = run(Command::new("sh").args(["-c", "exit 3"])).expect_err("it failed");
        assert!(error.contains("sh -c exit 3") && error.contains('3'), "{error}");
        assert_eq!(run_and_read(Command::new("sh").args(["-c", "echo a; echo b"])), Ok("a\nb\n".to_owned()));
        assert!(run_and_read(Command::new("sh").args(["-c", "echo a; exit 1"])).is_err());
        assert!(!succeeds("no-such-program-anywhere", &[]));
    }
}
