//! Latency under load: events at a steady rate, each timed from the moment at which it should have been sent.
//!
//! A publisher that waits for a slow answer sends its next event late; counting from the schedule keeps that wait in
//! the figure.

use std::thread;
use std::time::{Duration, Instant};

use super::load::{Workspace, event_with_text, publish_one};
use super::report::Latency;
use super::sink::Sink;
use super::{Plan, wait_for_arrivals};

/// Stands before the scheduled time, in nanoseconds since the sink's zero, in an event's data.
pub(super) const MARK: &[u8] = b"due:";

/// Publishes `per_second` events per second to a fresh workspace and returns how long their deliveries took.
pub(super) fn latency(
    workspace: &Workspace,
    sink: &Sink,
    plan: Plan,
    per_second: f64,
) -> Result<Latency, String> {
    let before = sink.arrivals();
    sink.take_latencies();
    let step = Duration::from_secs_f64(plan.connections as f64 / per_second);
    let (start, time) = (Instant::now(), Duration::from_secs(plan.seconds));
    let published = thread::scope(|scope| {
        let publisher = |number: usize| {
            let first = start + step.mul_f64(number as f64 / plan.connections as f64);
            scope.spawn(move || {
                publish(workspace, sink, plan.bytes, Schedule { first, step, end: start + time })
            })
        };
        let threads: Vec<_> = (0..plan.connections).map(publisher).collect();
        let sent =
            threads.into_iter().map(|thread| thread.join().map_err(|_| "a publisher panicked".to_owned())?);
        sent.sum::<Result<usize, String>>()
    })?;
    wait_for_arrivals(sink, before + published)?;
    let latencies = sink.take_latencies();
    if latencies.len() < published {
        return Err(format!("{published} events were published, {} carried their time", latencies.len()));
    }
    Ok(Latency::of(latencies))
}

/// When one connection publishes.
#[derive(Clone, Copy)]
struct Schedule {
    first: Instant,
    step: Duration,
    end: Instant,
}

fn publish(workspace: &Workspace, sink: &Sink, bytes: usize, schedule: Schedule) -> Result<usize, String> {
    let mut client = workspace.client();
    let (mut due, mut sent) = (schedule.first, 0);
    while due < schedule.end {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let mark = String::from_utf8_lossy(MARK);
        let text =
            format!("{mark}{};{}", sink.since_zero(due).as_nanos(), "x".repeat(bytes.saturating_sub(48)));
        publish_one(&mut client, &workspace.post("events").json(&event_with_text(&text)))?;
        (due, sent) = (due + schedule.step, sent + 1);
    }
    Ok(sent)
}
