//! The simulator's own tests: worlds without findings, the same history for the same seed, and planted faults that
//! the auditor must see (`plants`).
//!
//! `SIGNALPOST_SIM_SEED=N` runs one world, `SIGNALPOST_SIM_SEEDS=N` as many as wanted.

mod plants;
mod shelf;

use std::ops::RangeInclusive;

use signalpost_sim::{Plant, Report, run};

/// Worlds in an ordinary run of the tests.
const SEEDS: u64 = 100;
/// Lines of history shown before a failure is handed over.
const HISTORY_SHOWN: usize = 60;

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, it is {text:?}")))
}

fn seeds() -> RangeInclusive<u64> {
    match number_from("SIGNALPOST_SIM_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number_from("SIGNALPOST_SIM_SEEDS").unwrap_or(SEEDS),
    }
}

fn check(seed: u64) {
    let report = run(seed, Plant::Nothing);
    if !report.findings.is_empty() {
        let from = report.history.len().saturating_sub(HISTORY_SHOWN);
        let tail = report.history[from..].join("\n");
        panic!("{report}\nhistory ends:\n{tail}\n\nagain: SIGNALPOST_SIM_SEED={seed}");
    }
}

#[test]
fn worlds_with_odd_seeds_keep_every_promise() {
    seeds().filter(|seed| seed % 2 == 1).for_each(check);
}

#[test]
fn worlds_with_even_seeds_keep_every_promise() {
    seeds().filter(|seed| seed % 2 == 0).for_each(check);
}

#[test]
fn worlds_that_once_found_something_find_nothing_any_more() {
    let lines = include_str!("corpus.txt").lines().filter(|line| !line.starts_with('#'));
    let seeds: Vec<u64> = lines
        .map(|line| line.split_whitespace().next().expect("no empty lines").parse().expect("a seed first"))
        .collect();
    assert!(!seeds.is_empty());
    seeds.into_iter().for_each(check);
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in [3, 19, 24, 44] {
        let [one, other]: [Report; 2] = [(); 2].map(|()| run(seed, Plant::Nothing));
        let differ = one.history.iter().zip(&other.history).find(|(one, other)| one != other);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!((one.digest, one.history.len()), (other.digest, other.history.len()), "seed {seed}");
        assert!(one.requests > 100, "seed {seed} is too quiet to show anything");
    }
    assert_ne!(run(3, Plant::Nothing).digest, run(4, Plant::Nothing).digest);
}

#[test]
fn worlds_are_not_empty() {
    let reports: Vec<Report> = (1..=40).map(|seed| run(seed, Plant::Nothing)).collect();
    let sum = |count: fn(&Report) -> usize| reports.iter().map(count).sum::<usize>();
    assert!(sum(|report| report.requests) > 5_000);
    assert!(reports.iter().map(|report| report.processes).sum::<u32>() > 50);
    let shows =
        |words: &str| reports.iter().any(|report| report.history.iter().any(|line| line.contains(words)));
    let expected = [
        "is killed",
        "has stopped, store closed: true",
        "the wall clock jumps",
        "the store is out",
        "cut off",
        "erased workspace",
        "life: Deleted",
        "life: Disabled",
        "rotated: Ok",
        "revoked: Ok",
        "order.*",
        "ends: timeout",
        "ends: success",
        "conflict",
        "idempotency_key_reused",
        "whatever its status",
        "several lost ones of",
    ];
    for words in expected {
        assert!(shows(words), "no world shows {words:?}");
    }
}
