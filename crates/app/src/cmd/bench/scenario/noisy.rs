//! A steady load without a neighbour, beside one that answers, one whose receiver hangs, and one whose answers drip.

use serde_json::json;

use super::super::group::Group;
use super::super::phase::Timed;
use super::super::receiver::conduct::Conduct;
use super::super::rig::{Rig, Until};
use super::super::tenants::{Matching, Tenants};
use super::matched::{Beside, backlog_of_neighbours, slower, slower_at_most};
use super::{Found, timetable};
use crate::cmd::Failure;
use crate::telemetry::note;

/// Workspaces of one webhook that are measured.
const WORKSPACES: u32 = 10;
/// Events per second of all of them together.
const EVENTS_PER_S: f64 = 500.0;
/// How long the neighbour's receiver may keep an attempt.
const HANGS_MS: u64 = 20_000;
/// Retries are never exhausted while a receiver hangs, and come soon once it answers.
const RETRY_SCHEDULE_S: [u64; 32] = [1; 32];
const SLOWER_MAX: f64 = 1.5;
/// What a neighbour costs that is no trouble is the cost of twice the events.
const CONDUCTS: [(&str, Conduct); 3] =
    [("one answers", Conduct::Answer), ("one hangs", Conduct::Hold), ("one drips", Conduct::Drip)];

pub(super) async fn run(rig: &mut Rig<'_>, found: &mut Found) -> Result<(), Failure> {
    let healthy = rig.add(Tenants::single(WORKSPACES)).await?;
    let mut neighbours = Vec::new();
    for (name, conduct) in CONDUCTS {
        neighbours.push((name, conduct, rig.add(neighbour()).await?));
    }
    let rate = rig.plan.rate.unwrap_or(EVENTS_PER_S);
    found.fact("events of those measured", rate, "/s");
    for _ in 0..rig.plan.rounds {
        let alone = vec![rig.stream(healthy.clone(), timetable(rig.plan, rate))];
        let alone = rig.measure_until(Until::MeasuredArrived, "alone", alone).await?;
        found.phases.push((alone, Timed::Yes));
        for (name, conduct, neighbour) in &neighbours {
            let targets = rig.targets(neighbour.clone());
            rig.receiver.conduct_to(targets.clone(), *conduct)?;
            // The neighbour gets as many events as all the others together.
            let pace = timetable(rig.plan, rate);
            let streams = [&healthy, neighbour].map(|routes| rig.stream(routes.clone(), pace));
            let beside = rig.measure_until(Until::MeasuredArrived, name, streams.into()).await?;
            found.phases.push((beside, Timed::Yes));
            if *conduct != Conduct::Answer {
                note("  the neighbour answers again\n");
                rig.receiver.conduct_to(targets, Conduct::Answer)?;
            }
            rig.clear().await?;
        }
    }
    let [answers, hangs, drips] = [1, 2, 3].map(|phase| Beside { phase, base: 0, round: 1 + CONDUCTS.len() });
    found.later.extend([
        slower("p99 beside one that answers", 0.99, answers),
        slower("p50 beside one that hangs", 0.5, hangs),
        slower_at_most("p99 beside one that hangs", hangs, SLOWER_MAX),
        slower("p99.9 beside one that hangs", 0.999, hangs),
        slower("p50 beside one that drips", 0.5, drips),
        slower_at_most("p99 beside one that drips", drips, SLOWER_MAX),
        slower("p99.9 beside one that drips", 0.999, drips),
        backlog_of_neighbours("what hung was delivered within", hangs),
        backlog_of_neighbours("what dripped was delivered within", drips),
    ]);
    Ok(())
}

fn neighbour() -> Tenants {
    let policy = json!({"timeout_ms": HANGS_MS, "retry_schedule_s": RETRY_SCHEDULE_S});
    Tenants { workspaces: 1, webhooks_each: 1, matching: Matching::All, policy, group: Group::Neighbour }
}
