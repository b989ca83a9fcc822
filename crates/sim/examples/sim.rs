//! Runs worlds: `--seed N` prints the whole history of one, `--seeds N [--from M]` or `--minutes N` a summary of many,
//! each world on one of `--jobs J` threads.
//!
//! `cargo xtask sim` builds it for speed and passes its options on.

#![expect(
    clippy::disallowed_methods,
    reason = "it stands outside of all worlds: it measures real time, on real threads"
)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signalpost_sim::{Counts, Plant, Report, no_faults, run};

const USAGE: &str =
    "usage: sim --seed N | --seeds N [--from M] [--jobs J] | --minutes N [--from M] [--jobs J]";
/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match parse(&words) {
        Ok(Wish::One(seed)) => one(seed),
        Ok(Wish::Many(plan)) => many(plan),
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

enum Wish {
    One(u64),
    Many(Plan),
}

#[derive(Clone, Copy)]
struct Plan {
    from: u64,
    /// Without end when `None`.
    seeds: Option<u64>,
    time: Option<Duration>,
    jobs: u64,
}

fn parse(words: &[String]) -> Result<Wish, String> {
    let mut given: BTreeMap<&str, u64> = BTreeMap::new();
    for pair in words.chunks(2) {
        let [name, value] = pair else { return Err(format!("{} needs a value", pair[0])) };
        let value = value.parse().map_err(|_| format!("`{value}` does not fit {name}"))?;
        given.insert(name, value);
    }
    let mut take = |name| given.remove(name);
    let (seed, seeds, minutes) = (take("--seed"), take("--seeds"), take("--minutes"));
    let (from, jobs) = (take("--from"), take("--jobs"));
    if let Some(name) = given.keys().next() {
        return Err(format!("{name} is not known here"));
    }
    let cores = || thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let jobs = jobs.unwrap_or_else(cores).max(1);
    if let Some((name, _)) =
        [("--seeds", seeds), ("--minutes", minutes)].into_iter().find(|(_, given)| *given == Some(0))
    {
        return Err(format!("{name} 0 looks at no world"));
    }
    match (seed, seeds, minutes) {
        (Some(seed), None, None) => Ok(Wish::One(seed)),
        (None, Some(seeds), None) => {
            Ok(Wish::Many(Plan { from: from.unwrap_or(1), seeds: Some(seeds), time: None, jobs }))
        }
        (None, None, Some(minutes)) => {
            let time = Some(Duration::from_secs(60 * minutes));
            Ok(Wish::Many(Plan { from: from.unwrap_or_else(fresh), seeds: None, time, jobs }))
        }
        _ => Err("one of --seed, --seeds and --minutes is needed".to_owned()),
    }
}

/// A first seed that no earlier run is likely to have come near.
fn fresh() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() * 1_000
}

fn one(seed: u64) -> ExitCode {
    let report = run(seed, Plant::Nothing);
    report.history.iter().for_each(|line| println!("{line}"));
    println!("{report}");
    exit(report.findings.len() as u64)
}

/// What is kept of a world whose history is not wanted.
struct World {
    seed: u64,
    /// Absent when the run itself broke.
    report: Option<Report>,
    problem: Option<String>,
}

fn look_at(seed: u64) -> World {
    match catch_unwind(AssertUnwindSafe(|| run(seed, Plant::Nothing))) {
        Ok(report) => {
            let problem = (!report.findings.is_empty()).then(|| report.to_string());
            World { seed, report: Some(Report { history: Vec::new(), ..report }), problem }
        }
        Err(_) => World { seed, report: None, problem: Some(format!("seed {seed} panicked, see above\n")) },
    }
}

fn many(plan: Plan) -> ExitCode {
    let began = Instant::now();
    let next = AtomicU64::new(plan.from);
    let goes_on = |seed: u64| {
        plan.seeds.is_none_or(|seeds| seed - plan.from < seeds)
            && plan.time.is_none_or(|time| began.elapsed() < time)
    };
    let (tell, told) = mpsc::channel();
    let mut sums = Sums::new();
    thread::scope(|scope| {
        for _ in 0..plan.jobs {
            let tell: Sender<World> = tell.clone();
            scope.spawn(|| {
                let tell = tell;
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    // Nobody listens any more only when the main thread has died.
                    if !goes_on(seed) || tell.send(look_at(seed)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        let mut waiting: BTreeMap<u64, World> = BTreeMap::new();
        let (mut due, mut shown) = (plan.from, Instant::now());
        loop {
            match told.recv_timeout(PROGRESS) {
                Ok(world) => drop(waiting.insert(world.seed, world)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while let Some(world) = waiting.remove(&due) {
                sums.add(world);
                due += 1;
            }
            if shown.elapsed() >= PROGRESS {
                shown = Instant::now();
                let seconds = began.elapsed().as_secs();
                eprintln!("{} seeds after {seconds} s, {} with findings", sums.seeds, sums.failed);
            }
        }
        waiting.into_values().for_each(|world| sums.add(world));
    });
    sums.show(plan, began.elapsed());
    exit(sums.failed)
}

struct Sums {
    seeds: u64,
    failed: u64,
    events: usize,
    requests: usize,
    duplicates: usize,
    in_flight_most: usize,
    processes: u64,
    kills: usize,
    simulated_us: u64,
    faults: Counts,
}

impl Sums {
    fn new() -> Self {
        Self {
            seeds: 0,
            failed: 0,
            events: 0,
            requests: 0,
            duplicates: 0,
            in_flight_most: 0,
            processes: 0,
            kills: 0,
            simulated_us: 0,
            faults: no_faults(),
        }
    }

    /// Takes in a world, and shows it if something was found.
    fn add(&mut self, world: World) {
        self.seeds += 1;
        if let Some(problem) = world.problem {
            self.failed += 1;
            println!("{problem}  again: cargo xtask sim --seed {}\n", world.seed);
        }
        let Some(report) = world.report else { return };
        self.events += report.events;
        self.requests += report.requests;
        self.duplicates += report.duplicates;
        self.in_flight_most = self.in_flight_most.max(report.in_flight_most);
        self.processes += u64::from(report.processes);
        self.kills += report.kills;
        self.simulated_us += report.simulated_us;
        for (kind, count) in report.faults {
            *self.faults.entry(kind).or_default() += count;
        }
    }

    fn show(&self, plan: Plan, took: Duration) {
        let mut area_before = "";
        for ((area, kind), count) in &self.faults {
            if *area != area_before {
                println!("{area}:");
                area_before = area;
            }
            let never = if *count == 0 { "  never" } else { "" };
            println!("  {kind:<32}{count:>10}{never}");
        }
        let (seconds, hours) = (took.as_secs_f64(), self.simulated_us as f64 / 3_600e6);
        println!(
            "\n{} events, {} requests ({} again), at most {} in flight; {} processes, {} of them killed",
            self.events, self.requests, self.duplicates, self.in_flight_most, self.processes, self.kills
        );
        println!(
            "{hours:.0} hours simulated in {seconds:.1} s on {} threads: {:.1} hours a second",
            plan.jobs,
            hours / seconds
        );
        println!("{} seeds from {}, {} with findings", self.seeds, plan.from, self.failed);
    }
}

fn exit(findings: u64) -> ExitCode {
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
