//! The scenarios: what each one prepares, measures and finds.

mod burst;
mod half_failing;
mod matched;
mod noisy;
mod one_core;
mod outage;
mod overload;
mod storm;
mod stranger;

use serde_json::json;

use self::matched::{Later, Matched};
use super::clock::{NS_PER_S, now_ns};
use super::fill::{Gate, fill};
use super::load::Pace;
use super::phase::{Phase, Reading, Timed};
use super::plan::{Plan, Scenario};
use super::process::CpuTimes;
use super::receiver::conduct::Conduct;
use super::record::Verdict;
use super::report::{Fact, ScenarioReport};
use super::rig::Rig;
use super::schedule::Timetable;
use super::server::{Afterwards, DataDirectory, ServerProcess};
use super::tally::tally;
use super::tenants::{Matching, Tenants};
use super::{client::Connection, ledger};
use crate::cmd::Failure;
use crate::telemetry::note;

/// Events per second of an idle server.
const IDLE_EVENTS_PER_S: f64 = 20.0;
const FAN_OUT: u32 = 10;
/// Time between the plan and its first event, so that no connection begins late.
const LEAD_NS: u64 = 50_000_000;
const WEBHOOKS_A_WORKSPACE: u32 = 50;
/// Webhooks over which pending deliveries are spread, each in a workspace of its own.
const PENDING_WEBHOOKS: u32 = 100;
/// The longest that a workspace may wait for an answer, so that few attempts end while the receiver holds.
const HELD_TIMEOUT_MS: u64 = 60_000;

/// What a scenario found before the ledger is judged.
#[derive(Default)]
struct Found {
    facts: Vec<Fact>,
    phases: Vec<(Phase, Timed)>,
    /// Facts about the phases, by their positions, that need all records.
    later: Vec<Later>,
}

impl Found {
    fn fact(&mut self, name: &'static str, value: f64, unit: &'static str) {
        self.facts.push(Fact::new(name, value, unit));
    }
}

pub(super) async fn run(plan: &Plan, scenario: Scenario) -> Result<ScenarioReport, Failure> {
    note(&format!("{}: {}\n", scenario.name(), scenario.what()));
    let mut found = Found::default();
    if scenario == Scenario::Idle {
        found.facts.push(Fact::new("start to ready, empty", start_ms(plan).await?, "ms"));
    }
    let mut rig = Rig::start(plan, scenario).await?;
    let stored = plan.stored_before(scenario);
    rig.store(stored).await?;
    if stored > 0 {
        found.facts.push(Fact::new("events stored before, each delivered", stored as f64, ""));
    }
    match scenario {
        Scenario::Idle => idle(&mut rig, &mut found).await?,
        Scenario::Steady | Scenario::Stored => steady(&mut rig, 1, &mut found).await?,
        Scenario::FanOut => steady(&mut rig, FAN_OUT, &mut found).await?,
        Scenario::Webhooks => webhooks(&mut rig, &mut found).await?,
        Scenario::Pending => pending(&mut rig, &mut found).await?,
        Scenario::Noisy => noisy::run(&mut rig, &mut found).await?,
        Scenario::Burst => burst::run(&mut rig, &mut found).await?,
        Scenario::Overload => overload::run(&mut rig, &mut found).await?,
        Scenario::Storm => storm::run(&mut rig, &mut found).await?,
        Scenario::HalfFailing => half_failing::run(&mut rig, &mut found).await?,
        Scenario::OneCore => one_core::run(&mut rig, &mut found).await?,
        Scenario::Outage => outage::run(&mut rig, &mut found).await?,
        Scenario::Stranger => stranger::run(&mut rig, &mut found).await?,
    }
    conclude(rig, scenario, found).await
}

/// The median time from starting the process to its being ready.
async fn start_ms(plan: &Plan) -> Result<f64, Failure> {
    let mut times = Vec::new();
    for number in 0..plan.starts {
        let data = DataDirectory::make(plan, &format!("start-{number}"), Afterwards::Remove)?;
        times.push(ServerProcess::start(&data).await?.start_ns);
    }
    times.sort_unstable();
    Ok(times[times.len() / 2] as f64 / 1e6)
}

