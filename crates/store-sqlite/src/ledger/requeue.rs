//! `requeue`: a delivery is owed once more, with a fresh round.

use rusqlite::params;
use signalpost_core::delivery::{DeliveryState, Due, state_of, unsent_round};
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, WorkspaceId};
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::ledger::Requeue;

use super::accept::INSERT_DUE;
use super::finish::DELETE_DUE;
use super::history;
use super::order;
use crate::catalog::find;
use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::write::Write;
use signalpost_store::row::{BLOCKED_AT, DueAt, Fields, HELD_AT, KeptPlace, REQUEUED, targets};
use signalpost_store::weight;

/// No large column is read.
pub(crate) const SELECT_EVENT: &str = "SELECT id, sequence, accepted_at, payload_removed_at, targets
    FROM message WHERE id = ?1 AND workspace = ?2";
pub(crate) const INSERT_STEP: &str = "INSERT INTO attempt
    (event, webhook, n, at, verdict, outcome, retry_at, born, detail)
    VALUES (?1, ?2, ?3, ?4, ?5, NULL, NULL, ?6, NULL)";

/// A delivery as far as sending it once more goes.
pub(crate) struct Found {
    pub(crate) state: DeliveryState,
    pub(crate) payload_removed_at: Option<Timestamp>,
    /// A round that was asked for and not begun.
    unsent: Option<Due>,
    /// When the row is due, or would be, that its last round has in `due`, or had before a cut has ended it.
    row_at: Option<Timestamp>,
    /// Its place in an order, and its row.
    kept: Option<KeptPlace>,
    /// Of the last step of its history, zero when there is none.
    pub(crate) last_number: u32,
}

pub(crate) fn run(write: &mut Write<'_>, params: Requeue) -> Result<Due, Failure> {
    let Requeue { workspace, delivery: id, at, rule } = params;
    let found = look(write, workspace, id)?.ok_or(StoreError::Missing("delivery"))?;
    let webhook = find::webhook(write.connection, workspace, id.webhook)?;
    let webhook = webhook.ok_or(StoreError::WrongState("the webhook is deleted"))?;
    rule.check(webhook.state, found.state, found.last_number)?;
    if found.payload_removed_at.is_some() {
        let sentence = "the payload of the event was removed, as its retention asks";
        return Err(StoreError::WrongState(sentence).into());
    }
    match found.unsent {
        Some(due) => Ok(due),
        None => begin_round(write, workspace, id, &found, at),
    }
}

pub(crate) fn look(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    id: DeliveryId,
) -> Result<Option<Found>, Failure> {
    if write.version(workspace)?.is_none() {
        return Ok(None);
    }
    let key = [id.event.raw(), workspace.raw()];
    let event = fetch_one(write.connection, SELECT_EVENT, key, |row| {
        let mut fields = Fields::new(row, "message", 1);
        fields.skip();
        let (sequence, accepted_at) = (Sequence(fields.integer("sequence")?), fields.time("accepted_at")?);
        let payload_removed_at = fields.optional_time("payload_removed_at")?;
        Ok((sequence, accepted_at, payload_removed_at, targets(&mut fields)?))
    })?;
    let Some((sequence, accepted_at, payload_removed_at, targets)) = event else { return Ok(None) };
    if !targets.contains(&id.webhook) {
        return Ok(None);
    }
    let steps = history::steps_brief(write.connection, id)?;
    let cuts = history::cuts(write.connection, id.webhook)?;
    let state = state_of(sequence, accepted_at, &steps, &cuts);
    let row_at = match state_of(sequence, accepted_at, &steps, &[]) {
        DeliveryState::Pending { next_at } => Some(next_at),
        _ => None,
    };
    let kept = order::kept(write, id, state)?;
    let order = kept.map(|kept| kept.order);
    Ok(Some(Found {
        state,
        row_at,
        unsent: unsent_round(id, state, &steps).map(|due| Due { order, ..due }),
        kept,
        payload_removed_at,
        last_number: steps.last().map_or(0, |step| step.number()),
    }))
}

/// In place of whatever the delivery was owed, or would be if no cut had ended it: nobody would look for that any more.
pub(crate) fn begin_round(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    id: DeliveryId,
    found: &Found,
    at: Timestamp,
) -> Result<Due, Failure> {
    let (event, lane) = (id.event.raw(), id.webhook.raw());
    let aside = match (found.kept, found.state) {
        (Some(kept), _) => Some(kept.due_at),
        (None, DeliveryState::Dropped { .. }) => Some(HELD_AT),
        (None, DeliveryState::Failed { .. }) => Some(BLOCKED_AT),
        (None, _) => None,
    };
    for due_at in found.row_at.map(Timestamp::as_ms).into_iter().chain(aside) {
        write.statement(DELETE_DUE)?.execute([lane, due_at, event])?;
    }
    let born = write.next_sequence(workspace)?;
    write.count(workspace, 0, weight::of_step(0))?;
    let number = found.last_number.saturating_add(1);
    write.statement(INSERT_STEP)?.execute(params![event, lane, number, at.as_ms(), REQUEUED, born.0])?;
    let order = found.kept.map(|kept| kept.order);
    let due = Due { id, due_at: at, born, steps: number, tries: 0, order };
    match found.kept {
        None => {
            write.statement(INSERT_DUE)?.execute(params![lane, at.as_ms(), event, born.0, number, 0])?;
        }
        Some(kept) if kept.is_held() => {
            order::insert(write, &due, DueAt::Held { then: at })?;
            return Ok(due);
        }
        Some(_) => order::insert(write, &due, DueAt::Then(at))?,
    }
    write.news.requeued.push((due, workspace));
    Ok(due)
}
