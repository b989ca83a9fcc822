//! The proof: the real store at work on a disk whose power is cut.
//!
//! Each course records what the store writes while it works, and what its callers are told at which moment. Then it is
//! opened, by its ordinary code, on what a disk may hold after a power loss at this moment and that, and must show all
//! that was told; what was not told yet is there as a whole or not at all. The same with a store that does not sync has to
//! fail, or the proof would see nothing.

mod caller;
mod callers;
mod copies;
mod course;
mod judge;
mod place;
mod recovery;
mod sweep;
mod upgrade;
mod verbs;

use std::fmt;
use std::sync::Mutex;

use signalpost_testkit::Rng;

use course::Course;
use place::Syncing;
pub use sweep::Tally;
use sweep::sweep;

use crate::Syncs;

/// What is tried. The same plan cuts at the same places, but where threads decide what shares a commit.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seed: u64,
    /// Cuts that must lose nothing.
    pub cuts: usize,
    /// Cuts of stores that do not sync.
    pub control_cuts: usize,
    /// Threads that cut.
    pub threads: usize,
}

/// What came of a plan, course by course.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub courses: Vec<(&'static str, Tally)>,
    /// Ways of not syncing: what SQLite wrote without what it synced, and SQLite asked not to sync.
    pub controls: Vec<(&'static str, Tally)>,
}

/// One kind of course and what share of the cuts it gets.
struct Kind {
    /// Sets its courses apart from those of other kinds.
    number: u64,
    name: &'static str,
    /// Of a hundred.
    share: usize,
    /// Courses of this kind that are recorded for a thousand cuts of the plan: each differs from the others by its seed.
    logs: usize,
    record: fn(seed: u64, syncing: Syncing) -> Result<Course, String>,
}

const KINDS: &[Kind] = &[
    Kind { number: 1, name: "every verb, one after the other", share: 40, logs: 6, record: verbs::record },
    Kind { number: 2, name: "callers at once, group commit", share: 30, logs: 4, record: callers::record },
    Kind {
        number: 3,
        name: "power lost again while recovering",
        share: 15,
        logs: 12,
        record: recovery::record,
    },
    Kind { number: 4, name: "an older schema migrated", share: 6, logs: 2, record: upgrade::record },
    Kind { number: 5, name: "a backup", share: 4, logs: 1, record: copies::record_backup },
    Kind { number: 6, name: "a restore", share: 5, logs: 1, record: copies::record_restore },
];

/// Carries a plan out. An error is a course that could not be recorded.
pub fn run(plan: Plan) -> Result<Report, String> {
    crate::install();
    let mut report = Report::default();
    for kind in KINDS {
        let tally = run_kind(plan, kind, plan.cuts * kind.share / 100, Syncing::AsEver)?;
        report.courses.push((kind.name, tally));
    }
    for (name, syncing) in
        [("syncs that do nothing", Syncing::Ignored), ("synchronous = OFF", Syncing::SwitchedOff)]
    {
        let mut all = Tally::default();
        for kind in &KINDS[..2] {
            all.add(run_kind(plan, kind, plan.control_cuts / 4, syncing)?);
        }
        report.controls.push((name, all));
    }
    Ok(report)
}

fn run_kind(plan: Plan, kind: &Kind, cuts: usize, syncing: Syncing) -> Result<Tally, String> {
    let logs = (kind.logs * plan.cuts / 1_000).clamp(1, cuts.max(1));
    let mut rng = Rng::new(plan.seed ^ kind.number);
    let waiting = Mutex::new((0..logs).map(|_| rng.next_u64()).collect::<Vec<u64>>());
    let outcome = Mutex::new(Ok(Tally::default()));
    let next = || waiting.lock().expect("nobody panics while taking").pop();
    std::thread::scope(|scope| {
        for _ in 0..plan.threads.max(1) {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    let done = (kind.record)(seed, syncing).map(|course| {
                        let syncs =
                            if syncing == Syncing::Ignored { Syncs::Forgotten } else { Syncs::Honoured };
                        sweep(&course, cuts.div_ceil(logs), seed, syncs)
                    });
                    let mut outcome = outcome.lock().expect("nobody panics while adding");
                    match (done, &mut *outcome) {
                        (Ok(tally), Ok(all)) => all.add(tally),
                        (Err(error), _) => *outcome = Err(format!("{}, seed {seed}: {error}", kind.name)),
                        (Ok(_), Err(_)) => {}
                    }
                }
            });
        }
    });
    outcome.into_inner().expect("nobody panics while adding")
}

impl Report {
    /// All courses together.
    pub fn total(&self) -> Tally {
        let mut all = Tally::default();
        self.courses.iter().for_each(|(_, tally)| all.add(tally.clone()));
        all
    }

    /// Nothing lost where everything is synced, and in every way of not syncing a row that was acknowledged. That
    /// such a store cannot be read any more would not show that the proof looks for rows.
    pub fn holds(&self) -> bool {
        let total = self.total();
        total.cuts > 0 && total.lost() == 0 && self.controls.iter().all(|(_, tally)| tally.missing > 0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, tally) in &self.courses {
            writeln!(f, "{name}: {tally}; a log began anew {} times", tally.wraps)?;
            tally.losses.iter().take(5).try_for_each(|loss| writeln!(f, "  - {loss}"))?;
        }
        for (name, tally) in &self.controls {
            writeln!(f, "control, {name}: {tally}, in {} of them an acknowledged row", tally.missing)?;
        }
        write!(f, "{}", self.total())
    }
}
