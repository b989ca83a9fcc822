//! Retention, and tables that depart, on both sides while a workspace moves.

use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::id::{WorkspaceId, first_id_at};
use signalpost_core::retention::RetentionRules;
use signalpost_store::ledger::Retain;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::transfer::Bounds;

use signalpost_store_postgres::cells::{MoveError, Mover, Step};

use super::stage::FOR_EVER;
use crate::partitions::stage::{HOUR_MS, Stage};
use crate::support::say;

/// Two cells by the same clock, which the tests hold, and a third process that moves.
struct Aged {
    source: Stage,
    target: Stage,
    moved: WorkspaceId,
}

impl Aged {
    /// A workspace with twenty events in the first hour, of which every third is pending; and others on both sides.
    fn new() -> Self {
        let (source, target) = (Stage::new(), Stage::new());
        let moved = source.create(sample::workspace_with_feed(1), &[11]);
        let other = source.create(sample::workspace(2), &[21]);
        let there = target.create(sample::workspace(3), &[31]);
        for n in 0..20 {
            source.publish(moved, n * 1_000, n, &[11]);
            source.publish(other, n * 1_000, 100 + n, &[]);
            target.publish(there, n * 1_000, 200 + n, if n == 4 { &[31] } else { &[] });
        }
        source.attempt(moved, 11, |event| (event.raw() % 3 != 0).then_some(Verdict::Delivered));
        Self { source, target, moved }
    }

    /// So many events of the second half hour that a departure takes several steps.
    fn fill(stage: &Stage, workspace: i64) {
        let at = stage.time(HOUR_MS / 2).as_ms();
        let first = first_id_at(stage.time(HOUR_MS / 2));
        say(&format!(
            "INSERT INTO {}.message (id, workspace, sequence, accepted_at, time, type, targets, data)
            SELECT {first} + g, {workspace}, 1000 + g, {at}, {at}, 't', '', '' FROM generate_series(1, 3000) AS g",
            stage.place.schema
        ));
    }

    fn run(&self, stop_at: impl Fn(Step) -> bool) -> Result<(), MoveError> {
        let places = [&self.source.place, &self.target.place];
        let [source, target] = places.map(|place| place.try_open().expect("a further node"));
        let mover = Mover {
            source: (&source, "one"),
            target: (&target, "two"),
            rules: FOR_EVER,
            longest_attempt: Duration::ZERO,
            bounds: Bounds { rows: 3, bytes: 2_000 },
        };
        let mut tell = |step| match stop_at(step) {
            true => std::ops::ControlFlow::Break(()),
            false => std::ops::ControlFlow::Continue(()),
        };
        block_on(mover.run(&["ws-1".to_owned()], &mut tell)).map(drop)
    }

    fn stop(&self, at: impl Fn(Step) -> bool) {
        let stopped = self.run(at);
        assert!(matches!(stopped, Err(MoveError::Stopped)), "{stopped:?}");
    }

    fn rows(stage: &Stage) -> Vec<Vec<String>> {
        let tables = [
            "SELECT to_jsonb(t)::text FROM {s}.message t WHERE workspace = 1 ORDER BY 1",
            "SELECT to_jsonb(t)::text FROM {s}.attempt t WHERE webhook = 11 ORDER BY 1",
            "SELECT to_jsonb(t)::text FROM {s}.due t WHERE webhook = 11 ORDER BY 1",
            "SELECT to_jsonb(t)::text FROM {s}.feed t WHERE workspace = 1 ORDER BY 1",
            "SELECT to_jsonb(t)::text FROM {s}.event_key t WHERE workspace = 1 ORDER BY 1",
        ];
        tables.iter().map(|sql| stage.ask(sql)).collect()
    }

    fn is_whole(&self, before: &[Vec<String>]) {
        assert_eq!(Self::rows(&self.target), before);
        let usage = self.target.usage(self.moved);
        assert_eq!(usage.events, 20);
        assert!(before.iter().all(|rows| !rows.is_empty()), "there was something of each");
    }
}

