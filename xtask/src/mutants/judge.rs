//! Who is to catch a mistake: the simulator, cargo's tests, or the ledger of a server that is killed under load.

use std::fmt;
use std::fs::File;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::scratch::Scratch;
use super::verdict::{Ended, Ran, Verdict};
use crate::Outcome;

/// Worlds of the simulator, and troubles of the server, when a mutant does not say how many.
const SIM_BUDGET: u32 = 60;
const LEDGER_BUDGET: u32 = 20;
/// Worlds in one run of the simulator: enough not to start it often, few enough to end soon after a finding.
const WORLDS_A_RUN: u32 = 5;
/// A mistake may make something run for ever. What takes longer than this is ended, and nobody has judged it.
const PATIENCE: Duration = Duration::from_secs(900);
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Judge {
    /// Worlds with the seeds from 1 on.
    Sim { worlds: u32 },
    /// The words after `cargo test`.
    Tests { words: String },
    /// Kills under load.
    Ledger { kills: u32 },
}

impl Judge {
    /// `sim`, `ledger`, or `tests` with the words after `cargo test`.
    pub(super) fn parse(text: &str, budget: Option<u32>) -> Result<Self, String> {
        match text.split_once(' ') {
            None if text == "sim" => Ok(Self::Sim { worlds: budget.unwrap_or(SIM_BUDGET) }),
            None if text == "ledger" => Ok(Self::Ledger { kills: budget.unwrap_or(LEDGER_BUDGET) }),
            Some(("tests", words)) if budget.is_none() => Ok(Self::Tests { words: words.to_owned() }),
            _ => Err(format!("`{text}` is no judge: `sim`, `ledger`, or `tests` with words and no budget")),
        }
    }

    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Sim { .. } => "sim",
            Self::Tests { .. } => "tests",
            Self::Ledger { .. } => "ledger",
        }
    }

    /// Builds what it runs. A mistake that does not compile is none.
    pub(super) fn build(&self, scratch: &Scratch) -> Outcome {
        let mut cargo = scratch.cargo();
        match self {
            Self::Sim { .. } => cargo.args(["build", "--package", "signalpost-sim", "--example", "sim"]),
            Self::Tests { words } => cargo.args(["test", "--no-run"]).args(words.split_whitespace()),
            Self::Ledger { .. } => cargo.args(["build", "--package", "signalpost-app"]),
        };
        let ran = run(cargo.arg("--quiet"), scratch)?;
        if ran.ended_well() { Ok(()) } else { Err(format!("the copy does not build:\n{}", ran.printed)) }
    }

    /// `finding` is what has to be found.
    pub(super) fn run(&self, scratch: &Scratch, finding: &str) -> Result<Verdict, String> {
        match self {
            Self::Sim { worlds } => self.run_worlds(scratch, *worlds, finding),
            Self::Tests { words } => self.run_tests(scratch, words, finding),
            Self::Ledger { kills } => self.run_ledger(scratch, *kills, finding),
        }
    }

    /// Up to the first run with any finding.
    fn run_worlds(&self, scratch: &Scratch, worlds: u32, finding: &str) -> Result<Verdict, String> {
        let mut from = 1;
        while from <= worlds {
            let count = WORLDS_A_RUN.min(worlds + 1 - from);
            let mut command = Command::new(scratch.built("examples").join("sim"));
            command.args(["--from", &from.to_string(), "--seeds", &count.to_string()]);
            let ran = run(&mut command, scratch)?;
            if !ran.ended_well() {
                let mut lines = ran.printed.lines();
                let seed =
                    lines.find_map(|line| line.strip_prefix("seed ")?.split_once(": ")?.0.parse().ok());
                let after = || format!("{} worlds", seed.unwrap_or(from));
                return Ok(Verdict::of(self, &ran, finding, after));
            }
            from += count;
        }
        Ok(Verdict::Survived)
    }

    fn run_tests(&self, scratch: &Scratch, words: &str, finding: &str) -> Result<Verdict, String> {
        let mut cargo = scratch.cargo();
        let ran = run(cargo.args(["test"]).args(words.split_whitespace()), scratch)?;
        let ended = |how: &str| {
            ran.printed.lines().filter(|line| line.starts_with("test ") && line.ends_with(how)).count()
        };
        if ran.ended_well() && ended(" ... ok") == 0 {
            return Err(format!("`cargo test {words}` runs no test"));
        }
        Ok(Verdict::of(self, &ran, finding, || format!("{} tests failed", ended(" ... FAILED"))))
    }

    /// By this program itself, which is not the copy's: the binary alone is.
    fn run_ledger(&self, scratch: &Scratch, kills: u32, finding: &str) -> Result<Verdict, String> {
        let this = std::env::current_exe().map_err(|error| format!("where is this program? {error}"))?;
        let mut command = Command::new(this);
        command
            .args(["torture", "--cycles", &kills.to_string(), "--binary"])
            .arg(scratch.built("signalpost"));
        let ran = run(&mut command, scratch)?;
        Ok(Verdict::of(self, &ran, finding, || format!("at most {kills} kills")))
    }
}

