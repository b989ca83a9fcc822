//! Replays many deliveries of the real binary: the plan, the rate, a pause, kill -9, and what live events feel of it.

mod arrivals;
mod stage;

use std::ops::Range;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use signalpost_testkit::wait_for;

use self::stage::Stage;
use crate::args::Args;
use crate::release::START_TIMEOUT;
use crate::{Outcome, Task, release};

pub(crate) const TASK: Task = Task {
    name: "replay",
    summary: "replay many failed deliveries at a rate, with a pause and kill -9 in the middle",
    help: "Usage: cargo xtask replay [options]

  --deliveries N   how many have failed and are replayed (default 100,000)
  --rate N         deliveries a second (default 2,000)
  --binary FILE    takes this binary instead of building one

A receiver refuses all of them, with no retry; then it is mended. Live events go to the same webhook, and to one of another
workspace, at 50 a second each, first alone and then beside the replay. The plan must count exactly. The rate is read off the
receiver over the time beside live events. Then the replay is paused, resumed, and its server killed and started again.

Fails when the plan is not exact, when the rate is missed by more than 5 %, when something comes during the pause, when
a delivery never comes, and when one comes twice that came more than a second before the kill.",
    run: run_task,
};

/// What was recorded by then cannot come again: outcomes are on disk some milliseconds after they are known.
const RECORDED_WITHIN: Duration = Duration::from_secs(1);
/// What is due when a replay is paused comes within this time.
const PAUSE_GRACE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(3);
/// How late the receiver may read what has come.
const READ_WITHIN: Duration = Duration::from_millis(300);

