//! Twenty webhooks of which half begin to answer with failures.

use serde_json::json;

use super::super::group::Group;
use super::super::phase::Timed;
use super::super::receiver::conduct::Conduct;
use super::super::rig::{Rig, Until};
use super::super::tenants::Tenants;
use super::matched::{Beside, backlog_of_neighbours, slower};
use super::{Found, timetable};
use crate::cmd::Failure;
use crate::telemetry::note;

/// Workspaces of one webhook in each half.
const WORKSPACES: u32 = 10;
/// Events per second of each half.
const EVENTS_PER_S: f64 = 500.0;
const STATUS: u16 = 500;

pub(super) async fn run(rig: &mut Rig<'_>, found: &mut Found) -> Result<(), Failure> {
    let healthy = rig.add(Tenants::single(WORKSPACES)).await?;
    let policy = json!({"retry_schedule_s": retry_schedule_s()});
    let group = Group::Neighbour;
    let failing = rig.add(Tenants { policy, group, ..Tenants::single(WORKSPACES) }).await?;
    let targets = rig.targets(failing.clone());
    let rate = rig.plan.rate.unwrap_or(EVENTS_PER_S);
    found.fact("events of each half", rate, "/s");
    for (name, conduct) in [("all answer", Conduct::Answer), ("half fail", Conduct::Status(STATUS))] {
        rig.receiver.conduct_to(targets.clone(), conduct)?;
        let pace = timetable(rig.plan, rate);
        let streams = [healthy.clone(), failing.clone()].map(|routes| rig.stream(routes, pace));
        let phase = rig.measure_until(Until::MeasuredArrived, name, streams.into()).await?;
        found.phases.push((phase, Timed::Yes));
    }
    found.fact("retries while half failed", rig.counted().await?.retried as f64, "");
    note("  all answer again\n");
    rig.receiver.conduct_to(targets, Conduct::Answer)?;
    rig.clear().await?;
    let beside = Beside { phase: 1, base: 0, round: 2 };
    found.later.extend([
        slower("p50 of the half that answers", 0.5, beside),
        slower("p99 of the half that answers", 0.99, beside),
        slower("p99.9 of the half that answers", 0.999, beside),
        backlog_of_neighbours("what failed was delivered within", beside),
    ]);
    Ok(())
}

/// Never exhausted in a run of some minutes, and with no delay so long that nothing would seem to happen.
fn retry_schedule_s() -> Vec<u64> {
    [1, 2, 4].into_iter().chain([8; 29]).collect()
}
