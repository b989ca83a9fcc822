//! The ledger on the real binary: events are published and webhooks changed without pause, while the server is killed,
//! stopped, frozen, starved of disk and lied to about the time. What arrives is compared with what was promised, and with
//! what the server says of it.

mod book;
mod call;
mod chronicle;
mod chronicles;
mod desk;
mod disk;
mod events;
mod faults;
mod heartbeat;
mod judge;
mod ledger;
mod manager;
mod plan;
mod proof;
mod publish;
mod record;
mod report;
mod stage;
mod stopwatch;
mod strange_clock;
mod trouble;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use book::Book;
use chronicles::Chronicles;
use faults::Faults;
use heartbeat::Heartbeat;
use judge::{Evidence, Finding, Judgement, judge};
use ledger::Hook;
use manager::Manager;
use plan::Dealer;
pub(crate) use plan::{Length, StoreKind};
use publish::{Load, Publishers, Pulse};
use record::Record;
use report::Report;
use serde_json::Value;
use signalpost_testkit::{Operator, Server};
use stage::Stage;
use trouble::Trouble;

use crate::args::Args;
use crate::{Outcome, Task, release};

pub(crate) const TASK: Task = Task {
    name: "torture",
    summary: "kill, stop, freeze and starve the server under load, and count what was lost",
    help: "Usage: cargo xtask torture [options]

  --minutes N      how long trouble is made (default 2)
  --cycles N       so many troubles instead
  --rate N         events published per second, whatever the server does (default 400)
  --connections N  connections that publish (default 8)
  --seed N         repeats the troubles of an earlier run (default: from the clock; it is printed)
  --store NAME     where the server keeps its data: sqlite (default), or postgres, of which a server is started
  --nodes N        so many servers on one database, 1 (default) to 5; with --store postgres
  --binary FILE    takes this binary instead of building one
  --json           prints the result as JSON
  --record FILE    adds the run to the table in this file, such as docs/proof.md

Kinds of trouble: kill -9, also before the server is ready and after a long life; SIGTERM; SIGSTOP; a disk that is nearly or quite full; data
that cannot be written to, files of wrong modes; a wall clock that steps and runs fast; receivers that go away; with --store postgres crashes and restarts of the database instead of troubles with files. With
several nodes each befalls one of them, and there are kills of all but one, and freezes that outlive a lease. As root
all of them are made, with the data on a filesystem of their own and the server running as nobody; otherwise those that
are left out are named. The clock needs libfaketime.

Fails when an acknowledged event did not arrive without a true reason on record, when one came twice that nothing kept
from being recorded, when something was sent to a webhook after its end was answered, when a signature or its time is
wrong, when the server's own list tells another story, and when troubles were so dense that they excuse most of what
came. The last line reads `lost 0`.",
    run: run_task,
};

const MINUTES_DEFAULT: u32 = 2;
/// More of them than there are processors show nothing further.
const NODES_MAX: usize = 5;
/// Time without any arrival after which what is owed counts as pending for good. What was put off while the clock was
/// ahead comes later than its delay by so much.
const DRAIN_STALL: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often a line says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(60);

/// How hard, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) length: Length,
    pub(crate) rate_per_s: u32,
    pub(crate) connections: u32,
    pub(crate) seed: u64,
    pub(crate) store: StoreKind,
    /// Servers on one database.
    pub(crate) nodes: usize,
}

impl Plan {
    /// Every kind of trouble once.
    pub(crate) fn short(store: StoreKind) -> Self {
        Self {
            length: Length::EachOnce,
            rate_per_s: 400,
            connections: 8,
            seed: seed_from_clock(),
            store,
            nodes: 1,
        }
    }
}

