//! The simulator's own tests: worlds without findings, the same history for the same seed, and planted faults that
//! the auditor must see (`plants`).
//!
//! `SIGNALPOST_SIM_SEED=N` runs one world, `SIGNALPOST_SIM_SEEDS=N` as many as wanted.

mod plants;
mod shelf;

use std::ops::RangeInclusive;
use std::process::Command;

use signalpost_core::limits::{CORE_IN_FLIGHT_MAX, SLOW_PARTS};
use signalpost_sim::{Plant, Report, no_faults, run, run_alone};
use signalpost_testkit::TempDir;

/// Worlds in an ordinary run of the tests.
const SEEDS: u64 = 100;
/// Under which a process is told where to write a history.
const HISTORY: &str = "SIGNALPOST_SIM_HISTORY";
/// Worlds among which every kind of trouble occurs.
const VARIED_SEEDS: RangeInclusive<u64> = 1..=96;
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
    judge(&run(seed, Plant::Nothing));
}

fn judge(report: &Report) {
    if !report.findings.is_empty() {
        let from = report.history.len().saturating_sub(HISTORY_SHOWN);
        let tail = report.history[from..].join("\n");
        panic!("{report}\nhistory ends:\n{tail}\n\nagain: SIGNALPOST_SIM_SEED={}", report.seed);
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
    for seed in seeds {
        check(seed);
        // What they found, they found with one node.
        judge(&run_alone(seed));
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in [7, 19, 26, 44] {
        let [one, other]: [Report; 2] = [(); 2].map(|()| run(seed, Plant::Nothing));
        let differ = one.history.iter().zip(&other.history).find(|(one, other)| one != other);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!((one.digest, one.history.len()), (other.digest, other.history.len()), "seed {seed}");
        assert!(one.requests > 100, "seed {seed} is too quiet to show anything");
    }
    assert_ne!(run(7, Plant::Nothing).digest, run(4, Plant::Nothing).digest);
}

/// Whatever differs between processes, such as the order of a hash map, must not reach a history.
#[test]
fn two_processes_tell_the_same_history() {
    const SEED: u64 = 19;
    if let Some(path) = std::env::var_os(HISTORY) {
        let report = run(SEED, Plant::Nothing);
        std::fs::write(path, format!("{}\n{report}", report.history.join("\n")))
            .expect("its parent made room");
        return;
    }
    let folder = TempDir::new().expect("there is a place for temporary files");
    let told = ["one", "other"].map(|name| {
        let path = folder.path().join(name);
        let mut process = Command::new(std::env::current_exe().expect("a running program has a path"));
        process.args(["--exact", "two_processes_tell_the_same_history"]).env(HISTORY, &path);
        let output = process.output().expect("a program that runs can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        std::fs::read(path).expect("it wrote its history")
    });
    assert!(told[0].len() > 10_000, "a history of {} bytes", told[0].len());
    assert!(told[0] == told[1], "two processes tell different histories of one seed");
}

#[test]
fn worlds_are_not_empty() {
    let reports: Vec<Report> = VARIED_SEEDS.map(|seed| run(seed, Plant::Nothing)).collect();
    let sum = |count: fn(&Report) -> usize| reports.iter().map(count).sum::<usize>();
    assert!(sum(|report| report.requests) > 5_000);
    assert!(sum(|report| report.kills) > 50);
    assert!(sum(|report| report.duplicates) > 50);
    let mut faults = no_faults();
    for (kind, count) in reports.iter().flat_map(|report| &report.faults) {
        *faults.entry(*kind).or_default() += count;
    }
    let never: Vec<_> = faults.iter().filter(|(_, count)| **count == 0).collect();
    assert!(never.is_empty(), "no world shows {never:?}");
    let crowded = reports.iter().map(|report| report.in_flight_most).max().unwrap_or_default();
    // All that one workspace may have under way to receivers that hang.
    let share = CORE_IN_FLIGHT_MAX / SLOW_PARTS / 2;
    assert!(
        (share..=CORE_IN_FLIGHT_MAX).contains(&crowded),
        "a crowd that hangs takes half of its pool: {crowded}"
    );
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
        "filter: Some",
        "in_flight: Some",
        "rate: Some",
        "is ended: Ok",
        "the feed of",
        "ends: timeout",
        "ends: success",
        "conflict",
        "idempotency_key_reused",
        "whatever its status",
        "several lost ones of",
        "stands still",
        "cannot reach the store",
        "gives up groups",
        "has lost its place",
    ];
    for words in expected {
        assert!(shows(words), "no world shows {words:?}");
    }
}