async fn idle(rig: &mut Rig<'_>, found: &mut Found) -> Result<(), Failure> {
    rig.settle().await?;
    found.facts.push(Fact::new("resident at rest", resident_mib(rig)?, "MiB"));
    let routes = rig.add(one_workspace(1)).await?;
    let rate = rig.plan.rate.unwrap_or(IDLE_EVENTS_PER_S);
    let phase = rig.measure("low rate", routes, timetable(rig.plan, rate)).await?;
    found.phases.push((phase, Timed::Yes));
    Ok(())
}

async fn steady(rig: &mut Rig<'_>, fan_out: u32, found: &mut Found) -> Result<(), Failure> {
    let routes = rig.add(one_workspace(fan_out)).await?;
    let (name, rate) = match rig.plan.rate {
        Some(rate) => ("at the rate", rate),
        None => {
            let saturation = rig.measure("saturation", routes.clone(), closed(rig.plan)).await?;
            let half = saturation.deliveries_per_s() / f64::from(fan_out) / 2.0;
            found.phases.push((saturation, Timed::No));
            ("half of it", half)
        }
    };
    found.facts.push(Fact::new("events due at", rate, "/s"));
    let paced = rig.measure(name, routes, timetable(rig.plan, rate)).await?;
    found.phases.push((paced, Timed::Yes));
    Ok(())
}

async fn webhooks(rig: &mut Rig<'_>, found: &mut Found) -> Result<(), Failure> {
    rig.settle().await?;
    found.facts.push(Fact::new("resident at rest", resident_mib(rig)?, "MiB"));
    let workspaces = rig.plan.webhooks.div_ceil(WEBHOOKS_A_WORKSPACE);
    let (webhooks_each, matching) = (WEBHOOKS_A_WORKSPACE, Matching::OneType);
    let started_ns = now_ns();
    note(&format!("  making {} webhooks\n", workspaces * webhooks_each));
    let routes = rig.add(Tenants { webhooks_each, matching, ..Tenants::single(workspaces) }).await?;
    let made_s = (now_ns() - started_ns) as f64 / NS_PER_S as f64;
    let made = f64::from(workspaces * webhooks_each);
    found.facts.push(Fact::new("webhooks", made, ""));
    found.facts.push(Fact::new("workspaces", f64::from(workspaces), ""));
    found.facts.push(Fact::new("webhooks made", made / made_s, "/s"));
    rig.settle().await?;
    found.facts.push(Fact::new("resident with the webhooks", resident_mib(rig)?, "MiB"));
    // The first event of a webhook brings its lane into memory, which is a cost of its own.
    let first = Pace::Count(u64::from(routes.end - routes.start));
    let first = rig.measure("first of each", routes.clone(), first).await?;
    found.facts.push(Fact::new("resident after one event each", resident_mib(rig)?, "MiB"));
    let saturation = rig.measure("saturation", routes, closed(rig.plan)).await?;
    found.phases.extend([(first, Timed::No), (saturation, Timed::No)]);
    Ok(())
}