fn run_task(mut args: Args) -> Outcome {
    let minutes: Option<u32> = args.value("--minutes")?;
    let cycles: Option<u32> = args.value("--cycles")?;
    let length = match (minutes, cycles) {
        (Some(_), Some(_)) => return Err("--minutes and --cycles exclude each other".to_owned()),
        (None, Some(cycles)) => Length::Cycles(cycles),
        (minutes, None) => Length::Minutes(minutes.unwrap_or(MINUTES_DEFAULT)),
    };
    let plan = Plan {
        length,
        rate_per_s: args.value_or("--rate", 400)?,
        connections: args.value_or("--connections", 8)?,
        seed: args.value_or("--seed", seed_from_clock())?,
        store: StoreKind::from_name(&args.value_or("--store", "sqlite".to_owned())?)?,
        nodes: args.value_or("--nodes", 1)?,
    };
    // Before a binary is built, which takes a while.
    check_nodes(plan.nodes, plan.store)?;
    let as_json = args.switch("--json");
    let table: Option<PathBuf> = args.value("--record")?;
    let binary = release::chosen(&mut args)?;
    args.finish()?;
    if plan.rate_per_s == 0 || plan.connections == 0 {
        return Err("--rate and --connections are at least 1".to_owned());
    }
    let commit = table.is_some().then(proof::commit).transpose()?.unwrap_or_default();
    let report = run(plan, &binary)?;
    if as_json {
        println!("{}", report.to_json());
    } else {
        println!("{report}");
    }
    if let Some(table) = table {
        proof::append(&table, &report, &commit)?;
    }
    println!("{}", report.last_line());
    report.verdict()
}

fn check_nodes(nodes: usize, store: StoreKind) -> Outcome {
    if !(1..=NODES_MAX).contains(&nodes) {
        return Err(format!("--nodes is 1 to {NODES_MAX}"));
    }
    if nodes > 1 && store != StoreKind::Postgres {
        return Err(
            "several servers work beside each other on one database only: --store postgres".to_owned()
        );
    }
    Ok(())
}

/// A seed that no two runs share.
fn seed_from_clock() -> u64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos() & u128::from(u64::MAX >> 1)).unwrap_or_default()
}

/// Makes all troubles, waits until nothing is owed any more, and judges.
pub(crate) fn run(plan: Plan, binary: &Path) -> Result<Report, String> {
    println!("{:?} at {} events/s, seed {}", plan.length, plan.rate_per_s, plan.seed);
    let mut stage = Stage::set(binary, &plan)?;
    let skipped = skipped(&stage);
    skipped.iter().for_each(|text| println!("SKIPPED: {text}"));
    let heartbeat =
        Heartbeat::start(stage.ledger.stopwatch, stage.steady_address(), &stage.beside_the_data());
    let heartbeat = heartbeat.map_err(|error| format!("the disk cannot be watched: {error}"))?;
    let (faults, pulse) = (Arc::new(Faults::default()), Arc::new(Pulse::default()));
    let load = Load {
        operators: stage.servers.iter().map(Server::operator_address).collect(),
        key: stage.operator_key().to_owned(),
        workspaces: stage.workspaces.clone(),
        stopwatch: stage.ledger.stopwatch,
        faults: Arc::clone(&faults),
        pulse: Arc::clone(&pulse),
        seed: plan.seed,
        stored_late_ms: plan::done_late_ms(plan.nodes),
    };
    let publishers = Publishers::start(&load, plan.connections, plan.rate_per_s);
    let (ledger, url) = (Arc::clone(&stage.ledger), stage.failing_url());
    let manager = Manager::start(stage.desks(), ledger, Arc::clone(&faults), url, plan.seed);
    let mut chronicles = make_trouble(plan, &mut stage, &faults, pulse)?;
    let minutes = stage.ledger.stopwatch.elapsed().as_secs_f64() / 60.0;
    println!("the troubles are over after {minutes:.1} min; what is owed goes out");
    let book = publishers.finish()?;
    let changes = manager.finish()?;
    drain(&stage)?;
    let drained_s = stage.ledger.stopwatch.elapsed().as_secs_f64() - minutes * 60.0;
    println!("nothing moves any more after {drained_s:.1} s");

    let standstills = heartbeat.finish()?;
    chronicles.note_standstills(&standstills.stalls, &standstills.slow_syncs);
    let hooks = stage.ledger.hooks();
    let judgement = compare(&stage, &book, &hooks, &chronicles)?;
    let named = judgement.findings.iter().map(|finding| look_at(&stage, &book, &hooks, finding)).collect();
    let hand_overs = stage.hand_overs();
    end(&mut stage, binary, &faults)?;
    Ok(Report {
        seed: plan.seed,
        minutes,
        counts: chronicles.counts(),
        kills_by_node: chronicles.kills_by_node(),
        hand_overs,
        stalls: chronicles.stalls().len(),
        stall_ms_sum: chronicles.stalls().iter().map(|stall| stall.length()).sum(),
        stall_ms_max: chronicles.stalls().iter().map(|stall| stall.length()).max().unwrap_or_default(),
        slow_syncs: chronicles.slow_syncs().len(),
        slow_sync_ms_max: chronicles.slow_syncs().iter().map(|sync| sync.length()).max().unwrap_or_default(),
        acknowledged: book.acknowledged(),
        repeated_calls: book.repeated,
        replayed_calls: book.replayed,
        refused_calls: book.refused_calls,
        changes,
        judgement,
        named,
        faults: faults.count(),
        first_fault: faults.first(),
        skipped,
        machine: proof::machine(&stage.place()),
    })
}

