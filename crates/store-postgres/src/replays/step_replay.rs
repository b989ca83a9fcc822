//! `step_replay`: the next deliveries of a plan are owed once more, in one commit with how far the job has come.

use signalpost_core::id::EventId;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Phase, Replay};
use signalpost_core::time::Timestamp;
use signalpost_store::replays::{Sender, StepReplay, Stepped, Waits};
use signalpost_store::row::{Fields, HELD_AT};

use super::send::send;
use super::{end, find};
use crate::failure::Failure;
use crate::locks::Locked;
use crate::session::{Session, limit};
use crate::write::Write;

pub(crate) const SELECT_PLANNED: &str =
    "SELECT replay, event FROM replay_plan WHERE replay = $1 AND event > $2 ORDER BY event LIMIT $3";
/// How many rows were looked at, and how many of these were asked for once more, not tried since, and ended by no cut.
pub(crate) const COUNT_DUE: &str = "SELECT $1::bigint, count(*),
        count(*) FILTER (WHERE steps > 0 AND tries = 0
            AND born > coalesce((SELECT max(upto) FROM cut WHERE webhook = $1), -9223372036854775808))
    FROM (SELECT born, steps, tries FROM due WHERE webhook = $1 AND due_at <= $2 ORDER BY due_at, event LIMIT $3) AS d";

/// Rows of `due` that a step looks past because they do not count: live ones, and what a cut has ended.
const OTHER_ROWS_MAX: usize = UPKEEP_ROWS_MAX;

pub(super) async fn run(write: &mut Write<'_>, params: StepReplay) -> Result<Stepped, Failure> {
    let Replay { workspace, target, .. } = find::replay(write, params.replay).await?;
    write.lock_all(&[Locked::Workspace(workspace), Locked::Order(target)]).await?;
    let replay = find::replay(write, params.replay).await?;
    params.check(&replay)?;
    let Some(target) = find::target(write, &replay).await? else {
        return end_as(write, replay, Phase::Cancelled(CancelReason::WebhookDeleted), params.at).await;
    };
    // One more than it takes shows whether it takes the last.
    let planned = planned(write, &replay, params.take.saturating_add(1)).await?;
    if planned.is_empty() {
        return end_as(write, replay, Phase::Done, params.at).await;
    }
    if !target.state.is_active() || target.health.hold.is_some() {
        return Ok(Stepped { replay, waits: Some(Waits::TargetOff) });
    }
    let room = room(write, &replay, params.due_max, params.at).await?;
    let taken = planned.len().min(params.take).min(room);
    let waits = (taken < planned.len() && room < params.take).then_some(Waits::Busy);
    let stepped = go_through(write, replay, &planned, taken, params.at).await?;
    Ok(Stepped { waits, ..stepped })
}

/// The next of the plan, as many at most.
async fn planned(session: &Session, replay: &Replay, rows: usize) -> Result<Vec<EventId>, Failure> {
    let done_to = replay.progress.done_to.map_or(i64::MIN, |event| event.raw());
    session
        .all(SELECT_PLANNED, &[&replay.id.raw(), &done_to, &limit(rows)], |row| {
            let mut fields = Fields::new(row, "replay_plan", 2);
            fields.skip();
            fields.id("event").map(EventId::from_raw)
        })
        .await
}

/// How many deliveries may still come to be due at the target because they are sent once more.
async fn room(session: &Session, replay: &Replay, due_max: usize, at: Timestamp) -> Result<usize, Failure> {
    let scan = due_max.saturating_add(OTHER_ROWS_MAX);
    let until = at.as_ms().min(HELD_AT - 1);
    let counts = session
        .one(COUNT_DUE, &[&replay.target.raw(), &until, &limit(scan)], |row| {
            let mut fields = Fields::new(row, "due", 1);
            fields.skip();
            Ok((fields.count::<usize>("webhook")?, fields.count::<usize>("born")?))
        })
        .await?;
    let (looked, asked) = counts.unwrap_or_default();
    // What stands behind so many rows is not known.
    Ok(if looked >= scan { 0 } else { due_max.saturating_sub(asked) })
}

async fn go_through(
    write: &mut Write<'_>,
    mut replay: Replay,
    planned: &[EventId],
    taken: usize,
    at: Timestamp,
) -> Result<Stepped, Failure> {
    let mut sender = Sender::of(&replay, at);
    for event in &planned[..taken] {
        if sender.has_written_enough() {
            break;
        }
        match send(write, &mut sender, *event).await? {
            true => replay.progress.sent += 1,
            false => replay.progress.passed_over += 1,
        }
        replay.progress.done_to = Some(*event);
    }
    if replay.progress.done_to == planned.last().copied() {
        return end_as(write, replay, Phase::Done, at).await;
    }
    if taken == 0 {
        return Ok(replay.into());
    }
    end::save(write, replay).await.map(Stepped::from)
}

async fn end_as(
    write: &Write<'_>,
    mut replay: Replay,
    phase: Phase,
    at: Timestamp,
) -> Result<Stepped, Failure> {
    replay.change(phase, Principal::Engine, at);
    end::save(write, replay).await.map(Stepped::from)
}
