//! What a run says of a mistake: that it failed is not enough, it must have failed by what was to be found.

use super::judge::Judge;

/// Characters of a finding that are shown.
const SHOWN_CHARS: usize = 110;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// By the expected finding.
    Caught {
        by: String,
        /// How much it took.
        after: String,
    },
    /// Something failed, and the expected finding is not in what it said.
    FailedOtherwise {
        by: String,
    },
    /// There was no end within so many seconds.
    TimedOut {
        after_s: u64,
    },
    Survived,
}

/// A run that has ended, and all that it printed.
pub(super) struct Ran {
    pub(super) ended: Ended,
    pub(super) printed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    Badly,
    TooLate { after_s: u64 },
}

impl Verdict {
    /// `finding` is what the run has to have found.
    pub(super) fn of(judge: &Judge, ran: &Ran, finding: &str, after: impl Fn() -> String) -> Self {
        match ran.ended {
            Ended::Well => return Self::Survived,
            Ended::TooLate { after_s } => return Self::TimedOut { after_s },
            Ended::Badly => {}
        }
        let said = findings(judge, &ran.printed);
        match said.iter().find(|line| line.contains(finding)) {
            Some(line) => Self::Caught { by: shown(line), after: after() },
            None => {
                Self::FailedOtherwise { by: said.first().map_or_else(|| ran.last_word(), |line| shown(line)) }
            }
        }
    }

    pub(super) fn summary(&self) -> String {
        match self {
            Self::Caught { by, after } => format!("caught after {after}: {by}"),
            Self::FailedOtherwise { by } => format!("FAILED OTHERWISE: {by}"),
            Self::TimedOut { after_s } => format!("TIMED OUT after {after_s} s"),
            Self::Survived => "SURVIVED".to_owned(),
        }
    }

    pub(super) const fn is_caught(&self) -> bool {
        matches!(self, Self::Caught { .. })
    }
}

/// The lines in which a run names what is wrong: what went well, and counts, must not pass for a finding.
fn findings<'p>(judge: &Judge, printed: &'p str) -> Vec<&'p str> {
    let mut lines = printed.lines().map(str::trim).peekable();
    let mut found = Vec::new();
    let mut is_told = false;
    while let Some(line) = lines.next() {
        // The heading above the words of the tests that failed.
        is_told |= line == "failures:";
        let is_one = match judge {
            Judge::Sim { .. } => line.starts_with("- "),
            Judge::Tests { .. } => {
                let failed = line.starts_with("test ") && line.ends_with(" ... FAILED");
                failed || is_told && !line.is_empty()
            }
            Judge::Ledger { .. } => line.starts_with("BROKEN ") || line.starts_with("FAULTS "),
        };
        if is_one {
            found.push(line);
        } else if line.contains(" panicked at ") {
            found.extend(lines.peek());
        }
    }
    found
}

impl Ran {
    pub(super) fn ended_well(&self) -> bool {
        self.ended == Ended::Well
    }

    fn last_word(&self) -> String {
        let last = self.printed.lines().rfind(|line| !line.trim().is_empty());
        shown(last.unwrap_or("it said nothing"))
    }
}

/// Fit for a cell of a table.
fn shown(text: &str) -> String {
    let short: String = text.trim().chars().take(SHOWN_CHARS).collect();
    short.replace('|', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIM: Judge = Judge::Sim { worlds: 1 };
    const LEDGER: Judge = Judge::Ledger { kills: 1 };

    fn tests() -> Judge {
        Judge::Tests { words: "-p a".to_owned() }
    }

    fn verdict(judge: &Judge, printed: &str, finding: &str) -> Verdict {
        let ran = Ran { ended: Ended::Badly, printed: printed.to_owned() };
        Verdict::of(judge, &ran, finding, || "1".to_owned())
    }

    #[test]
    fn only_the_expected_finding_is_a_catch() {
        let printed = "seed 3: 2 findings\n  - delivery 7 is pending\n  - event 8 is lost\n";
        let caught = Verdict::Caught { by: "- event 8 is lost".to_owned(), after: "1".to_owned() };
        assert_eq!(verdict(&SIM, printed, "is lost"), caught);
        assert!(caught.is_caught());
        let other = Verdict::FailedOtherwise { by: "- delivery 7 is pending".to_owned() };
        assert_eq!(verdict(&SIM, printed, "carries the timestamp"), other);
        assert!(!other.is_caught());
    }

    #[test]
    fn how_a_run_ended_comes_before_what_it_said() {
        let ran = |ended| Ran { ended, printed: "- lost".to_owned() };
        let verdict = |ended| Verdict::of(&SIM, &ran(ended), "lost", String::new);
        assert_eq!(verdict(Ended::Well), Verdict::Survived);
        assert_eq!(verdict(Ended::TooLate { after_s: 9 }), Verdict::TimedOut { after_s: 9 });
        assert!(!verdict(Ended::Well).is_caught() && !verdict(Ended::TooLate { after_s: 9 }).is_caught());
    }

    #[test]
    fn a_test_that_passed_is_no_finding() {
        let printed = "test cuts::hold ... ok\ntest ids::grow ... FAILED\n\nfailures:\n\n---- ids::grow stdout ----\n\
            thread 'ids::grow' panicked at a.rs:1:1:\nthe next id is 3\n\nfailures:\n    ids::grow\n";
        assert!(verdict(&tests(), printed, "ids::grow").is_caught());
        assert!(verdict(&tests(), printed, "the next id is").is_caught());
        let other = Verdict::FailedOtherwise { by: "test ids::grow ... FAILED".to_owned() };
        assert_eq!(verdict(&tests(), printed, "cuts::hold"), other);
    }

    #[test]
    fn counts_are_no_findings() {
        let printed = "lost          0\nBROKEN        3 still pending\nlost 0\n";
        let other = Verdict::FailedOtherwise { by: "BROKEN        3 still pending".to_owned() };
        assert_eq!(verdict(&LEDGER, printed, "lost"), other);
        assert!(
            verdict(&LEDGER, "BROKEN  2 lost | 3\nlost 2\n", "2 lost / 3").summary().starts_with("FAILED")
        );
        assert!(verdict(&SIM, "kills  3\nresets  never\n", "resets").summary().contains("resets  never"));
    }

    #[test]
    fn a_panic_counts_by_what_it_says() {
        let printed = "thread 'x' panicked at b.rs:1:1:\nno core is left | 3\nnote: run with\n";
        let caught = Verdict::Caught { by: "no core is left / 3".to_owned(), after: "1".to_owned() };
        assert_eq!(verdict(&SIM, printed, "no core is left"), caught);
        assert_eq!(verdict(&SIM, "", "x"), Verdict::FailedOtherwise { by: "it said nothing".to_owned() });
    }
}