/// What this machine keeps us from, loudly.
fn skipped(stage: &Stage) -> Vec<String> {
    let missing = &stage.missing;
    // Troubles with files befall files.
    let of_files = |why: &Option<String>| why.clone().filter(|_| stage.database.is_none());
    let disk = of_files(&missing.disk).map(|why| format!("full disks and unwritable data: {why}"));
    let clock = missing.clock.as_ref().map(|why| format!("bent clocks: {why}"));
    let user = of_files(&missing.user).map(|why| format!("files of wrong modes: {why}"));
    [disk, clock, user].into_iter().flatten().collect()
}

/// Until the plan is fulfilled. Ends with the server up and ready.
fn make_trouble(
    plan: Plan,
    stage: &mut Stage,
    faults: &Arc<Faults>,
    pulse: Arc<Pulse>,
) -> Result<Chronicles, String> {
    let mut dealer = Dealer::new(plan.seed, plan.length, plan.store, plan.nodes);
    let mut trouble = Trouble::new(stage, Arc::clone(faults), pulse);
    let started = Instant::now();
    let mut told_at = started;
    for number in 0.. {
        let is_over = match plan.length {
            Length::Minutes(minutes) => started.elapsed() >= Duration::from_secs(60) * minutes,
            Length::Cycles(cycles) => number >= cycles as usize,
            Length::EachOnce => number >= dealer.deck_size(),
        };
        if is_over {
            break;
        }
        let card = dealer.deal();
        trouble.make(card).map_err(|error| format!("{}: {error}", card.kind))?;
        if told_at.elapsed() >= PROGRESS_EVERY {
            told_at = Instant::now();
            let acknowledged = trouble.pulse.acknowledged.load(std::sync::atomic::Ordering::SeqCst);
            let kills = trouble.chronicles.counts().kills;
            let minutes = started.elapsed().as_secs() / 60;
            println!("{minutes} min: {kills} kills, {acknowledged} events acknowledged");
        }
    }
    trouble.end()?;
    Ok(trouble.chronicles)
}