async fn pending(rig: &mut Rig<'_>, found: &mut Found) -> Result<(), Failure> {
    rig.receiver.conduct(Conduct::Hold)?;
    let policy = json!({"timeout_ms": HELD_TIMEOUT_MS, "retry_schedule_s": vec![1; 32]});
    let workspaces = PENDING_WEBHOOKS;
    let routes = rig.add(Tenants { policy, ..Tenants::single(workspaces) }).await?;
    let events = rig.plan.pending;
    note(&format!("  publishing {events} events that are not delivered\n"));
    let started_ns = now_ns();
    fill(&rig.letterhead, routes, events, Open, &mut rig.calls).await?;
    let accepted_s = (now_ns() - started_ns) as f64 / NS_PER_S as f64;
    found.facts.push(Fact::new("accepted in batches", events as f64 / accepted_s, "events/s"));
    rig.settle().await?;
    found.facts.push(Fact::new("resident with these pending", resident_mib(rig)?, "MiB"));
    let peak_kib = rig.server_process().memory_kib()?.1;
    found.facts.push(Fact::new("resident at its highest before", peak_kib as f64 / 1_024.0, "MiB"));
    note("  kill -9, restart, drain\n");
    let restarted_ns = rig.restart().await?;
    found.facts.push(Fact::new("restart to ready", rig.server.start_ns as f64 / 1e6, "ms"));
    let drained = drain_after(rig, restarted_ns).await?;
    let since = rig.records.iter().filter(|record| record.at_ns >= restarted_ns);
    let answered = since.filter(|record| record.verdict == Verdict::Verified);
    if let Some(first_ns) = answered.map(|record| record.at_ns).min() {
        let waited_ms = (first_ns - restarted_ns) as f64 / 1e6;
        found.facts.push(Fact::new("restart to first delivery", waited_ms, "ms"));
    }
    found.phases.push((drained, Timed::No));
    Ok(())
}

/// The drain of a server that started at a moment: all that its process spent belongs to it.
async fn drain_after(rig: &mut Rig<'_>, restarted_ns: u64) -> Result<Phase, Failure> {
    let before = Reading { at_ns: restarted_ns, server: CpuTimes::default(), ..rig.reading()? };
    let first = rig.calls.next_number();
    let drained = rig.drain().await?;
    rig.settle().await?;
    rig.finish_phase("drain", first, before, restarted_ns, drained).await
}

async fn conclude(mut rig: Rig<'_>, scenario: Scenario, found: Found) -> Result<ScenarioReport, Failure> {
    let Found { mut facts, phases, later } = found;
    let (resident_kib, peak_kib) = rig.server_process().memory_kib()?;
    facts.push(Fact::new("resident at the end", resident_kib as f64 / 1_024.0, "MiB"));
    facts.push(Fact::new("resident at its highest", peak_kib as f64 / 1_024.0, "MiB"));
    let told = rig.told().await?;
    // What arrived after the last phase belongs to the ledger all the same.
    rig.records.append(&mut rig.receiver.take()?);
    let tally = tally(&rig.calls, std::mem::take(&mut rig.records));
    let published = rig.calls.sum(0..rig.calls.next_number());
    let figures = phases.iter().map(|(phase, timed)| phase.figures(&rig.calls, &tally, *timed));
    let figures: Vec<_> = figures.collect();
    let matched = Matched { calls: &rig.calls, tally: &tally, phases: &phases, figures: &figures };
    facts.extend(later.iter().filter_map(|fact| fact(&matched)));
    Ok(ScenarioReport {
        name: scenario.name(),
        what: scenario.what(),
        server_pid: rig.server.pid(),
        facts,
        phases: figures,
        mismatches: ledger::judge(&published, &told, &tally.received),
        published,
        told,
        received: tally.received,
    })
}

fn one_workspace(webhooks_each: u32) -> Tenants {
    Tenants { webhooks_each, ..Tenants::single(1) }
}

fn closed(plan: &Plan) -> Pace {
    Pace::Closed { until_ns: now_ns() + (plan.seconds * NS_PER_S as f64) as u64 }
}

fn timetable(plan: &Plan, events_per_s: f64) -> Pace {
    Pace::Timetable(Timetable::new(now_ns() + LEAD_NS, events_per_s, plan.seconds))
}

fn resident_mib(rig: &Rig<'_>) -> Result<f64, Failure> {
    Ok(rig.server_process().memory_kib()?.0 as f64 / 1_024.0)
}

/// Lets everything through.
struct Open;

impl Gate for Open {
    async fn pass(&self, _connection: &mut Connection, _published: u64) -> Result<(), Failure> {
        Ok(())
    }
}
