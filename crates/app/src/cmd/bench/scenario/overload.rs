//! Twice what the server can take, for a while, and how long it takes until all is as before.

use std::ops::Range;

use signalpost_core::limits::OPERATOR_CONNECTIONS_MAX;

use super::super::calls::Reason;
use super::super::clock::NS_PER_S;
use super::super::load::{Pace, REFUSALS, Stream};
use super::super::phase::Timed;
use super::super::report::{Fact, Target};
use super::super::rig::{Rig, Until};
use super::super::tenants::Tenants;
use super::matched::{Later, Matched};
use super::{Found, closed, timetable};
use crate::cmd::Failure;
use crate::open_files;
use crate::telemetry::note;

const WORKSPACES: u32 = 10;
/// How much more comes than the server has been found to take.
const TIMES: f64 = 2.0;
/// The part of what it takes that is usual.
const USUAL_PART: f64 = 0.25;
/// Connections that find how much it takes, for each of the usual ones.
const CONNECTIONS_TIMES: usize = 8;
/// Publishers who bring too much, none of whom waits for another's answer: twice what the server has connections for.
const PUBLISHERS: usize = 2 * OPERATOR_CONNECTIONS_MAX;
/// Files that this process needs for anything else.
const OTHER_FILES: usize = 64;
const WINDOW_NS: u64 = NS_PER_S / 4;
/// So many windows in a row must be as usual.
const WINDOWS_IN_A_ROW: usize = 3;
/// What counts as usual: a p99 no larger than so many times the one before.
const USUAL_TIMES: f64 = 2.0;

pub(super) async fn run(rig: &mut Rig<'_>, found: &mut Found) -> Result<(), Failure> {
    let routes = rig.add(Tenants::single(WORKSPACES)).await?;
    let by = |connections, pace| vec![Stream { routes: routes.clone(), pace, connections }];
    let connections = rig.plan.connections * CONNECTIONS_TIMES;
    let saturation =
        rig.measure_until(Until::AllEnded, "saturation", by(connections, closed(rig.plan))).await?;
    let most = saturation.deliveries_per_s();
    let usual = rig.plan.rate.unwrap_or(most * USUAL_PART);
    found.phases.push((saturation, Timed::No));
    found.fact("usual events", usual, "/s");
    found.fact("events in the overload", most * TIMES, "/s");
    let before = rig.measure("usual", routes.clone(), timetable(rig.plan, usual)).await?;
    found.phases.push((before, Timed::Yes));
    let Pace::Timetable(table) = timetable(rig.plan, most * TIMES) else {
        return Err(Failure::new("an overload has a timetable"));
    };
    let many = by(publishers(), Pace::WhileItLasts(table));
    let overload = rig.measure_until(Until::Published, "overload", many).await?;
    let numbers = overload.numbers.clone();
    let late = table.events.saturating_sub(numbers.end - numbers.start);
    found.fact("  of these not sent in time", late as f64, "");
    refusals(rig, numbers, found);
    found.phases.push((overload, Timed::Yes));
    let after = rig.measure("usual again", routes, twice_as_long(timetable(rig.plan, usual))).await?;
    found.phases.push((after, Timed::Yes));
    found.later.push(usual_again(table.end_ns(), TIMES * rig.plan.seconds));
    Ok(())
}

/// As many as this process may have connections.
fn publishers() -> usize {
    let files = open_files::raise().and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    let most = files.saturating_sub(OTHER_FILES);
    if most < PUBLISHERS {
        note(&format!("  {most} publishers, for no more files may be open; {PUBLISHERS} are wanted\n"));
    }
    PUBLISHERS.min(most)
}

/// Whom the server has no room for it tells so, and when to come again; and it leaves nobody without an answer.
fn refusals(rig: &Rig<'_>, numbers: Range<u64>, found: &mut Found) {
    let count = |status, told| rig.calls.refused(numbers.clone(), status, told) as f64;
    let names = [
        "  refused with 429 and a reason",
        "  refused with 503 and a reason",
        "  refused with 507 and a reason",
    ];
    for (name, (status, _)) in names.into_iter().zip(REFUSALS) {
        found.fact(name, count(status, Reason::Given), "");
    }
    let all = |told| REFUSALS.into_iter().map(|(status, _)| count(status, told)).sum();
    let given = Fact::new("refused with a clear error", all(Reason::Given), "");
    let missing = Fact::new("refused without one", all(Reason::Missing), "");
    let unanswered = rig.calls.sum(numbers.clone()).unknown as f64;
    let unanswered = Fact::new("left without an answer", unanswered, "");
    found.facts.push(given.against(Target::AtLeast(1.0)));
    found.facts.extend([missing, unanswered].map(|fact| fact.against(Target::AtMost(0.0))));
}

