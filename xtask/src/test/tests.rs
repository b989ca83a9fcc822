//! Steps that run cargo's tests. A run that executed no test has failed.

use super::{command, previous};
use crate::{Outcome, workspace};

/// Where the tests find the program of the commit before.
const PREVIOUS: &str = "PREVIOUS_SIGNALPOST";

pub(super) fn workspace() -> Outcome {
    command::cargo(&["test", "--workspace", "--no-run"])?;
    let mut cargo = workspace::cargo();
    if let Some(program) = previous::program()? {
        cargo.env(PREVIOUS, program);
    }
    require_tests(&command::run_and_read(cargo.args(["test", "--workspace"]))?)
}

fn require_tests(printed: &str) -> Outcome {
    match passed(printed) {
        0 => Err("no test was run".to_owned()),
        count => {
            println!("{count} tests ran");
            Ok(())
        }
    }
}

/// The sum over the closing lines of all test binaries.
fn passed(printed: &str) -> u64 {
    let closing = printed.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    closing.filter_map(|rest| rest.split(' ').next()?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod counting {
    use super::*;

    #[test]
    fn tests_are_counted_over_all_binaries() {
        let printed =
            "running 2 tests\ntest result: ok. 2 passed; 0 failed\n\ntest result: ok. 40 passed; 0 failed\n";
        assert_eq!(passed(printed), 42);
        assert!(require_tests("test result: ok. 0 passed; 0 failed\n").is_err());
        assert!(require_tests("").is_err());
    }
}
