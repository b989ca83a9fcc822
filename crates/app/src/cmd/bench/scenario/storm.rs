//! Many deliveries that failed come due again at once, while first attempts go on as fast as they can.

use std::ops::Range;

use serde_json::json;

use super::super::clock::{Alarm, NS_PER_S, now_ns};
use super::super::fill::fill;
use super::super::group::Group;
use super::super::phase::Timed;
use super::super::receiver::conduct::Conduct;
use super::super::report::{Fact, Target};
use super::super::rig::Rig;
use super::super::tenants::Tenants;
use super::super::told::WorkerTime;
use super::{Found, Open};
use crate::cmd::Failure;
use crate::telemetry::note;

/// Workspaces of one webhook whose deliveries fail, and of such that get first attempts.
const WORKSPACES: u32 = 20;
/// Deliveries that come due again each second, for each second of the first attempts.
const STORM_PER_S: f64 = 2_000.0;
/// First attempts for each second that they are meant to last.
const FIRST_PER_S: f64 = 8_000.0;
/// Deliveries that fail first in a second, at least.
const FAILING_PER_S: f64 = 2_000.0;
const STATUS: u16 = 500;
const FIRST_PART_MIN: f64 = 80.0;

pub(super) async fn run(rig: &mut Rig<'_>, found: &mut Found) -> Result<(), Failure> {
    let events = (STORM_PER_S * rig.plan.seconds) as u64;
    let delay_s = 3 + (events as f64 / FAILING_PER_S).ceil() as u64;
    let policy = json!({"retry_schedule_s": retry_schedule_s(delay_s)});
    let failing = Tenants { policy, group: Group::Neighbour, ..Tenants::single(WORKSPACES) };
    let failing = rig.add(failing).await?;
    let first = rig.add(Tenants::single(WORKSPACES)).await?;
    let targets = rig.targets(failing.clone());
    rig.receiver.conduct_to(targets.clone(), Conduct::Status(STATUS))?;
    note(&format!("  {events} deliveries fail and come due again after {delay_s} s\n"));
    let due_ns = now_ns() + delay_s * NS_PER_S;
    fill(&rig.letterhead, failing, events, Open, &mut rig.calls).await?;
    let rung = Alarm::new().map_err(|error| Failure::io("no timer", error))?.wait_until(due_ns).await;
    rung.map_err(|error| Failure::io("the timer broke", error))?;
    let waiting = rig.counted().await?.retried;
    found.fact("deliveries that failed before", waiting as f64, "");
    first_attempts(rig, first, events, found).await?;
    found.fact("retries that failed meanwhile", (rig.counted().await?.retried - waiting) as f64, "");
    note("  all answer again\n");
    rig.receiver.conduct_to(targets, Conduct::Answer)?;
    rig.clear().await
}

async fn first_attempts(
    rig: &mut Rig<'_>,
    routes: Range<u32>,
    besides: u64,
    found: &mut Found,
) -> Result<(), Failure> {
    note("  first attempts\n");
    let first = rig.calls.next_number();
    let before = rig.reading()?;
    let worked_before = WorkerTime::asked(&mut rig.control, &rig.letterhead).await?;
    rig.fill(routes, (FIRST_PER_S * rig.plan.seconds) as u64, besides).await?;
    let worked = WorkerTime::asked(&mut rig.control, &rig.letterhead).await?.since(worked_before);
    let published_ns = now_ns();
    let drained = rig.await_measured(first).await?;
    let phase = rig.finish_phase("first attempts", first, before, published_ns, drained).await?;
    found.phases.push((phase, Timed::No));
    found.fact("worker time of first attempts", worked.first_s, "s");
    found.fact("worker time of further ones", worked.again_s, "s");
    let part = Fact::new("first attempts' part of it", worked.first_part() * 100.0, "%");
    found.facts.push(part.against(Target::AtLeast(FIRST_PART_MIN)));
    Ok(())
}

/// After the first delay they come again each second.
fn retry_schedule_s(delay_s: u64) -> Vec<u64> {
    std::iter::once(delay_s).chain([1; 31]).collect()
}