/// Each judge once, with the largest budget that anybody gives it.
pub(super) fn largest<'j>(judges: impl Iterator<Item = &'j Judge>) -> Vec<&'j Judge> {
    let mut all: Vec<&Judge> = judges.collect();
    all.sort();
    all.dedup_by(|next, known| {
        let same = match (&**next, &**known) {
            (Judge::Tests { words }, Judge::Tests { words: other }) => words == other,
            (next, known) => next.kind() == known.kind(),
        };
        // Sorted, the next one is the larger.
        if same {
            *known = *next;
        }
        same
    });
    all
}

/// Runs a command to its end, or for as long as we have patience, and reads all that it printed.
fn run(command: &mut Command, scratch: &Scratch) -> Result<Ran, String> {
    let path = scratch.built("mutants.log");
    let what = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("`{what}`: {error}");
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let log = File::create(&path).map_err(failed)?;
    let errors = log.try_clone().map_err(failed)?;
    let mut child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().map_err(failed)?;
    let deadline = Instant::now() + PATIENCE;
    let status: Option<ExitStatus> = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break Some(status);
        }
        if Instant::now() >= deadline {
            child.kill().map_err(failed)?;
            child.wait().map_err(failed)?;
            break None;
        }
        sleep(Duration::from_millis(20));
    };
    let printed = String::from_utf8_lossy(&std::fs::read(&path).map_err(failed)?).into_owned();
    let ended = match status {
        None => Ended::TooLate { after_s: PATIENCE.as_secs() },
        Some(status) if status.success() => Ended::Well,
        Some(_) => Ended::Badly,
    };
    Ok(Ran { ended, printed })
}

impl fmt::Display for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sim { worlds } => write!(f, "{worlds} worlds of the simulator"),
            Self::Tests { words } => write!(f, "cargo test {words}"),
            Self::Ledger { kills } => write!(f, "{kills} kills under load"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_are_read_with_their_budgets() {
        assert_eq!(Judge::parse("sim", Some(7)), Ok(Judge::Sim { worlds: 7 }));
        assert_eq!(Judge::parse("ledger", None), Ok(Judge::Ledger { kills: LEDGER_BUDGET }));
        assert_eq!(Judge::parse("tests -p a b", None), Ok(Judge::Tests { words: "-p a b".to_owned() }));
        for (text, budget) in [("tests", None), ("tests -p a", Some(1)), ("nobody", None)] {
            assert!(Judge::parse(text, budget).is_err(), "{text}");
        }
    }

    #[test]
    fn the_largest_budget_stands_for_the_others() {
        let [small, large] = [3, 7].map(|worlds| Judge::Sim { worlds });
        let [one, other] = ["-p a", "-p b"].map(|words| Judge::Tests { words: words.to_owned() });
        let all = [&large, &other, &small, &one, &other];
        assert_eq!(largest(all.into_iter()), [&large, &one, &other]);
    }
}
