//! Puts known mistakes into the product's own source, one at a time in a copy of it, and expects each to be caught.

mod judge;
mod list;
mod scratch;
mod verdict;

use std::time::Instant;

use list::Mutant;
use scratch::Scratch;
use verdict::Verdict;

use crate::args::Args;
use crate::{Outcome, Task};

pub(crate) const TASK: Task = Task {
    name: "mutants",
    summary: "put known mistakes into a copy of the source, and see each caught",
    help: "Usage: cargo xtask mutants [options]

  --only NAME      this mutant alone
  --judge KIND     only those whose judge is `sim`, `tests` or `ledger`
  --list           prints the mutants with the promise that each breaks, who is to catch it and by what finding,
                   and stops

The mutants stand in xtask/mutants.toml: where the mistake goes, and who is to catch it. `sim` runs the
simulator on worlds 1, 2, .. up to the budget; `tests` runs cargo's tests with these words; `ledger` kills the
server under load as often as the budget says and counts what was lost. A mistake is caught when its judge fails
and names the expected finding. That it fails otherwise, or does not come to an end, is no catch.

The copy is target/mutants/tree, with a target folder of its own beside it: the first run builds everything
there. Each judge must first be content with the source as it is. A mistake that nobody catches is a hole
in the tests. So is one that does not fit the source any more, which is an error that says so.

Not a part of `cargo xtask test`: it builds the product once for each mutant.",
    run,
};

fn run(mut args: Args) -> Outcome {
    let only: Option<String> = args.value("--only")?;
    let kind: Option<String> = args.value("--judge")?;
    let list = args.switch("--list");
    args.finish()?;
    let mut mutants = list::read()?;
    mutants.retain(|mutant| only.as_ref().is_none_or(|name| mutant.name == *name));
    mutants.retain(|mutant| kind.as_deref().is_none_or(|kind| mutant.judge.kind() == kind));
    if mutants.is_empty() {
        return Err("there is no such mutant; --list prints them".to_owned());
    }
    if list {
        for Mutant { name, promise, judge, finding, .. } in &mutants {
            println!("{name:<36} {promise}\n{:36} {judge}: `{finding}`", "");
        }
        return Ok(());
    }
    play(&mutants)
}

fn play(mutants: &[Mutant]) -> Outcome {
    let scratch = Scratch::copy()?;
    // All of them before anything is built: the source may have moved on.
    mutants.iter().try_for_each(|mutant| scratch.check(mutant))?;
    for judge in judge::largest(mutants.iter().map(|mutant| &mutant.judge)) {
        println!("{judge}, on the source as it is");
        judge.build(&scratch)?;
        let verdict = judge.run(&scratch, "")?;
        if verdict != Verdict::Survived {
            return Err(format!("{judge} is not content with the source as it is: {}", verdict.summary()));
        }
    }
    let mut rows = Vec::new();
    for mutant in mutants {
        let started = Instant::now();
        let verdict = try_one(&scratch, mutant)?;
        let seconds = started.elapsed().as_secs();
        println!("{:<36} {} ({seconds} s)", mutant.name, verdict.summary());
        rows.push((mutant, verdict));
    }
    report(&rows)
}

fn try_one(scratch: &Scratch, mutant: &Mutant) -> Result<Verdict, String> {
    let applied = scratch.apply(mutant)?;
    let verdict = mutant
        .judge
        .build(scratch)
        .and_then(|()| mutant.judge.run(scratch, &mutant.finding))
        .map_err(|error| format!("mutant `{}`: {error}", mutant.name));
    applied.revert()?;
    verdict
}

/// A table in Markdown, and an error when one was not caught.
fn report(rows: &[(&Mutant, Verdict)]) -> Outcome {
    println!("\n| mutant | promise | caught by | after |\n|---|---|---|---|");
    for (Mutant { name, promise, judge, .. }, verdict) in rows {
        match verdict {
            Verdict::Caught { by, after } => {
                println!("| {name} | {promise} | {}: {by} | {after} |", judge.kind())
            }
            other => println!("| {name} | {promise} | **nobody**: {} | {judge} |", other.summary()),
        }
    }
    let at_large: Vec<&str> = rows
        .iter()
        .filter(|(_, verdict)| !verdict.is_caught())
        .map(|(mutant, _)| mutant.name.as_str())
        .collect();
    println!("\n{} mutants, {} not caught", rows.len(), at_large.len());
    if at_large.is_empty() { Ok(()) } else { Err(format!("nobody caught {}", at_large.join(", "))) }
}
