//! Worlds on the real store's file, whose disk loses its power now and then.

use std::any::Any;
use std::panic::catch_unwind;

use signalpost_sim::{Keeps, Plant, Report, run, run_on};

fn on_file(seed: u64) -> Report {
    run_on(seed, Plant::Nothing, Keeps::File)
}

fn shows(report: &Report, words: &str) -> bool {
    report.history.iter().any(|line| line.contains(words))
}

#[test]
fn worlds_on_a_file_keep_every_promise_whatever_the_power_does() {
    let reports: Vec<Report> = [3, 8, 10, 18, 24, 26, 31, 34].map(on_file).into();
    for report in &reports {
        assert!(report.findings.is_empty(), "{report}");
    }
    let losses = |report: &Report| {
        report.history.iter().filter(|line| line.ends_with("and the power is lost")).count()
    };
    assert!(reports.iter().map(losses).sum::<usize>() > 10);
    assert!(reports.iter().any(|report| shows(report, "store closed: true, and the power is lost")));
}

#[test]
fn the_same_seed_gives_the_same_history_on_a_file_too() {
    for seed in [8, 26] {
        let [one, other] = [(); 2].map(|()| on_file(seed));
        let differ = one.history.iter().zip(&other.history).find(|(one, other)| one != other);
        assert_eq!((differ, one.digest), (None, other.digest), "seed {seed}");
    }
}

#[test]
fn seeds_draw_both_and_memory_stays_as_it_was() {
    let drawn: Vec<(u64, Report)> = (13..=24).map(|seed| (seed, run(seed, Plant::Nothing))).collect();
    let (file, memory): (Vec<_>, Vec<_>) =
        drawn.iter().partition(|(_, report)| shows(report, "the data is in a file"));
    assert!(!file.is_empty() && file.len() < memory.len(), "{} of {}", file.len(), drawn.len());
    let (seed, report) = memory.first().expect("most are in memory");
    assert_eq!(run_on(*seed, Plant::Nothing, Keeps::Memory).digest, report.digest);
}

/// With the same losses of power and a store that syncs there are no findings. What is left may not even open, which is
/// noticed as well, by the words with which a process says so; whatever else breaks is no catch.
#[test]
fn a_store_that_does_not_sync_is_seen() {
    let seeds = [18, 24, 26, 31];
    let seen = seeds.into_iter().filter(|seed| {
        let run = || run_on(*seed, Plant::Nothing, Keeps::FileUnsynced);
        match catch_unwind(run) {
            Ok(report) => !report.findings.is_empty(),
            Err(panic) => says(panic.as_ref(), "a store opens, whatever has befallen it"),
        }
    });
    assert!(seen.count() >= 3, "of {seeds:?}");
}

fn says(panic: &(dyn Any + Send), words: &str) -> bool {
    panic.downcast_ref::<String>().is_some_and(|text| text.contains(words))
}
