//! Workspaces at a steady rate, of which one publishes a hundred times as much for a while.

use super::super::group::Group;
use super::super::phase::Timed;
use super::super::rig::{Rig, Until};
use super::super::tenants::Tenants;
use super::matched::{Beside, backlog_of_neighbours, slower, slower_at_most};
use super::{Found, timetable};
use crate::cmd::Failure;

/// Workspaces of one webhook that keep to their rate.
const WORKSPACES: u32 = 10;
/// Events per second of each.
const EVENTS_PER_S: f64 = 50.0;
/// The burst's events for each event of another workspace.
const TIMES: u32 = 100;
const SLOWER_MAX: f64 = 2.0;

pub(super) async fn run(rig: &mut Rig<'_>, found: &mut Found) -> Result<(), Failure> {
    let steady = rig.add(Tenants::single(WORKSPACES)).await?;
    let bursting = rig.add(Tenants { group: Group::Neighbour, ..Tenants::single(1) }).await?;
    let each = rig.plan.rate.map_or(EVENTS_PER_S, |rate| rate / f64::from(WORKSPACES));
    found.fact("events of each workspace", each, "/s");
    found.fact("events of the one that bursts", each * f64::from(TIMES), "/s");
    let parts = [("steady", 1), ("one bursts", TIMES)];
    for (name, times) in parts.repeat(rig.plan.rounds) {
        let stream = |routes, events: u32| rig.stream(routes, timetable(rig.plan, each * f64::from(events)));
        let streams = vec![stream(steady.clone(), WORKSPACES), stream(bursting.clone(), times)];
        let phase = rig.measure_until(Until::MeasuredArrived, name, streams).await?;
        found.phases.push((phase, Timed::Yes));
        rig.clear().await?;
    }
    let burst = Beside { phase: 1, base: 0, round: parts.len() };
    found.later.extend([
        slower("p50 of the others in the burst", 0.5, burst),
        slower_at_most("p99 of the others in the burst", burst, SLOWER_MAX),
        slower("p99.9 of the others in the burst", 0.999, burst),
        backlog_of_neighbours("the burst was delivered within", burst),
    ]);
    Ok(())
}
