//! Everything that must hold before a change lands, cheapest first: one step, one file.

mod addresses;
mod backup;
mod bench;
mod checks;
pub(crate) mod command;
mod demo;
mod full_disk;
mod node;
mod pages;
mod previous;
pub(crate) mod python;
mod schemathesis;
mod tests;
mod tools;
mod torture;
mod verifiers;

use std::time::Instant;

use crate::args::Args;
use crate::{Outcome, Task, fuzz, openapi, powerloss, release, replay, scenarios, sim, tidy};

pub(crate) const TASK: Task = Task {
    name: "test",
    summary: "check everything, from formatting to kill -9; what CI runs",
    help: "Usage: cargo xtask test [options]

Runs every step in order and stops at the first that fails.

  --list        prints the steps and stops
  --from STEP   begins at this step
  --only STEP   runs this step alone",
    run,
};

/// A part of the whole, with a name for headings and options.
struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Outcome,
}

const STEPS: &[Step] = &[
    Step { name: "tools", what: "install what the other steps need and this machine lacks", run: tools::run },
    Step { name: "format", what: "cargo fmt --check", run: checks::format },
    Step { name: "clippy", what: "clippy without a warning, tests included", run: checks::clippy },
    Step { name: "tidy", what: "the rules of the house", run: || tidy::run(Args::new(Vec::new())) },
    Step { name: "docs", what: "rustdoc without a warning", run: checks::docs },
    Step {
        name: "tests",
        what: "all tests of all crates, and the commit before beside this one",
        run: tests::workspace,
    },
    Step {
        name: "addresses",
        what: "which addresses are public, judged by another library too",
        run: addresses::run,
    },
    Step { name: "openapi", what: "the OpenAPI documents, judged by a validator", run: openapi::validate },
    Step { name: "fuzz", what: "a minute of fuzzing, the kept inputs first", run: fuzz::smoke },
    Step { name: "powerloss", what: "2,000 power losses under the store", run: powerloss::step },
    Step { name: "release", what: "build the release binary", run: || release::binary().map(drop) },
    Step { name: "simulator", what: "1,000 simulated worlds", run: simulator },
    Step {
        name: "scenarios",
        what: "contracts/ over real HTTP",
        run: || scenarios::run(Args::new(Vec::new())),
    },
    Step { name: "pages", what: "the pages in a browser, with and without a script", run: pages::run },
    Step { name: "demo", what: "the demo, from start to end", run: demo::run },
    Step { name: "torture", what: "every kind of trouble once, under load", run: torture::run },
    Step {
        name: "replay",
        what: "6,000 failed deliveries replayed, with a pause and kill -9",
        run: replay::step,
    },
    Step { name: "backup", what: "a backup under load, restored and gone on with", run: backup::run },
    Step { name: "full-disk", what: "a small disk runs full under load, and recovers", run: full_disk::run },
    Step { name: "bench", what: "a quick bench; its ledger must agree", run: bench::run },
    Step {
        name: "schemathesis",
        what: "every call of every document, well and badly asked",
        run: schemathesis::run,
    },
    Step {
        name: "verifiers",
        what: "signatures, judged by other people's libraries and recipes",
        run: verifiers::run,
    },
];

/// Beside the worlds of its own tests.
fn simulator() -> Outcome {
    sim::simulate(&["--seeds", "1000"])
}

fn run(mut args: Args) -> Outcome {
    let list = args.switch("--list");
    let from: Option<String> = args.value("--from")?;
    let only: Option<String> = args.value("--only")?;
    args.finish()?;
    if list {
        STEPS.iter().for_each(|step| println!("{:<12} {}", step.name, step.what));
        return Ok(());
    }
    play(&chosen(from.as_deref(), only.as_deref())?)
}

fn chosen(from: Option<&str>, only: Option<&str>) -> Result<Vec<&'static Step>, String> {
    let find = |name: &str| {
        let found = STEPS.iter().position(|step| step.name == name);
        found.ok_or_else(|| format!("`{name}` is not a step; --list prints them"))
    };
    let range = match (from, only) {
        (None, None) => 0..STEPS.len(),
        (Some(name), None) => find(name)?..STEPS.len(),
        (None, Some(name)) => find(name)?..find(name)? + 1,
        (Some(_), Some(_)) => return Err("--from and --only exclude each other".to_owned()),
    };
    Ok(STEPS[range].iter().collect())
}

/// The closing line counts steps, in the form that test runners use.
fn play(steps: &[&Step]) -> Outcome {
    let started = Instant::now();
    for (passed, step) in steps.iter().enumerate() {
        println!("\n=== {}: {}", step.name, step.what);
        let step_started = Instant::now();
        if let Err(error) = (step.run)() {
            println!(
                "\n=== {} failed after {:.1} s: {error}",
                step.name,
                step_started.elapsed().as_secs_f64()
            );
            println!("{passed} passed, 1 failed");
            return Err(format!("step `{}` failed; repeat it alone with `--only {}`", step.name, step.name));
        }
        println!("=== {} passed in {:.1} s", step.name, step_started.elapsed().as_secs_f64());
    }
    println!("\nAll steps passed in {:.1} s.", started.elapsed().as_secs_f64());
    println!("{} passed, 0 failed", steps.len());
    Ok(())
}

#[cfg(test)]
mod selection {
    use super::*;

    #[test]
    fn steps_are_chosen_by_name() {
        let names = |steps: Vec<&Step>| steps.iter().map(|step| step.name).collect::<Vec<_>>();
        assert_eq!(chosen(None, None).map(|steps| steps.len()), Ok(STEPS.len()));
        assert_eq!(chosen(None, Some("tidy")).map(names), Ok(vec!["tidy"]));
        assert_eq!(
            chosen(Some("torture"), None).map(names),
            Ok(vec!["torture", "replay", "backup", "full-disk", "bench", "schemathesis", "verifiers"])
        );
        assert!(chosen(Some("nonsense"), None).is_err());
        assert!(chosen(Some("tidy"), Some("tidy")).is_err());
    }

    #[test]
    fn a_step_that_fails_ends_the_run() {
        let good = Step { name: "good", what: "", run: || Ok(()) };
        let bad = Step { name: "bad", what: "", run: || Err("broken".to_owned()) };
        assert!(play(&[&good, &good]).is_ok());
        let error = play(&[&good, &bad, &good]).expect_err("one step fails");
        assert!(error.contains("`bad`"), "{error}");
    }
}
