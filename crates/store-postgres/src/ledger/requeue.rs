//! `requeue`: a delivery is owed once more, with a fresh round.

use signalpost_core::delivery::{DeliveryState, Due, state_of, unsent_round};
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, WorkspaceId};
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::ledger::Requeue;
use signalpost_store::row::{BLOCKED_AT, DueAt, Fields, HELD_AT, KeptPlace, REQUEUED, targets};
use signalpost_store::weight;

use super::order;
use super::{history, record};
use crate::catalog::find;
use crate::failure::Failure;
use crate::locks::Locked;
use crate::write::Write;

/// No large column is read.
pub(crate) const SELECT_EVENT: &str = "SELECT id, sequence, accepted_at, payload_removed_at, targets
    FROM message WHERE id = $1 AND workspace = $2";
pub(crate) const INSERT_STEP: &str = "INSERT INTO attempt
    (event, webhook, n, at, verdict, outcome, retry_at, born, detail)
    VALUES ($1, $2, $3, $4, $5, NULL, NULL, $6, NULL)";

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

/// What must be locked before deliveries of a workspace are sent once more.
pub(super) fn locks_of(workspace: WorkspaceId, deliveries: &[DeliveryId]) -> Vec<Locked> {
    let lanes = deliveries.iter().map(|id| Locked::Order(id.webhook));
    std::iter::once(Locked::Workspace(workspace)).chain(lanes).collect()
}

pub(crate) async fn run(write: &mut Write<'_>, params: Requeue) -> Result<Due, Failure> {
    let Requeue { workspace, delivery: id, at, rule } = params;
    write.lock_all(&locks_of(workspace, &[id])).await?;
    let found = look(write, workspace, id).await?.ok_or(StoreError::Missing("delivery"))?;
    let webhook = find::webhook(write, workspace, id.webhook).await?;
    let webhook = webhook.ok_or(StoreError::WrongState("the webhook is deleted"))?;
    rule.check(webhook.state, found.state, found.last_number)?;
    if found.payload_removed_at.is_some() {
        let sentence = "the payload of the event was removed, as its retention asks";
        return Err(StoreError::WrongState(sentence).into());
    }
    match found.unsent {
        Some(due) => Ok(due),
        None => begin_round(write, workspace, id, &found, at).await,
    }
}

/// The workspace is locked, and the order of the webhook.
pub(crate) async fn look(
    write: &Write<'_>,
    workspace: WorkspaceId,
    id: DeliveryId,
) -> Result<Option<Found>, Failure> {
    if write.version(workspace).is_none() {
        return Ok(None);
    }
    let event = write
        .one(SELECT_EVENT, &[&id.event.raw(), &workspace.raw()], |row| {
            let mut fields = Fields::new(row, "message", 1);
            fields.skip();
            let (sequence, accepted_at) =
                (Sequence(fields.integer("sequence")?), fields.time("accepted_at")?);
            let payload_removed_at = fields.optional_time("payload_removed_at")?;
            Ok((sequence, accepted_at, payload_removed_at, targets(&mut fields)?))
        })
        .await?;
    let Some((sequence, accepted_at, payload_removed_at, targets)) = event else { return Ok(None) };
    if !targets.contains(&id.webhook) {
        return Ok(None);
    }
    let steps = history::steps_brief(write, id).await?;
    let cuts = history::cuts(write, id.webhook).await?;
    let state = state_of(sequence, accepted_at, &steps, &cuts);
    let row_at = match state_of(sequence, accepted_at, &steps, &[]) {
        DeliveryState::Pending { next_at } => Some(next_at),
        _ => None,
    };
    let kept = order::kept(write, id, state).await?;
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
pub(crate) async fn begin_round(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    id: DeliveryId,
    found: &Found,
    at: Timestamp,
) -> Result<Due, Failure> {
    let aside = match (found.kept, found.state) {
        (Some(kept), _) => Some(kept.due_at),
        (None, DeliveryState::Dropped { .. }) => Some(HELD_AT),
        (None, DeliveryState::Failed { .. }) => Some(BLOCKED_AT),
        (None, _) => None,
    };
    let places = found.row_at.into_iter().chain(aside.map(Timestamp::from_ms));
    let born = write.next_sequence(workspace)?;
    let number = found.last_number.saturating_add(1);
    let order = found.kept.map(|kept| kept.order);
    let due = Due { id, due_at: at, born, steps: number, tries: 0, order };
    write.count(workspace, 0, weight::of_step(0));
    let (event, lane) = (id.event.raw(), id.webhook.raw());
    let step = i64::from(number);
    // First the step and then the row that it takes the place of, as an outcome does: neither waits for the other then.
    write.execute(INSERT_STEP, &[&event, &lane, &step, &at.as_ms(), &REQUEUED, &born.0]).await?;
    record::delete_due(write, places.map(|due_at| Due { due_at, ..due })).await?;
    if found.kept.is_some_and(|kept| kept.is_held()) {
        order::insert(write, &due, DueAt::Held { then: at }).await?;
        return Ok(due);
    }
    order::insert(write, &due, DueAt::Then(at)).await?;
    write.news.requeued.push((due, workspace));
    Ok(due)
}