/// How large a run is.
#[derive(Clone, Copy)]
struct Size {
    deliveries: usize,
    per_second: usize,
    /// A busy machine must not fail a change.
    judges_rate: Judges,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Judges {
    /// Both sides.
    Rate,
    /// Only that it is not too fast.
    Bound,
}

fn run_task(mut args: Args) -> Outcome {
    let deliveries = args.value_or("--deliveries", 100_000)?;
    let per_second = args.value_or("--rate", 2_000)?;
    let binary = release::chosen(&mut args)?;
    args.finish()?;
    if per_second == 0 || deliveries / per_second < 10 {
        return Err("the replay must last for ten seconds at least".to_owned());
    }
    run(binary, Size { deliveries, per_second, judges_rate: Judges::Rate })
}

/// The step of `cargo xtask test`.
pub(crate) fn step() -> Outcome {
    run(release::binary()?, Size { deliveries: 6_000, per_second: 400, judges_rate: Judges::Bound })
}

fn run(binary: PathBuf, size: Size) -> Outcome {
    let Size { deliveries, per_second, .. } = size;
    let mut stage = Stage::prepare(binary, deliveries)?;
    println!("{deliveries} deliveries have failed");
    // Two fifths of the replay beside live events, and as long without it.
    let lasts = Duration::from_secs_f64(deliveries as f64 / per_second as f64 * 0.4);
    join(stage.live(lasts))?;
    std::thread::sleep(Duration::from_secs(1));
    let alone = stage.arrivals.take_live();

    let mut operator = stage.server.operator();
    let asked = Instant::now();
    let planned = stage.plan(&mut operator, per_second)?;
    let (id, count) = (planned["id"].as_str().unwrap_or_default().to_owned(), planned["planned"].as_u64());
    println!("the plan took {:.2} s and has {count:?}", asked.elapsed().as_secs_f64());
    if count != u64::try_from(deliveries).ok() || stage.arrivals.count() > 0 {
        return Err(format!("the plan is not exact, or something was sent before the start: {planned}"));
    }
    stage.command(&mut operator, &id, "start")?;
    let started = Instant::now();
    join(stage.live(lasts))?;
    let rate = stage.arrivals.between(started, started + lasts) as f64 / lasts.as_secs_f64();
    pause(&stage, &id)?;
    let beside = stage.arrivals.take_live();
    let killed = kill(&mut stage, &id, deliveries)?;

    let mut operator = stage.server.operator();
    let done = stage.wait_for(&mut operator, &id, "done")?;
    stage.wait_ended(&mut operator)?;
    println!("done: {} sent, {} passed over", done["sent"], done["passed_over"]);
    tell_live(["the same webhook", "another workspace"], alone, beside);
    judge(&stage, size, rate, killed)
}

/// Pauses the replay, looks that nothing comes, and resumes it.
fn pause(stage: &Stage, id: &str) -> Outcome {
    let mut operator = stage.server.operator();
    stage.command(&mut operator, id, "pause")?;
    std::thread::sleep(PAUSE_GRACE);
    let before = stage.arrivals.count();
    std::thread::sleep(PAUSE);
    let came = stage.arrivals.count() - before;
    if came > 0 {
        return Err(format!("{came} came while the replay was paused"));
    }
    println!("paused after {before}, nothing came");
    stage.command(&mut operator, id, "resume").map(drop)
}

/// Kills the server in the middle of what is left, and starts it again: when it was killed, from the signal until it was gone.
fn kill(stage: &mut Stage, id: &str, deliveries: usize) -> Result<Range<Instant>, String> {
    let before = stage.arrivals.count();
    let middle = before + (deliveries - before) / 2;
    let arrivals = std::sync::Arc::clone(&stage.arrivals);
    let half = Duration::from_secs(300);
    wait_for("half of the rest", half, || arrivals.count() >= middle)?;
    let killing = Instant::now();
    stage.server.kill()?;
    // What it has sent to its last moment has been read by then.
    std::thread::sleep(READ_WITHIN);
    let killed = killing..Instant::now();
    let came = stage.arrivals.count();
    stage.server.launch()?;
    stage.server.wait_ready(START_TIMEOUT)?;
    let path = format!("/v1/workspaces/{}/replays/{id}", stage.workspace);
    let replay = stage.server.operator().get(&path)?;
    println!("killed after {came}; {} were on record as sent", replay["sent"]);
    Ok(killed)
}

fn judge(stage: &Stage, size: Size, rate: f64, killed: Range<Instant>) -> Outcome {
    let of_asked = rate / size.per_second as f64;
    println!("rate: {rate:.1}/s of {}/s asked for ({:.1} %)", size.per_second, of_asked * 100.0);
    let (missing, repeated) = stage.arrivals.missing_and_repeated();
    let has_reason = |first: &&Instant| {
        (killed.start..killed.end + RECORDED_WITHIN).contains(&(**first + RECORDED_WITHIN))
    };
    let without_reason = repeated.len() - repeated.iter().filter(has_reason).count();
    println!("missing {missing}; came twice {}, of them without a reason {without_reason}", repeated.len());
    let too_slow = of_asked < 0.95 && size.judges_rate == Judges::Rate;
    if missing > 0 || without_reason > 0 || of_asked > 1.05 || too_slow {
        return Err("the replay did not do what it promises".to_owned());
    }
    Ok(())
}

fn join(threads: Vec<JoinHandle<Result<(), String>>>) -> Outcome {
    threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "live events broke".to_owned())?)
}

fn tell_live(names: [&str; 2], alone: [Vec<Duration>; 2], beside: [Vec<Duration>; 2]) {
    for ((name, alone), beside) in names.into_iter().zip(alone).zip(beside) {
        let [alone_ms, beside_ms] = [alone, beside].map(p99_ms);
        let ratio = beside_ms / alone_ms;
        println!(
            "live events, {name}: p99 {alone_ms:.1} ms alone, {beside_ms:.1} ms beside the replay: {ratio:.2} x"
        );
    }
}

fn p99_ms(mut late: Vec<Duration>) -> f64 {
    late.sort_unstable();
    late.get(late.len().saturating_sub(1) * 99 / 100).map_or(f64::NAN, |late| late.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ninety_ninth_of_a_hundred() {
        assert_eq!(p99_ms((1..=100).rev().map(Duration::from_millis).collect()), 99.0);
        assert_eq!(p99_ms(vec![Duration::from_millis(7)]), 7.0);
        assert!(p99_ms(Vec::new()).is_nan());
    }
}
