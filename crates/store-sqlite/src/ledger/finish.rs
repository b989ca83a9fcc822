//! `finish`: attempts that have ended, and what follows from each.

use rusqlite::{OptionalExtension, params};
use signalpost_core::attempt::{Attempt, Outcome, Verdict};
use signalpost_core::delivery::{CutReason, Due, Place, RoundStanding, Step, place_of};
use signalpost_core::health::Health;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::OUTCOMES_LINGERING_MAX;
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{Backlog, Finished, HealthChange};

use super::accept::INSERT_DUE;
use super::history;
use super::order;
use crate::catalog::{close_workspace, disable, find};
use crate::failure::Failure;
use crate::write::{Write, hot};
use signalpost_store::pack::pack_detail;
use signalpost_store::row::{DueAt, HealthColumns, verdict_code};
use signalpost_store::weight;

/// Does nothing when the number is taken, which is how a repeated verb is recognised.
pub(crate) const INSERT_ATTEMPT: &str = "INSERT OR IGNORE INTO attempt
    (event, webhook, n, at, verdict, outcome, retry_at, born, detail)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, ?8)";
pub(crate) const DELETE_DUE: &str = "DELETE FROM due WHERE webhook = ?1 AND due_at = ?2 AND event = ?3";
/// No row when there is no such webhook, not even a tombstone.
pub(crate) const SELECT_CUT_UPTO: &str = "SELECT (SELECT max(upto) FROM cut WHERE webhook = ?1)
    FROM webhook WHERE id = ?1";
pub(crate) const SELECT_DUE_BORN: &str =
    "SELECT born FROM due WHERE webhook = ?1 AND due_at = ?2 AND event = ?3";
pub(crate) const UPDATE_CONCURRENCY: &str = "UPDATE webhook SET concurrency = ?3
    WHERE id = ?1 AND workspace = ?2 AND deleted_at IS NULL";
pub(crate) const UPDATE_HEALTH: &str = "UPDATE webhook
    SET consecutive_failures = ?2, failing_since = ?3, held_since = ?4, probes = ?5, probe_at = ?6 WHERE id = ?1";

/// Rough size of an attempt's rows beside its texts, in bytes.
const ROW_BYTES: usize = 400;

/// In bytes, about.
pub(super) fn weight(finished: &[Finished]) -> usize {
    finished.iter().map(|one| ROW_BYTES + one.attempt.answer.len() + one.attempt.detail.len()).sum()
}

/// Whether something cannot go on before these outcomes are on disk, such as the next delivery of a key, or they are so many
/// that a commit of their own is worth while.
pub(super) fn is_awaited(finished: &[Finished]) -> bool {
    let holds_up = |one: &Finished| one.due.order.is_some() || one.health.is_some();
    finished.len() > OUTCOMES_LINGERING_MAX || finished.iter().any(holds_up)
}

pub(super) fn run(write: &mut Write<'_>, finished: &[Finished]) -> Result<(), Failure> {
    finished.iter().try_for_each(|one| record(write, one))
}

fn record(write: &mut Write<'_>, finished: &Finished) -> Result<(), Failure> {
    let Finished { workspace, due, attempt, .. } = finished;
    if write.is_removed(due.id.event)? {
        return Ok(());
    }
    let (number, verdict) = (attempt.number, attempt.verdict);
    if insert_attempt(write, *workspace, due, attempt, (number, verdict))? {
        follow(write, due, number, verdict)?;
    } else {
        let steps = history::steps(write.connection, due.id)?;
        match taken(write, due, attempt, &steps)? {
            Place::Recorded => return Ok(()),
            Place::Current { number } => {
                insert_attempt(write, *workspace, due, attempt, (number, verdict))?;
                forget_retry(write, due, &steps)?;
                follow(write, due, number, verdict)?;
            }
            Place::Superseded { number } => {
                insert_attempt(write, *workspace, due, attempt, (number, Verdict::Superseded))?;
            }
        }
    }
    if let Some(health) = finished.health {
        change_health(write, finished, health)?;
    }
    if let Some(concurrency) = finished.concurrency {
        let (workspace, webhook) = (finished.workspace.raw(), finished.due.id.webhook.raw());
        write.statement(UPDATE_CONCURRENCY)?.execute(params![webhook, workspace, concurrency])?;
    }
    close_workspace::after_attempt(write, finished)
}

/// The owed row goes, and a retry is owed, or what was held behind the delivery.
fn follow(write: &mut Write<'_>, due: &Due, number: u32, verdict: Verdict) -> Result<(), Failure> {
    delete_due(write, due)?;
    match (verdict, due.order) {
        (Verdict::RetryAt(due_at) | Verdict::HeldUntil(due_at), _) => {
            owe_again(write, &Due { due_at, steps: number, tries: due.tries_after(verdict), ..*due })
        }
        (_, None) | (Verdict::Superseded, _) => Ok(()),
        (Verdict::GiveUp, Some(place)) => order::give_up(write, due, place),
        (Verdict::Delivered, Some(place)) => order::release(write, due.id.webhook, place.key),
    }
}