fn twice_as_long(pace: Pace) -> Pace {
    match pace {
        Pace::Timetable(mut table) => {
            table.events *= 2;
            Pace::Timetable(table)
        }
        other => other,
    }
}

/// How long after the overload's end events took as long as before it. Phases are those of [`run`].
fn usual_again(end_ns: u64, within_s: f64) -> Later {
    Box::new(move |matched: &Matched<'_>| {
        let Matched { calls, tally, phases, figures } = matched;
        let usual_ms = figures.get(1)?.latency.as_ref()?.arrival.at(0.99);
        let (after, _) = phases.get(3)?;
        let arrivals = tally.arrivals_of(&after.numbers);
        let samples = arrivals.filter_map(|arrival| {
            let due_ns = calls.get(arrival.number)?.due_ns;
            Some((due_ns.saturating_sub(end_ns), arrival.at_ns.saturating_sub(due_ns)))
        });
        let settled_s = first_usual_s(samples, usual_ms * USUAL_TIMES);
        let fact = Fact::new("p99 within twice the usual after", settled_s.unwrap_or(f64::INFINITY), "s");
        Some(fact.against(Target::AtMost(within_s)))
    })
}

/// The moment from which windows in a row have a p99 of at most a bound; `None` when there is none.
/// A sample is when it was due, from the start, and how long it took.
fn first_usual_s(samples: impl Iterator<Item = (u64, u64)>, bound_ms: f64) -> Option<f64> {
    let mut windows: Vec<Vec<u64>> = Vec::new();
    for (due_ns, took_ns) in samples {
        let window = usize::try_from(due_ns / WINDOW_NS).ok()?;
        if windows.len() <= window {
            windows.resize(window + 1, Vec::new());
        }
        windows[window].push(took_ns);
    }
    // The last window may be a part of one.
    windows.pop();
    let is_usual: Vec<bool> =
        windows.into_iter().map(|took| p99_ms(took).is_some_and(|ms| ms <= bound_ms)).collect();
    let first = is_usual.windows(WINDOWS_IN_A_ROW).position(|row| row.iter().all(|usual| *usual))?;
    Some((first as u64 * WINDOW_NS) as f64 / NS_PER_S as f64)
}

fn p99_ms(mut took_ns: Vec<u64>) -> Option<f64> {
    took_ns.sort_unstable();
    let rank = (took_ns.len() * 99).div_ceil(100).checked_sub(1)?;
    took_ns.get(rank).map(|ns| *ns as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Events every 10 ms, of which those due before `slow_ms` take 500 ms and the others 5 ms.
    fn samples(slow_ms: u64, end_ms: u64) -> impl Iterator<Item = (u64, u64)> {
        (0..end_ms).step_by(10).map(move |due| (due * MS, if due < slow_ms { 500 * MS } else { 5 * MS }))
    }

    #[test]
    fn it_is_over_with_the_first_window_that_is_usual() {
        assert_eq!(first_usual_s(samples(0, 5_000), 10.0), Some(0.0));
        assert_eq!(first_usual_s(samples(1_100, 5_000), 10.0), Some(1.25));
        assert_eq!(first_usual_s(samples(5_000, 5_000), 10.0), None);
        assert_eq!(first_usual_s(samples(0, 500), 10.0), None, "too short to say");
        assert_eq!(first_usual_s(std::iter::empty(), 10.0), None);
    }

    #[test]
    fn one_good_window_is_not_enough() {
        let relapse = samples(0, 5_000)
            .map(|(due, took)| (due, if (250..1_000).contains(&(due / MS)) { 500 * MS } else { took }));
        assert_eq!(first_usual_s(relapse, 10.0), Some(1.0));
        assert_eq!(p99_ms((1..=200).map(|ms| ms * MS).collect()), Some(198.0));
        assert_eq!(p99_ms(Vec::new()), None);
    }
}
