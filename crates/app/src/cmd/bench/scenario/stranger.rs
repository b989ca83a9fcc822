//! Somebody else's transaction on the database that stays open while everything goes on: no version of a row that is replaced
//! or deleted meanwhile can go.

use std::time::Duration;

use super::super::clock::{NS_PER_S, now_ns};
use super::super::phase::Timed;
use super::super::postgres::{Hot, Postgres};
use super::super::rig::Rig;
use super::{Found, closed, one_workspace};
use crate::cmd::Failure;
use crate::telemetry::note;

/// Of the time in which it is open.
const PARTS: [&str; 10] =
    ["part 1", "part 2", "part 3", "part 4", "part 5", "part 6", "part 7", "part 8", "part 9", "part 10"];
/// The server looks for what can go once a minute, and goes slowly about it.
const RECOVERY_NS_MAX: u64 = 300 * NS_PER_S;
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What is left of the dead rows when they are as good as gone.
const LEFT_PARTS: u64 = 20;
const MIB: f64 = 1_048_576.0;

pub(super) async fn run(rig: &mut Rig<'_>, found: &mut Found) -> Result<(), Failure> {
    let routes = rig.add(one_workspace(1)).await?;
    let warm = rig.measure("before", routes.clone(), closed(rig.plan)).await?;
    let (before, stranger) = (database(rig)?.hot()?, database(rig)?.stranger()?);
    found.phases.push((warm, Timed::No));
    note("  the stranger's transaction is open\n");
    let mut rates = Vec::new();
    for name in PARTS {
        let part = rig.measure(name, routes.clone(), closed(rig.plan)).await?;
        rates.push(part.deliveries_per_s());
        note(&format!("  {name}: {:.0} deliveries/s\n", part.deliveries_per_s()));
        found.phases.push((part, Timed::No));
    }
    let at_end = database(rig)?.hot()?;
    stranger.end()?;
    let recovered_s = recover(rig, at_end).await?;
    let after = database(rig)?.hot()?;
    let last = rig.measure("afterwards", routes, closed(rig.plan)).await?;
    found.phases.push((last, Timed::No));
    if let (Some(first), Some(last)) = (rates.first(), rates.last()) {
        found.fact("last part against the first", last / first, "times");
    }
    for (bytes, dead, hot) in [
        ("tables but events and histories, before", "dead rows before", before),
        ("the same at the transaction's end", "dead rows then", at_end),
        ("the same once it had recovered", "dead rows left", after),
    ] {
        found.fact(bytes, hot.bytes as f64 / MIB, "MiB");
        found.fact(dead, hot.dead_rows as f64, "");
    }
    found.fact("recovered within", recovered_s, "s");
    found.fact("the same after as much again", database(rig)?.hot()?.bytes as f64 / MIB, "MiB");
    Ok(())
}

fn database<'r>(rig: &'r Rig<'_>) -> Result<&'r Postgres, Failure> {
    let none = || Failure::new("this scenario needs a database that others may work on");
    rig.data.database.as_ref().ok_or_else(none)
}

/// Waits until the dead rows are as good as gone; how long that took, in seconds.
async fn recover(rig: &Rig<'_>, at_end: Hot) -> Result<f64, Failure> {
    let since_ns = now_ns();
    loop {
        let elapsed_ns = now_ns() - since_ns;
        if database(rig)?.hot()?.dead_rows <= at_end.dead_rows / LEFT_PARTS || elapsed_ns > RECOVERY_NS_MAX {
            return Ok(elapsed_ns as f64 / NS_PER_S as f64);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