/// Waits until no delivery is pending, or nothing moves any more.
fn drain(stage: &Stage) -> Result<(), String> {
    let mut operator = stage.operator();
    for workspace in &stage.workspaces {
        let (mut arrivals, mut moved_at) = (stage.ledger.arrivals(), Instant::now());
        // A stall is no error here: what is pending is counted and told.
        while is_owed_something(&mut operator, workspace)? && moved_at.elapsed() < DRAIN_STALL {
            if stage.ledger.arrivals() > arrivals {
                (arrivals, moved_at) = (stage.ledger.arrivals(), Instant::now());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
    Ok(())
}

/// A page of a filtered list may be empty and still have a next one.
fn is_owed_something(operator: &mut Operator, workspace: &str) -> Result<bool, String> {
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/workspaces/{workspace}/deliveries?status=pending&limit=1{cursor}");
        let page = operator.get(&path)?;
        if !page["data"].as_array().is_some_and(Vec::is_empty) {
            return Ok(true);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(false),
        }
    }
}

fn compare(stage: &Stage, book: &Book, hooks: &[Hook], chronicles: &Chronicles) -> Result<Judgement, String> {
    let arrivals = stage.ledger.take_arrivals();
    println!("{} arrivals; the server's own list is read", arrivals.len());
    let record = Record::read(&mut stage.operator(), &stage.workspaces, book, hooks, &arrivals)?;
    Ok(judge(Evidence { book, hooks, arrivals, record: &record, chronicle: chronicles }))
}

/// A finding in words, with what the server says of it: it is still there to be asked.
fn look_at(stage: &Stage, book: &Book, hooks: &[Hook], finding: &Finding) -> String {
    let what = finding.violation.words();
    let Finding { number, note, .. } = finding;
    let hook = finding.hook.and_then(|hook| hooks.get(usize::from(hook))?.id.clone());
    let Some(event) = book.get(*number).filter(|event| !event.id.is_empty()) else {
        return format!("{what}: event {number}: {note}");
    };
    let workspace = &stage.workspaces[event.workspace];
    let mut path = format!("/v1/workspaces/{workspace}/events/{}/explain", event.id);
    if let Some(hook) = hook {
        path.push_str(&format!("?webhook={hook}"));
    }
    let answer = stage.operator().get(&path);
    let because = |answer: Value| answer["data"][0]["because"].to_string();
    let says = answer.map_or_else(|error| error, because);
    let Some(place) = finding.hook else { return format!("{what}: event {number}: {note}; {path}: {says}") };
    let changes = &hooks[usize::from(place)].changes;
    format!(
        "{what}: event {number} at webhook {place}, sent from {} to {} ms: {note}; GET {path}: {says}; {changes:?}",
        event.asked.from, event.asked.to
    )
}

/// Stops every server in order, and looks at their logs and at the database as a whole.
fn end(stage: &mut Stage, binary: &Path, faults: &Faults) -> Outcome {
    for server in &mut stage.servers {
        let log = std::fs::read_to_string(server.log_path()).unwrap_or_default();
        if let Some(line) = log.lines().find(|line| line.contains("panicked")) {
            faults.add(format!("a thread panicked: {line}"));
        }
        let status = server.stop(release::START_TIMEOUT)?;
        if !status.success() {
            faults.add(format!("at last the server ended with {status}"));
        }
    }
    if stage.database.is_some() {
        return Ok(());
    }
    let output = Command::new(binary).args(["db", "check", "--data"]).arg(stage.servers[0].data()).output();
    let output = output.map_err(|error| format!("db check cannot be started: {error}"))?;
    if !output.status.success() {
        faults.add(format!("db check found: {}", String::from_utf8_lossy(&output.stdout)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_servers_need_a_database() {
        assert_eq!(check_nodes(1, StoreKind::Sqlite), Ok(()));
        assert_eq!(check_nodes(NODES_MAX, StoreKind::Postgres), Ok(()));
        assert!(check_nodes(2, StoreKind::Sqlite).is_err_and(|error| error.contains("--store postgres")));
        assert!(check_nodes(0, StoreKind::Postgres).is_err());
        assert!(check_nodes(NODES_MAX + 1, StoreKind::Postgres).is_err());
    }
}