/// Everything is old on both sides, and departs or goes row by row, at each step of the copy.
#[test]
fn nothing_that_moves_goes_with_old_tables() {
    let aged = Aged::new();
    let before = Aged::rows(&aged.source);
    let over = Stage::over(HOUR_MS);
    aged.stop(|step| matches!(step, Step::Copying { table: "attempt", .. }));
    assert_eq!(aged.source.walk(over), 20, "those of the other one went");
    assert_eq!(aged.target.walk(over), 19, "all but the one that is pending");
    assert_eq!(Aged::rows(&aged.source), before, "in the source all is there");
    aged.stop(|step| step == Step::Rehearsing);
    aged.target.walk(over + 10 * HOUR_MS);
    aged.source.walk(over + 10 * HOUR_MS);
    aged.run(|_| false).expect("it is moved");
    aged.is_whole(&before);
    assert!(aged.target.walk(over + 10 * HOUR_MS) > 0, "from here on it is as old as any");
}

/// What comes into tables that depart just then is carried with what stays.
#[test]
fn what_comes_into_tables_that_depart_stays() {
    let aged = Aged::new();
    let before = Aged::rows(&aged.source);
    let over = Stage::over(HOUR_MS);
    aged.stop(|step| matches!(step, Step::Copying { table: "message", .. }));
    Aged::fill(&aged.target, 3);
    // The departure of the first hour is under way, and has come further than what moves.
    let first = first_id_at(aged.target.time(HOUR_MS / 2));
    let further =
        format!("SELECT come_to::text FROM {{s}}.departure WHERE phase = 'carrying' AND come_to > {first}");
    while aged.target.ask(&further).is_empty() {
        assert!(aged.target.step(over).1, "it departs");
    }
    aged.stop(|step| matches!(step, Step::Comparing { .. }));
    aged.target.walk(over);
    assert_eq!(aged.target.count("departure"), 0);
    aged.run(|_| false).expect("it is moved");
    aged.is_whole(&before);
}

/// One that is under way in the source comes to its end before anything is copied: what it counts out later would be missing.
#[test]
fn tables_that_depart_from_the_source_have_gone_before() {
    let aged = Aged::new();
    let over = Stage::over(HOUR_MS);
    Aged::fill(&aged.source, 2);
    while aged.source.ask("SELECT phase FROM {s}.departure WHERE phase = 'counting'").is_empty() {
        assert!(aged.source.step(over).1, "it departs");
    }
    aged.run(|_| false).expect("it is moved");
    assert_eq!(aged.source.count("departure"), 0);
    let pending = Aged::rows(&aged.target)[0].len();
    let usage = aged.target.usage(aged.moved);
    assert_eq!(usage.events, u64::try_from(pending).expect("few"));
    assert!((1..20).contains(&pending), "{pending}");
}

/// The bound of the whole store takes what is oldest, whoever's it is, but not what moves.
#[test]
fn nothing_that_moves_goes_for_the_bound_on_bytes() {
    let aged = Aged::new();
    let before = Aged::rows(&aged.source);
    let rules = RetentionRules { bytes_max: Some(0), ..FOR_EVER };
    let squeeze = |stage: &Stage| {
        let retain = || Retain { now: stage.time(HOUR_MS), rules: rules.clone() };
        while block_on(stage.store().retain(retain())).expect("a step").more {}
    };
    aged.stop(|step| matches!(step, Step::Copying { table: "attempt", .. }));
    squeeze(&aged.source);
    squeeze(&aged.target);
    assert_eq!(aged.source.usage(WorkspaceId::from_raw(2)).events, 0, "of the other one all went");
    aged.stop(|step| step == Step::Rehearsing);
    squeeze(&aged.target);
    aged.run(|_| false).expect("it is moved");
    aged.is_whole(&before);
}