/// The place of an attempt whose number is taken. Off the hot path: the whole history was read.
fn taken(write: &Write<'_>, due: &Due, attempt: &Attempt, steps: &[Step]) -> Result<Place, Failure> {
    let standing = if cut_upto(write, due.id.webhook)?.flatten().is_some_and(|upto| upto >= due.born.0) {
        RoundStanding::Cut
    } else if is_owed(write, due)? {
        RoundStanding::Owed
    } else {
        RoundStanding::Gone
    };
    Ok(place_of(attempt, due, standing, steps))
}

/// The retry that another attempt of the same round has left, and a cut has ended: when this attempt ends the delivery
/// nobody would look for that row any more but the sweep, and its event may go before.
fn forget_retry(write: &mut Write<'_>, due: &Due, steps: &[Step]) -> Result<(), Failure> {
    let retry_at = steps.iter().rev().find_map(|step| match step {
        Step::Attempted(attempt) => attempt.verdict.next_at(),
        Step::Requeued { .. } => None,
    });
    retry_at.map_or(Ok(()), |retry_at| delete_due(write, &Due { due_at: retry_at, ..*due }))
}

fn delete_due(write: &mut Write<'_>, due: &Due) -> Result<(), Failure> {
    hot(&mut write.hot.delete_due, write.connection, DELETE_DUE)?.execute([
        due.id.webhook.raw(),
        due.due_at.as_ms(),
        due.id.event.raw(),
    ])?;
    Ok(())
}

fn is_owed(write: &Write<'_>, due: &Due) -> Result<bool, Failure> {
    let key = [due.id.webhook.raw(), due.due_at.as_ms(), due.id.event.raw()];
    let born: Option<i64> = write.statement(SELECT_DUE_BORN)?.query_row(key, |row| row.get(0)).optional()?;
    Ok(born == Some(due.born.0))
}

/// `false` when its number is taken.
fn insert_attempt(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    due: &Due,
    attempt: &Attempt,
    (number, verdict): (u32, Verdict),
) -> Result<bool, Failure> {
    let Attempt { at, timing, .. } = *attempt;
    let retry_at = verdict.next_at().map(Timestamp::as_ms);
    let timing_us = [timing.dns_us, timing.connect_us, timing.tls_us, timing.first_byte_us, timing.total_us];
    let detail = pack_detail(timing_us, &attempt.detail, &attempt.request_headers, &attempt.answer);
    let (event, webhook) = (due.id.event.raw(), due.id.webhook.raw());
    let (at, code) = (at.as_ms(), verdict_code(verdict));
    let bytes = weight::of_step(detail.len());
    let insert = hot(&mut write.hot.insert_attempt, write.connection, INSERT_ATTEMPT)?;
    let inserted = match attempt.outcome {
        Outcome::Status(status) => {
            insert.execute(params![event, webhook, number, at, code, status, retry_at, detail])?
        }
        Outcome::Failed(failure) => {
            insert.execute(params![event, webhook, number, at, code, failure.name(), retry_at, detail])?
        }
    };
    if inserted > 0 {
        write.count(workspace, 0, bytes)?;
    }
    Ok(inserted > 0)
}

/// A retry is owed unless a cut has ended the round meanwhile.
fn owe_again(write: &mut Write<'_>, next: &Due) -> Result<(), Failure> {
    let Some(cut_upto) = cut_upto(write, next.id.webhook)? else { return Ok(()) };
    if cut_upto.is_some_and(|upto| upto >= next.born.0) {
        return Ok(());
    }
    if next.order.is_some() {
        return order::insert(write, next, DueAt::Then(next.due_at));
    }
    hot(&mut write.hot.insert_due, write.connection, INSERT_DUE)?.execute(params![
        next.id.webhook.raw(),
        next.due_at.as_ms(),
        next.id.event.raw(),
        next.born.0,
        next.steps,
        next.tries,
    ])?;
    Ok(())
}

/// The outer `None`: no such webhook; the inner: it was never cut.
fn cut_upto(write: &Write<'_>, webhook: WebhookId) -> Result<Option<Option<i64>>, Failure> {
    let mut select = write.statement(SELECT_CUT_UPTO)?;
    Ok(select.query_row([webhook.raw()], |row| row.get(0)).optional()?)
}

/// A failure count alone changes neither the workspace's version nor the webhook's `updated_at`.
fn change_health(write: &mut Write<'_>, finished: &Finished, health: HealthChange) -> Result<(), Failure> {
    let (workspace, id) = (finished.workspace, finished.due.id.webhook);
    let Some(webhook) = find::webhook(write.connection, workspace, id)? else { return Ok(()) };
    if webhook.health != health.health {
        store_health(write, id, &health.health)?;
    }
    if let Some(reason) = health.disable.filter(|reason| webhook.state.gives_way_to(*reason)) {
        disable::disable(write, workspace, id, finished.attempt.at, reason)?;
        write.bump_version(workspace)?;
    }
    if health.backlog == Backlog::Skipped {
        let upto = write.sequence(workspace)?;
        write.cut(id, upto, finished.attempt.at, CutReason::Skipped)?;
    }
    Ok(())
}

pub(crate) fn store_health(write: &Write<'_>, id: WebhookId, health: &Health) -> Result<(), Failure> {
    let HealthColumns { failures, failing_since, held_since, probes, probe_at } = HealthColumns::of(health);
    let values = params![id.raw(), failures, failing_since, held_since, probes, probe_at];
    write.statement(UPDATE_HEALTH)?.execute(values)?;
    Ok(())
}
