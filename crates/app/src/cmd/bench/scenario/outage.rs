//! A receiver that nobody can connect to for a while, and then is back.

use serde_json::json;

use super::super::clock::{NS_PER_S, now_ns};
use super::super::phase::Timed;
use super::super::rig::{Rig, Until};
use super::super::tenants::Tenants;
use super::{Found, timetable};
use crate::cmd::Failure;
use crate::telemetry::note;

const WORKSPACES: u32 = 10;
/// Events per second of all of them together.
const EVENTS_PER_S: f64 = 500.0;

pub(super) async fn run(rig: &mut Rig<'_>, found: &mut Found) -> Result<(), Failure> {
    let policy = json!({"retry_schedule_s": retry_schedule_s()});
    let routes = rig.add(Tenants { policy, ..Tenants::single(WORKSPACES) }).await?;
    let rate = rig.plan.rate.unwrap_or(EVENTS_PER_S);
    found.fact("events due at", rate, "/s");
    rig.receiver.go_down()?;
    let stream = rig.stream(routes, timetable(rig.plan, rate));
    let down = rig.measure_until(Until::Published, "down", vec![stream]).await?;
    let told = rig.counted().await?;
    found.fact("owed when it came back", (told.created - told.delivered - told.failed) as f64, "");
    found.phases.push((down, Timed::No));
    note("  back again\n");
    let (first, before) = (rig.calls.next_number(), rig.reading()?);
    rig.receiver.come_up()?;
    let up_ns = now_ns();
    let drained = rig.drain().await?;
    let drained_s = (now_ns() - up_ns) as f64 / NS_PER_S as f64;
    rig.settle().await?;
    let back = rig.finish_phase("back", first, before, up_ns, drained).await?;
    found.phases.push((back, Timed::No));
    found.fact("all of it delivered within", drained_s, "s");
    let retried = rig.counted().await?.retried;
    found.fact("attempts in vain", retried as f64, "");
    found.fact("of these for each delivery", retried as f64 / told.created.max(1) as f64, "");
    Ok(())
}

/// A long schedule made short: an outage of minutes comes to its later delays, and none of them is spent.
fn retry_schedule_s() -> Vec<u64> {
    [1, 1, 2, 3, 5].into_iter().chain([8; 27]).collect()
}
